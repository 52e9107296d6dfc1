//! Lines, sections and includes of a `ProFTPD` configuration, flattened: each directive with the scope it stands in.

use std::collections::BTreeSet;

use crate::evidence::{Configuration, Effect, Place, Remark, RemarkKind};

use super::super::text::{Line, lines};
use super::super::{MOST_REMARKS, Source, load, names};

/// Deepest nesting of includes that is followed. (`ProFTPD` itself follows a file that includes itself for ever.)
const DEEPEST: usize = 16;

/// Most directives that are kept.
const MOST: usize = 50_000;

/// Modules that every build has, or that Debian's has built in: a test for them holds.
const BUILT_IN: [&str; 18] = [
    "mod_core",
    "mod_xfer",
    "mod_rlimit",
    "mod_auth_unix",
    "mod_auth_file",
    "mod_auth",
    "mod_ls",
    "mod_log",
    "mod_site",
    "mod_delay",
    "mod_facts",
    "mod_dso",
    "mod_auth_pam",
    "mod_ctrls",
    "mod_lang",
    "mod_cap",
    "mod_ident",
    "mod_df",
];

/// Which server a directive belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Main,
    Global,
    /// The n-th virtual host.
    Host(usize),
}

/// A directive as it was read.
#[derive(Clone, Debug)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) args: Vec<String>,
    pub(super) place: Place,
    pub(super) scope: Scope,
    /// The arguments of the `<VirtualHost>`.
    pub(super) host: String,
    /// The line that opens the virtual host.
    pub(super) section: Option<Place>,
    /// The commands of the `<Limit>` it stands in, if that bounds the whole server.
    pub(super) limits: Vec<String>,
    /// In a block for some clients only (`mod_ifsession`), an `<Anonymous>` or a `<Directory>`.
    pub(super) conditional: bool,
    /// Not in a block whose condition fails.
    pub(super) active: bool,
}

impl Directive {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// A Boolean as `get_boolean` reads it.
    pub(super) fn switch(&self) -> Option<bool> {
        let word = self.args.first()?.to_ascii_lowercase();
        match word.as_str() {
            "on" | "yes" | "true" | "1" => Some(true),
            "off" | "no" | "false" | "0" => Some(false),
            _ => None,
        }
    }
}

/// What was read.
pub(super) struct Tree {
    pub(super) configuration: Configuration,
    pub(super) directives: Vec<Directive>,
}

/// An open section.
struct Section {
    name: String,
    args: Vec<String>,
    place: Place,
    holds: bool,
}

struct Reader<'a> {
    source: &'a mut dyn Source,
    tree: Tree,
    open: Vec<Section>,
    stack: Vec<String>,
    modules: BTreeSet<String>,
    defined: BTreeSet<String>,
    hosts: usize,
}

/// Reads a file and what it includes.
pub(super) fn read(path: &str, source: &mut dyn Source) -> Tree {
    let tree = Tree { configuration: Configuration::default(), directives: Vec::new() };
    let mut reader = Reader {
        source,
        tree,
        open: Vec::new(),
        stack: Vec::new(),
        modules: BTreeSet::new(),
        defined: BTreeSet::new(),
        hosts: 0,
    };
    reader.file(path, None);
    let left: Vec<Section> = reader.open.drain(..).collect();
    for section in left {
        reader.remark(
            RemarkKind::File,
            Effect::Refuses,
            section.place,
            format!("<{}> is never closed", section.name),
            format!("ProFTPD does not start: \"unclosed <{}> context\".", section.name),
            None,
        );
    }
    reader.tree
}

