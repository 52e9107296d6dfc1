//! The files that the server pretends to have: paths and sizes, no bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A made-up tree. Folders exist by holding something.
#[derive(Clone, Debug)]
pub(super) struct Files(BTreeMap<String, u64>);

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// `None` for a folder.
    pub(super) size: Option<u64>,
}

impl Files {
    /// Paths are made absolute, so that a script may write `readme.txt`.
    pub(super) fn new(files: &BTreeMap<String, u64>) -> Self {
        Self(files.iter().map(|(path, size)| (resolve("/", path), *size)).collect())
    }

    pub(super) fn size(&self, path: &str) -> Option<u64> {
        self.0.get(path).copied()
    }

    pub(super) fn store(&mut self, path: String, size: u64) {
        self.0.insert(path, size);
    }

    pub(super) fn delete(&mut self, path: &str) -> bool {
        self.0.remove(path).is_some()
    }

    pub(super) fn is_folder(&self, path: &str) -> bool {
        path == "/" || self.0.keys().any(|file| below(path, file).is_some())
    }

    /// What stands in a folder, or the file itself.
    pub(super) fn entries(&self, path: &str) -> Vec<Entry> {
        if let Some(size) = self.size(path) {
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            return vec![Entry { name, size: Some(size) }];
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (file, size) in &self.0 {
            let Some(rest) = below(path, file) else { continue };
            let entry = match rest.split_once('/') {
                Some((folder, _)) => Entry { name: folder.to_owned(), size: None },
                None => Entry { name: rest.to_owned(), size: Some(*size) },
            };
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
        entries
    }
}

/// The part of `file` that lies below `folder`.
fn below<'a>(folder: &str, file: &'a str) -> Option<&'a str> {
    file.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/')
}

/// An absolute path without `.` and `..`.
pub(super) fn resolve(folder: &str, path: &str) -> String {
    let from = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

impl Entry {
    /// A name that LIST has printed in a scripted listing: its last word.
    pub(super) fn of_listing_line(line: &str) -> Self {
        let name = line.split_whitespace().next_back().unwrap_or_default().to_owned();
        let size = if line.starts_with('d') { None } else { Some(0) };
        Self { name, size }
    }

    /// As `ls -l` prints it. The date is fixed, for the server has no clock.
    pub(super) fn unix_line(&self) -> String {
        let (mode, links) = if self.size.is_none() { ("drwxr-xr-x", 2) } else { ("-rw-r--r--", 1) };
        let size = self.size.unwrap_or(4096);
        format!("{mode} {links:>4} ftp      ftp      {size:>12} Jan 01  2024 {}", self.name)
    }

    /// As `dir` prints it.
    pub(super) fn dos_line(&self) -> String {
        let size = self.size.map_or("<DIR>         ".to_owned(), |size| size.to_string());
        format!("01-01-24  12:00AM {size:>20} {}", self.name)
    }

    /// As MLSD has it (RFC 3659 §7).
    pub(super) fn facts(&self) -> String {
        let mut facts = String::from(if self.size.is_none() { "type=dir;" } else { "type=file;" });
        if let Some(size) = self.size {
            // Writing to a string cannot fail.
            let _ = write!(facts, "size={size};");
        }
        facts + "modify=20240101000000; " + &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Files {
        let files = [("/a.txt", 1), ("/pub/b.txt", 2), ("/pub/c.txt", 3)];
        Files::new(&files.into_iter().map(|(path, size)| (path.to_owned(), size)).collect())
    }

    #[test]
    fn paths_are_resolved_and_never_leave_the_root() {
        assert_eq!(resolve("/pub", "b.txt"), "/pub/b.txt");
        assert_eq!(resolve("/pub", "../../../x"), "/x");
        assert_eq!(resolve("/pub", "/a//./b"), "/a/b");
        assert_eq!(resolve("/", ""), "/");
    }

    #[test]
    fn folders_appear_once() {
        let names: Vec<_> = tree().entries("/").into_iter().map(|entry| (entry.name, entry.size)).collect();
        assert_eq!(names, [("a.txt".to_owned(), Some(1)), ("pub".to_owned(), None)]);
        assert_eq!(tree().entries("/pub").len(), 2);
        assert_eq!(tree().entries("/pub/b.txt").len(), 1);
    }

    #[test]
    fn folders_exist_by_holding_something() {
        let mut files = tree();
        assert!(files.is_folder("/pub") && !files.is_folder("/pu") && files.is_folder("/"));
        assert!(files.delete("/pub/b.txt") && files.delete("/pub/c.txt"));
        assert!(!files.is_folder("/pub"));
    }

    #[test]
    fn scripted_listing_gives_names_too() {
        let entry = Entry::of_listing_line("-rw-r--r-- 1 ftp ftp 12 Jan 01 2024 readme.txt");
        assert_eq!(entry.name, "readme.txt");
    }
}
