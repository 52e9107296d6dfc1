//! Each fault of the control connection and of passive mode, once.

use super::*;

#[tokio::test]
async fn addresses_cycle_and_ports_follow_the_list() {
    let server = start("[passive]\nadvertise = ['10.0.0.5', '192.0.2.7']\nports = [50000, 50007]");
    let mut client = Client::login(&server).await;
    let mut replies = Vec::new();
    for command in ["PASV", "PASV", "EPSV", "PASV"] {
        replies.push(client.ask(command).await.split_once('(').unwrap().1.to_owned());
    }
    assert_eq!(replies, ["10,0,0,5,195,80)", "192,0,2,7,195,87)", "|||50000|)", "10,0,0,5,195,87)"]);
}

#[tokio::test]
async fn only_the_newest_offer_has_a_listener() {
    let server = start("[passive]\nports = '50000-50009 sequential'");
    let mut client = Client::login(&server).await;
    for port in 50_000..50_003 {
        client.ask("PASV").await;
        assert_eq!(server.ports().announced(), [port]);
    }
}

#[tokio::test]
async fn announced_port_may_be_none() {
    for (port, numbers) in [(0, "0,0)"), (65_536, "256,0)"), (21, "0,21)")] {
        let server = start(&format!("[passive]\nannounce_port = {port}"));
        let reply = Client::login(&server).await.ask("PASV").await;
        assert!(reply.ends_with(numbers), "{reply}");
        assert_eq!(server.ports().announced().len(), usize::from(port == 21));
    }
}

#[tokio::test]
async fn real_ports_need_no_map() {
    let server = start("[passive]\nreal_ports = true");
    let mut client = Client::login(&server).await;
    let port = port_of(&client.ask("PASV").await).unwrap();
    TcpStream::connect((server.address().ip(), port)).await.unwrap();
}

#[tokio::test]
async fn passive_modes_can_be_off() {
    let server = start("persona = 'vsftpd'\n[passive]\npasv = false\nepsv = false");
    let mut client = Client::login(&server).await;
    assert_eq!(client.ask("PASV").await, "550 Permission denied.");
    assert_eq!(client.ask("EPSV").await, "550 Permission denied.");
    assert!(!client.ask("FEAT").await.contains("PASV"));
}

#[tokio::test]
async fn ports_run_out_as_the_daemon_has_it() {
    let ordered = "[passive]\nexhausted_after = 1\nports = '50000-50009'";
    let server = start(&format!("persona = 'pure-ftpd'\n{ordered}"));
    let mut client = Client::login(&server).await;
    client.passive("PASV", &server).await;
    assert_eq!(client.ask("EPSV").await, "425 All reserved TCP ports are busy");

    let server = start(&format!("persona = 'vsftpd'\n{ordered}"));
    let mut client = Client::login(&server).await;
    client.passive("PASV", &server).await;
    assert_eq!(client.ask("PASV").await, "500 OOPS: vsf_sysutil_bind");
    assert_eq!(client.rest().await.unwrap(), b"500 OOPS: priv_sock_get_int\r\n");

    let server = start(&format!("persona = 'proftpd'\n{ordered}"));
    let mut client = Client::login(&server).await;
    client.passive("PASV", &server).await;
    let kernels = port_of(&client.ask("PASV").await).unwrap();
    assert!(!(50_000..=50_009).contains(&kernels), "{kernels}");
    assert_eq!(server.ports().announced(), [kernels]);
}

#[tokio::test]
async fn scripted_reply_with_a_port_has_a_listener_behind_it() {
    let server = start(
        "[replies]\nPASV = '227 ({h1}.{h2}.{h3}.{h4}) {address} ({p1},{p2})'\nEPSV = '229 no port at all'",
    );
    let mut client = Client::login(&server).await;
    let reply = client.ask("PASV").await;
    assert!(reply.starts_with("227 (127.0.0.1) 127.0.0.1 (19"), "{reply}");
    assert_eq!(server.ports().announced().len(), 1);
    assert_eq!(client.ask("EPSV").await, "229 no port at all");
}

#[tokio::test]
async fn replies_come_in_turn_and_the_last_stays() {
    let server = start("[replies]\nNOOP = ['200 one', { usual = true }, '200 three']");
    let mut client = Client::login(&server).await;
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(client.ask("NOOP").await);
    }
    assert_eq!(heard, ["200 one", "200 Command okay.", "200 three", "200 three"]);
    // Counted over all sessions, so that a second one meets what comes next.
    assert_eq!(Client::login(&server).await.ask("NOOP").await, "200 three");
}

