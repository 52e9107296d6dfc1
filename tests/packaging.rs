//! What lies in `packaging/`: each file is checked by the tool that will read it, and every command line by the program itself.
//! Where a tool is not installed its check says so and passes, unless `PASVCHECK_PACKAGING=must`.

mod common;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, Server, pasvcheck};
use pasvcheck::clock::Stopwatch;

/// Where the packaged files look for the program.
const INSTALLED: &str = "/usr/bin/pasvcheck";

/// Longest time that a tool gets.
const PATIENCE: Duration = Duration::from_secs(120);

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

fn packaged(path: &str) -> String {
    std::fs::read_to_string(packaging().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A tool's program, or a word about why it is not asked.
fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    if found.is_none() {
        let must = std::env::var("PASVCHECK_PACKAGING").is_ok_and(|value| value == "must");
        assert!(!must, "PASVCHECK_PACKAGING=must, and {name} is not installed");
        tell(&format!("not checked by {name}: it is not installed"));
    }
    found
}

/// Whether a tool was content, and what it said.
fn ask(program: &Path, args: &[&str]) -> (bool, String) {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let clock = Stopwatch::start();
    while child.try_wait().unwrap().is_none() {
        if clock.elapsed() > PATIENCE {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let done = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.success(), format!("{}{}", text(&done.stdout), text(&done.stderr)))
}

/// The name of the user (`-un`) or group (`-gn`) that runs the tests: a daemon's own may not be able to read their folders.
fn own(which: &str) -> String {
    String::from_utf8(Command::new("id").arg(which).output().unwrap().stdout).unwrap().trim().to_owned()
}

/// The words of a command line after the program, quotes taken off.
fn words(line: &str) -> Vec<String> {
    let rest = line.trim().strip_prefix(INSTALLED).unwrap_or_else(|| panic!("{line}: not {INSTALLED}"));
    rest.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect()
}

/// The program understands the command line, and would check somebody.
fn understood(place: &str, words: &[String]) {
    let before = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
    args.insert(before, "--dry-run");
    let done = pasvcheck(&args);
    assert_eq!(done.code, 0, "{place}: {args:?}: {}", done.err);
    let file = args.iter().position(|arg| *arg == "-o").map(|at| args[at + 1]);
    let out = file.map_or(done.out, |file| std::fs::read_to_string(file).unwrap());
    assert!(out.contains("ftp.example.com"), "{place}: {args:?}: {out}");
}

#[test]
fn every_option_that_is_named_exists() {
    let known: BTreeSet<String> = ["check", "watch", "exporter"]
        .iter()
        .flat_map(|command| options(&pasvcheck(&[command, "--help"]).out))
        .chain(["--from-file".to_owned()]) // kubectl's
        .collect();
    let mut files = 0;
    for folder in ["systemd", "nagios", "icinga2", "kubernetes", "zabbix"] {
        for entry in std::fs::read_dir(packaging().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            for option in options(&text) {
                assert!(known.contains(&option), "{}: there is no {option}", path.display());
            }
            files += 1;
        }
    }
    assert!(files >= 9, "{files} files");
}

/// Every `--option` in a text; marks of a comment in XML are none.
fn options(text: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_lowercase() || c == '-';
    let words = text.split(|c: char| !part(c));
    words
        .filter(|word| word.starts_with("--") && word.len() > 3 && !word.starts_with("---"))
        .map(|word| word.trim_end_matches('-').to_owned())
        .collect()
}

/// The units with the program that is being tested.
fn units(folder: &Folder) -> Vec<String> {
    [
        "pasvcheck-textfile.service",
        "pasvcheck-textfile.timer",
        "pasvcheck-watch.service",
        "pasvcheck-exporter.service",
    ]
    .iter()
    .map(|name| {
        let text = packaged(&format!("systemd/{name}"));
        folder.file(name, &text.replace(INSTALLED, env!("CARGO_BIN_EXE_pasvcheck")))
    })
    .collect()
}

#[test]
fn systemd_takes_the_units_and_finds_them_closed() {
    let Some(analyze) = tool("systemd-analyze") else { return };
    let folder = Folder::new("systemd");
    let units = units(&folder);
    let files: Vec<&str> = units.iter().map(String::as_str).collect();
    let (content, said) = ask(&analyze, &[&["verify", "--man=no"], files.as_slice()].concat());
    // It names each thing that it does not like, and may end with 0 all the same.
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains("pasvcheck")).collect();
    assert!(content && complaints.is_empty(), "{said}");
    for unit in files.iter().filter(|unit| unit.ends_with(".service")) {
        let args = ["security", "--offline=true", "--no-pager", "--threshold=15", unit];
        let (content, said) = ask(&analyze, &args);
        let score = said.lines().find(|line| line.contains("Overall exposure")).unwrap_or(&said);
        tell(score.trim());
        assert!(content, "{said}");
    }
}

#[test]
fn what_systemd_starts_is_understood() {
    let folder = Folder::new("units");
    folder.file("targets.toml", &packaged("systemd/targets.toml"));
    // The login that the list and the units have as comments.
    let list = packaged("systemd/targets.toml").replace("\n#user", "\nuser").replace("\n#pass", "\npass");
    folder.file("login.toml", &list.replace("\n#tls", "\ntls"));
    folder.file("ftp-password", "secret\n");
    let here = folder.0.to_str().unwrap();
    // RuntimeDirectory=
    std::fs::create_dir(folder.0.join("pasvcheck")).unwrap();
    for unit in ["pasvcheck-textfile.service", "pasvcheck-watch.service"] {
        let text = packaged(&format!("systemd/{unit}"));
        let starts: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("ExecStart=")).collect();
        assert_eq!(starts.len(), 1, "{unit}");
        let line = starts[0].replace("%d", here).replace("%t", here);
        // Formats for programs print the plan as JSON.
        understood(unit, &words(&line));
        understood(unit, &words(&line.replace("targets.toml", "login.toml")));
        assert!(text.contains("\nLoadCredential=targets.toml:/etc/pasvcheck/targets.toml\n"), "{unit}");
    }
}

