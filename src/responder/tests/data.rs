//! Each fault of the data connection, once.

use super::*;

/// Logs in at a server with these data faults.
async fn with(data: &str) -> (Responder, Client) {
    let server = start(data);
    let client = Client::login(&server).await;
    (server, client)
}

#[tokio::test]
async fn connection_that_the_server_never_sees() {
    let (server, mut client) =
        with("persona = 'vsftpd'\n[data]\naccept = false\naccept_timeout_ms = 150").await;
    let data = client.passive("PASV", &server).await;
    client.say("LIST").await;
    assert!(client.hears_nothing().await, "vsftpd says 150 only after the connection");
    client.expect("425 Failed to establish connection.").await;
    drop(data);
    assert!(client.ask("NOOP").await.starts_with("200"));
    assert_eq!(server.stop().await.data_connections, 1);
}

#[tokio::test]
async fn some_daemons_say_150_before_the_connection() {
    let (server, mut client) = with("persona = 'filezilla'\n[data]\naccept = false").await;
    let _data = client.passive("PASV", &server).await;
    assert_eq!(client.ask("LIST").await, "150 About to start data transfer.");
    assert!(client.hears_nothing().await);
    assert_eq!(client.ask("QUIT").await, "221 Goodbye.");
}

#[tokio::test]
async fn some_daemons_tell_whether_the_connection_was_there() {
    let (server, mut client) = with("persona = 'pyftpdlib'").await;
    let (_, [begin, _]) = client.fetch("LIST", &server).await;
    assert_eq!(begin, "125 Data connection already open. Transfer starting.");
    let port = port_of(&client.ask("PASV").await).unwrap();
    assert_eq!(client.ask("LIST").await, "150 File status okay. About to open data connection.");
    let mut data = TcpStream::connect(server.ports().lookup(port).unwrap()).await.unwrap();
    assert!(!all(&mut data).await.unwrap().is_empty());
    client.expect("226").await;
}

