//! The settings of a check as a file has them: of a target in a `--targets` list, of a module of the exporter.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use serde::Deserialize;

use pasvcheck::checks;
use pasvcheck::report::prometheus::is_label_name;

use super::Problem;
use super::args::{self, CheckArgs, PublicAddress, TlsMode};

/// What a target may have of its own; what it leaves out comes from `[defaults]`, then from the command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) target: Option<String>,
    /// Whom the exporter may check in this way; not for lists of targets.
    pub(crate) allow: Option<Vec<String>>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) password_env: Option<String>,
    pub(crate) tls: Option<String>,
    pub(crate) insecure: Option<bool>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) client_cert: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
    pub(crate) cert_days: Option<u32>,
    pub(crate) family: Option<String>,
    pub(crate) range: Option<String>,
    pub(crate) scan: Option<bool>,
    pub(crate) download: Option<String>,
    pub(crate) upload: Option<String>,
    pub(crate) idle: Option<String>,
    pub(crate) only: Option<Vec<String>>,
    pub(crate) skip: Option<Vec<String>>,
    pub(crate) timeout: Option<String>,
    pub(crate) deadline: Option<String>,
    pub(crate) public_address: Option<String>,
    pub(crate) follow_private: Option<bool>,
    pub(crate) warning: Option<String>,
    pub(crate) critical: Option<String>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
}

impl Settings {
    /// The options given, with these settings in their place. Files are looked for from `folder` on.
    pub(crate) fn settled(&self, options: &CheckArgs, folder: &Path) -> Result<CheckArgs, Problem> {
        let mut args = options.clone();
        self.login(&mut args, folder)?;
        self.tls(&mut args, folder)?;
        self.network(&mut args)?;
        self.what(&mut args)?;
        let level = |key: &str, text: &Option<String>| {
            text.as_ref().map(|text| text.parse().map_err(|error| wrong(key, format!("{error}")))).transpose()
        };
        args.thresholds.warning = level("warning", &self.warning)?.or(args.thresholds.warning);
        args.thresholds.critical = level("critical", &self.critical)?.or(args.thresholds.critical);
        let labels = self.labels.iter().flatten();
        if let Some((name, _)) = labels.into_iter().find(|(name, _)| !is_label_name(name)) {
            let fault = format!(
                "\"{name}\" cannot be a label: letters, digits and _, and no name that pasvcheck uses"
            );
            return Err(wrong("labels", fault));
        }
        Ok(args)
    }

    fn what(&self, args: &mut CheckArgs) -> Result<(), Problem> {
        let what = &mut args.what;
        if let Some(range) = &self.range {
            what.range = Some(range.parse().map_err(|error| wrong("range", format!("{error}")))?);
        }
        what.scan = self.scan.unwrap_or(what.scan);
        what.download = self.download.clone().or(what.download.take());
        if let Some(size) = &self.upload {
            what.upload = Some(args::upload_size(size).map_err(|fault| wrong("upload", fault))?);
        }
        if let Some(text) = &self.idle {
            what.idle = Some(args::duration(text).map_err(|fault| wrong("idle", fault))?);
        }
        if self.only.is_some() && self.skip.is_some() {
            return Err(Problem::new("only and skip exclude each other"));
        }
        if let Some(names) = &self.only {
            what.only = known("only", names)?;
        }
        if let Some(names) = &self.skip {
            what.skip = known("skip", names)?;
        }
        Ok(())
    }

    fn login(&self, args: &mut CheckArgs, folder: &Path) -> Result<(), Problem> {
        if self.user.is_some() {
            args.login.user.clone_from(&self.user);
        }
        if self.password_file.is_some() && self.password_env.is_some() {
            return Err(Problem::new("password_file and password_env exclude each other"));
        }
        if let Some(file) = &self.password_file {
            // As a path of the list's own folder, wherever the program was started.
            args.login.password_file = Some(folder.join(file));
        }
        if let Some(variable) = &self.password_env {
            args.login.password_env = Some(variable.clone());
        }
        Ok(())
    }

    fn tls(&self, args: &mut CheckArgs, folder: &Path) -> Result<(), Problem> {
        if let Some(tls) = &self.tls {
            args.tls.tls = TlsMode::from_str(tls, false).map_err(|_| wrong("tls", words::<TlsMode>()))?;
        }
        args.tls.insecure = self.insecure.unwrap_or(args.tls.insecure);
        if let Some(file) = &self.ca_file {
            args.tls.ca_file = Some(folder.join(file));
        }
        if self.client_cert.is_some() != self.client_key.is_some() {
            return Err(Problem::new("client_cert and client_key belong together"));
        }
        if let (Some(chain), Some(key)) = (&self.client_cert, &self.client_key) {
            args.tls.client_cert = Some(folder.join(chain));
            args.tls.client_key = Some(folder.join(key));
        }
        args.tls.cert_days = self.cert_days.unwrap_or(args.tls.cert_days);
        Ok(())
    }

