//! The names of the directives: what is none of these is misspelt, or of a version or module that we do not know.
//!
//! vsftpd: `parseconf.c` of 3.0.5 and the additions of Debian and Red Hat. `ProFTPD`: the tables of 1.3.8 with the modules that
//! Debian ships. Pure-FTPd: `simpleconf_ftpd.h` of 1.0.50 and Debian's `pure-ftpd-wrapper`.

use strsim::damerau_levenshtein;

/// How a vsftpd directive's value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Switch,
    Number,
    Text,
}

/// The kind of a vsftpd directive; `None` if it has none of that name. Its names are in small letters only.
pub(super) fn vsftpd(name: &str) -> Option<Kind> {
    let among = |table: &[&str]| table.contains(&name);
    if among(&VSFTPD_SWITCHES) {
        Some(Kind::Switch)
    } else if among(&VSFTPD_NUMBERS) {
        Some(Kind::Number)
    } else {
        among(&VSFTPD_TEXTS).then_some(Kind::Text)
    }
}

/// The `ProFTPD` directive of that name, as it is usually written; the case of letters does not count.
pub(super) fn proftpd(name: &str) -> Option<&'static str> {
    PROFTPD.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// The Pure-FTPd directive of that name, as it is usually written; the case of letters does not count.
pub(super) fn pureftpd(name: &str) -> Option<&'static str> {
    PUREFTPD.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// The vsftpd directive that is spelt most like it.
pub(super) fn near_vsftpd(name: &str) -> Option<&'static str> {
    let tables = [&VSFTPD_SWITCHES[..], &VSFTPD_NUMBERS, &VSFTPD_TEXTS];
    nearest(name, tables.into_iter().flatten().copied())
}

/// The `ProFTPD` directive that is spelt most like it.
pub(super) fn near_proftpd(name: &str) -> Option<&'static str> {
    nearest(name, PROFTPD.into_iter())
}

/// The Pure-FTPd directive that is spelt most like it.
pub(super) fn near_pureftpd(name: &str) -> Option<&'static str> {
    nearest(name, PUREFTPD.into_iter())
}