impl Reader<'_> {
    fn remark(
        &mut self,
        kind: RemarkKind,
        effect: Effect,
        place: Place,
        title: String,
        says: String,
        corrected: Option<String>,
    ) {
        if self.tree.configuration.remarks.len() < MOST_REMARKS {
            self.tree.configuration.remarks.push(Remark { kind, effect, place, title, says, corrected });
        }
    }

    fn file(&mut self, path: &str, asked_by: Option<&Place>) {
        let Some(text) = load(&mut self.tree.configuration, self.source, path, asked_by) else { return };
        self.stack.push(path.to_owned());
        let mut pending: Option<(Line<'_>, String)> = None;
        for line in lines(path, &text) {
            let shown = line.shown();
            let continued = pending.is_some();
            let (first, whole) = match pending.take() {
                Some((first, mut whole)) => {
                    whole.push_str(shown);
                    (first, whole)
                }
                None => (line, shown.to_owned()),
            };
            // A backslash at the end joins the next line, unless this one is a comment.
            if whole.ends_with('\\')
                && (continued || !whole.trim_start().starts_with('#'))
                && whole.len() < 65_536
            {
                let mut whole = whole;
                whole.pop();
                pending = Some((first, whole));
                continue;
            }
            self.line(&first, &whole);
        }
        if let Some((first, whole)) = pending {
            self.line(&first, &whole);
        }
        self.stack.pop();
    }

    fn line(&mut self, line: &Line<'_>, text: &str) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        if self.tree.directives.len() >= MOST || self.tree.configuration.remarks.len() >= MOST_REMARKS {
            return;
        }
        if let Some(inner) = text.strip_prefix("</") {
            self.close(line, inner.trim_end_matches('>').trim());
        } else if let Some(inner) = text.strip_prefix('<') {
            let mut words = words(inner.strip_suffix('>').unwrap_or(inner));
            if !words.is_empty() {
                let name = words.remove(0);
                self.open(line, name, words);
            }
        } else {
            let mut words = words(text);
            if !words.is_empty() {
                let name = words.remove(0);
                self.directive(line, name, words);
            }
        }
    }

    fn open(&mut self, line: &Line<'_>, name: String, args: Vec<String>) {
        let holds = match name.to_ascii_lowercase().as_str() {
            "ifmodule" => self.module_holds(args.first().map_or("", String::as_str)),
            "ifdefine" => {
                let wanted = args.first().map_or("", String::as_str);
                match wanted.strip_prefix('!') {
                    Some(not) => !self.defined.contains(not),
                    None => self.defined.contains(wanted),
                }
            }
            _ => true,
        };
        if name.eq_ignore_ascii_case("VirtualHost") {
            self.hosts += 1;
        }
        self.open.push(Section { name, args, place: line.whole(), holds });
        // An empty virtual host is a server, too.
        if self.open.last().is_some_and(|section| section.name.eq_ignore_ascii_case("VirtualHost")) {
            self.keep(String::new(), Vec::new(), line.whole());
        }
    }

    fn close(&mut self, line: &Line<'_>, name: &str) {
        match self.open.last() {
            Some(section) if section.name.eq_ignore_ascii_case(name) => {
                self.open.pop();
            }
            open => {
                let inside = open.map_or("outside of all sections".to_owned(), |section| {
                    format!("inside <{}>", section.name)
                });
                self.remark(
                    RemarkKind::File,
                    Effect::Refuses,
                    line.whole(),
                    format!("</{name}> stands {inside}"),
                    "ProFTPD does not start when sections are not closed in the order in which they were opened.".to_owned(),
                    None,
                );
                // The section that was meant is closed, so that the rest is read as it was meant.
                if let Some(at) =
                    self.open.iter().rposition(|section| section.name.eq_ignore_ascii_case(name))
                {
                    self.open.truncate(at);
                }
            }
        }
    }

    /// Whether `<IfModule [!]mod_x.c>` holds. A build without loadable modules has what it has; then it is taken to hold.
    fn module_holds(&self, test: &str) -> bool {
        let (negated, module) = match test.strip_prefix('!') {
            Some(module) => (true, module),
            None => (false, test),
        };
        let module = module.trim_end_matches(".c").to_ascii_lowercase();
        let loaded =
            self.modules.is_empty() || self.modules.contains(&module) || BUILT_IN.contains(&module.as_str());
        loaded != negated
    }

    fn active(&self) -> bool {
        self.open.iter().all(|section| section.holds)
    }

    fn directive(&mut self, line: &Line<'_>, name: String, args: Vec<String>) {
        let place = line.whole();
        let active = self.active();
        match name.to_ascii_lowercase().as_str() {
            "include" if active => {
                self.include(&place, args.first().map_or("", String::as_str));
                return;
            }
            "loadmodule" if active => {
                self.modules
                    .extend(args.first().map(|module| module.trim_end_matches(".c").to_ascii_lowercase()));
            }
            "define" if active => self.defined.extend(args.first().cloned()),
            _ => {}
        }
        if !active {
            self.skipped(&name, &args, &place);
        } else if names::proftpd(&name).is_none() {
            self.unknown(line, &name, &args);
        } else if !self.allowed_here(&name, &args, &place) {
            return;
        }
        self.keep(name, args, place);
    }

    fn keep(&mut self, name: String, args: Vec<String>, place: Place) {
        let inside = |name: &str| self.open.iter().rfind(|section| section.name.eq_ignore_ascii_case(name));
        let host = inside("VirtualHost");
        let scope = match host {
            Some(_) => Scope::Host(self.hosts),
            None if inside("Global").is_some() => Scope::Global,
            None => Scope::Main,
        };
        let narrow = [
            "Anonymous",
            "Directory",
            "Class",
            "IfClass",
            "IfUser",
            "IfGroup",
            "IfAuthenticated",
            "IfSession",
        ];
        let directive = Directive {
            host: host.map(|section| section.args.join(" ")).unwrap_or_default(),
            section: host.map(|section| section.place.clone()),
            limits: inside("Limit").map(|section| section.args.clone()).unwrap_or_default(),
            conditional: narrow.iter().any(|name| inside(name).is_some()),
            active: self.active(),
            name,
            args,
            place,
            scope,
        };
        self.tree.directives.push(directive);
    }

    /// `CONF_*` contexts of `PassivePorts` and its kin: the server, a virtual host or `<Global>`.
    fn allowed_here(&mut self, name: &str, args: &[String], place: &Place) -> bool {
        let watched = ["PassivePorts", "MasqueradeAddress", "TLSMasqueradeAddress"];
        if !watched.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return true;
        }
        let wrong = self.open.iter().rev().find(|section| {
            ["Anonymous", "Directory", "Limit"].iter().any(|bad| section.name.eq_ignore_ascii_case(bad))
                || (section.name.eq_ignore_ascii_case("Global")
                    && name.eq_ignore_ascii_case("TLSMasqueradeAddress"))
        });
        if let Some(section) = wrong.map(|section| section.name.clone()) {
            self.remark(
                RemarkKind::UnknownDirective,
                Effect::Refuses,
                place.clone(),
                format!("{name} may not stand in <{section}>"),
                format!(
                    "ProFTPD does not start: \"{name}: directive not allowed in <{section}> context\". It belongs outside of \
                     all sections{}, or into a <VirtualHost>.",
                    if name.eq_ignore_ascii_case("TLSMasqueradeAddress") { "" } else { ", into <Global>" }
                ),
                None,
            );
            return false;
        }
        if args.is_empty() && !name.eq_ignore_ascii_case("PassivePorts") {
            self.remark(
                RemarkKind::BadValue,
                Effect::Refuses,
                place.clone(),
                format!("{name} has no value"),
                format!("ProFTPD does not start: \"{name}: missing parameters\"."),
                None,
            );
            return false;
        }
        true
    }

    /// A directive of consequence in a block whose condition fails.
    fn skipped(&mut self, name: &str, args: &[String], place: &Place) {
        let watched = [
            "PassivePorts",
            "MasqueradeAddress",
            "TLSMasqueradeAddress",
            "TLSOptions",
            "AllowForeignAddress",
        ];
        if !watched.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return;
        }
        let Some(section) = self.open.iter().find(|section| !section.holds) else { return };
        let test = section.args.join(" ");
        let why = if section.name.eq_ignore_ascii_case("IfModule") {
            format!(
                "no LoadModule line loads {}, and the module is not among those built in everywhere",
                test.trim_start_matches('!')
            )
        } else {
            format!(
                "{} is not defined in the files; -D on the daemon's command line would define it",
                test.trim_start_matches('!')
            )
        };
        let module = section.name.eq_ignore_ascii_case("IfModule");
        let title =
            format!("{name} {} stands in <{} {test}>, which does not hold", args.join(" "), section.name);
        let says = format!("ProFTPD passes over the block in silence: {why}.");
        let effect = if module { Effect::Differs } else { Effect::Untold };
        self.remark(RemarkKind::Ineffective, effect, place.clone(), title, says, None);
    }

    fn unknown(&mut self, line: &Line<'_>, name: &str, args: &[String]) {
        let place =
            line.place(line.shown().trim_start().split(char::is_whitespace).next().unwrap_or_default());
        if let Some(bare) = name.strip_prefix('\u{feff}') {
            let title = "the file begins with a byte order mark".to_owned();
            let says =
                "ProFTPD takes the mark for a part of the first directive and does not start.".to_owned();
            let corrected = Some(format!("{bare} {}", args.join(" ")));
            self.remark(RemarkKind::UnknownDirective, Effect::Refuses, place, title, says, corrected);
            return;
        }
        let near = names::near_proftpd(name);
        let (effect, title, says) = match near {
            Some(near) => (
                Effect::Refuses,
                format!("ProFTPD knows no {name}; {near} is spelt most like it"),
                format!("ProFTPD does not start: \"unknown configuration directive '{name}'\"."),
            ),
            None => (
                Effect::Untold,
                format!("{name} is a directive of no module that ships with ProFTPD 1.3.8"),
                "If no module that is loaded knows it, ProFTPD does not start; `proftpd -t` tells."
                    .to_owned(),
            ),
        };
        let corrected = near.map(|near| format!("{near} {}", args.join(" ")).trim_end().to_owned());
        self.remark(RemarkKind::UnknownDirective, effect, place, title, says, corrected);
    }

    fn include(&mut self, place: &Place, target: &str) {
        if !target.starts_with('/') {
            // A Windows path in a test of ours, or a relative one: "unable to use path for configuration file".
            self.remark(
                RemarkKind::File,
                Effect::Refuses,
                place.clone(),
                format!("Include {target} names no absolute path"),
                "ProFTPD does not start: \"unable to use path for configuration file\".".to_owned(),
                None,
            );
            return;
        }
        let pattern = target.ends_with('/') || target.contains(['*', '?', '[']);
        let files = if pattern { self.source.list(target) } else { vec![target.to_owned()] };
        for file in files {
            if self.stack.contains(&file) {
                self.remark(
                    RemarkKind::File,
                    Effect::Refuses,
                    place.clone(),
                    format!("{file} includes itself"),
                    "ProFTPD follows the circle for ever and never comes up.".to_owned(),
                    None,
                );
            } else if self.stack.len() >= DEEPEST {
                let title = format!("files are included more than {DEEPEST} deep");
                let says = format!("{file} was not read.");
                self.remark(RemarkKind::File, Effect::Untold, place.clone(), title, says, None);
            } else {
                self.file(&file, Some(place));
            }
        }
    }
}