#[test]
fn what_systemd_starts_as_an_exporter_is_understood() {
    let folder = Folder::new("exporter-unit");
    let text = packaged("systemd/pasvcheck-exporter.service");
    let start = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(text.contains("\nLoadCredential=exporter.toml:/etc/pasvcheck/exporter.toml\n"));
    // The configuration beside it, and with the login that it has as a comment.
    let config = packaged("prometheus/exporter.toml");
    let (open, login) = config.split_once("# [modules.login]").unwrap();
    let login: String = login.lines().flat_map(|line| [line.trim_start_matches("# "), "\n"]).collect();
    folder.file("monitor.password", "secret\n");
    for config in [config.clone(), format!("{open}[modules.login]{login}")] {
        folder.file("exporter.toml", &config);
        let mut line = words(&start.replace("%d", folder.0.to_str().unwrap()));
        line.push("--check-config".to_owned());
        let done = pasvcheck(&line.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(done.code, 0, "{line:?}: {done:?}");
    }
}

/// The value of a directive in an object of Nagios.
fn directive<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    block.lines().find_map(|line| {
        let (key, value) = line.trim().split_once(char::is_whitespace)?;
        (key == name).then(|| value.trim())
    })
}

#[test]
fn what_nagios_runs_is_understood_and_answers_as_a_plugin() {
    let folder = Folder::new("nagios-lines");
    let password = folder.file("password", "secret\n");
    let text = packaged("nagios/pasvcheck.cfg");
    let commands: Vec<&str> = text.split("define command {").skip(1).collect();
    assert_eq!(commands.len(), 3);
    let server = Server::start("persona = 'vsftpd'");
    for block in commands {
        let name = directive(block, "command_name").unwrap();
        let line = directive(block, "command_line").unwrap();
        let third = if name.ends_with("range") { "50000-50100" } else { "monitor" };
        let line = line.replace("$ARG1$", "total=10s,data=2s").replace("$ARG2$", "total=30s");
        let line = line.replace("$ARG3$", third).replace("$ARG4$", &password);
        understood(name, &words(&line.replace("$HOSTADDRESS$", "ftp.example.com")));
        if name == "check_pasvcheck" {
            let words = words(&line.replace("$HOSTADDRESS$", &server.address()));
            let done = pasvcheck(&words.iter().map(String::as_str).collect::<Vec<_>>());
            assert!(done.code == 0 && done.out.contains('|'), "{done:?}");
        }
    }
}

