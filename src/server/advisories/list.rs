//! The notes themselves. Sources: the CVE list (cvelistV5) and each project's
//! own NEWS. Pure-FTPd, `CrushFTP` and IIS 7 and later are missing because they
//! do not show the version that would decide.

use super::super::product::Product;
use super::Advisory;

/// An ordinary entry; the two tampered releases say `backdoor` themselves.
const fn note(product: Product, id: &'static str, affected: &'static str, summary: &'static str) -> Advisory {
    Advisory { product, id, affected, backdoor: false, summary }
}

/// All notes, by product, oldest first.
pub(super) const ADVISORIES: &[Advisory] = &[
    Advisory {
        product: Product::Vsftpd,
        id: "CVE-2011-2523",
        affected: "2.3.4",
        backdoor: true,
        summary: "the archive offered between 30 June and 3 July 2011 held a backdoor: a login \
                  name containing \":)\" opens a root shell on port 6200",
    },
    note(Product::Vsftpd, "CVE-2011-0762", "before 2.3.3", "glob expressions exhaust the processor"),
    note(Product::Vsftpd, "CVE-2015-1419", "up to 3.0.2", "deny_file can be passed by"),
    note(
        Product::Vsftpd,
        "CVE-2021-3618",
        "before 3.0.4",
        "ALPACA: a TLS session meant for another service is accepted",
    ),
    note(
        Product::ProFtpd,
        "CVE-2010-4221",
        "1.3.2rc3 to 1.3.3b",
        "Telnet escape characters overflow a buffer before login",
    ),
    Advisory {
        product: Product::ProFtpd,
        id: "ProFTPD 1.3.3c backdoor",
        affected: "1.3.3c",
        backdoor: true,
        summary: "the archive offered between 28 November and 2 December 2010 held a backdoor: \
                  HELP ACIDBITCHEZ opens a root shell",
    },
    note(
        Product::ProFtpd,
        "CVE-2011-4130",
        "before 1.3.3g",
        "memory is used after it was freed while a response is built",
    ),
    note(Product::ProFtpd, "CVE-2015-3306", "1.3.5", "mod_copy, where loaded, copies files without a login"),
    note(Product::ProFtpd, "CVE-2019-12815", "up to 1.3.6", "mod_copy, where loaded, ignores <Limit>"),
    note(
        Product::ProFtpd,
        "CVE-2019-18217",
        "before 1.3.6b, 1.3.7rc1",
        "an overlong command keeps the process busy before login",
    ),
    note(
        Product::ProFtpd,
        "CVE-2020-9273",
        "before 1.3.6c, 1.3.7rc1 to 1.3.7rc2",
        "interrupting a data transfer corrupts memory",
    ),
    note(
        Product::ProFtpd,
        "CVE-2023-51713",
        "before 1.3.8a",
        "quotes and backslashes make it read past a buffer",
    ),
    note(
        Product::ProFtpd,
        "CVE-2024-48651",
        "before 1.3.8c, 1.3.9rc1 to 1.3.9rc2",
        "mod_sql, where used, grants the supplementary group 0",
    ),
    note(Product::ProFtpd, "CVE-2026-42167", "1.3.7 to 1.3.9", "mod_sql, where used, lets SQL be injected"),
    note(
        Product::ProFtpd,
        "ProFTPD issue 2272",
        "1.3.7d to before 1.3.8rc1, 1.3.8rc3 to 1.3.9c, 1.3.10rc1 to 1.3.10rc3",
        "without AllowForeignAddress, passive data connections are taken from any address",
    ),
    note(
        Product::FileZillaLegacy,
        "end of life",
        "before 1.0.0",
        "the 0.9 line is no longer maintained; its last release, 0.9.60 of 2017, carries OpenSSL \
         1.0.2k",
    ),
    note(
        Product::FileZilla,
        "FileZilla Server 1.1.0 NEWS",
        "1.0.0 to before 1.1.0",
        "on Windows, paths lead out of the shared directories",
    ),
    note(
        Product::FileZilla,
        "FileZilla Server 1.7.3 NEWS",
        "1.7.0 to 1.7.2",
        "a security hole brought in by 1.7.0-rc1 was closed urgently",
    ),
    note(
        Product::FileZilla,
        "FileZilla Server 1.8.0 NEWS",
        "1.0.0 to before 1.8.0",
        "an IPv6 address overflows a buffer by one",
    ),
    note(
        Product::FileZilla,
        "FileZilla Server 1.8.2 NEWS",
        "1.0.0 to before 1.8.2",
        "mount points can be passed by on systems that ignore case",
    ),
    note(
        Product::Iis,
        "CVE-2009-3023",
        "5.0",
        "a directory name overflows a buffer (MS09-053, with CVE-2009-2521)",
    ),
    note(Product::Inetutils, "CVE-2023-40303", "up to 2.4", "privileges are kept when dropping them fails"),
    note(Product::WuFtpd, "CVE-2000-0573", "up to 2.6.0", "SITE EXEC formats what it is sent"),
    note(Product::WuFtpd, "CVE-2001-0550", "up to 2.6.1", "glob expressions corrupt the heap"),
    note(
        Product::WuFtpd,
        "CVE-2003-0466",
        "2.5.0 to 2.6.2",
        "a long path overflows a buffer; the product is no longer maintained",
    ),
    note(Product::Pyftpdlib, "CVE-2010-3494", "before 0.5.2", "a race stops the server"),
    note(
        Product::ServU,
        "CVE-2021-35211",
        "before 15.2.3",
        "code is executed over SSH; 15.2.3 itself needs hotfix 2, which no banner shows",
    ),
    note(
        Product::ServU,
        "CVE-2024-28995",
        "before 15.4.2",
        "files are read without a login; 15.4.2 itself needs hotfix 2, which no banner shows",
    ),
    note(
        Product::Wing,
        "CVE-2025-47812",
        "before 7.4.4",
        "code is executed through the web interface (with CVE-2025-47813)",
    ),
    note(
        Product::MikroTik,
        "CVE-2019-13074",
        "up to 6.44.3",
        "the FTP service exhausts the memory of the router",
    ),
    note(
        Product::Titan,
        "CVE-2014-1841",
        "before 10.40.1829",
        "directories are traversed through the web interface (with CVE-2014-1842 and 1843)",
    ),
];