#[tokio::test]
async fn end_of_patience_may_end_the_session() {
    let (server, mut client) =
        with("persona = 'proftpd'\n[data]\naccept = false\naccept_timeout_ms = 10").await;
    client.passive("PASV", &server).await;
    assert!(client.ask("LIST").await.starts_with("421 No transfer timeout"));
    assert_eq!(client.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn foreign_source_is_refused() {
    let (server, mut client) = with("persona = 'vsftpd'\n[data]\nrefuse_source = true").await;
    let mut data = client.passive("PASV", &server).await;
    assert_eq!(client.ask("LIST").await, "425 Security: Bad IP connecting.");
    assert_eq!(all(&mut data).await.unwrap(), b"");
}

#[tokio::test]
async fn foreign_source_is_ignored_by_pure_ftpd() {
    let (server, mut client) =
        with("persona = 'pure-ftpd'\n[data]\nrefuse_source = true\naccept_timeout_ms = 150").await;
    let mut data = client.passive("PASV", &server).await;
    client.say("LIST").await;
    assert_eq!(all(&mut data).await.unwrap(), b"");
    assert!(client.hears_nothing().await);
    client.expect("421 Timeout").await;
}

#[tokio::test]
async fn bytes_stop_but_the_connection_stays() {
    let (server, mut client) = with("[data]\nstall_after = 100").await;
    let mut data = client.passive("PASV", &server).await;
    client.ask("RETR readme.txt").await;
    let mut bytes = [0; 100];
    soon(data.read_exact(&mut bytes)).await.unwrap();
    assert!(timeout(A_WHILE, data.read(&mut bytes)).await.is_err());
    assert!(client.hears_nothing().await);
    drop(data);
    client.expect("426").await;
}

#[tokio::test]
async fn stalled_transfer_can_be_aborted() {
    let (server, mut client) = with("persona = 'filezilla'\n[data]\nstall_after = 0").await;
    let _data = client.passive("PASV", &server).await;
    client.ask("LIST").await;
    assert!(client.ask("ABOR").await.starts_with("425 Error while transfering data"));
    client.expect("226 ABOR command successful.").await;
}

#[tokio::test]
async fn fewer_bytes_and_a_cheerful_226() {
    let (server, mut client) = with("[data]\ntruncate_after = 100").await;
    let (bytes, [begin, end]) = client.fetch("RETR readme.txt", &server).await;
    assert_eq!(bytes.len(), 100);
    assert!(begin.contains("(1024 bytes)") && end.starts_with("226"));
}

#[tokio::test]
async fn reset_in_the_middle() {
    let (server, mut client) = with("[data]\nreset_after = 100").await;
    let mut data = client.passive("PASV", &server).await;
    client.ask("RETR readme.txt").await;
    assert!(all(&mut data).await.is_err());
    client.expect("426").await;
}

#[tokio::test]
async fn rate_is_kept() {
    let (server, mut client) = with("[data]\nrate = 5000").await;
    let mut data = client.passive("PASV", &server).await;
    client.ask("RETR readme.txt").await;
    let mut bytes = [0; 1024];
    assert!(timeout(A_WHILE, data.read_exact(&mut bytes)).await.is_err(), "a kilobyte takes 200 ms");
    all(&mut data).await.unwrap();
    client.expect("226").await;
}

#[tokio::test]
async fn completion_that_never_comes() {
    let (server, mut client) = with("[data]\nno_completion = true").await;
    let mut data = client.passive("PASV", &server).await;
    client.ask("LIST").await;
    assert!(!all(&mut data).await.unwrap().is_empty());
    client.say("NOOP").await;
    assert!(client.hears_nothing().await);
}

#[tokio::test]
async fn completion_and_codes_to_order() {
    let (server, mut client) =
        with("[data]\nstart_code_125 = true\ncompletion = { lines = ['451 disk on fire'], then = 'close' }")
            .await;
    let (_, [begin, end]) = client.fetch("LIST", &server).await;
    assert!(begin.starts_with("125 "), "{begin}");
    assert_eq!(end, "451 disk on fire");
    assert_eq!(client.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn moments_of_a_transfer_can_be_answered() {
    let script = "[replies]\nDATA-BEGIN = ['150 off we go', '425 not today']\nDATA-END = '226 there you are'";
    let (server, mut client) = with(script).await;
    let (_, replies) = client.fetch("LIST", &server).await;
    assert_eq!(replies, ["150 off we go", "226 there you are"]);
    let mut data = client.passive("PASV", &server).await;
    assert_eq!(client.ask("LIST").await, "425 not today");
    assert_eq!(all(&mut data).await.unwrap(), b"");
    assert!(client.ask("NOOP").await.starts_with("200"));
}

#[tokio::test]
async fn another_service_answers_on_the_data_port() {
    let (server, mut client) =
        with("persona = 'vsftpd'\n[data]\nunsolicited = \"SSH-2.0-x\\r\\n\"\naccept_timeout_ms = 50").await;
    let mut data = client.passive("PASV", &server).await;
    let mut greeting = [0; 11];
    soon(data.read_exact(&mut greeting)).await.unwrap();
    assert_eq!(&greeting, b"SSH-2.0-x\r\n");
    assert_eq!(client.ask("LIST").await, "425 Failed to establish connection.");
    assert_eq!(server.stop().await.data_connections, 1);
}

#[tokio::test]
async fn pure_ftpd_keeps_its_listener() {
    let (server, mut client) = with("persona = 'pure-ftpd'").await;
    client.fetch("LIST", &server).await;
    let port = server.ports().announced()[0];
    let mut data = TcpStream::connect(server.ports().lookup(port).unwrap()).await.unwrap();
    assert!(client.ask("LIST").await.starts_with("150"));
    all(&mut data).await.unwrap();
    client.expect("226").await;
}