#[test]
fn nagios_takes_the_objects() {
    let Some(nagios) = tool("nagios4") else { return };
    let folder = Folder::new("nagios");
    let text = packaged("nagios/pasvcheck.cfg");
    // The example is checked too, without its comment marks.
    let (objects, example) = text.split_once("# define service {").expect("an example");
    let example: Vec<&str> = example.lines().map(|line| line.trim_start_matches("# ")).collect();
    let example = example.join("\n");
    let objects = folder.file("pasvcheck.cfg", &format!("{objects}\ndefine service {{\n{example}"));
    let site = folder.file(
        "site.cfg",
        "define timeperiod {\n timeperiod_name 24x7\n alias always\n monday 00:00-24:00\n}\n\
         define command {\n command_name tell\n command_line /bin/true\n}\n\
         define contact {\n contact_name admin\n service_notification_period 24x7\n host_notification_period 24x7\n \
         service_notification_options w,u,c,r\n host_notification_options d,r\n service_notification_commands tell\n \
         host_notification_commands tell\n}\n\
         define contactgroup {\n contactgroup_name admins\n alias admins\n members admin\n}\n\
         define host {\n host_name ftp.example.com\n address ftp.example.com\n max_check_attempts 3\n check_period 24x7\n \
         contact_groups admins\n notification_period 24x7\n notification_interval 0\n}\n",
    );
    let here = folder.0.display();
    let main = folder.file(
        "nagios.cfg",
        &format!(
            "log_file={here}/nagios.log\ncfg_file={objects}\ncfg_file={site}\ncheck_result_path={here}\ntemp_path={here}\n\
             object_cache_file={here}/objects.cache\nstatus_file={here}/status.dat\nlock_file={here}/lock\ntemp_file={here}/tmp\n\
             command_file={here}/cmd\n\
             illegal_macro_output_chars=`~$&|'\"<>\nnagios_user={}\nnagios_group={}\n",
            own("-un"),
            own("-gn")
        ),
    );
    let (content, said) = ask(&nagios, &["-v", &main]);
    assert!(content && said.contains("Total Warnings: 0"), "{said}");
    assert!(said.contains("Checked 1 services"), "{said}");
}

#[test]
fn what_icinga_runs_is_understood() {
    let folder = Folder::new("icinga-lines");
    let password = folder.file("password", "secret\n");
    let text = packaged("icinga2/pasvcheck.conf");
    let arguments =
        text.split_once("arguments = {").unwrap().1.split_once("vars.pasvcheck_target").unwrap().0;
    let mut line: Vec<String> = vec!["check".into()];
    let mut seen = BTreeSet::new();
    for block in arguments.split("    \"").skip(1) {
        let key = block.split('"').next().unwrap();
        let sample = match key {
            "--format" => "nagios",
            "--user" => "monitor",
            "--password-file" => &password,
            "--tls" => "required",
            "--range" => "50000-50100",
            "--download" => "/pub/test.bin",
            "--public-address" => "203.0.113.10",
            "--warning" | "--critical" => "total=10s,data=2s",
            "--deadline" => "50s",
            "target" => "ftp.example.com",
            // -4 and -6 exclude each other; a netrc is another way to the password.
            "-6" | "--netrc" => "",
            _ if block.contains("set_if") => "",
            _ => panic!("no sample for {key}"),
        };
        assert_eq!(block.contains("set_if"), sample.is_empty(), "{key}");
        seen.insert(key);
        match key {
            "-6" | "--netrc" => {}
            "target" => line.push(sample.into()),
            _ if sample.is_empty() => line.push(key.into()),
            _ => line.extend([key.into(), sample.into()]),
        }
    }
    assert_eq!(seen.len(), 15, "{seen:?}");
    understood("icinga2", &line);
    understood("icinga2", &["check".into(), "-6".into(), "--netrc".into(), "ftp.example.com".into()]);
}

