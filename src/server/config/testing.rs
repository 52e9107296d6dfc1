//! Files in memory, for the tests of the grammars.

use std::collections::BTreeMap;

use super::Source;
use crate::evidence::{Remark, RemarkKind};

/// A made-up file system.
pub(super) struct Files(BTreeMap<String, String>);

impl Files {
    pub(super) fn one(path: &str, text: &str) -> Self {
        Self::of(&[(path, text)])
    }

    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
}

impl Source for Files {
    fn read(&mut self, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "it does not exist".to_owned())
    }

    fn list(&mut self, pattern: &str) -> Vec<String> {
        let (folder, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
        let end = last.strip_prefix('*').unwrap_or(last);
        let inside = |path: &&String| path.rsplit_once('/').is_some_and(|(parent, _)| parent == folder);
        self.0.keys().filter(inside).filter(|path| path.ends_with(end)).cloned().collect()
    }
}

pub(super) fn kinds(remarks: &[Remark]) -> Vec<RemarkKind> {
    remarks.iter().map(|remark| remark.kind).collect()
}