/// Words, split at blanks; double quotes hold together and go, a backslash keeps the next character.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut any) = (false, false);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            '\\' if quoted => word.extend(characters.next()),
            c if c.is_whitespace() && !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                    any = false;
                }
            }
            c => word.push(c),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{Files, kinds};
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        read(files[0].0, &mut Files::of(files))
    }

    #[test]
    fn words_as_proftpd_splits_them() {
        assert_eq!(words("ServerName \"a b\"  c"), ["ServerName", "a b", "c"]);
        assert_eq!(words("X \"\""), ["X", ""]);
        assert_eq!(words("  "), Vec::<String>::new());
        assert_eq!(words("DenyFilter \\*.*/"), ["DenyFilter", "\\*.*/"]);
    }

    #[test]
    fn includes_are_followed_and_circles_named() {
        let read = tree(&[
            (
                "/etc/p.conf",
                "Include /etc/conf.d/\nInclude /etc/p.conf\nInclude /etc/none.conf\nInclude rel.conf\n",
            ),
            ("/etc/conf.d/a.conf", "Port 2121\n"),
        ]);
        assert_eq!(read.directives.len(), 1);
        assert_eq!(read.directives[0].place.file, "/etc/conf.d/a.conf");
        assert_eq!(kinds(&read.configuration.remarks), [RemarkKind::File, RemarkKind::File]);
        let faults: Vec<_> = read.configuration.files.iter().map(|file| file.fault.is_some()).collect();
        assert_eq!(faults, [false, false, true]);
    }

    #[test]
    fn blocks_whose_condition_fails_do_not_count() {
        let text = "LoadModule mod_ident.c\n<IfModule mod_dynmasq.c>\nPassivePorts 1 2\n</IfModule>\n<IfModule !mod_dynmasq.c>\nPort 2\n</IfModule>\n\
                    <IfModule mod_core.c>\nPort 3\n</IfModule>\n<IfDefine X>\nPort 4\nMasqueradeAddress a\n</IfDefine>\nDefine Y\n<IfDefine Y>\nPort 5\n</IfDefine>\n";
        let read = tree(&[("/p", text)]);
        let ports: Vec<_> =
            read.directives.iter().filter(|d| d.is("Port") && d.active).map(|d| d.args[0].clone()).collect();
        assert_eq!(ports, ["2", "3", "5"]);
        assert_eq!(kinds(&read.configuration.remarks), [RemarkKind::Ineffective, RemarkKind::Ineffective]);
    }

    #[test]
    fn sections_must_close_and_directives_stand_where_they_may() {
        for text in [
            "<Global>\n",
            "</Global>\n",
            "<Global>\n<Anonymous ~ftp>\n</Global>\n</Anonymous>\n",
            "<Anonymous ~ftp>\nPassivePorts 50000 50100\n</Anonymous>\n",
            "<Global>\nTLSMasqueradeAddress 203.0.113.10\n</Global>\n",
            "MasqueradeAddress\n",
            "PasivePorts 50000 50100\n",
            "\u{feff}Port 21\n",
        ] {
            let read = tree(&[("/p", text)]);
            let fatal = read.configuration.remarks.iter().any(|remark| remark.effect == Effect::Refuses);
            assert!(fatal, "{text:?}: {:?}", read.configuration.remarks);
        }
        let far = tree(&[("/p", "SomeOddThing on\n")]);
        assert_eq!(far.configuration.remarks[0].effect, Effect::Untold);
    }
}
