//! Where the server is and who asks: the `url` of the project file, the environment, the password file.

use super::tls::Checks;
use crate::store::{Result, StoreError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How to reach a server. Prints nothing of the password.
pub(super) struct Address {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// Host, port and database, for messages.
    pub shown: String,
    /// The user, for messages.
    pub user: String,
    /// The PostgreSQL schema that holds the state tables.
    pub state: String,
    /// Whether the change log wakes the engine by NOTIFY.
    pub notify: bool,
    /// Whether changes are read from a replication slot instead of being logged by triggers.
    pub logical: bool,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} as {}", self.shown, self.user)
    }
}

/// What tablemap itself reads of a url's parameters.
#[derive(Default)]
struct Own {
    sslmode: Option<String>,
    root: Option<PathBuf>,
    state: Option<String>,
    notify: Option<String>,
    capture: Option<String>,
}

impl Address {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?…`. `environment` answers for variables. No message repeats a
    /// part of the url that could be a password.
    pub fn read(store: &str, url: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Address> {
        let wrong = |reason: String| StoreError::Unreachable { store: store.to_string(), reason };
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://")).ok_or_else(|| {
            wrong("its `url` is no address of PostgreSQL; write `postgres://USER@HOST:PORT/DATABASE`".into())
        })?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = before.split('/').next().unwrap_or("");
        // A password with such a character would be read as a host or a database, and be printed as one.
        if before.matches('@').count() > 1 || (before.contains('@') && !authority.contains('@')) || rest.contains('#') {
            return Err(wrong(
                "its `url` holds `@`, `/`, `?` or `#` in the name or the password; write them as `%40`, `%2F`, `%3F`, `%23`"
                    .into(),
            ));
        }
        let (own, query) = own_of(query).map_err(|name| {
            wrong(format!(
                "its `url` has a parameter twice or without a value (`{name}`); write each once, as `NAME=VALUE`"
            ))
        })?;
        let mut text = format!("postgres://{before}");
        if !query.is_empty() {
            text = format!("{text}?{query}");
        }
        let mut config = Config::from_str(&text).map_err(|e| {
            // The parser's words name a parameter or a part, not its content.
            let why = std::error::Error::source(&e).map_or_else(|| e.to_string(), |s| s.to_string());
            let why = if query.is_empty() { "a part of it cannot be read".to_string() } else { why };
            wrong(format!("its `url` is no address of PostgreSQL: {why}"))
        })?;
        if config.get_hosts().is_empty() {
            config.host(environment("PGHOST").as_deref().unwrap_or("localhost"));
        }
        if config.get_user().is_none() {
            let user = environment("PGUSER").or_else(|| environment("USER")).unwrap_or_else(|| "postgres".into());
            config.user(user);
        }
        if config.get_ports().is_empty()
            && let Some(port) = environment("PGPORT").and_then(|p| p.parse().ok())
        {
            config.port(port);
        }
        let user = config.get_user().unwrap_or_default().to_string();
        if config.get_dbname().is_none() {
            config.dbname(environment("PGDATABASE").unwrap_or_else(|| user.clone()));
        }
        let database = config.get_dbname().unwrap_or_default().to_string();
        let (host, local) = match config.get_hosts().first() {
            Some(Host::Tcp(host)) => (host.clone(), false),
            #[cfg(unix)]
            Some(Host::Unix(path)) => (path.display().to_string(), true),
            None => ("localhost".into(), false),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        if config.get_password().is_none() {
            if let Some(password) = environment("PGPASSWORD") {
                config.password(password);
            } else if let Some(password) = from_file(environment, &host, port, &database, &user) {
                config.password(password);
            }
        }
        config.application_name("tablemap");
        config.connect_timeout(Duration::from_secs(10));
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(60));
        let mode = own.sslmode.or_else(|| environment("PGSSLMODE")).unwrap_or_else(|| "verify-full".into());
        let root = own.root.or_else(|| environment("PGSSLROOTCERT").map(PathBuf::from));
        let checks = match (mode.as_str(), &root) {
            ("disable", _) => None,
            // Nobody is between this machine and itself.
            _ if local => None,
            // With a file of authorities the certificate is checked, as libpq does it.
            ("prefer", _) | ("require", None) => Some(Checks::Nothing),
            ("require" | "verify-ca", _) => Some(Checks::Authority),
            ("verify-full", _) => Some(Checks::Name),
            (other, _) => {
                return Err(wrong(format!(
                    "its `url` says `sslmode={other}`, and tablemap knows `verify-full` (the default), `verify-ca`, \
                     `require`, `prefer` and `disable`"
                )));
            }
        };
        let tls = match checks {
            None => None,
            Some(checks) => Some(super::tls::connector(checks, root.as_deref()).map_err(&wrong)?),
        };
        config.ssl_mode(match (&tls, mode.as_str()) {
            (None, _) => SslMode::Disable,
            (Some(_), "prefer") => SslMode::Prefer,
            (Some(_), _) => SslMode::Require,
        });
        let state = own.state.unwrap_or_else(|| "tablemap".into());
        let notify = match own.notify.as_deref() {
            None | Some("off") => false,
            Some("on") => true,
            Some(_) => return Err(wrong("its `url` says `notify=` with another word than `on` and `off`".into())),
        };
        let logical = match own.capture.as_deref() {
            None | Some("triggers") => false,
            Some("logical") if notify => {
                return Err(wrong(
                    "its `url` says `notify=on` and `capture=logical`; triggers notify, and with `capture=logical` there are \
                     none: leave `notify` out"
                        .into(),
                ));
            }
            Some("logical") => true,
            Some(_) => {
                return Err(wrong("its `url` says `capture=` with another word than `triggers` and `logical`".into()));
            }
        };
        Ok(Address { config, tls, shown: format!("{host}:{port}/{database}"), user, state, notify, logical })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }
    pub fn tls(&self) -> Option<&MakeRustlsConnect> {
        self.tls.as_ref()
    }
}

