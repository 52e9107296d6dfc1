//! Healthy dialogues, in the words of each daemon.

use super::super::Persona;
use super::*;

#[tokio::test]
async fn every_persona_logs_in_lists_and_says_goodbye() {
    for persona in Persona::ALL {
        let server = start(&format!("persona = '{}'", persona.name()));
        let mut client = Client::login(&server).await;
        client.ask("FEAT").await;
        let (listing, [begin, end]) = client.fetch("LIST", &server).await;
        assert_eq!(String::from_utf8_lossy(&listing).lines().count(), 3, "{persona:?}");
        assert!(begin.starts_with("150") || begin.starts_with("125"), "{persona:?}: {begin}");
        assert!(end.starts_with("226"), "{persona:?}: {end}");
        let mut data = client.passive("EPSV", &server).await;
        client.ask("RETR readme.txt").await;
        assert_eq!(all(&mut data).await.unwrap().len(), 1024, "{persona:?}");
        drop(data); // ProFTPD confirms only then
        client.expect("226").await;
        assert!(client.ask("QUIT").await.starts_with("221"), "{persona:?}");
        assert_eq!(client.rest().await.unwrap(), b"", "{persona:?}");
        let journal = server.stop().await;
        assert_eq!((journal.control_connections, journal.data_connections), (1, 2), "{persona:?}");
        assert!(journal.unscripted.is_empty() && !journal.panicked, "{persona:?}: {journal:?}");
    }
}

#[tokio::test]
async fn words_are_those_of_the_transcripts() {
    let cases = [
        ("vsftpd", "EPSV 3", "522 Bad network protocol."),
        ("vsftpd", "LIST", "425 Use PORT or PASV first."),
        ("vsftpd", "FOO", "500 Unknown command."),
        ("vsftpd", "OPTS utf8 on", "200 Always in UTF8 mode."),
        ("proftpd", "FOO", "500 FOO not understood"),
        ("proftpd", "EPSV x", "501 EPSV: unknown network protocol"),
        ("proftpd", "CSID name=x", "200 name=ProFTPD;version=1.3.8;casesensitive=1;"),
        ("pure-ftpd", "NOOP", "200 Zzz..."),
        ("pure-ftpd", "EPSV ALL", "220 Active mode is disabled"),
        ("pure-ftpd", "LIST", "425 No data connection"),
        ("filezilla", "SYST", "215 UNIX emulated by FileZilla."),
        ("filezilla", "LIST", "425 Use PORT, PASV or EPSV first."),
        ("iis", "SYST", "215 Windows_NT"),
        ("iis", "SIZE /a.txt", "550 The system cannot find the file specified. "),
        ("pyftpdlib", "NOOP", "200 I successfully did nothing'."),
        ("pyftpdlib", "EPSV 2", "522 Network protocol not supported (use 1)."),
        ("pyftpdlib", "PWD", "257 \"/\" is the current directory."),
    ];
    for (persona, command, words) in cases {
        let server = start(&format!("persona = '{persona}'"));
        assert_eq!(Client::login(&server).await.ask(command).await, words, "{persona}: {command}");
    }
}

#[tokio::test]
async fn what_needs_no_login_differs() {
    let cases = [
        ("vsftpd", "SYST", "530 Please login with USER and PASS."),
        ("vsftpd", "FOO", "530 Please login with USER and PASS."),
        ("vsftpd", "AUTH TLS", "530 Please login with USER and PASS."),
        ("proftpd", "SYST", "215 UNIX Type: L8"),
        ("proftpd", "PASV", "530 Please login with USER and PASS"),
        ("proftpd", "FOO", "500 FOO not understood"),
        ("pure-ftpd", "FOO", "530 You aren't logged in"),
        ("pyftpdlib", "LIST", "530 Log in with USER and PASS first."),
    ];
    for (persona, command, words) in cases {
        let server = start(&format!("persona = '{persona}'"));
        let mut client = Client::connect(&server).await;
        client.expect("220").await;
        assert_eq!(client.ask(command).await, words, "{persona}: {command}");
    }
}

#[tokio::test]
async fn named_users_need_their_password() {
    let server = start("persona = 'vsftpd'\n[login]\nanonymous = false\nusers = { alice = 'sesame' }");
    let mut client = Client::connect(&server).await;
    client.expect("220").await;
    client.ask("USER anonymous").await;
    assert_eq!(client.ask("PASS x@y").await, "530 Login incorrect.");
    assert_eq!(client.ask("PASS sesame").await, "503 Login with USER first.");
    client.ask("USER alice").await;
    assert_eq!(client.ask("PASS sesame").await, "230 Login successful.");
    let journal = server.stop().await;
    assert!(!format!("{journal:?}").contains("sesame"), "{journal:?}");
    assert_eq!(journal.commands.last().unwrap(), "PASS ***");
}