/// The nearest of the known names, if it is near enough to be meant.
fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if name.len() > 64 {
        return None;
    }
    let name = name.trim().to_ascii_lowercase();
    let allowed = (name.len() / 4).clamp(1, 3);
    let distance = |known: &str| damerau_levenshtein(&known.to_ascii_lowercase(), &name);
    let like = |known: &&'static str| known.len().abs_diff(name.len()) <= allowed;
    known
        .filter(like)
        .map(|known| (distance(known), known))
        .filter(|(far, _)| *far <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// Yes or no.
#[rustfmt::skip]
pub(super) const VSFTPD_SWITCHES: [&str; 92] = [
    "allow_anon_ssl", "allow_writeable_chroot", "anon_mkdir_write_enable", "anon_other_write_enable",
    "anon_upload_enable", "anon_world_readable_only", "anonymous_enable", "ascii_download_enable",
    "ascii_upload_enable", "async_abor_enable", "background", "better_stou", "check_shell", "chmod_enable",
    "chown_uploads", "chroot_list_enable", "chroot_local_user", "connect_from_port_20", "debug_ssl",
    "delete_failed_uploads", "deny_email_enable", "dirlist_enable", "dirmessage_enable", "download_enable",
    "dual_log_enable", "force_anon_data_ssl", "force_anon_logins_ssl", "force_dot_files",
    "force_local_data_ssl", "force_local_logins_ssl", "ftp_enable", "guest_enable", "hide_ids", "http_enable",
    "implicit_ssl", "isolate", "isolate_network", "listen", "listen_ipv6", "local_enable", "lock_upload_files",
    "log_die", "log_ftp_protocol", "ls_recurse_enable", "mdtm_write", "no_anon_password", "no_log_lock",
    "one_process_model", "passwd_chroot_enable", "pasv_addr_resolve", "pasv_enable", "pasv_promiscuous",
    "port_enable", "port_promiscuous", "ptrace_sandbox", "require_cert", "require_ssl_reuse",
    "reverse_lookup_enable", "run_as_launching_user", "seccomp_sandbox", "secure_email_list_enable",
    "session_support", "setproctitle_enable", "ssl_enable", "ssl_request_cert", "ssl_sslv2", "ssl_sslv3",
    "ssl_tlsv1", "ssl_tlsv1_1", "ssl_tlsv1_2", "ssl_tlsv1_3", "ssl_tlsv11", "ssl_tlsv12", "ssl_tlsv13",
    "strict_ssl_read_eof", "strict_ssl_write_shutdown", "syslog_enable", "tcp_wrappers", "text_userdb_names",
    "tilde_user_enable", "use_localtime", "use_sendfile", "userlist_deny", "userlist_enable", "userlist_log",
    "utf8_filesystem", "validate_cert", "virtual_use_local_privs", "wc_logs_enable", "write_enable",
    "xferlog_enable", "xferlog_std_format",
];

/// Numbers without a sign.
#[rustfmt::skip]
pub(super) const VSFTPD_NUMBERS: [&str; 21] = [
    "accept_timeout", "anon_max_rate", "anon_umask", "bind_retries", "chown_upload_mode", "connect_timeout",
    "data_connection_timeout", "delay_failed_login", "delay_successful_login", "file_open_mode",
    "ftp_data_port", "idle_session_timeout", "listen_port", "local_max_rate", "local_umask", "max_clients",
    "max_login_fails", "max_per_ip", "pasv_max_port", "pasv_min_port", "trans_chunk_size",
];

/// Anything.
#[rustfmt::skip]
pub(super) const VSFTPD_TEXTS: [&str; 36] = [
    "anon_root", "banned_email_file", "banner_file", "ca_certs_file", "chown_username", "chroot_list_file",
    "cmds_allowed", "cmds_denied", "deny_file", "dh_param_file", "dsa_cert_file", "dsa_private_key_file",
    "ecdh_param_file", "email_password_file", "ftp_username", "ftpd_banner", "guest_username", "hide_file",
    "listen_address", "listen_address6", "local_root", "message_file", "nopriv_user", "pam_service_name",
    "pasv_address", "rsa_cert_file", "rsa_private_key_file", "secure_chroot_dir", "ssl_ciphers",
    "ssl_ciphersuites", "ssl_sni_hostname", "user_config_dir", "user_sub_token", "userlist_file",
    "vsftpd_log_file", "xferlog_file",
];

/// Directives outside of sections.
#[rustfmt::skip]
pub(super) const PROFTPD: [&str; 426] = [
    "AccessDenyMsg", "AccessGrantMsg", "AdminControlsACLs", "AdminControlsEngine", "Allow", "AllowAll",
    "AllowChrootSymlinks", "AllowClass", "AllowEmptyPasswords", "AllowFilter", "AllowForeignAddress",
    "AllowGroup", "AllowLogSymlinks", "AllowOverride", "AllowOverwrite", "AllowRetrieveRestart",
    "AllowStoreRestart", "AllowUser", "AnonAllowRobots", "AnonRatio", "AnonRejectPasswords",
    "AnonRequirePassword", "AuthAliasOnly", "AuthFileOptions", "AuthGroupFile", "AuthOrder", "AuthOTPAlgorithm",
    "AuthOTPEngine", "AuthOTPLog", "AuthOTPOptions", "AuthOTPTable", "AuthOTPTableLock", "AuthPAM",
    "AuthPAMConfig", "AuthPAMOptions", "AuthUnixOptions", "AuthUserFile", "AuthUsingAlias", "BanCache",
    "BanCacheOptions", "BanControlsACLs", "BanEngine", "BanLog", "BanMessage", "BanOnEvent", "BanOptions",
    "BanTable", "ByteRatioErrMsg", "CapabilitiesEngine", "CapabilitiesRootRevoke", "CapabilitiesSet", "CDPath",
    "CommandBufferSize", "ControlsACLs", "ControlsAuthFreshness", "ControlsEngine", "ControlsInterval",
    "ControlsLog", "ControlsMaxClients", "ControlsSocket", "ControlsSocketACL", "ControlsSocketOwner",
    "CopyEngine", "CopyOptions", "CreateHome", "CwdRatioMsg", "DebugLevel", "DefaultAddress", "DefaultChdir",
    "DefaultRoot", "DefaultServer", "DefaultTransferMode", "DeferWelcome", "Define", "DeflateEngine",
    "DeflateLog", "DelayControlsACLs", "DelayEngine", "DelayOnEvent", "DelayTable", "DeleteAbortedStores",
    "Deny", "DenyAll", "DenyClass", "DenyFilter", "DenyGroup", "DenyUser", "DigestAlgorithms", "DigestCache",
    "DigestDefaultAlgorithm", "DigestEnable", "DigestEngine", "DigestMaxSize", "DigestOptions", "DirFakeGroup",
    "DirFakeMode", "DirFakeUser", "DisplayChdir", "DisplayConnect", "DisplayFileTransfer", "DisplayLogin",
    "DisplayQuit", "DisplayReadme", "DNSBLDomain", "DNSBLEngine", "DNSBLLog", "DNSBLPolicy",
    "DynMasqControlsACLs", "DynMasqRefresh", "ExecBeforeCommand", "ExecEnable", "ExecEngine", "ExecEnviron",
    "ExecLog", "ExecOnCommand", "ExecOnConnect", "ExecOnError", "ExecOnEvent", "ExecOnExit", "ExecOnRestart",
    "ExecOptions", "ExecTimeout", "ExtendedLog", "FactsAdvertise", "FactsDefault", "FactsOptions",
    "FileRatioErrMsg", "ForensicLogBufferSize", "ForensicLogCapture", "ForensicLogCriteria",
    "ForensicLogEngine", "ForensicLogFile", "From", "FSCachePolicy", "FSOptions", "GeoIPAllowFilter",
    "GeoIPDenyFilter", "GeoIPEngine", "GeoIPLog", "GeoIPPolicy", "GeoIPTable", "Group", "GroupOwner",
    "GroupRatio", "HiddenStores", "HideFiles", "HideGroup", "HideNoAccess", "HideUser", "HostRatio",
    "IdentLookups", "IgnoreHidden", "Include", "IncludeOptions", "LangDefault", "LangEngine", "LangOptions",
    "LangPath", "LDAPAliasDereference", "LDAPAttr", "LDAPAuthBinds", "LDAPBindDN", "LDAPConnectTimeout",
    "LDAPDefaultGID", "LDAPDefaultUID", "LDAPDoAuth", "LDAPDoGIDLookups", "LDAPDoUIDLookups",
    "LDAPForceGeneratedHomedir", "LDAPGenerateHomedir", "LDAPGenerateHomedirPrefix", "LDAPGroups", "LDAPLog",
    "LDAPProtocolVersion", "LDAPQueryTimeout", "LDAPSearchScope", "LDAPServer", "LDAPUsers", "LDAPUseTLS",
    "LeechRatioMsg", "ListOptions", "ListStyle", "LoadFile", "LoadModule", "LogFormat", "LogOptions",
    "MasqueradeAddress", "MaxClients", "MaxClientsPerClass", "MaxClientsPerHost", "MaxClientsPerUser",
    "MaxCommandRate", "MaxConnectionRate", "MaxConnectionsPerHost", "MaxHostsPerUser", "MaxInstances",
    "MaxLoad", "MaxLoginAttempts", "MaxPasswordSize", "MaxRetrieveFileSize", "MaxStoreFileSize",
    "MaxTransfersPerHost", "MaxTransfersPerUser", "MemcacheConnectFailures", "MemcacheEngine", "MemcacheLog",
    "MemcacheOptions", "MemcacheReplicas", "MemcacheServers", "MemcacheTimeouts", "ModuleControlsACLs",
    "ModuleOrder", "ModulePath", "MultilineRFC2228", "Order", "PassivePorts", "PathAllowFilter",
    "PathDenyFilter", "PersistentPasswd", "PidFile", "Port", "ProcessTitles", "Protocols", "ProxyEngine",
    "ProxyLog", "ProxyReverseServers", "ProxyRole", "ProxyTables", "QoSOptions", "QuotaDefault",
    "QuotaDirectoryTally", "QuotaDisplayUnits", "QuotaEngine", "QuotaExcludeFilter", "QuotaLimitTable",
    "QuotaLock", "QuotaLog", "QuotaOptions", "QuotaShowQuotas", "QuotaTallyTable", "RadiusAcctServer",
    "RadiusAuthServer", "RadiusEngine", "RadiusGroupInfo", "RadiusLog", "RadiusNASIdentifier", "RadiusOptions",
    "RadiusQuotaInfo", "RadiusRealm", "RadiusUserInfo", "RadiusVendor", "RatioFile", "Ratios", "RatioTempFile",
    "RedisEngine", "RedisLog", "RedisLogFormatExtra", "RedisLogOnCommand", "RedisLogOnEvent", "RedisOptions",
    "RedisSentinel", "RedisServer", "RedisTimeouts", "RegexOptions", "RequireValidShell", "RewriteCondition",
    "RewriteEngine", "RewriteHome", "RewriteLock", "RewriteLog", "RewriteMap", "RewriteMaxReplace",
    "RewriteRule", "RLimitChroot", "RLimitCPU", "RLimitMemory", "RLimitOpenFiles", "RootLogin", "RootRevoke",
    "Satisfy", "SaveRatios", "ScoreboardFile", "ScoreboardMutex", "ScoreboardScrub", "ServerAdmin",
    "ServerAlias", "ServerIdent", "ServerLog", "ServerName", "ServerType", "SetEnv", "ShaperAll",
    "ShaperControlsACLs", "ShaperEngine", "ShaperLog", "ShaperSession", "ShaperTable", "ShowSymlinks",
    "SiteMiscEngine", "SocketBindTight", "SocketOptions", "SQLAuthenticate", "SQLAuthTypes", "SQLBackend",
    "SQLConnectInfo", "SQLDefaultGID", "SQLDefaultHomedir", "SQLDefaultUID", "SQLEngine", "SQLGroupInfo",
    "SQLGroupPrimaryKey", "SQLGroupWhereClause", "SQLKeepAlive", "SQLLog", "SQLLogFile", "SQLLogOnEvent",
    "SQLMinID", "SQLMinUserGID", "SQLMinUserUID", "SQLNamedConnectInfo", "SQLNamedQuery", "SQLNegativeCache",
    "SQLOptions", "SQLRatios", "SQLRatioStats", "SQLShowInfo", "SQLUserInfo", "SQLUserPrimaryKey",
    "SQLUserWhereClause", "StatCacheCapacity", "StatCacheControlsACLs", "StatCacheEngine", "StatCacheMaxAge",
    "StatCacheTable", "StoreUniquePrefix", "SysLogFacility", "SyslogFacility", "SyslogLevel", "SystemLog",
    "TCPBackLog", "tcpBackLog", "TCPNoDelay", "tcpNoDelay", "TimeoutIdle", "TimeoutLinger", "TimeoutLogin",
    "TimeoutNoTransfer", "TimeoutSession", "TimeoutStalled", "TimesGMT", "TLSCACertificateFile",
    "TLSCACertificatePath", "TLSCARevocationFile", "TLSCARevocationPath", "TLSCertificateChainFile",
    "TLSCipherSuite", "TLSControlsACLs", "TLSCryptoDevice", "TLSDHParamFile", "TLSDSACertificateFile",
    "TLSDSACertificateKeyFile", "TLSECCertificateFile", "TLSECCertificateKeyFile", "TLSECDHCurve", "TLSEngine",
    "TLSLog", "TLSMasqueradeAddress", "TLSNextProtocol", "TLSOptions", "TLSPassPhraseProvider", "TLSPKCS12File",
    "TLSPreSharedKey", "TLSProtocol", "TLSRandomSeed", "TLSRenegotiate", "TLSRequired", "TLSRSACertificateFile",
    "TLSRSACertificateKeyFile", "TLSServerCipherPreference", "TLSServerInfoFile", "TLSSessionCache",
    "TLSSessionTicketKeys", "TLSSessionTickets", "TLSStapling", "TLSStaplingCache", "TLSStaplingOptions",
    "TLSStaplingResponder", "TLSStaplingTimeout", "TLSTimeoutHandshake", "TLSUserName", "TLSVerifyClient",
    "TLSVerifyDepth", "TLSVerifyOrder", "TLSVerifyServer", "Trace", "TraceLog", "TraceOptions", "TransferLog",
    "TransferOptions", "TransferRate", "Umask", "UniqueIDEngine", "UnsetEnv", "UseEncoding", "UseFtpUsers",
    "UseGlobbing", "UseIPv6", "UseLastlog", "User", "UserAlias", "UserDirRoot", "UseReverseDNS", "UserOwner",
    "UserPassword", "UserRatio", "UseSendfile", "WrapAllowMsg", "WrapDenyMsg", "WrapEngine", "WrapGroupTables",
    "WrapLog", "WrapOptions", "WrapServiceName", "WrapTables", "WrapUserTables", "WtmpLog",
];

/// Directives of `pure-ftpd.conf`; Debian's wrapper knows most of them.
#[rustfmt::skip]
pub(super) const PUREFTPD: [&str; 67] = [
    "AllowAnonymousFXP", "AllowDotFiles", "AllowUserFXP", "AltLog", "AnonymousBandwidth",
    "AnonymousCanCreateDirs", "AnonymousCantUpload", "AnonymousOnly", "AnonymousRatio", "AntiWarez",
    "AutoRename", "Bind", "BrokenClientsCompatibility", "CallUploadScript", "CertFile", "CertFileAndKey",
    "ChrootEveryone", "ClientCharset", "CreateHomeDir", "CustomerProof", "Daemonize", "DisplayDotFiles",
    "DontResolve", "ExtAuth", "ExtCert", "FSCharset", "FileSystemCharset", "ForcePassiveIP", "FortunesFile",
    "IPV4Only", "IPV6Only", "Include", "KeepAllFiles", "LDAPConfigFile", "LimitRecursion", "LogPID",
    "MaxClientsNumber", "MaxClientsPerIP", "MaxDiskUsage", "MaxIdleTime", "MaxLoad", "MinUID",
    "MySQLConfigFile", "NATmode", "NoAnonymous", "NoChmod", "NoRename", "NoTruncate", "PAMAuthentication",
    "PGSQLConfigFile", "PIDFile", "PassivePortRange", "PerUserLimits", "ProhibitDotFilesRead",
    "ProhibitDotFilesWrite", "PureDB", "Quota", "SyslogFacility", "TLS", "TLSCipherSuite", "TrustedGID",
    "TrustedIP", "Umask", "UnixAuthentication", "UserBandwidth", "UserRatio", "VerboseLog",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_lead_to_the_name_that_was_meant() {
        assert_eq!(near_vsftpd("pasv_min_prot"), Some("pasv_min_port"));
        assert_eq!(near_vsftpd("PASV_ENABLE"), Some("pasv_enable"));
        assert_eq!(near_vsftpd("passive_ports"), None);
        assert_eq!(near_proftpd("PasivePorts"), Some("PassivePorts"));
        assert_eq!(near_proftpd("MasqueradAddress"), Some("MasqueradeAddress"));
        assert_eq!(near_pureftpd("PassivePortsRange"), Some("PassivePortRange"));
        assert_eq!(near_pureftpd(&"x".repeat(100_000)), None);
    }

    #[test]
    fn names_are_known_as_their_daemons_know_them() {
        assert_eq!(vsftpd("pasv_min_port"), Some(Kind::Number));
        assert_eq!(vsftpd("Pasv_min_port"), None);
        assert_eq!(proftpd("passiveports"), Some("PassivePorts"));
        assert_eq!(pureftpd("natmode"), Some("NATmode"));
    }
}
