//! Files: bounded in size and number, decoded, and never anything else than regular files.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::server::config::Source;

/// Largest file that is read.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Most that is read in all.
const ALL: u64 = 64 * 1024 * 1024;

/// Most files that a pattern may name.
const MOST: usize = 512;

/// The file system, or a part of it that is taken for the whole.
#[derive(Debug)]
pub(super) struct Disk {
    root: Option<PathBuf>,
    read: u64,
    /// Whether the times of last change are facts worth having.
    pub(super) note_times: bool,
}

impl Disk {
    pub(super) fn new(root: Option<PathBuf>) -> Self {
        Self { root, read: 0, note_times: false }
    }

    fn path(&self, path: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.trim_start_matches('/')),
            None => PathBuf::from(path),
        }
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    pub(super) fn is_folder(&self, path: &str) -> bool {
        self.path(path).is_dir()
    }

    /// Links of an image may lead anywhere on the host that reads it: what they name is not the image's.
    fn stays_inside(&self, path: &Path) -> Result<(), String> {
        let Some(root) = &self.root else { return Ok(()) };
        let real = |path: &Path| fs::canonicalize(path).map_err(|error| words(&error));
        if real(path)?.starts_with(real(root)?) {
            return Ok(());
        }
        Err("it is a link that leads out of the directory of --root".to_owned())
    }

    /// The bytes of a file, or why not, in words.
    fn bytes(&mut self, path: &Path) -> Result<Vec<u8>, String> {
        let facts = fs::metadata(path).map_err(|error| words(&error))?;
        self.stays_inside(path)?;
        if facts.is_dir() {
            return Err("it is a directory".to_owned());
        }
        if !facts.is_file() {
            // A pipe or a device might never end.
            return Err("it is no regular file".to_owned());
        }
        if facts.len() > LARGEST {
            return Err(format!("it is larger than {} MiB", LARGEST / (1024 * 1024)));
        }
        if self.read + facts.len() > ALL {
            return Err(format!("more than {} MiB were read already", ALL / (1024 * 1024)));
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| words(&error))?;
        file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| words(&error))?;
        self.read += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(bytes)
    }

    /// A text in whatever encoding Windows programs write: dumps come as UTF-16.
    pub(super) fn text(&mut self, path: &str) -> Result<String, String> {
        let bytes = self.bytes(&self.path(path))?;
        match utf16(&bytes) {
            Some(text) => text,
            None => plain(&bytes),
        }
    }
}

impl Source for Disk {
    fn read(&mut self, path: &str) -> Result<String, String> {
        let bytes = self.bytes(&self.path(path))?;
        // XML says by itself how it is encoded; the daemons of Unix read bytes.
        let xml = Path::new(path)
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("xml") || end.eq_ignore_ascii_case("config"));
        match utf16(&bytes) {
            Some(text) if xml => text,
            Some(_) => {
                Err("it is UTF-16, as Windows programs write it, which no FTP daemon of Unix reads"
                    .to_owned())
            }
            None => plain(&bytes),
        }
    }

    fn list(&mut self, pattern: &str) -> Vec<String> {
        let (folder, last) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let shown = if folder.is_empty() { "/" } else { folder };
        let Ok(entries) = fs::read_dir(self.path(shown)) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .take(MOST * 4)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| if last.is_empty() { !name.starts_with('.') } else { matches(last, name) })
            .collect();
        // Daemons take them in the order of their names.
        names.sort();
        names.truncate(MOST);
        names
            .into_iter()
            .map(|name| format!("{}/{name}", folder.trim_end_matches('/')))
            .filter(|path| !self.is_folder(path))
            .collect()
    }

    fn modified(&mut self, path: &str) -> Option<u64> {
        if !self.note_times {
            return None;
        }
        let time = fs::metadata(self.path(path)).ok()?.modified().ok()?;
        time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    }
}

/// Why a file cannot be read, without the system's number.
fn words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "reading it is not permitted to this user".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

/// UTF-16 by its byte order mark.
fn utf16(bytes: &[u8]) -> Option<Result<String, String>> {
    let (little, rest) = match bytes {
        [0xff, 0xfe, rest @ ..] => (true, rest),
        [0xfe, 0xff, rest @ ..] => (false, rest),
        _ => return None,
    };
    let unit = |two: [u8; 2]| if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) };
    let units = rest.chunks_exact(2).map(|two| unit([two[0], two[1]]));
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
    // An encoding that the text itself names is no longer true.
    Some(Ok(text.replacen("encoding=\"utf-16\"", "", 1).replacen("encoding=\"UTF-16\"", "", 1)))
}

fn plain(bytes: &[u8]) -> Result<String, String> {
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let line = bytes[..at].split(|byte| *byte == b'\n').count();
        return Err(format!("it is no text: there is a NUL byte in line {line}"));
    }
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// `*` and `?`, as in a shell.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, yes) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".a.conf", false),
            ("*", "x", true),
            ("a?c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("x", "x", true),
        ] {
            assert_eq!(matches(pattern, name), yes, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        let utf16_le: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("a\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(utf16(&utf16_le), Some(Ok("a\n".to_owned())));
        assert!(plain(b"a\nb\0c").unwrap_err().contains("line 2"));
        assert_eq!(plain(b"\xff\n").unwrap(), "\u{fffd}\n");
        let mut disk = Disk::new(None);
        assert_eq!(disk.read("/nonexistent-pasvcheck").unwrap_err(), "it does not exist");
        assert_eq!(disk.read("/").unwrap_err(), "it is a directory");
        #[cfg(unix)]
        assert_eq!(
            Disk::new(Some("/proc/self/cwd/src".into())).read("/../Cargo.toml").unwrap_err(),
            "it is a link that leads out of the directory of --root"
        );
        #[cfg(unix)]
        assert_eq!(disk.read("/dev/zero").unwrap_err(), "it is no regular file");
    }
}
