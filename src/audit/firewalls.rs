//! Rule sets: from files, or from the programs of this host that print them.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::clock::Deadline;
use crate::evidence::{Audit, ConfigFile, Firewall};
use crate::firewall::{Kind, kind_of, read};

use super::files::Disk;

/// How long a program may take to print its rules.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most that is taken of what it prints.
const MOST: u64 = 32 * 1024 * 1024;

/// Tables that iptables keeps in nftables, with extensions that only `iptables-save` can print.
const OF_IPTABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// Reads the files of `--firewall`.
pub(super) fn from_files(paths: &[String], disk: &mut Disk, audit: &mut Audit) {
    for path in paths {
        let text = disk.text(path);
        let kind = text.as_deref().ok().and_then(|text| kind_of(path, text));
        match (text, kind) {
            (Ok(text), Some(kind)) => audit.firewalls.push(read(kind, path, &text)),
            (text, _) => {
                let fault = text.map_or_else(|fault| fault, |text| unknown(&text).to_owned());
                audit.unread.push(ConfigFile {
                    path: path.clone(),
                    fault: Some(fault),
                    asked_by: None,
                    modified: None,
                });
            }
        }
    }
}

/// What to say of a text that is no rule set we read.
fn unknown(text: &str) -> &'static str {
    let own = text.lines().map(str::trim).any(|line| {
        line.starts_with("table inet ") || line.starts_with("table ip ") || line.starts_with("table ip6 ")
    });
    if own {
        return "It is written in nft's own language; what is read is the rule set as the kernel has it, as JSON: nft -j list ruleset \
                > ruleset.json";
    }
    "It is no rule set that is known: nft -j list ruleset, iptables-save, ufw status, user.rules, firewall-cmd --list-all, a \
     zone of firewalld, netsh advfirewall firewall show rule name=all, getsebool -a, semanage port -l"
}

/// Asks this host. What cannot be asked goes to `unasked`.
pub(super) fn live(firewalls: &mut Vec<Firewall>, unasked: &mut Vec<String>) {
    if cfg!(windows) {
        match printed("netsh", &["advfirewall", "firewall", "show", "rule", "name=all", "dir=in", "verbose"])
        {
            Ok(text) => {
                firewalls.push(read(Kind::Netsh, "netsh advfirewall firewall show rule name=all", &text));
            }
            Err(why) => unasked.push(why),
        }
        return;
    }
    let nft = printed("nft", &["-j", "list", "ruleset"]);
    let xt = nft.as_deref().is_ok_and(|text| text.contains("\"xt\":"));
    let saves = [(Kind::Iptables, "iptables-save"), (Kind::Ip6tables, "ip6tables-save")];
    let mut told_by_iptables = false;
    if xt || nft.is_err() {
        for (kind, program) in saves {
            if let Ok(text) = printed(program, &[]).map(|text| text.trim().to_owned()) {
                told_by_iptables |= kind == Kind::Iptables;
                firewalls.push(read(kind, program, &text));
            }
        }
    }
    match nft {
        Ok(text) => {
            let text = if xt && told_by_iptables { without_iptables(&text) } else { text };
            firewalls.push(read(Kind::Nftables, "nft -j list ruleset", &text));
        }
        Err(why) if !told_by_iptables => unasked.push(why),
        Err(_) => {}
    }
    if std::fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1") {
        match printed("getsebool", &["-a"]) {
            Ok(text) => firewalls.push(read(Kind::SelinuxBooleans, "getsebool -a", &text)),
            Err(why) => unasked.push(why),
        }
    }
}

/// The rule set without the tables that `iptables-save` has told already.
fn without_iptables(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(text) else { return text.to_owned() };
    if let Some(objects) = value["nftables"].as_array_mut() {
        objects.retain(|object| {
            let body = object.as_object().and_then(|object| object.values().next());
            let text = |name: &str| body.and_then(|body| body[name].as_str()).unwrap_or_default();
            let table = if object.get("table").is_some() { text("name") } else { text("table") };
            !(matches!(text("family"), "ip" | "ip6") && OF_IPTABLES.contains(&table))
        });
    }
    value.to_string()
}

/// What a program prints, or why it could not be asked, in words.
fn printed(program: &str, args: &[&str]) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("{program} is not installed, or not in PATH"),
            _ => format!("{program} cannot be run: {error}"),
        })?;
    // Both pipes are emptied aside, so that a talkative program does not wait for us.
    let drain = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(pipe) = pipe {
                let _ = pipe.take(MOST).read_to_end(&mut text);
            }
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = drain(child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let err = drain(child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let deadline = Deadline::after(PATIENCE);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if !deadline.passed() => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{program} did not end within {} s", PATIENCE.as_secs()));
            }
        }
    };
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    if status.success() {
        return Ok(out);
    }
    let why = err.lines().next().unwrap_or("it gave no reason").trim().to_owned();
    Err(format!("{program} failed: {why} (it needs root)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_iptables_are_told_once() {
        let text = r#"{"nftables": [{"metainfo": {}}, {"table": {"family": "ip", "name": "filter"}}, {"chain": {"family": "ip", "table": "filter", "name": "INPUT"}},
            {"chain": {"family": "inet", "table": "filter", "name": "input"}}, {"rule": {"family": "ip6", "table": "nat", "chain": "x"}}]}"#;
        let left: serde_json::Value = serde_json::from_str(&without_iptables(text)).unwrap();
        assert_eq!(left["nftables"].as_array().unwrap().len(), 2, "{left}");
        assert_eq!(without_iptables("no json"), "no json");
    }

    #[test]
    fn programs_that_are_not_there_or_fail_are_named() {
        assert!(printed("pasvcheck-no-such-program", &[]).unwrap_err().contains("not installed"));
        #[cfg(unix)]
        assert!(printed("false", &[]).unwrap_err().contains("false failed"));
        #[cfg(unix)]
        assert_eq!(printed("echo", &["a"]).unwrap(), "a\n");
    }
}
