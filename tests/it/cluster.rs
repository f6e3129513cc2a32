//! A PostgreSQL server of a test's own: in a temporary directory, on a free port, as an unprivileged user; gone with
//! the test. With `TABLEMAP_TEST_POSTGRES=postgres://USER:PASSWORD@HOST:PORT` databases are made on that server instead.
//!
//! Where PostgreSQL is not installed the tests fail, unless `TABLEMAP_WITHOUT_POSTGRES` is set.
#![allow(dead_code, missing_docs, clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

pub const PASSWORD: &str = "s3cret-of-tests";

/// A server, or the address of one.
pub struct Cluster {
    dir: Option<TempDir>,
    child: Option<Child>,
    port: u16,
    base: String,
}

/// Whether tests that need a server are left out.
pub fn left_out() -> bool {
    let out = std::env::var_os("TABLEMAP_WITHOUT_POSTGRES").is_some();
    if out {
        eprintln!("left out: TABLEMAP_WITHOUT_POSTGRES is set");
    }
    out
}

fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for root in ["/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql"] {
        folders.push(Path::new(root).join("bin"));
        for version in (13..30).rev() {
            folders.push(Path::new(root).join(version.to_string()).join("bin"));
        }
    }
    folders.into_iter().find(|f| f.join("initdb").exists() && f.join("postgres").exists()).unwrap_or_else(|| {
        panic!("PostgreSQL is not installed; install it, or set TABLEMAP_WITHOUT_POSTGRES to leave these tests out")
    })
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"))
}

