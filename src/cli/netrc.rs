//! `--netrc`: logins from the file that `ftp` and `curl` read too.
//!
//! The format is that of the Unix `ftp` program: `machine NAME login USER password SECRET`, `default` at the end for all
//! others, `account` (not used here), and `macdef NAME` with lines up to an empty one. Tokens are parted by white space; a
//! token in double quotes may hold blanks. A `#` where a word is expected begins a comment.

use std::path::{Path, PathBuf};

use super::Problem;

/// Largest file that is read.
const LIMIT: u64 = 1024 * 1024;

/// One entry.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `None` for `default`.
    machine: Option<String>,
    pub(crate) login: Option<String>,
    pub(crate) password: Option<String>,
}

/// The entries of a file, in order.
pub(crate) struct Netrc(Vec<Entry>);

impl Netrc {
    /// Reads the user's own file: `$NETRC`, or `~/.netrc`.
    pub(crate) fn of_user() -> Result<Self, Problem> {
        let path = std::env::var_os("NETRC").map(PathBuf::from).or_else(|| {
            let home = std::env::home_dir()?;
            Some(home.join(".netrc"))
        });
        let path =
            path.ok_or_else(|| Problem::new("--netrc: there is no home directory; set NETRC to the file"))?;
        Self::read(&path)
    }

    /// Reads a file, which others must not be able to read.
    fn read(path: &Path) -> Result<Self, Problem> {
        let problem = |what: String| Problem::new(format!("--netrc: {}: {what}", path.display()));
        let unreadable = |error: std::io::Error| problem(format!("it cannot be read: {error}"));
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let facts = file.metadata().map_err(unreadable)?;
        if let Some(fault) = too_open(&facts)
            && !is_credential(path)
        {
            return Err(problem(fault));
        }
        if facts.len() > LIMIT {
            return Err(problem("it is longer than any netrc is".to_owned()));
        }
        let text = std::io::read_to_string(file).map_err(unreadable)?;
        parse(&text).map(Self).map_err(|(line, fault)| problem(format!("line {line}: {fault}")))
    }

    /// The entry for a host, of that user if one is named: the first that fits, or `default`.
    pub(crate) fn find(&self, host: &str, user: Option<&str>) -> Option<&Entry> {
        self.0.iter().find(|entry| {
            let machine = entry.machine.as_ref().is_none_or(|machine| machine.eq_ignore_ascii_case(host));
            machine && user.is_none_or(|user| entry.login.as_deref() == Some(user))
        })
    }
}

/// Whether a service manager handed the file out (systemd's `LoadCredential=`). It keeps the folder closed to others, and the
/// file's own mode is then no measure: an access list shows as bits of the group.
fn is_credential(path: &Path) -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY")
        .is_some_and(|folder| !folder.is_empty() && path.starts_with(folder))
}

/// Why the file may be read by too many.
#[cfg(unix)]
fn too_open(facts: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let others = facts.mode() & 0o077 != 0;
    others.then(|| "others may read it, and it holds passwords; chmod 600 it".to_owned())
}

#[cfg(not(unix))]
fn too_open(_: &std::fs::Metadata) -> Option<String> {
    None
}

/// A word and its line. A fault never quotes a word: it may be a password.
type Fault = (usize, &'static str);

fn parse(text: &str) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut words = Words::new(text);
    while let Some((line, word)) = words.next()? {
        match word.as_str() {
            "machine" => {
                let machine = Some(words.value(line, "a name is missing after \"machine\"")?);
                entries.push(Entry { machine, login: None, password: None });
            }
            "default" => entries.push(Entry { machine: None, login: None, password: None }),
            "macdef" => words.skip_macro(),
            "login" | "password" | "account" => {
                let value = words.value(line, "a value is missing at the end of the file")?;
                let Some(entry) = entries.last_mut() else {
                    return Err((line, "\"login\" or \"password\" before any \"machine\""));
                };
                match word.as_str() {
                    "login" => entry.login = Some(value),
                    "password" => entry.password = Some(value),
                    _ => {}
                }
            }
            _ => return Err((line, "a word is none of machine, default, login, password, account, macdef")),
        }
    }
    Ok(entries)
}

/// The file as words.
struct Words<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The next keyword; comments are passed over.
    fn next(&mut self) -> Result<Option<(usize, String)>, Fault> {
        loop {
            self.skip_blanks();
            if !self.rest.starts_with('#') {
                return self.word();
            }
            self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
        }
    }

    /// The value after a keyword: it may begin with `#`.
    fn value(&mut self, line: usize, missing: &'static str) -> Result<String, Fault> {
        self.skip_blanks();
        self.word()?.map(|(_, word)| word).ok_or((line, missing))
    }

    fn skip_blanks(&mut self) {
        let bare = self.rest.trim_start();
        let skipped = &self.rest[..self.rest.len() - bare.len()];
        self.line += skipped.matches('\n').count();
        self.rest = bare;
    }

    fn word(&mut self) -> Result<Option<(usize, String)>, Fault> {
        let line = self.line;
        let Some(quoted) = self.rest.strip_prefix('"') else {
            let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok((!word.is_empty()).then(|| (line, word.to_owned())));
        };
        let mut word = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &quoted[at + 1..];
                    return Ok(Some((line, word)));
                }
                '\\' => word.extend(chars.next().map(|(_, c)| c)),
                '\n' => break,
                c => word.push(c),
            }
        }
        Err((line, "a quote is not closed"))
    }

    /// A macro goes on to the next empty line.
    fn skip_macro(&mut self) {
        let end = self.rest.find("\n\n").map_or(self.rest.len(), |end| end + 2);
        self.line += self.rest[..end].matches('\n').count();
        self.rest = &self.rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, host: &str, user: Option<&str>) -> Option<(String, String)> {
        let netrc = Netrc(parse(text).expect("a netrc"));
        let entry = netrc.find(host, user)?;
        Some((entry.login.clone().unwrap_or_default(), entry.password.clone().unwrap_or_default()))
    }

    const FILE: &str = "# mine\nmachine ftp.example.com login web password #1\n  account x\n\
        machine ftp.example.com\n\tlogin \"jo doe\"\n\tpassword \"a \\\"b\\\" c\"\n\
        macdef init\nmachine not.example.com login no password no\n\n\
        default login anyone password any";

    #[test]
    fn entries_are_found_by_host_and_user() {
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(found(FILE, "FTP.example.com", None), pair("web", "#1"));
        assert_eq!(found(FILE, "ftp.example.com", Some("jo doe")), pair("jo doe", "a \"b\" c"));
        assert_eq!(found(FILE, "not.example.com", None), pair("anyone", "any"));
        assert_eq!(found(FILE, "not.example.com", Some("x")), None);
    }

    #[test]
    fn faults_have_a_line_and_show_no_secret() {
        for (text, line) in [
            ("machine a login b\npassword", 2),
            ("\nlogin x", 2),
            ("machine a\n hunter2", 2),
            ("machine", 1),
            ("machine a password \"hunter2\n\"", 1),
        ] {
            let fault = parse(text).err().expect(text);
            assert_eq!(fault.0, line, "{text}");
            assert!(!fault.1.contains("hunter2"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("pasvcheck-netrc-{}", std::process::id()));
        std::fs::write(&path, "machine a login b password c").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Netrc::read(&path).err().map(|problem| problem.to_string()).unwrap_or_default();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let read = Netrc::read(&path).is_ok();
        std::fs::remove_file(&path).unwrap();
        assert!(refused.contains("chmod 600") && read, "{refused}");
    }
}
