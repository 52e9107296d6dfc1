//! `pasvcheck audit` and `--policy` on the command line.

mod common;

use common::{Server, pasvcheck};

/// A directory of its own for a test, with these files in it.
fn folder(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder
}

const SOUND: &str = "listen=YES\npasv_address=203.0.113.10\npasv_min_port=50000\npasv_max_port=50100\n";

#[test]
fn an_audit_of_named_files_reads_nothing_else() {
    let folder = folder("audit-named", &[("vsftpd.conf", SOUND)]);
    let file = folder.join("vsftpd.conf").display().to_string();
    let done = pasvcheck(&["audit", "--config", &file, "--json"]);
    assert_eq!(done.code, 0, "{done:?}");
    let report = done.json();
    assert_eq!(report["target"]["host"], serde_json::json!(file));
    assert_eq!(report["server"]["product"], "vsftpd");
    assert_eq!(report["checks"].as_array().unwrap().len(), 1);
    assert_eq!(report["evidence"]["audit"]["offline"], true);
    assert!(report["evidence"]["audit"]["host"].is_null());
    // Read again, it is the same report.
    let saved = folder.join("report.json");
    std::fs::write(&saved, &done.out).unwrap();
    let again = pasvcheck(&["--from", saved.to_str().unwrap(), "--json"]);
    assert_eq!((again.code, &again.json()["verdict"]), (0, &report["verdict"]));
}

#[test]
fn an_audit_points_at_the_line_and_exits_by_gravity() {
    let broken = SOUND.replace("pasv_min_port=50000", "pasv_min_prot=50000");
    let folder = folder("audit-broken", &[("a.conf", broken.as_str()), ("b.conf", SOUND)]);
    let path = |name: &str| folder.join(name).display().to_string();
    let done = pasvcheck(&["audit", "--server", "vsftpd", "--config", &path("a.conf")]);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.out.contains("a.conf:3:1"), "{}", done.out);
    assert!(done.out.contains("+ pasv_min_port=50000"), "{}", done.out);
    assert!(!done.out.contains('\u{1b}'));
    let finding = pasvcheck(&["audit", "--server", "vsftpd", "--config", &path("a.conf"), "--json"]).json();
    let first = &finding["findings"][0];
    assert_eq!((&first["line"], &first["column"]), (&serde_json::json!(3), &serde_json::json!(1)));
    // Several files, each with its own findings; the worst decides.
    let both = pasvcheck(&[
        "audit",
        "--config",
        &path("b.conf"),
        "--config",
        &path("a.conf"),
        "--server",
        "vsftpd",
        "-q",
    ]);
    assert_eq!(both.code, 2, "{both:?}");
    let range = pasvcheck(&[
        "audit",
        "--server",
        "vsftpd",
        "--config",
        &path("b.conf"),
        "--range",
        "40000-40100",
        "-q",
    ]);
    assert!(range.code == 2 && range.out.contains("40000-40100"), "{range:?}");
    assert_eq!(pasvcheck(&["audit", "--config", &path("gone.conf"), "-q"]).code, 3);
    assert_eq!(pasvcheck(&["audit", "--config", &path("b.conf"), "--dry-run"]).code, 0);
}

#[test]
fn bad_usage_of_an_audit_says_what_to_do() {
    for (args, says) in [
        (&["audit", "--server", "wuftpd"][..], "these can: vsftpd"),
        (&["audit", "--public-address", "2001:db8::1"], "IPv4"),
        (&["audit", "--public-address", "x"], "auto, or none"),
        (&["audit", "--echo-url", "file:///etc/passwd"], "https://"),
        (&["audit", "--root", "/no/such/root"], "no such directory"),
        (&["audit", "--policy", "/no/such/policy"], "cannot be read"),
        (&["audit", "--range", "9-1"], "backwards"),
        (&["check", "--public-address", "auto", "host"], "or none"),
    ] {
        let done = pasvcheck(args);
        assert_eq!(done.code, 3, "{args:?}: {done:?}");
        assert!(done.err.contains(says), "{args:?}: {done:?}");
    }
}

#[test]
fn a_policy_accepts_for_a_time_and_weighs_anew() {
    let policy = |until: &str| {
        format!(
            "[severity]\npasv-refused = \"critical\"\n[[ignore]]\nfinding = \"pasv-refused\"\nreason = \"known\"\nuntil = {until}\n"
        )
    };
    let folder = folder(
        "policy",
        &[
            ("ahead.toml", policy("9999-12-31").as_str()),
            ("passed.toml", policy("2020-01-31").as_str()),
            ("product.toml", "[require]\nproduct = \"proftpd\"\n"),
            ("bad.toml", "[require]\nprodukt = \"vsftpd\"\n"),
        ],
    );
    let path = |name: &str| folder.join(name).display().to_string();
    let server = Server::start("persona = 'vsftpd'\npassive.pasv = false");
    let check = |name: &str| pasvcheck(&["--policy", &path(name), "--json", &server.address()]);
    assert_eq!(pasvcheck(&["-q", &server.address()]).code, 1);
    let accepted = check("ahead.toml");
    assert_eq!(accepted.code, 0, "{accepted:?}");
    let ignored = &accepted.json()["findings"][0];
    assert_eq!((&ignored["id"], &ignored["ignored"]["reason"]), (&"pasv-refused".into(), &"known".into()));
    let passed = check("passed.toml");
    assert_eq!(passed.code, 2, "{passed:?}");
    assert!(passed.out.contains("that day has passed"), "{passed:?}");
    assert!(check("product.toml").findings().contains(&"server-product-mismatch".to_owned()));
    let bad = check("bad.toml");
    assert_eq!(bad.code, 3);
    assert!(bad.err.contains("produkt") && bad.err.contains('^'), "{bad:?}");
}
