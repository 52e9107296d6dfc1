//! The facts about each product that findings and remedies ask for.
//!
//! A fact is written down only where it was seen in a run, read in the source
//! or stated by the vendor; where it was not, the method answers `None`.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::product::Product;

/// Where a product usually runs; decides which firewall's commands to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Linux, the BSDs and their kin.
    Unix,
    /// Microsoft Windows.
    Windows,
    /// A hosted service whose system its user does not see.
    Cloud,
    /// A NAS or a router with its own administration.
    Appliance,
    /// Runs on several, none of them usual enough to assume.
    Unknown,
}

impl Product {
    /// The heading of the *Fix* section that applies, if the documents have one.
    ///
    /// App Service has none although it is IIS: nobody but Microsoft can follow it.
    #[must_use]
    pub fn section(self) -> Option<&'static str> {
        match self {
            Self::Vsftpd => Some("vsftpd"),
            Self::ProFtpd | Self::Qnap => Some("ProFTPD"),
            Self::PureFtpd => Some("Pure-FTPd"),
            Self::FileZilla | Self::FileZillaLegacy => Some("FileZilla Server"),
            Self::Iis => Some("IIS"),
            _ => None,
        }
    }

    /// The system it usually runs on.
    ///
    /// Only "usually": `FileZilla` Server 1.x and Serv-U exist for Linux as well.
    #[must_use]
    pub fn platform(self) -> Platform {
        match self {
            Self::Vsftpd | Self::ProFtpd | Self::PureFtpd | Self::Inetutils | Self::WuFtpd => Platform::Unix,
            Self::FileZilla
            | Self::FileZillaLegacy
            | Self::Iis
            | Self::ServU
            | Self::Cerberus
            | Self::WsFtp
            | Self::Titan
            | Self::Xlight
            | Self::CoreFtp
            | Self::Gene6
            | Self::GlobalScape
            | Self::Bitvise => Platform::Windows,
            Self::AzureAppService | Self::AwsTransfer => Platform::Cloud,
            Self::Synology | Self::Qnap | Self::MikroTik => Platform::Appliance,
            // Libraries, Java, Go: they run wherever they are put.
            Self::Pyftpdlib
            | Self::Aioftp
            | Self::Libunftp
            | Self::SftpGo
            | Self::ApacheMina
            | Self::DrFtpd
            | Self::CrushFtp
            | Self::Wing => Platform::Unknown,
        }
    }

    /// The usual main configuration file, where there is one such file.
    ///
    /// Pure-FTPd has none on purpose: Debian reads a file per directive in
    /// `/etc/pure-ftpd/conf/` and never the `pure-ftpd.conf` beside it, others
    /// read only that. Naming either sends half of the readers to a dead file.
    #[must_use]
    pub fn config_file(self) -> Option<&'static str> {
        match self {
            Self::Vsftpd => Some("/etc/vsftpd.conf"),
            Self::ProFtpd => Some("/etc/proftpd/proftpd.conf"),
            Self::FileZilla => Some(r"%PROGRAMDATA%\filezilla-server\settings.xml"),
            Self::FileZillaLegacy => Some(r"C:\Program Files (x86)\FileZilla Server\FileZilla Server.xml"),
            Self::Iis => Some(r"%windir%\System32\inetsrv\config\applicationHost.config"),
            Self::SftpGo => Some("sftpgo.json"),
            Self::WuFtpd => Some("ftpaccess"),
            _ => None,
        }
    }

    /// Whether `0,0,0,0` in a 227 is a documented setting: "use the address you already have".
    ///
    /// AWS Transfer Family alone (`PassiveIp` of its `ProtocolDetails`).
    #[must_use]
    pub fn announces_unspecified_on_purpose(self) -> bool {
        self == Self::AwsTransfer
    }

    /// Whether the 150 (or 125) comes before the data connection does.
    ///
    /// Decides what silence after `LIST` means: from a server that answers
    /// `true`, 150 proves nothing about the data port; from one that answers
    /// `false`, 150 proves that the connection arrived.
    #[must_use]
    pub fn sends_150_before_data_connection(self) -> Option<bool> {
        match self {
            Self::Vsftpd
            | Self::ProFtpd
            | Self::Qnap
            | Self::PureFtpd
            | Self::Inetutils
            | Self::SftpGo
            | Self::WuFtpd => Some(false),
            // FileZilla words it differently when the connection is already
            // there ("150 Starting data transfer."); both generations may be early.
            Self::Pyftpdlib
            | Self::Libunftp
            | Self::ApacheMina
            | Self::FileZilla
            | Self::FileZillaLegacy
            | Self::Iis
            | Self::AzureAppService => Some(true),
            _ => None,
        }
    }

    /// The passive ports it uses when nobody configured any.
    ///
    /// `None` also where the choice is the kernel's, hence nothing to print.
    /// `ProFTPD` is left out because it has two: the kernel's for PASV,
    /// 1024-65535 for EPSV.
    #[must_use]
    pub fn default_range(self) -> Option<RangeInclusive<u16>> {
        match self {
            Self::Vsftpd => Some(5001..=65535),
            Self::PureFtpd | Self::WuFtpd => Some(1024..=65535),
            Self::SftpGo => Some(50000..=50100), // what its shipped sftpgo.json sets
            Self::FileZillaLegacy => Some(49152..=65534),
            // IIS leaves it at 0/0, which is the ephemeral range of Windows.
            Self::Libunftp | Self::Iis => Some(49152..=65535),
            Self::AzureAppService => Some(10001..=10300),
            Self::AwsTransfer => Some(8192..=8200), // fixed
            Self::Synology => Some(55536..=55567),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_headings_of_the_documents() {
        let headings = ["vsftpd", "ProFTPD", "Pure-FTPd", "FileZilla Server", "IIS"];
        for product in Product::ALL {
            assert!(product.section().is_none_or(|section| headings.contains(&section)));
        }
        assert_eq!(Product::Qnap.section(), Some("ProFTPD"));
        assert_eq!(Product::AzureAppService.section(), None);
    }

    #[test]
    fn only_aws_announces_the_unspecified_address_on_purpose() {
        let on_purpose = Product::ALL.into_iter().filter(|p| p.announces_unspecified_on_purpose());
        assert_eq!(on_purpose.collect::<Vec<_>>(), [Product::AwsTransfer]);
    }

    #[test]
    fn a_default_range_is_a_range() {
        for range in Product::ALL.into_iter().filter_map(Product::default_range) {
            assert!(!range.is_empty() && *range.start() >= 1024, "{range:?}");
        }
    }
}