/// A server refuses to run as root: as `nobody` then. It ends with the thread that started it.
fn command(program: &Path) -> Command {
    let as_nobody = is_root();
    if !as_nobody && Command::new("setpriv").arg("--version").output().is_err() {
        return Command::new(program);
    }
    let mut c = Command::new("setpriv");
    if as_nobody {
        c.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    c.args(["--pdeathsig", "INT"]).arg(program);
    c
}

impl Cluster {
    /// The server that the environment names, else one of its own.
    pub fn any() -> Cluster {
        match std::env::var("TABLEMAP_TEST_POSTGRES") {
            Ok(base) => Cluster { dir: None, child: None, port: 0, base: base.trim_end_matches('/').to_string() },
            Err(_) => Cluster::own(&[]),
        }
    }

    /// A server of its own, with further settings.
    pub fn own(settings: &[(&str, &str)]) -> Cluster {
        Cluster::made(tempfile::Builder::new().prefix("tablemap-pg").tempdir().unwrap(), "scram-sha-256", settings)
    }

    /// One for thousands of short stories: in memory where that is possible, and it asks nobody for a password.
    pub fn quick() -> Cluster {
        let (memory, mut named) = (Path::new("/dev/shm"), tempfile::Builder::new());
        named.prefix("tablemap-pg");
        let dir = if memory.is_dir() { named.tempdir_in(memory) } else { named.tempdir() };
        Cluster::made(
            dir.unwrap(),
            "trust",
            &[
                ("synchronous_commit", "off"),
                ("jit", "off"),
                // Few rows: to plan anew costs more than any plan.
                ("plan_cache_mode", "force_generic_plan"),
            ],
        )
    }

    fn made(dir: TempDir, asks: &str, settings: &[(&str, &str)]) -> Cluster {
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let pass = dir.path().join("pass");
        std::fs::write(&pass, PASSWORD).unwrap();
        if is_root() {
            let done = Command::new("chown").args(["-R", "nobody:nogroup"]).arg(dir.path()).status().unwrap();
            assert!(done.success());
        }
        let bin = programs();
        let made = command(&bin.join("initdb"))
            .args(["-U", "tester", "-A", asks, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"])
            .arg("--pwfile")
            .arg(&pass)
            .arg("-D")
            .arg(&data)
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut text = std::fs::read_to_string(data.join("postgresql.conf")).unwrap();
        text.push_str(
            "\nfsync = off\nfull_page_writes = off\nautovacuum = off\nmax_connections = 60\nwal_level = logical\n\
             max_replication_slots = 60\nshared_buffers = 64MB\n\
             unix_socket_directories = ''\nlisten_addresses = '127.0.0.1'\npassword_encryption = 'scram-sha-256'\n",
        );
        for (name, value) in settings {
            text.push_str(&format!("{name} = '{value}'\n"));
        }
        std::fs::write(data.join("postgresql.conf"), text).unwrap();
        let mut cluster = Cluster { dir: Some(dir), child: None, port: 0, base: String::new() };
        cluster.start();
        cluster
    }

    pub fn data(&self) -> PathBuf {
        self.dir.as_ref().expect("a server of its own").path().join("data")
    }

    /// Puts a file into the server's folder, for its eyes only.
    pub fn give(&self, file: &Path, name: &str) {
        let to = self.data().join(name);
        std::fs::copy(file, &to).unwrap();
        assert!(Command::new("chmod").arg("600").arg(&to).status().unwrap().success());
        if is_root() {
            assert!(Command::new("chown").arg("nobody:nogroup").arg(&to).status().unwrap().success());
        }
    }

    /// Starts a server that was stopped, on the same port if there was one.
    pub fn start(&mut self) {
        for _ in 0..5 {
            if self.port == 0 {
                self.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            }
            self.base = format!("postgres://tester:{PASSWORD}@127.0.0.1:{}", self.port);
            let log = std::fs::OpenOptions::new().create(true).append(true).open(self.data().join("../log")).unwrap();
            let child = command(&programs().join("postgres"))
                .arg("-D")
                .arg(self.data())
                .args(["-p", &self.port.to_string()])
                .current_dir(self.data())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            self.child = Some(child);
            let until = Instant::now() + Duration::from_secs(60);
            while Instant::now() < until {
                if let Some(child) = &mut self.child
                    && child.try_wait().unwrap().is_some()
                {
                    break;
                }
                if Sql::try_open(&self.url("postgres")).is_ok() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            self.stop("QUIT");
            self.port = 0;
        }
        let log = std::fs::read_to_string(self.data().join("../log")).unwrap_or_default();
        panic!("PostgreSQL does not start: {log}");
    }

    /// Stops the server: `QUIT` as in a crash, `INT` in order.
    pub fn stop(&mut self, signal: &str) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
            let until = Instant::now() + Duration::from_secs(20);
            while child.try_wait().is_ok_and(|e| e.is_none()) {
                if Instant::now() > until {
                    let _ = child.kill();
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// The address of a database; no TLS.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}?sslmode=disable", self.base)
    }

    /// A new database; its url.
    pub fn database(&self) -> String {
        let name = format!("t{}", uuid::Uuid::new_v4().simple());
        self.sql("postgres").run(&format!("CREATE DATABASE {name}")).unwrap();
        self.url(&name)
    }

    /// The ways of capture that the server knows, as they are appended to a url.
    pub fn ways(&self) -> Vec<&'static str> {
        match self.sql("postgres").rows("SHOW wal_level") == ["logical"] {
            true => vec!["", "&capture=logical"],
            false => {
                eprintln!("left out: capture=logical, the server has not `wal_level = logical`");
                vec![""]
            }
        }
    }

    pub fn sql(&self, database: &str) -> Sql {
        Sql::open(&self.url(database))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop("INT");
    }
}

/// A connection of somebody else.
pub struct Sql {
    client: Client,
    rt: Runtime,
}

impl Sql {
    pub fn open(url: &str) -> Sql {
        Sql::try_open(url).unwrap_or_else(|e| panic!("{e}"))
    }

    pub fn try_open(url: &str) -> Result<Sql, String> {
        let rt = Builder::new_current_thread().enable_all().build().unwrap();
        let client = rt
            .block_on(async {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                tokio::spawn(async move {
                    let _ = connection.await;
                });
                client.batch_execute("SET timezone = 'UTC'").await?;
                Ok::<_, tokio_postgres::Error>(client)
            })
            .map_err(|e| format!("{e:?}"))?;
        Ok(Sql { client, rt })
    }

    pub fn run(&self, sql: &str) -> Result<(), String> {
        self.rt
            .block_on(self.client.batch_execute(sql))
            .map_err(|e| e.as_db_error().map_or_else(|| e.to_string(), |d| d.message().to_string()))
    }

    /// Rows as text, columns with `|` between.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let one =
            |r: Vec<Option<String>>| r.into_iter().map(|c| c.unwrap_or("null".into())).collect::<Vec<_>>().join("|");
        self.cells(sql).into_iter().map(one).collect()
    }

    /// Rows as text.
    pub fn cells(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let all = self.rt.block_on(self.client.simple_query(sql)).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        let row = |m: SimpleQueryMessage| match m {
            SimpleQueryMessage::Row(r) => Some((0..r.len()).map(|i| r.get(i).map(str::to_string)).collect()),
            _ => None,
        };
        all.into_iter().filter_map(row).collect()
    }
}
