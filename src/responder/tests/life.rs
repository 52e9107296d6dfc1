//! Bounds, the journal, and the end.

use super::*;

#[tokio::test]
async fn one_session_too_many_is_turned_away() {
    let server = start("persona = 'vsftpd'\n[limits]\nsessions = 1");
    let mut first = Client::login(&server).await;
    let mut second = Client::connect(&server).await;
    assert_eq!(second.reply().await, "421 There are too many connected users, please try later.");
    assert_eq!(second.rest().await.unwrap(), b"");
    // Whoever comes back right after the goodbye must find a seat, every time.
    for _ in 0..50 {
        first.ask("QUIT").await;
        first = Client::login(&server).await;
    }
}

#[tokio::test]
async fn sessions_end_after_a_count_or_at_a_command() {
    let server = start("[limits]\nclose_after_commands = 3");
    let mut client = Client::login(&server).await;
    assert!(client.ask("NOOP").await.starts_with("200"));
    assert_eq!(client.rest().await.unwrap(), b"");
    let server = start("[limits]\nclose_on = 'PASV'");
    let mut client = Client::login(&server).await;
    assert_eq!(client.ask("PASV").await, "");
}

#[tokio::test]
async fn long_line_ends_the_session() {
    let server = start("");
    let mut client = Client::login(&server).await;
    client.say(&"x".repeat(4000)).await;
    client.expect("500").await;
    client.say(&"x".repeat(5000)).await;
    client.expect("500 Command line too long.").await;
    assert!(matches!(client.rest().await.as_deref(), Ok(b"") | Err(_)));
    let journal = server.stop().await;
    assert_eq!(journal.unscripted.len(), 1);
}

#[tokio::test]
async fn commands_that_nobody_knows_are_listed() {
    let server = start("[replies]\nFOO = '200 scripted'");
    let mut client = Client::login(&server).await;
    client.ask("FOO").await;
    client.ask("site help").await;
    client.ask("PORT 127,0,0,1,4,1").await;
    let journal = server.journal();
    assert_eq!(journal.unscripted, ["SITE help", "PORT 127,0,0,1,4,1"]);
    assert_eq!(journal.commands[..3], ["USER anonymous", "PASS ***", "FOO"]);
}

#[tokio::test]
async fn connections_without_a_transfer_are_counted_too() {
    let server = start("");
    let mut client = Client::login(&server).await;
    for _ in 0..3 {
        drop(client.passive("PASV", &server).await);
    }
    client.ask("QUIT").await;
    client.rest().await.unwrap();
    assert_eq!(server.stop().await.data_connections, 3);
}

#[tokio::test]
async fn stop_leaves_no_listener() {
    let server = start("");
    let mut client = Client::login(&server).await;
    client.passive("PASV", &server).await;
    let (control, ports) = (server.address(), server.ports());
    let data = ports.lookup(ports.announced()[0]).unwrap();
    let journal = server.stop().await;
    assert!(!journal.panicked);
    assert!(ports.announced().is_empty());
    for address in [control, data] {
        assert!(TcpStream::connect(address).await.is_err(), "{address} still listens");
    }
    assert!(matches!(client.rest().await.as_deref(), Ok(b"") | Err(_)));
}

#[tokio::test]
async fn dropping_the_responder_stops_it_too() {
    let server = start("");
    let mut client = Client::login(&server).await;
    let (address, ports) = (server.address(), server.ports());
    client.passive("PASV", &server).await;
    drop(server);
    assert!(matches!(client.rest().await.as_deref(), Ok(b"") | Err(_)));
    assert!(TcpStream::connect(address).await.is_err());
    assert!(ports.announced().is_empty());
}

#[test]
fn start_outside_a_runtime_is_an_error() {
    assert!(Responder::start(Script::default()).is_err());
}

#[tokio::test]
async fn responder_listens_on_loopback_unless_told_otherwise() {
    for script in ["", "family = 'ipv6'"] {
        assert!(start(script).address().ip().is_loopback());
    }
    let address = start("listen = '127.0.0.2:0'").address();
    assert_eq!(address.ip().to_string(), "127.0.0.2");
}
