//! The HTML report in a real browser: Chromium without a window. Without one the tests say so and pass, unless
//! `PASVCHECK_BROWSER=must`. Nothing is fetched: the pages are files, and the browser's own background traffic is off.

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::Folder;
use pasvcheck::clock::Stopwatch;

/// Longest time that the browser gets for a page.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a hostile server says.
const HOSTILE: &str = "</text></svg></pre></style></script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> \"'> \u{202e}gpj.exe";

/// The browser's program, or why there is none to test with.
fn browser() -> Option<&'static str> {
    let known = ["chromium", "chromium-browser", "google-chrome"];
    let found = known.into_iter().find(|name| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
    });
    if found.is_none() {
        let must = std::env::var("PASVCHECK_BROWSER").is_ok_and(|value| value == "must");
        assert!(!must, "PASVCHECK_BROWSER=must, and there is none of {known:?}");
        let _ = writeln!(std::io::stderr(), "not tested in a browser: none of {known:?} is installed");
    }
    found
}

/// What the browser made of a page, and what it said about it.
struct Seen {
    dom: String,
    log: String,
}

fn open(browser: &str, folder: &Path, page: &Path) -> Seen {
    let dom = folder.join("dom.html");
    let log = folder.join("log.txt");
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&dom).unwrap())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .expect("the browser starts");
    let clock = Stopwatch::start();
    while child.try_wait().unwrap().is_none() {
        if clock.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the browser did not end: {}", std::fs::read_to_string(&log).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    Seen { dom: text(&dom), log: text(&log) }
}

/// The text of a page without its markup, as far as the assertions need it.
fn text(dom: &str) -> String {
    let mut out = String::new();
    let mut tag = false;
    for c in dom.chars() {
        match c {
            '<' => tag = true,
            '>' if tag => tag = false,
            c if !tag => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn no_policy_was_broken(seen: &Seen) {
    assert!(!seen.log.contains("Content Security Policy"), "{}", seen.log);
    assert!(!seen.log.contains("Uncaught"), "{}", seen.log);
}

#[test]
fn the_page_opens_with_its_text_its_picture_and_its_script() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("page");
    let page = folder.0.join("report.html");
    let done =
        common::pasvcheck(&["demo", "private-address", "--format", "html", "-o", page.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{done:?}");
    let seen = open(browser, &folder.0, &page);
    no_policy_was_broken(&seen);
    let shown = text(&seen.dom);
    for words in [
        "ftp.example.com",
        "Passive mode is broken",
        "Fix: vsftpd",
        "pasv_address=203.0.113.10",
        "227 Entering Passive Mode",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    assert!(seen.dom.contains("CRITICAL ftp.example.com · pasvcheck</title>"), "{}", &seen.dom[..2000]);
    assert!(seen.dom.contains("<svg") && seen.dom.contains("<polygon"));
    assert!(
        seen.dom.contains("<button type=\"button\">Copy</button>"),
        "the script ran, as its hash is allowed"
    );
}

#[test]
fn the_page_works_without_script() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("no-script");
    let page = folder.0.join("report.html");
    let done = common::pasvcheck(&["demo", "edges-found", "--format", "html", "-o", page.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{done:?}");
    // What the browser prints is read by script, so script stays on: the page's own is taken out of the file.
    let html = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = html.split_once("<script>").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    std::fs::write(&page, format!("{before}{after}")).unwrap();
    let seen = open(browser, &folder.0, &page);
    let shown = text(&seen.dom);
    assert!(!seen.dom.contains("<button"), "no button that does nothing");
    for words in [
        "data-range-partly-blocked",
        "pasv_min_port=50000",
        "The passive ports",
        "let through, nobody listens now",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
}

#[test]
fn the_policy_stops_what_is_not_ours() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("policy");
    let page = folder.0.join("report.html");
    let done =
        common::pasvcheck(&["demo", "private-address", "--format", "html", "-o", page.to_str().unwrap()]);
    assert_eq!(done.code, 0, "{done:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    let html = html.replace("<footer>", "<script>document.title='owned'</script><footer>");
    std::fs::write(&page, html).unwrap();
    let seen = open(browser, &folder.0, &page);
    assert!(seen.log.contains("Content Security Policy"), "{}", seen.log);
    assert!(!seen.dom.contains("<title>owned"));
}

#[test]
fn what_a_hostile_server_says_does_nothing() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("hostile");
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports/broken.json");
    let mut report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(saved).unwrap()).unwrap();
    let endpoint = &mut report["evidence"]["endpoints"][0];
    for entry in endpoint["dialogue"].as_array_mut().unwrap() {
        entry["line"] = HOSTILE.into();
    }
    endpoint["greeting"]["answer"]["lines"] = serde_json::json!([format!("220 ProFTPD {HOSTILE}")]);
    for offer in endpoint["offers"].as_array_mut().unwrap() {
        if let Some(lines) = offer["answer"].get_mut("lines") {
            *lines = serde_json::json!([format!("227 {HOSTILE}")]);
        }
        for visit in offer["visits"].as_array_mut().unwrap() {
            visit["connect"]["outcome"] = serde_json::json!({"outcome": "failed", "error": HOSTILE});
        }
    }
    report["labels"] = serde_json::json!({"site": HOSTILE});
    let page = folder.0.join("report.html");
    let done = common::with_input(
        &["--from", "-", "--format", "html", "-o", page.to_str().unwrap()],
        &report.to_string(),
    );
    assert_ne!(done.code, 0, "{done:?}");
    let seen = open(browser, &folder.0, &page);
    no_policy_was_broken(&seen);
    assert!(!seen.dom.contains("<title>owned") && seen.dom.contains("· pasvcheck</title>"));
    assert!(!seen.dom.contains("<img") && !seen.dom.contains('\u{202e}'));
    assert_eq!(seen.dom.matches("<script>").count(), 1);
    assert!(text(&seen.dom).matches("<script>document.title='owned'</script>").count() > 5);
}

#[test]
fn several_targets_make_one_page() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new("several");
    let page = folder.0.join("report.html");
    let (ok, bad) = (
        common::Server::start("persona = 'vsftpd'"),
        common::Server::start("persona = 'iis'\npassive.advertise = '10.0.0.5'"),
    );
    let done =
        common::pasvcheck(&["--format", "html", "-o", page.to_str().unwrap(), &ok.address(), &bad.address()]);
    assert_eq!(done.code, 2, "{done:?}");
    let seen = open(browser, &folder.0, &page);
    no_policy_was_broken(&seen);
    let shown = text(&seen.dom);
    assert!(
        shown.contains("2 targets") && shown.contains(&ok.address()) && shown.contains(&bad.address()),
        "{shown}"
    );
    assert_eq!(seen.dom.matches("<details class=\"target\"").count(), 2);
}