/// Takes tablemap's own parameters out of a url's; the error is the name of one that is wrong.
fn own_of(query: &str) -> std::result::Result<(Own, String), String> {
    let mut own = Own::default();
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else { return Err(pair.to_string()) };
        let once = |slot: &mut Option<String>| match slot.replace(decoded(value)) {
            None => Ok(()),
            Some(_) => Err(name.to_string()),
        };
        match name {
            "sslmode" => once(&mut own.sslmode)?,
            "sslrootcert" => own.root = Some(PathBuf::from(decoded(value))),
            "state_schema" => once(&mut own.state)?,
            "notify" => once(&mut own.notify)?,
            "capture" => once(&mut own.capture)?,
            _ => rest.push(pair),
        }
    }
    Ok((own, rest.join("&")))
}

/// `%20` and the like, read.
fn decoded(s: &str) -> String {
    let mut out = Vec::with_capacity(s.len());
    let bytes = s.as_bytes();
    let mut i = 0;
    while let Some(b) = bytes.get(i) {
        let hex = bytes.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        match (b, hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 3;
            }
            _ => {
                out.push(*b);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A password of the password file (`PGPASSFILE`, else `~/.pgpass`): `host:port:database:user:password`.
fn from_file(
    environment: &dyn Fn(&str) -> Option<String>,
    host: &str,
    port: u16,
    database: &str,
    user: &str,
) -> Option<String> {
    let path = environment("PGPASSFILE")
        .map(PathBuf::from)
        .or_else(|| environment("HOME").map(|home| Path::new(&home).join(".pgpass")))?;
    let text = std::fs::read_to_string(path).ok()?;
    let port = port.to_string();
    text.lines().filter(|l| !l.starts_with('#')).find_map(|line| {
        let fields = fields_of(line);
        let [h, p, d, u, password] = fields.as_slice() else { return None };
        let fits = |field: &str, value: &str| field == "*" || field == value;
        (fits(h, host) && fits(p, &port) && fits(d, database) && fits(u, user)).then(|| password.clone())
    })
}

/// Fields between colons; a backslash takes away what the next character means.
fn fields_of(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, fields.last_mut()) {
            ('\\', Some(field)) => field.extend(chars.next()),
            (':', _) => fields.push(String::new()),
            (c, Some(field)) => field.push(c),
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(url: &str, env: &[(&str, &str)]) -> std::result::Result<Address, String> {
        let env: Vec<(String, String)> = env.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        let of = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        Address::read("s", url, &of).map_err(|e| e.to_string())
    }

    #[test]
    fn parts_and_defaults() {
        let a = read("postgres://u:p%40w@h:5433/d?sslmode=disable&notify=on&state_schema=tm", &[]).unwrap();
        assert_eq!((a.shown.as_str(), a.user.as_str(), a.state.as_str(), a.notify), ("h:5433/d", "u", "tm", true));
        assert_eq!(a.config.get_password(), Some(&b"p@w"[..]));
        let a = read("postgres://h/?sslmode=disable", &[("PGUSER", "me"), ("PGDATABASE", "db")]).unwrap();
        assert_eq!((a.shown.as_str(), a.user.as_str()), ("h:5432/db", "me"));
        assert_eq!(a.config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn ways_of_capture() {
        let read = |tail: &str| read(&format!("postgres://u@h/d?sslmode=disable{tail}"), &[]).map(|a| a.logical);
        assert_eq!(read(""), Ok(false));
        assert_eq!(read("&capture=triggers&notify=on"), Ok(false));
        assert_eq!(read("&capture=logical"), Ok(true));
        for (tail, part) in
            [("&capture=wal", "`triggers` and `logical`"), ("&capture=logical&notify=on", "leave `notify` out")]
        {
            let e = read(tail).unwrap_err();
            assert!(e.contains(part), "{e}");
        }
    }

    #[test]
    fn the_password_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pass");
        std::fs::write(&path, "# mine\nother:*:*:*:no\nh:5432:*:u:a\\:b\\\\c\n").unwrap();
        let env = [("PGPASSFILE", path.to_str().unwrap())];
        let a = read("postgres://u@h/d?sslmode=disable", &env).unwrap();
        assert_eq!(a.config.get_password(), Some(&b"a:b\\c"[..]));
        let a = read("postgres://u@h:1/d?sslmode=disable", &env).unwrap();
        assert_eq!(a.config.get_password(), None);
    }

    #[test]
    fn modes_of_encryption() {
        let mode = |url: &str| read(url, &[]).map(|a| (a.config.get_ssl_mode(), a.tls.is_some()));
        for (word, wanted) in [
            ("disable", (SslMode::Disable, false)),
            ("prefer", (SslMode::Prefer, true)),
            ("require", (SslMode::Require, true)),
        ] {
            assert_eq!(mode(&format!("postgres://u@h/d?sslmode={word}")), Ok(wanted), "{word}");
        }
        for word in ["allow", "verify", "", "Disable"] {
            let e = mode(&format!("postgres://u@h/d?sslmode={word}")).unwrap_err();
            assert!(e.contains("verify-full") && e.contains("verify-ca"), "{e}");
        }
        let e = mode("postgres://u@h/d?sslmode=verify-ca&sslrootcert=/no/such/file").unwrap_err();
        assert!(e.contains("/no/such/file"), "{e}");
    }

    #[test]
    fn no_message_tells_the_password() {
        for url in [
            "postgres://u:s3cret/x@h/d",
            "postgres://u:s3cret@x@h/d",
            "postgres://u:s3cret#x@h/d",
            "postgres://u:s3cret?x@h/d",
            "postgres://u:s3cret",
            "s3cret",
            "postgres://u:s3cret@h:port/d",
            "postgres://u:s3cret@h/d?nonsense=s3cret",
            "postgres://u:s3cret@h/d?sslmode=allow",
        ] {
            let e = read(url, &[]).unwrap_err();
            assert!(!e.contains("s3cret"), "{url}: {e}");
        }
        let shown = format!("{:?}", read("postgres://u:s3cret@h/d?sslmode=disable", &[]).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