#[test]
fn icinga_takes_the_objects() {
    let Some(icinga) = tool("icinga2") else { return };
    let folder = Folder::new("icinga");
    let objects = folder.file("pasvcheck.conf", &packaged("icinga2/pasvcheck.conf"));
    let here = folder.0.display();
    let main = folder.file(
        "icinga2.conf",
        &format!(
            "include <itl>\nconst NodeName = \"monitor.example.com\"\nobject Endpoint NodeName {{}}\n\
             object Zone \"site\" {{ endpoints = [ NodeName ] }}\nconst ZoneName = \"site\"\n\
             object Host \"ftp.example.com\" {{\n check_command = \"dummy\"\n address = \"ftp.example.com\"\n \
             vars.ftp = {{ range = \"50000-50100\" }}\n}}\ninclude \"{objects}\"\n"
        ),
    );
    let mut args: Vec<String> = vec!["daemon".into(), "-C".into(), "-c".into(), main];
    for (name, place) in [
        ("DataDir", "data"),
        ("LogDir", "log"),
        ("CacheDir", "cache"),
        ("InitRunDir", "run"),
        ("SpoolDir", "spool"),
    ] {
        std::fs::create_dir_all(folder.0.join(place)).unwrap();
        args.extend(["-D".into(), format!("{name}={here}/{place}")]);
    }
    for (name, id) in [("RunAsUser", "-un"), ("RunAsGroup", "-gn")] {
        args.extend(["-D".into(), format!("{name}={}", own(id))]);
    }
    let (content, said) = ask(&icinga, &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(content && said.contains("Instantiated 1 Service"), "{said}");
    assert!(!said.contains("warning/"), "{said}");
}

#[test]
fn what_kubernetes_runs_is_understood() {
    let folder = Folder::new("kubernetes-lines");
    let text = packaged("kubernetes/cronjob.yaml");
    // The list in the ConfigMap: what is indented below its key.
    let list = text.split_once("targets.toml: |\n").unwrap().1.split_once("\n---").unwrap().0;
    let list: Vec<&str> = list.lines().map(|line| line.trim_start_matches("    ")).collect();
    let list = list.join("\n");
    folder.file("targets.toml", &list);
    let with_login: String = list.replace("\n#user", "\nuser").replace("\n#password", "\npassword");
    folder.file("login.toml", &with_login);
    folder.file("ftp-password", "secret\n");
    let args = text.split_once("              args:\n").unwrap().1;
    let args: Vec<String> = args
        .lines()
        .map_while(|line| line.strip_prefix("                - "))
        .map(|arg| arg.trim_matches('"').replace("/etc/pasvcheck", folder.0.to_str().unwrap()))
        .collect();
    assert!(args.len() >= 5 && text.contains(&format!("command: [\"{INSTALLED}\"]")), "{args:?}");
    understood("kubernetes", &args);
    let with_login: Vec<String> = args.iter().map(|arg| arg.replace("targets.toml", "login.toml")).collect();
    understood("kubernetes", &with_login);
}

#[test]
fn kubernetes_takes_the_manifest() {
    let Some(validate) = tool("kubernetes-validate") else { return };
    let manifest = packaging().join("kubernetes/cronjob.yaml");
    let (content, said) = ask(&validate, &["--strict", manifest.to_str().unwrap()]);
    assert!(content, "{said}");
    // It does notice what is wrong.
    let folder = Folder::new("kubernetes");
    let broken =
        folder.file("broken.yaml", &packaged("kubernetes/cronjob.yaml").replace("schedule:", "scedule:"));
    assert!(!ask(&validate, &["--strict", &broken]).0, "a misspelt key went through");
}

/// The text of a child element.
fn child<'a>(node: roxmltree::Node<'a, '_>, name: &str) -> &'a str {
    let found = node.children().find(|child| child.has_tag_name(name));
    found.and_then(|child| child.text()).unwrap_or_else(|| panic!("no {name} in {:?}", node.tag_name()))
}

/// A path such as `$.findings[0].id` in a report.
fn at<'a>(report: &'a serde_json::Value, path: &str) -> &'a serde_json::Value {
    let pointer = path.strip_prefix('$').unwrap().replace(['.', '['], "/").replace(']', "");
    report.pointer(&pointer).unwrap_or_else(|| panic!("a report has no {path}"))
}

