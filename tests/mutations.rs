//! Real texts with damage: replies of daemons, configurations, rule sets, reports. Whatever comes of them, it comes without a
//! panic, within bounds, and without a control character on its way to a terminal. The noise is the same in every run.

use std::path::{Path, PathBuf};

use pasvcheck::ftp::{ReplyReader, passive};
use pasvcheck::plan::Request;
use pasvcheck::policy::Policy;
use pasvcheck::report::style::Style;
use pasvcheck::report::terminal::{Amount, render};
use pasvcheck::report::{Renderer, Report};
use pasvcheck::report::{html, json, junit, markdown, nagios, prometheus};
use pasvcheck::{diff, firewall};

/// How often each text is damaged.
const TIMES: usize = 60;

/// Small deterministic noise (Marsaglia's xorshift).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % bound.max(1)
    }

    /// The text with a few places changed: bytes flipped, cut out, doubled, swapped for what hurts.
    fn damaged(&mut self, text: &[u8]) -> Vec<u8> {
        const HURTS: [&[u8]; 14] = [
            b"",
            b"\0",
            b"\x1b[2J",
            b"\r",
            b"\n",
            b"\xff\xf4",
            b"\"",
            b"-1",
            b"65536",
            b"99999999999999999999",
            b"{",
            b"]",
            b"(",
            b"\xe2\x80\xae",
        ];
        let mut text = text.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(text.len() + 1);
            let end = (at + self.below(40)).min(text.len());
            match self.below(5) {
                0 if at < text.len() => text[at] ^= 1 << self.below(8),
                1 => drop(text.drain(at..end)),
                2 => {
                    let doubled = text[at..end].to_vec();
                    text.splice(at..at, doubled);
                }
                3 => text.truncate(at),
                _ => drop(text.splice(at..end.min(at + 3), HURTS[self.below(HURTS.len())].iter().copied())),
            }
        }
        text
    }
}

fn fixtures(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(found.len() >= 10, "{folder}");
    found
}

#[test]
fn damaged_replies_are_read_or_refused() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut read = 0;
    for (path, text) in fixtures("replies") {
        // What the server said, as it went over the wire.
        let text = String::from_utf8(text).unwrap();
        let said: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("S: ")).collect();
        let wire = said.join("\r\n") + "\r\n";
        for _ in 0..TIMES {
            let damaged = noise.damaged(wire.as_bytes());
            let mut reader = ReplyReader::default();
            // In pieces, as a network brings them.
            for piece in damaged.chunks(1 + noise.below(900)) {
                reader.push(piece);
                while let Some(reply) = reader.next_reply().transpose() {
                    let Ok(reply) = reply else { break };
                    read += 1;
                    assert!((100..1000).contains(&reply.code), "{}: {reply:?}", path.display());
                    let _ = passive::read(&reply);
                }
            }
        }
    }
    assert!(read > 10_000, "{read} replies");
}

#[test]
fn damaged_configurations_and_rule_sets_are_audited() {
    let mut noise = Noise(0x0123_4567_89ab_cdef);
    let mut known = 0;
    for (path, text) in fixtures("configs") {
        for _ in 0..TIMES / 4 {
            let damaged = String::from_utf8_lossy(&noise.damaged(&text)).into_owned();
            let name = path.to_string_lossy();
            if let Some(kind) = firewall::kind_of(&name, &damaged) {
                known += 1;
                let read = firewall::read(kind, &name, &damaged);
                for passage in read.ipv4.iter().chain(&read.ipv6).flatten() {
                    assert!(passage.min <= passage.max, "{name}: {passage:?}");
                }
            }
            let _ = Policy::parse(&damaged);
        }
    }
    assert!(known > 50, "{known} rule sets");
}

#[test]
fn damaged_reports_are_told_in_every_format() {
    let mut noise = Noise(0xfeed_f00d_dead_beef);
    let mut told = 0;
    for (path, text) in
        fixtures("reports").into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "json"))
    {
        let whole = json::read(&String::from_utf8_lossy(&text)).unwrap();
        for _ in 0..TIMES {
            let damaged = String::from_utf8_lossy(&noise.damaged(&text)).into_owned();
            let Ok(report) = json::read(&damaged) else { continue };
            told += 1;
            let report = report.again();
            for (format, out) in formats(&report) {
                let control = out.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
                assert!(control.is_none(), "{} as {format}: {control:?}", path.display());
            }
            let _ = diff::compare(&whole, &report, true);
        }
    }
    assert!(told > 20, "{told} reports");
}

fn formats(report: &Report) -> Vec<(&'static str, String)> {
    let style = Style { color: false, width: 80 };
    let mut all = vec![("terminal", render(report, &style, Amount::Everything))];
    let renderers: [(&str, Box<dyn Renderer>); 5] = [
        ("html", Box::new(html::Html::new(false))),
        ("markdown", Box::new(markdown::Markdown::default())),
        ("nagios", Box::new(nagios::Nagios::default())),
        ("prometheus", Box::new(prometheus::Prometheus::default())),
        ("junit", Box::new(junit::JUnit::default())),
    ];
    for (name, mut renderer) in renderers {
        let out = renderer.add(report) + &renderer.finish();
        all.push((name, out));
    }
    all
}

#[test]
fn damaged_targets_are_refused_with_words() {
    let mut noise = Noise(0xabad_1dea_0000_0001);
    let good = [
        "ftp.example.com",
        "ftp://jo@ftp.example.com:2121/pub/a%20b",
        "[2001:db8::10]:21",
        "ftps://203.0.113.10",
    ];
    for text in good {
        for _ in 0..2000 {
            let damaged = String::from_utf8_lossy(&noise.damaged(text.as_bytes())).into_owned();
            match damaged.parse::<Request>() {
                Ok(request) => assert!(
                    !request.target.host.is_empty() && !request.target.host.contains(char::is_whitespace)
                ),
                Err(error) => assert!(!error.to_string().is_empty(), "{damaged:?}"),
            }
        }
    }
}
