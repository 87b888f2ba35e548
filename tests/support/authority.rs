//! A certificate authority for one sandbox, by openssl, and the certificates it signs.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::process::run;
use super::sandbox::Sandbox;

/// An authority, and where its files are.
pub struct Authority {
    folder: PathBuf,
    name: &'static str,
}

/// A certificate and its key, as files.
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What ends up in a certificate for `dns.test` at any address that servers here have.
pub const GOOD: &str = "DNS:dns.test,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3,IP:2001:db8::9";

impl Authority {
    /// A new authority.
    pub fn new(sandbox: &Sandbox, name: &'static str) -> Authority {
        let folder = sandbox.scratch().join(name);
        fs::create_dir_all(&folder).unwrap();
        let authority = Authority { folder, name };
        authority.openssl(
            sandbox,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem \
             -days 30 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign",
            &["-subj", &format!("/CN={name}")],
        );
        authority
    }

    /// The certificate to trust.
    pub fn file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A certificate for these names and addresses, valid for so many days from now on.
    pub fn issue(&self, sandbox: &Sandbox, names: &str, days: i32) -> Identity {
        let stem = format!("{}{days}", names.replace([':', ',', '.'], "-"));
        let extensions = self.folder.join(format!("{stem}.ext"));
        fs::write(&extensions, format!("subjectAltName={names}\n")).unwrap();
        self.openssl(
            sandbox,
            &format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server \
                 -keyout {stem}.key -out {stem}.csr"
            ),
            &[],
        );
        self.openssl(
            sandbox,
            &format!(
                "x509 -req -in {stem}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} \
                 -extfile {stem}.ext -out {stem}.pem"
            ),
            &[],
        );
        let file = |end: &str| self.folder.join(format!("{stem}.{end}"));
        Identity { certificate: file("pem"), key: file("key") }
    }

    fn openssl(&self, sandbox: &Sandbox, words: &str, more: &[&str]) {
        let mut command = sandbox.command("openssl");
        command.args(words.split_whitespace()).args(more).current_dir(&self.folder);
        let got = run(command, Duration::from_secs(20));
        assert!(got.success(), "{}: {got}", self.name);
    }
}