    fn network(&self, args: &mut CheckArgs) -> Result<(), Problem> {
        match self.family.as_deref() {
            None => {}
            Some("ipv4") => (args.network.ipv4, args.network.ipv6) = (true, false),
            Some("ipv6") => (args.network.ipv4, args.network.ipv6) = (false, true),
            Some("both") => (args.network.ipv4, args.network.ipv6) = (false, false),
            Some(_) => return Err(wrong("family", "write ipv4, ipv6 or both".to_owned())),
        }
        if let Some(text) = &self.timeout {
            args.network.timeout = Some(args::duration(text).map_err(|fault| wrong("timeout", fault))?);
        }
        if let Some(text) = &self.deadline {
            args.network.deadline = Some(args::duration(text).map_err(|fault| wrong("deadline", fault))?);
        }
        if let Some(text) = &self.public_address {
            let address = match text.as_str() {
                "none" => PublicAddress::None,
                text => PublicAddress::Given(
                    text.parse::<IpAddr>()
                        .map_err(|_| wrong("public_address", "write an address, or none".to_owned()))?,
                ),
            };
            args.network.public_address = Some(address);
        }
        args.network.follow_private = self.follow_private.unwrap_or(args.network.follow_private);
        Ok(())
    }

    /// With the defaults where nothing of its own is said. The two ways to a password count as one.
    pub(crate) fn or(self, defaults: &Self) -> Self {
        let own_password = self.password_file.is_some() || self.password_env.is_some();
        let inherited = |value: &Option<PathBuf>| if own_password { None } else { value.clone() };
        let mut labels = defaults.labels.clone().unwrap_or_default();
        labels.extend(self.labels.unwrap_or_default());
        Self {
            target: self.target,
            allow: self.allow,
            port: self.port.or(defaults.port),
            user: self.user.or_else(|| defaults.user.clone()),
            password_file: self.password_file.or_else(|| inherited(&defaults.password_file)),
            password_env: self
                .password_env
                .or_else(|| if own_password { None } else { defaults.password_env.clone() }),
            tls: self.tls.or_else(|| defaults.tls.clone()),
            insecure: self.insecure.or(defaults.insecure),
            ca_file: self.ca_file.or_else(|| defaults.ca_file.clone()),
            client_cert: self.client_cert.or_else(|| defaults.client_cert.clone()),
            client_key: self.client_key.or_else(|| defaults.client_key.clone()),
            cert_days: self.cert_days.or(defaults.cert_days),
            family: self.family.or_else(|| defaults.family.clone()),
            range: self.range.or_else(|| defaults.range.clone()),
            scan: self.scan.or(defaults.scan),
            download: self.download.or_else(|| defaults.download.clone()),
            upload: self.upload.or_else(|| defaults.upload.clone()),
            idle: self.idle.or_else(|| defaults.idle.clone()),
            only: self.only.or_else(|| defaults.only.clone()),
            skip: self.skip.or_else(|| defaults.skip.clone()),
            timeout: self.timeout.or_else(|| defaults.timeout.clone()),
            deadline: self.deadline.or_else(|| defaults.deadline.clone()),
            public_address: self.public_address.or_else(|| defaults.public_address.clone()),
            follow_private: self.follow_private.or(defaults.follow_private),
            warning: self.warning.or_else(|| defaults.warning.clone()),
            critical: self.critical.or_else(|| defaults.critical.clone()),
            labels: Some(labels),
        }
    }
}

/// What is wrong with a file's syntax, in words. The text is not quoted: somebody may have written a password there.
pub(crate) fn syntax(error: &toml::de::Error) -> String {
    let message = error.message();
    let hint = if message.contains("field `password`") {
        "; a password stays out of the file: name a password_file or a password_env"
    } else {
        ""
    };
    format!("{message}{hint}")
}

/// Names of checks, all of them known.
fn known(key: &str, names: &[String]) -> Result<Vec<String>, Problem> {
    match names.iter().find(|name| checks::network().all(|check| check.name != name.as_str())) {
        None => Ok(names.to_vec()),
        Some(unknown) => {
            let all: Vec<&str> = checks::network().map(|check| check.name).collect();
            Err(wrong(key, format!("{unknown:?} is no check; there are {}", all.join(", "))))
        }
    }
}

fn wrong(key: &str, fault: impl std::fmt::Display) -> Problem {
    Problem::new(format!("{key}: {fault}"))
}

/// The words that an option takes.
fn words<T: clap::ValueEnum>() -> String {
    let words: Vec<String> = T::value_variants()
        .iter()
        .filter_map(|value| Some(value.to_possible_value()?.get_name().to_owned()))
        .collect();
    format!("write {}", words.join(" or "))
}