#[tokio::test]
async fn secrets_can_be_echoed() {
    let server = start("[replies]\nPASS = '230 {user}, your password is {pass}'");
    let mut client = Client::connect(&server).await;
    client.expect("220").await;
    client.ask("USER alice").await;
    assert_eq!(client.ask("PASS {user}").await, "230 alice, your password is {user}");
    assert!(client.ask("PASV").await.starts_with("227"), "a scripted 230 is a login");
}

#[tokio::test]
async fn raw_bytes_go_out_as_they_are() {
    let server =
        start("[replies]\nSYST = { raw = \"215 bare\\n\" }\nNOOP = { raw_hex = '32 30 30 20 ff 0a' }");
    let mut client = Client::login(&server).await;
    assert_eq!(client.ask("SYST").await, "215 bare");
    client.say("NOOP").await;
    let mut bytes = [0; 6];
    soon(client.control.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(&bytes, b"200 \xff\n");
}

#[tokio::test]
async fn long_answers_are_bounded() {
    let server = start("[replies]\nHELP = { raw = 'x', repeat = 100000, then = 'close' }");
    let mut client = Client::login(&server).await;
    client.say("HELP").await;
    assert_eq!(client.rest().await.unwrap().len(), 100_000);
    let server = start("greeting = { raw = \"220-more\\r\\n\", endless = true, then = 'close' }");
    let sent = Client::connect(&server).await.rest().await.unwrap().len();
    assert!((64 << 20) - 20 < sent && sent <= (64 << 20) + 20, "{sent}");
}

#[tokio::test]
async fn answers_can_be_late_slow_or_never() {
    let server = start(
        "greeting = { usual = true, delay_ms = 150 }\n[replies]\nSYST = { lines = ['215 x'], byte_delay_ms = 5 }\nNOOP = {}",
    );
    let mut client = Client::connect(&server).await;
    assert!(client.hears_nothing().await);
    client.expect("220").await;
    client.ask("USER anonymous").await;
    client.ask("PASS x").await;
    assert_eq!(client.ask("SYST").await, "215 x");
    client.say("NOOP").await;
    assert!(client.hears_nothing().await);
}

#[tokio::test]
async fn connections_end_as_ordered() {
    let server = start(
        "[replies]\nNOOP = { usual = true, then = 'close' }\nSYST = { then = 'reset' }\nHELP = { lines = ['214 x'], then = 'hang' }",
    );
    let mut client = Client::login(&server).await;
    assert!(client.ask("NOOP").await.starts_with("200"));
    assert_eq!(client.rest().await.unwrap(), b"");
    let mut client = Client::login(&server).await;
    client.say("SYST").await;
    assert!(client.rest().await.is_err(), "a reset, not an end");
    let mut client = Client::login(&server).await;
    assert_eq!(client.ask("HELP").await, "214 x");
    client.say("NOOP").await;
    assert!(client.hears_nothing().await);
}

#[tokio::test]
async fn tls_that_is_promised_ends_in_an_alert() {
    let server = start("[replies]\n'AUTH TLS' = '234 go ahead'");
    let mut client = Client::connect(&server).await;
    client.expect("220").await;
    assert_eq!(client.ask("AUTH TLS").await, "234 go ahead");
    client.control.write_all(&[0x16, 3, 1, 0, 1, 1]).await.unwrap();
    assert_eq!(client.rest().await.unwrap(), [0x15, 3, 3, 0, 2, 2, 0x28]);
}

#[tokio::test]
async fn other_protocols_speak_as_they_do() {
    for (speaks, said, heard) in [
        ("ssh", "", "SSH-2.0-"),
        ("smtp", "", "220 mail.example.com ESMTP"),
        ("http", "USER x\r\n", "HTTP/1.1 400"),
        ("tls", "\u{16}\u{3}\u{1}", "\u{15}\u{3}\u{3}\0\u{2}\u{2}("),
        ("silent", "USER x\r\n", ""),
        ("garbage", "", ""),
    ] {
        let server = start(&format!("speaks = '{speaks}'"));
        let mut client = Client::connect(&server).await;
        client.control.write_all(said.as_bytes()).await.unwrap();
        if speaks == "silent" {
            assert!(client.hears_nothing().await);
            continue;
        }
        let bytes = soon(client.control.fill_buf()).await.unwrap();
        assert!(bytes.starts_with(heard.as_bytes()), "{speaks}: {bytes:?}");
        assert!(server.journal().commands.is_empty());
    }
}

#[tokio::test]
async fn mail_server_does_not_know_user() {
    let server = start("speaks = 'smtp'");
    let mut client = Client::connect(&server).await;
    client.expect("220").await;
    assert!(client.ask("USER anonymous").await.starts_with("502 5.5.2"));
    assert!(client.ask("QUIT").await.starts_with("221"));
}
