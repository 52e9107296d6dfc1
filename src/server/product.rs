//! The server products that can be told apart, and their names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A server product, serialised as its display name (`"Pure-FTPd"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Product {
    /// vsftpd, also inside many container images.
    Vsftpd,
    /// `ProFTPD`.
    ProFtpd,
    /// Pure-FTPd.
    PureFtpd,
    /// `FileZilla` Server 1.x, or one whose generation could not be told.
    FileZilla,
    /// `FileZilla` Server 0.9.x, a different program: other replies, another configuration file.
    FileZillaLegacy,
    /// Microsoft IIS FTP, 5.0 to 10.
    Iis,
    /// The FTP endpoint of Azure App Service: IIS that its user cannot configure.
    AzureAppService,
    /// AWS Transfer Family.
    AwsTransfer,
    /// pyftpdlib, a Python library.
    Pyftpdlib,
    /// aioftp, a Python library.
    Aioftp,
    /// The ftpd of GNU inetutils.
    Inetutils,
    /// libunftp and the unFTP server made with it.
    Libunftp,
    /// `SFTPGo`.
    SftpGo,
    /// Apache MINA `FtpServer`, also inside other products.
    ApacheMina,
    /// `DrFTPD`.
    DrFtpd,
    /// WU-FTPD.
    WuFtpd,
    /// Serv-U.
    ServU,
    /// `CrushFTP`.
    CrushFtp,
    /// Cerberus FTP Server.
    Cerberus,
    /// `WS_FTP` Server.
    WsFtp,
    /// Titan FTP Server.
    Titan,
    /// Wing FTP Server.
    Wing,
    /// Xlight FTP Server.
    Xlight,
    /// Core FTP Server.
    CoreFtp,
    /// Gene6 FTP Server.
    Gene6,
    /// `GlobalSCAPE` EFT Server.
    GlobalScape,
    /// Bitvise SSH Server (it speaks FTPS too).
    Bitvise,
    /// The FTP service of Synology DSM and SRM.
    Synology,
    /// The FTP service of QNAP: `ProFTPD` behind a web interface.
    Qnap,
    /// The FTP service of `MikroTik` `RouterOS`.
    MikroTik,
}

impl Product {
    /// Every product, in the order of the enum (a test keeps it complete).
    pub const ALL: [Self; 30] = [
        Self::Vsftpd,
        Self::ProFtpd,
        Self::PureFtpd,
        Self::FileZilla,
        Self::FileZillaLegacy,
        Self::Iis,
        Self::AzureAppService,
        Self::AwsTransfer,
        Self::Pyftpdlib,
        Self::Aioftp,
        Self::Inetutils,
        Self::Libunftp,
        Self::SftpGo,
        Self::ApacheMina,
        Self::DrFtpd,
        Self::WuFtpd,
        Self::ServU,
        Self::CrushFtp,
        Self::Cerberus,
        Self::WsFtp,
        Self::Titan,
        Self::Wing,
        Self::Xlight,
        Self::CoreFtp,
        Self::Gene6,
        Self::GlobalScape,
        Self::Bitvise,
        Self::Synology,
        Self::Qnap,
        Self::MikroTik,
    ];

    /// The name shown to people and written to reports. Frozen: saved reports are read back by it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vsftpd => "vsftpd",
            Self::ProFtpd => "ProFTPD",
            Self::PureFtpd => "Pure-FTPd",
            Self::FileZilla => "FileZilla Server",
            Self::FileZillaLegacy => "FileZilla Server 0.9",
            Self::Iis => "IIS",
            Self::AzureAppService => "Azure App Service",
            Self::AwsTransfer => "AWS Transfer Family",
            Self::Pyftpdlib => "pyftpdlib",
            Self::Aioftp => "aioftp",
            Self::Inetutils => "GNU inetutils ftpd",
            Self::Libunftp => "libunftp",
            Self::SftpGo => "SFTPGo",
            Self::ApacheMina => "Apache MINA FtpServer",
            Self::DrFtpd => "DrFTPD",
            Self::WuFtpd => "WU-FTPD",
            Self::ServU => "Serv-U",
            Self::CrushFtp => "CrushFTP",
            Self::Cerberus => "Cerberus FTP Server",
            Self::WsFtp => "WS_FTP Server",
            Self::Titan => "Titan FTP Server",
            Self::Wing => "Wing FTP Server",
            Self::Xlight => "Xlight FTP Server",
            Self::CoreFtp => "Core FTP Server",
            Self::Gene6 => "Gene6 FTP Server",
            Self::GlobalScape => "GlobalSCAPE EFT Server",
            Self::Bitvise => "Bitvise SSH Server",
            Self::Synology => "Synology",
            Self::Qnap => "QNAP",
            Self::MikroTik => "MikroTik",
        }
    }

    /// The product of that [`name`](Self::name), whatever the case of its letters.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.name().eq_ignore_ascii_case(name))
    }

    /// The hosted service that owns this host name.
    ///
    /// Neither says who it is on the wire: App Service greets as plain IIS, and
    /// no greeting of Transfer Family is documented. Sources: the host names in
    /// Microsoft's App Service and Amazon's Transfer Family user guides.
    #[must_use]
    pub fn from_host_name(host: &str) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if host.ends_with(".ftp.azurewebsites.windows.net") {
            Some(Self::AzureAppService)
        } else if host.contains(".server.transfer.") && host.ends_with(".amazonaws.com") {
            Some(Self::AwsTransfer)
        } else {
            None
        }
    }

    /// The product whose program this one runs, and whose replies it therefore gives.
    #[must_use]
    pub fn built_on(self) -> Option<Self> {
        match self {
            Self::Qnap => Some(Self::ProFtpd),
            Self::AzureAppService => Some(Self::Iis),
            _ => None,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// A name in a saved report that this version has no [`Product`] for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProduct(pub String);

impl fmt::Display for UnknownProduct {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "no server product is named {:?}", self.0)
    }
}

impl std::error::Error for UnknownProduct {}

impl From<Product> for &'static str {
    fn from(product: Product) -> Self {
        product.name()
    }
}

impl TryFrom<String> for Product {
    type Error = UnknownProduct;

    fn try_from(name: String) -> Result<Self, UnknownProduct> {
        Self::from_name(&name).ok_or(UnknownProduct(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_complete_and_in_order() {
        assert_eq!(Product::ALL.len(), Product::MikroTik as usize + 1);
        assert!(Product::ALL.is_sorted());
    }

    #[test]
    fn names_are_distinct_and_lead_back() {
        for product in Product::ALL {
            assert_eq!(Product::from_name(product.name()), Some(product));
            assert_eq!(Product::try_from(product.name().to_owned()), Ok(product));
        }
        assert_eq!(Product::from_name("PROFTPD"), Some(Product::ProFtpd));
        assert_eq!(Product::from_name("ProFTPD 1.3.8"), None);
    }

    #[test]
    fn hosted_services_are_known_by_their_host_name() {
        let named = Product::from_host_name;
        assert_eq!(named("waws-prod-db3-025.FTP.azurewebsites.windows.net."), Some(Product::AzureAppService));
        assert_eq!(
            named("s-1234567890abcdef0.server.transfer.eu-west-1.amazonaws.com"),
            Some(Product::AwsTransfer)
        );
        assert_eq!(named("ftp.azurewebsites.windows.net.example.org"), None);
        assert_eq!(named("ec2-203-0-113-7.compute-1.amazonaws.com"), None);
    }
}