#[test]
fn the_template_of_zabbix_fits_together_and_fits_the_report() {
    let text = packaged("zabbix/template_pasvcheck.xml");
    let document = roxmltree::Document::parse(&text).unwrap();
    let all = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
    let server = Server::start("persona = 'vsftpd'\npassive.advertise = '10.0.0.1'");
    let report = pasvcheck(&["--json", &server.address()]).json();
    let items: Vec<_> = all("item").collect();
    let keys: BTreeSet<&str> = items.iter().map(|item| child(*item, "key")).collect();
    assert_eq!((items.len(), keys.len()), (6, 6));
    let master = "pasvcheck[{$PASVCHECK.TARGET}]";
    assert!(keys.contains(master), "{keys:?}");
    for item in items.iter().filter(|item| child(**item, "key") != master) {
        let of = item.children().find(|node| node.has_tag_name("master_item")).unwrap();
        assert_eq!((child(*item, "type"), child(of, "key")), ("DEPENDENT", master));
        let steps: Vec<_> = item.descendants().filter(|node| node.has_tag_name("step")).collect();
        assert_eq!(child(steps[0], "type"), "JSONPATH");
        let path = steps[0].descendants().find(|node| node.has_tag_name("parameter")).unwrap();
        let value = at(&report, path.text().unwrap());
        assert!(value.is_string() || value.is_number(), "{value}");
    }
    // Every trigger is of items that exist, and every id is of its own and well formed.
    assert_eq!(all("trigger").count(), 4);
    for expression in all("expression").map(|node| node.text().unwrap()) {
        for used in expression.split("(/pasvcheck/").skip(1) {
            let key = keys.iter().find(|key| used.starts_with(&format!("{key},")));
            assert!(key.is_some(), "{expression}");
        }
    }
    let ids: Vec<&str> = all("uuid").map(|node| node.text().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    for id in ids {
        let hex = id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        assert!(hex && id.len() == 32 && &id[12..13] == "4", "{id}: no UUID of version 4");
    }
    // The numbers are those of the exit codes.
    let mapped: Vec<(&str, &str)> =
        all("mapping").map(|node| (child(node, "value"), child(node, "newvalue"))).collect();
    assert_eq!(mapped, [("0", "ok"), ("1", "warning"), ("2", "critical"), ("3", "unknown")]);
    for (number, verdict) in mapped {
        assert!(text.contains(&format!("{verdict}: {number}")), "{verdict}");
    }
}

/// The key and the command of the user parameter.
fn user_parameter() -> (String, String) {
    let text = packaged("zabbix/userparameter_pasvcheck.conf");
    let line = text.lines().find_map(|line| line.strip_prefix("UserParameter=")).unwrap();
    let (key, command) = line.split_once(',').unwrap();
    (key.to_owned(), command.to_owned())
}

#[test]
fn what_zabbix_runs_is_understood() {
    let (key, command) = user_parameter();
    assert_eq!(key, "pasvcheck[*]");
    understood("zabbix", &words(&command.replace("$1", "ftp.example.com")));
}

#[test]
fn the_agent_of_zabbix_hands_the_report_out() {
    let Some(agent) = tool("zabbix_agentd") else { return };
    let folder = Folder::new("zabbix");
    let (key, command) = user_parameter();
    let config = folder.file(
        "agentd.conf",
        &format!(
            "Server=127.0.0.1\nTimeout=30\nAllowRoot=1\nLogType=console\nUserParameter={key},{}\n",
            command.replace(INSTALLED, env!("CARGO_BIN_EXE_pasvcheck"))
        ),
    );
    let server = Server::start("persona = 'vsftpd'\npassive.advertise = '10.0.0.1'");
    let (_, said) = ask(&agent, &["-c", &config, "-t", &format!("pasvcheck[{}]", server.address())]);
    // `KEY   [t|VALUE]`, also where the program ends with another code than 0.
    let value = said.split_once("[t|").and_then(|(_, rest)| Some(rest.rsplit_once(']')?.0));
    let report: serde_json::Value = serde_json::from_str(value.unwrap_or_else(|| panic!("{said}"))).unwrap();
    assert_eq!(report["verdict"], "critical");
}