#[tokio::test]
async fn third_failure_is_the_last() {
    let server = start("persona = 'pyftpdlib'\n[login]\nanonymous = false");
    let mut client = Client::connect(&server).await;
    client.expect("220").await;
    for words in [
        "530 Authentication failed.",
        "530 Authentication failed.",
        "530 Authentication failed. Disconnecting.",
    ] {
        client.ask("USER x").await;
        assert_eq!(client.ask("PASS y").await, words);
    }
    assert_eq!(client.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn tls_is_demanded_in_the_words_of_the_persona() {
    let cases = [
        ("vsftpd", "530 Anonymous sessions must use encryption."),
        ("proftpd", "550 SSL/TLS required on the control channel"),
        ("filezilla", "503 Use AUTH first."),
        ("iis", "534 Policy requires SSL."),
    ];
    for (persona, words) in cases {
        let server = start(&format!("persona = '{persona}'\n[login]\nneeds_tls_login = true"));
        let mut client = Client::connect(&server).await;
        client.expect("220").await;
        assert!(client.ask("FEAT").await.contains("AUTH TLS"), "{persona}");
        assert_eq!(client.ask("USER anonymous").await, words);
    }
}

#[tokio::test]
async fn data_without_tls_is_refused_at_the_transfer_or_already_at_pasv() {
    let server = start("persona = 'vsftpd'\n[login]\nneeds_tls_data = true");
    let mut client = Client::login(&server).await;
    client.passive("PASV", &server).await;
    assert_eq!(client.ask("LIST").await, "522 Data connections must be encrypted.");
    let server = start("persona = 'pyftpdlib'\n[login]\nneeds_tls_data = true");
    let mut client = Client::login(&server).await;
    assert_eq!(client.ask("PASV").await, "550 SSL/TLS required on the data channel.");
}

#[tokio::test]
async fn pasv_over_ipv6_is_what_the_daemon_makes_of_it() {
    let cases = [
        ("vsftpd", "227 Entering Passive Mode (0,0,0,0,"),
        ("proftpd", "227 Entering Passive Mode (1,"),
        ("pure-ftpd", "425 You cannot use PASV on IPv6 connections. Use EPSV instead."),
        ("filezilla", "500 You are connected using IPv6."),
        ("pyftpdlib", "227 Entering passive mode (2001:db8::1,"),
    ];
    for (persona, words) in cases {
        let passive = "[passive]\nadvertise = '2001:db8::1'";
        let server = start(&format!("persona = '{persona}'\nfamily = 'ipv6'\n{passive}"));
        let mut client = Client::login(&server).await;
        let reply = client.ask("PASV").await;
        assert!(reply.starts_with(words), "{persona}: {reply}");
        client.passive("EPSV", &server).await;
        client.passive("EPSV 2", &server).await;
    }
}

#[tokio::test]
async fn epsv_all_ends_pasv() {
    let server = start("persona = 'proftpd'");
    let mut client = Client::login(&server).await;
    assert_eq!(client.ask("EPSV ALL").await, "200 EPSV ALL command successful");
    assert_eq!(client.ask("PASV").await, "500 Illegal PASV command, EPSV ALL in effect");
    client.passive("EPSV", &server).await;
}

#[tokio::test]
async fn folders_sizes_and_restarts() {
    let server = start("[data.files]\n'/pub/a.bin' = 1000\n'b.txt' = 5");
    let mut client = Client::login(&server).await;
    assert!(client.ask("CWD nowhere").await.starts_with("550"));
    assert!(client.ask("CWD pub").await.starts_with("250"));
    assert!(client.ask("PWD").await.starts_with("257 \"/pub\""));
    assert_eq!(client.ask("SIZE a.bin").await, "213 1000");
    assert!(client.ask("RETR b.txt").await.starts_with("550"));
    assert!(client.ask("REST 900").await.starts_with("350"));
    assert_eq!(client.fetch("RETR a.bin", &server).await.0.len(), 100);
    assert_eq!(client.fetch("RETR a.bin", &server).await.0.len(), 1000);
    assert!(client.ask("CDUP").await.starts_with("250"));
    assert_eq!(client.fetch("NLST", &server).await.0, b"b.txt\r\npub\r\n");
    assert_eq!(
        client.fetch("MLSD pub", &server).await.0,
        b"type=file;size=1000;modify=20240101000000; a.bin\r\n"
    );
}

#[tokio::test]
async fn uploads_are_taken_only_where_allowed() {
    let server = start("");
    assert!(Client::login(&server).await.ask("STOR x").await.starts_with("550"));
    let server = start("[data]\nwritable = true");
    let mut client = Client::login(&server).await;
    let mut data = client.passive("PASV", &server).await;
    assert!(client.ask("STOR up.bin").await.starts_with("150"));
    soon(data.write_all(&vec![7; 100_000])).await.unwrap();
    drop(data);
    client.expect("226").await;
    assert_eq!(client.ask("SIZE up.bin").await, "213 100000");
    assert!(client.ask("DELE up.bin").await.starts_with("250"));
    assert!(client.ask("SIZE up.bin").await.starts_with("550"));
}

#[tokio::test]
async fn empty_folder_lists_nothing() {
    let server = start("[data]\nlisting = []");
    let (listing, [_, end]) = Client::login(&server).await.fetch("LIST", &server).await;
    assert!(listing.is_empty() && end.starts_with("226"));
}
