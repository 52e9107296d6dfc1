//! The configuration grammars, one file per product: what a daemon makes of its files.
//!
//! Pure: files are handed in by a [`Source`]. Each grammar yields a [`Configuration`]: the settings that are in force,
//! with file, line and column, and remarks on lines that the daemon takes otherwise than they read. What the daemons do was
//! measured with real ones (vsftpd 3.0.3 and 3.0.5, `ProFTPD` 1.3.8, Pure-FTPd 1.0.50) or stands in their sources.

mod filezilla;
mod iis;
mod names;
mod proftpd;
mod pureftpd;
mod text;
mod vsftpd;
mod xml;

use crate::evidence::{ConfigFile, Configuration, Place};

use super::Product;

/// Most files of one configuration.
const MOST_FILES: usize = 256;

/// Most remarks that are kept: a file of another kind, handed in by mistake, must not fill a report.
const MOST_REMARKS: usize = 100;

/// Where files come from.
pub trait Source {
    /// The text of a file, or why it cannot be had, in words.
    fn read(&mut self, path: &str) -> Result<String, String>;

    /// The files that a pattern names, in the daemon's order: `*` and `?` in the last component, or a whole directory
    /// with a slash at its end.
    fn list(&mut self, pattern: &str) -> Vec<String>;

    /// When a file was last changed, in seconds since 1970, where that is to be known.
    fn modified(&mut self, _path: &str) -> Option<u64> {
        None
    }
}

/// The products whose configuration can be audited.
pub const AUDITED: [Product; 6] = [
    Product::Vsftpd,
    Product::ProFtpd,
    Product::PureFtpd,
    Product::FileZilla,
    Product::FileZillaLegacy,
    Product::Iis,
];

/// Reads the configuration of a product from its main file (or directory, for Debian's Pure-FTPd).
#[must_use]
pub fn read(product: Product, path: &str, source: &mut dyn Source) -> Configuration {
    let mut configuration = match product {
        Product::ProFtpd => proftpd::read(path, source),
        Product::PureFtpd => pureftpd::read(path, source),
        Product::FileZilla => filezilla::read(path, source),
        Product::FileZillaLegacy => filezilla::read_legacy(path, source),
        Product::Iis => iis::read(path, source),
        _ => vsftpd::read(path, source),
    };
    product.name().clone_into(&mut configuration.product);
    configuration
}

/// Which product a file belongs to, by its name or else by what stands in it.
#[must_use]
pub fn guess(path: &str, text: &str) -> Option<Product> {
    let path = path.replace('\\', "/").to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let xml = text.trim_start_matches('\u{feff}').trim_start().starts_with('<') && text.contains("</");
    if xml && text.contains("<FileZillaServer") {
        return Some(Product::FileZillaLegacy);
    }
    if xml && (text.contains("<filezilla") || text.contains("filezilla-project.org")) {
        return Some(Product::FileZilla);
    }
    if xml && (text.contains("system.applicationHost") || text.contains("system.ftpServer")) {
        return Some(Product::Iis);
    }
    match name {
        _ if name.contains("vsftpd") => Some(Product::Vsftpd),
        _ if name.contains("proftpd") => Some(Product::ProFtpd),
        _ if name.contains("pure-ftpd") || name.contains("pureftpd") => Some(Product::PureFtpd),
        _ if path.contains("/pure-ftpd/conf") => Some(Product::PureFtpd),
        "settings.xml" => Some(Product::FileZilla),
        "filezilla server.xml" => Some(Product::FileZillaLegacy),
        "applicationhost.config" => Some(Product::Iis),
        _ => by_content(text),
    }
}

/// Counts the lines that only one of the line grammars would have.
fn by_content(text: &str) -> Option<Product> {
    let count =
        |known: &dyn Fn(&str) -> bool| text.lines().take(5000).filter(|line| known(line.trim())).count();
    let first = |line: &str| line.split([' ', '\t', '=', ':']).next().unwrap_or_default().to_owned();
    let scores = [
        (count(&|line| line.contains('=') && names::vsftpd(&first(line)).is_some()), Product::Vsftpd),
        (count(&|line| names::proftpd(&first(line)).is_some() || line.starts_with("</")), Product::ProFtpd),
        (count(&|line| names::pureftpd(&first(line)).is_some()), Product::PureFtpd),
    ];
    scores
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .max_by_key(|(count, _)| *count)
        .map(|(_, product)| product)
}

/// Reads one file into a configuration's list; `None` if it cannot be had, which the list then says.
fn load(
    configuration: &mut Configuration,
    source: &mut dyn Source,
    path: &str,
    asked_by: Option<&Place>,
) -> Option<String> {
    let read = if configuration.files.len() >= MOST_FILES {
        Err(format!("more than {MOST_FILES} files are included; the rest is not read"))
    } else {
        source.read(path)
    };
    let (text, fault) = match read {
        Ok(text) => (Some(text), None),
        Err(fault) => (None, Some(fault)),
    };
    configuration.files.push(ConfigFile {
        path: path.to_owned(),
        fault,
        asked_by: asked_by.cloned(),
        modified: if text.is_some() { source.modified(path) } else { None },
    });
    text
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod testing;
