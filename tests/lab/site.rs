//! Where the servers lie, and the files that they serve and read.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use crate::shell::{command, run};

/// The named user of the lab.
pub(crate) const USER: &str = "tester";
/// Its password.
pub(crate) const PASSWORD: &str = "secret-Pw1";
/// `openssl passwd -6 -salt pasvcheck secret-Pw1`
const PASSWORD_HASH: &str =
    "$6$pasvcheck$GW5jTmNym9fzNheniqsjAVHo2Si0.8bDt5Tp02doo7gjEmAsFWSdMDZUC/JbIppcYu0mSZ04ksZ9NiDFCmU0r.";

/// The folder of this run, removed at its end.
pub(crate) struct Site {
    servers: PathBuf,
    root: PathBuf,
}

impl Site {
    /// Where `fetch-servers` puts the servers.
    pub(crate) fn servers_folder() -> PathBuf {
        match std::env::var_os("PASVCHECK_LAB_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab"),
        }
    }

    /// Writes what all servers share.
    pub(crate) fn prepare() -> Result<Self, String> {
        let servers = Self::servers_folder();
        let root = servers.join(format!("run-{}", std::process::id()));
        let site = Self { servers, root };
        site.write().map_err(|error| format!("{}: {error}", site.root.display()))?;
        site.certificate()?;
        Ok(site)
    }

    /// The folder of this run.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A folder in it.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A program of `fetch-servers`, as words of a command. Its libraries come with it.
    pub(crate) fn program(&self, name: &str) -> Vec<String> {
        let root = self.servers.join("root");
        let libraries = glob_libraries(&root);
        let program = root.join("usr/sbin").join(name);
        vec!["env".to_owned(), format!("LD_LIBRARY_PATH={libraries}"), program.display().to_string()]
    }

    /// The packages of `fetch-servers`, as they are unpacked.
    pub(crate) fn unpacked(&self) -> PathBuf {
        self.servers.join("root")
    }

    /// What a shell needs in which printed commands run: iptables, as it is called once it is installed.
    pub(crate) fn tools(&self) -> [(&'static str, String); 3] {
        let libraries = glob_libraries(&self.unpacked());
        let folders =
            |below: &str| libraries.split(':').map(|folder| format!("{folder}{below}")).collect::<Vec<_>>();
        let path = std::env::var("PATH").unwrap_or_default();
        [
            ("PATH", format!("{}:{path}", self.root.join("bin").display())),
            ("XTABLES_LIBDIR", folders("/xtables").join(":")),
            ("LD_LIBRARY_PATH", libraries),
        ]
    }

    /// A script in Python, with the packages of `fetch-servers`.
    pub(crate) fn python(&self, script: &Path) -> Vec<String> {
        let (python, packages) = (self.servers.join("python3"), self.servers.join("python"));
        let path = format!("PYTHONPATH={}", packages.display());
        vec!["env".to_owned(), path, python.display().to_string(), script.display().to_string()]
    }

    /// The folder of `ProFTPD`'s modules.
    pub(crate) fn proftpd_modules(&self) -> PathBuf {
        self.servers.join("root/usr/lib/proftpd")
    }

    /// A self-signed certificate and its key in one file.
    pub(crate) fn certificate_file(&self) -> PathBuf {
        self.root.join("etc/certificate.pem")
    }

    /// The certificate alone, which the client is told to trust.
    pub(crate) fn trusted_file(&self) -> PathBuf {
        self.root.join("etc/certificate.pem.crt")
    }

    fn write(&self) -> std::io::Result<()> {
        let (etc, served) = (self.root.join("etc"), self.root.join("served"));
        fs::create_dir_all(etc.join("pam.d"))?;
        fs::create_dir_all(served.join("empty"))?;
        let bin = self.root.join("bin");
        fs::create_dir_all(&bin)?;
        for name in ["iptables", "ip6tables"] {
            symlink(self.unpacked().join("usr/sbin/xtables-nft-multi"), bin.join(name))?;
        }
        for number in 1..=5 {
            fs::write(served.join(format!("file{number}.txt")), format!("this is file {number}\r\n"))?;
        }
        fs::write(served.join("big.bin"), vec![b'x'; 2 * 1024 * 1024])?;
        let add = |file: &str, lines: &str| -> std::io::Result<()> {
            let theirs = fs::read_to_string(Path::new("/etc").join(file))?;
            fs::write(etc.join(file), theirs + lines)
        };
        add("passwd", "ftp:x:20000:20000::/srv:/bin/sh\ntester:x:20001:20001::/srv:/bin/sh\n")?;
        add("group", "ftp:x:20000:\ntester:x:20001:\n")?;
        add("shadow", &format!("ftp:*:19000:0:99999:7:::\n{USER}:{PASSWORD_HASH}:19000:0:99999:7:::\n"))?;
        fs::set_permissions(etc.join("shadow"), fs::Permissions::from_mode(0o600))?;
        let host = fs::read_to_string("/proc/sys/kernel/hostname")?;
        fs::write(etc.join("hosts"), format!("127.0.0.1 localhost {host}::1 localhost\n"))?;
        for service in ["vsftpd", "ftp", "other"] {
            let rules =
                "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n";
            fs::write(etc.join("pam.d").join(service), rules)?;
        }
        // Servers that change into the folder as the user must be able to.
        for folder in [&self.root, &etc, &served] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        }
        chown(&served, Some(20001), Some(20001))
    }

    fn certificate(&self) -> Result<(), String> {
        let file = self.certificate_file().display().to_string();
        let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ftp.example.com -addext \
                     basicConstraints=critical,CA:FALSE -addext \
                     subjectAltName=DNS:ftp.example.com,IP:203.0.113.10,IP:192.0.2.10,IP:2001:db8:50::10";
        let mut openssl = command("openssl", &words.split_whitespace().collect::<Vec<_>>());
        run(openssl.args(["-keyout", &file, "-out", &format!("{file}.crt")]), "")?;
        let joined = fs::read_to_string(&file).and_then(|key| {
            let certificate = fs::read_to_string(format!("{file}.crt"))?;
            fs::write(&file, key + &certificate)
        });
        joined.map_err(|error| error.to_string())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The folders of libraries below a root: Debian names them after the processor.
fn glob_libraries(root: &Path) -> String {
    let mut folders = Vec::new();
    for base in ["usr/lib", "lib"] {
        let entries = fs::read_dir(root.join(base)).into_iter().flatten().flatten();
        folders.extend(
            entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with("-linux-gnu")),
        );
    }
    folders.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(":")
}
