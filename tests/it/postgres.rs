//! The real binary with PostgreSQL on either side: copies, live changes, lookups, two-way lines, kills of the engine and
//! of the server's side of it, and what people are told when the server does not want.

use crate::cluster::{Cluster, PASSWORD, Sql, left_out};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SCHEMAS: &[(&str, &str)] = &[
    (
        "crm",
        "store: crm
tables:
  invoice:
    primary_key: [id]
    columns:
      id: uuid
      number: { type: text(20), required: true }
      customer: { type: integer, lookup: customer }
      amount: decimal(18,2)
      status: integer
      issued: date
      changed: { type: datetime }
      paid: boolean
    alternate_keys: [[number]]
  customer:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      account: { type: text(20), required: true }
    alternate_keys: [[account]]
",
    ),
    (
        "fin",
        "store: fin
tables:
  bill:
    primary_key: [number]
    columns:
      company: text(4)
      number: { type: text(20), required: true, collation: case-insensitive }
      account: text(20)
      amount: decimal(18,2)
      issued: date
      changed: { type: datetime }
      paid: { type: boolean }
",
    ),
];

const MAPS: &str = "
map \"Invoices\" {
  id invoices
  tables fin.bill <-> crm.invoice
  operations left: create, update, delete
  operations right: update
  key number = number
  filter right: status > 0
  on exit left: delete
  initial right wins
  conflict right wins
  fields {
    company << 'USMF'
    account < customer.account
    amount  = amount
    issued  < issued
    changed < changed
    paid    = paid
  }
}
";

/// One side: a SQLite file or a database of a server.
pub(crate) enum Side<'a> {
    Sqlite,
    Postgres(&'a Cluster),
}

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) urls: Vec<(String, Option<String>)>,
    /// What the engine's urls end with.
    pub(crate) way: &'static str,
}

impl World {
    pub(crate) fn new(crm: Side<'_>, fin: Side<'_>) -> World {
        let dir = tempfile::tempdir().unwrap();
        let mut project = String::from("name: pg\nstores:\n");
        let mut urls = Vec::new();
        for ((name, schema), side) in SCHEMAS.iter().zip([crm, fin]) {
            std::fs::write(dir.path().join(format!("{name}.schema.yaml")), schema).unwrap();
            let (at, url) = match side {
                Side::Sqlite => (format!("kind: sqlite, path: {name}.db"), None),
                Side::Postgres(cluster) => {
                    (format!("kind: postgres, url: \"${{{}_URL}}\"", name.to_uppercase()), Some(cluster.database()))
                }
            };
            project.push_str(&format!("  {name}: {{ {at}, schema: {name}.schema.yaml }}\n"));
            urls.push((name.to_string(), url));
        }
        project.push_str("maps: [\"*.tmap\"]\nchecks: { TM0169: allow }\n");
        std::fs::write(dir.path().join("tablemap.yaml"), project).unwrap();
        std::fs::write(dir.path().join("m.tmap"), MAPS).unwrap();
        let world = World { dir, urls, way: "" };
        world.create();
        world
    }

    /// The tables, as the owner of the data would make them.
    fn create(&self) {
        self.sql("crm", "CREATE TABLE customer (id bigint PRIMARY KEY, account varchar(20) NOT NULL UNIQUE)");
        let uuid = if self.url("crm").is_some() { "uuid DEFAULT gen_random_uuid()" } else { "text NOT NULL" };
        let time = if self.url("crm").is_some() { "timestamptz" } else { "text" };
        self.sql(
            "crm",
            &format!(
                "CREATE TABLE invoice (id {uuid} PRIMARY KEY, number varchar(20) NOT NULL UNIQUE, customer bigint, \
                 amount {}, status integer, issued {}, changed {time}, paid boolean)",
                if self.url("crm").is_some() { "numeric(18,2)" } else { "text" },
                if self.url("crm").is_some() { "date" } else { "text" },
            ),
        );
        if self.url("fin").is_some() {
            self.sql(
                "fin",
                "CREATE TABLE bill (company varchar(4), number varchar(20) NOT NULL, account varchar(20), \
                 amount numeric(18,2), issued date, changed timestamptz, paid boolean, PRIMARY KEY (number)); \
                 CREATE UNIQUE INDEX ON bill (lower(number))",
            );
        } else {
            self.sql(
                "fin",
                "CREATE TABLE bill (company text, number text COLLATE NOCASE NOT NULL, account text, \
                 amount text, issued text, changed text, paid integer, PRIMARY KEY (number))",
            );
        }
    }

    pub(crate) fn url(&self, store: &str) -> Option<&String> {
        self.urls.iter().find(|(n, _)| n == store).and_then(|(_, u)| u.as_ref())
    }

    pub(crate) fn sql(&self, store: &str, sql: &str) {
        match self.url(store) {
            Some(url) => Sql::open(url).run(sql).unwrap_or_else(|e| panic!("{sql}: {e}")),
            None => {
                let c = rusqlite::Connection::open(self.dir.path().join(format!("{store}.db"))).unwrap();
                c.busy_timeout(Duration::from_secs(10)).unwrap();
                c.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
            }
        }
    }

    pub(crate) fn rows(&self, store: &str, columns: &str, from: &str) -> Vec<String> {
        let columns: Vec<String> = columns.split("; ").map(|c| format!("coalesce(CAST({c} AS text), '-')")).collect();
        let sql = format!("SELECT {} AS x FROM {from} ORDER BY x", columns.join(" || '|' || "));
        match self.url(store) {
            Some(url) => Sql::open(url).rows(&sql),
            None => {
                let c = rusqlite::Connection::open(self.dir.path().join(format!("{store}.db"))).unwrap();
                let mut s = c.prepare(&sql).unwrap();
                s.query_map([], |r| r.get(0)).unwrap().map(|r| r.unwrap()).collect()
            }
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_tablemap"));
        c.arg("-C").arg(self.dir.path()).args(args).env("TABLEMAP_CHUNK_ROWS", "150").env("TABLEMAP_LIVE_ROWS", "40");
        for (name, url) in &self.urls {
            let url = url.as_ref().map(|url| format!("{url}{}", self.way)).unwrap_or_default();
            c.env(format!("{}_URL", name.to_uppercase()), url);
        }
        c.stdout(Stdio::piped()).stderr(Stdio::piped());
        c
    }

    pub(crate) fn run(&self, args: &[&str]) -> String {
        let done = self.command(args).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{args:?}: {said}");
        assert!(!said.contains(PASSWORD), "{said}");
        said
    }

    pub(crate) fn insert(&self, from: u32, to: u32) {
        let rows: Vec<String> = (from..to)
            .map(|i| {
                format!(
                    "('{:08x}-0000-4000-8000-000000000000', 'I{i}', {}, {}, {}, '2026-01-{:02}', '2026-01-02T03:04:05.678Z', {})",
                    i,
                    i % 7,
                    i64::from(i) * 13 % 1000,
                    i % 5,
                    i % 28 + 1,
                    if i % 2 == 0 { "true" } else { "false" },
                )
            })
            .collect();
        let columns = "id, number, customer, amount, status, issued, changed, paid";
        self.sql("crm", &format!("INSERT INTO invoice ({columns}) VALUES {}", rows.join(", ")));
    }

    /// Both sides say the same, by SQL that knows nothing of the engine.
    pub(crate) fn agrees(&self) {
        let from = "invoice i LEFT JOIN customer c ON c.id = i.customer WHERE i.status > 0";
        let mut crm = self.rows("crm", "i.number; c.account; ROUND(CAST(i.amount AS numeric), 0); i.issued", from);
        let mut fin = self.rows("fin", "number; account; ROUND(CAST(amount AS numeric), 0); issued", "bill");
        for rows in [&mut crm, &mut fin] {
            // SQLite writes a rounded number with a point.
            rows.iter_mut().for_each(|r| *r = r.replace(".0|", "|"));
            rows.sort();
        }
        only(crm, fin);
        let paid = |rows: Vec<String>| -> Vec<String> {
            let mut rows: Vec<String> =
                rows.into_iter().map(|r| r.replace("|true", "|1").replace("|false", "|0")).collect();
            rows.sort();
            rows
        };
        only(
            paid(self.rows("crm", "number; paid", "invoice WHERE status > 0")),
            paid(self.rows("fin", "number; paid", "bill")),
        );
    }
}

/// Fails with what only one side has.
fn only(crm: Vec<String>, fin: Vec<String>) {
    let (crm, fin): (BTreeSet<String>, BTreeSet<String>) = (crm.into_iter().collect(), fin.into_iter().collect());
    let alone = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    let (crm, fin) = (alone(&crm, &fin), alone(&fin, &crm));
    assert!(crm.is_empty() && fin.is_empty(), "only crm: {crm:?}, only fin: {fin:?}");
}

pub(crate) fn customers(world: &World) {
    let rows: Vec<String> = (0..7).map(|i| format!("({i}, 'C{i}')")).collect();
    world.sql("crm", &format!("INSERT INTO customer (id, account) VALUES {}", rows.join(", ")));
}

/// A copy, and every kind of change after it.
fn story(world: &World) {
    customers(world);
    world.insert(0, 1000);
    world.run(&["sync"]);
    assert_eq!(world.rows("fin", "count(*)", "bill"), ["800"]);
    world.agrees();
    // Nothing to do: nothing is written.
    world.run(&["run", "--once"]);
    world.insert(1000, 1100);
    world.sql("crm", "UPDATE invoice SET amount = 77 WHERE number IN ('I1', 'I2', 'I3')");
    world.sql("crm", "UPDATE invoice SET status = 0 WHERE number = 'I6'");
    world.sql("crm", "UPDATE invoice SET number = 'I7x' WHERE number = 'I7'");
    world.sql("crm", "DELETE FROM invoice WHERE number = 'I8'");
    world.sql("crm", "UPDATE customer SET account = 'C3new' WHERE id = 3");
    world.sql("fin", "UPDATE bill SET amount = 5, paid = (number = 'I11') WHERE number IN ('I11', 'I12')");
    // Both sides: the map says who wins.
    world.sql("crm", "UPDATE invoice SET amount = 9 WHERE number = 'I13'");
    world.sql("fin", "UPDATE bill SET amount = 8 WHERE number = 'I13'");
    world.run(&["run", "--once"]);
    world.agrees();
    assert_eq!(world.rows("crm", "number; amount", "invoice WHERE number IN ('I11', 'I12')").len(), 2);
    assert!(world.rows("crm", "amount", "invoice WHERE number = 'I11'")[0].starts_with('5'));
    assert!(world.rows("fin", "amount", "bill WHERE number = 'I13'")[0].starts_with('9'));
    assert_eq!(world.rows("fin", "count(*)", "bill WHERE number IN ('I6', 'I7', 'I8')"), ["0"]);
    // A looked-up row that comes later.
    world.sql(
        "crm",
        "INSERT INTO invoice (id, number, customer, amount, status) \
         VALUES ('ffffffff-0000-4000-8000-000000000000', 'late', 99, 1, 1)",
    );
    let _ = world.command(&["run", "--once"]).output().unwrap();
    world.sql("crm", "INSERT INTO customer (id, account) VALUES (99, 'C99')");
    world.run(&["run", "--once"]);
    assert_eq!(world.rows("fin", "number; account", "bill WHERE number = 'late'"), ["late|C99"]);
    world.agrees();
    let status = world.run(&["status"]);
    assert!(status.contains("invoices"), "{status}");
}

#[test]
fn sqlite_to_postgres() {
    if left_out() {
        return;
    }
    let cluster = Cluster::any();
    story(&World::new(Side::Sqlite, Side::Postgres(&cluster)));
}

#[test]
fn postgres_to_sqlite() {
    if left_out() {
        return;
    }
    let cluster = Cluster::any();
    for way in cluster.ways() {
        story(&World { way, ..World::new(Side::Postgres(&cluster), Side::Sqlite) });
    }
}

#[test]
fn postgres_to_postgres() {
    if left_out() {
        return;
    }
    let cluster = Cluster::any();
    for way in cluster.ways() {
        let world = World { way, ..World::new(Side::Postgres(&cluster), Side::Postgres(&cluster)) };
        story(&world);
        let told = world.run(&["status"]);
        assert_eq!(told.contains("of WAL for its replication slot"), !way.is_empty(), "{told}");
        // From one way to the other: nothing is left behind, and nothing is lost.
        let world = World { way: "", ..world };
        world.sql("crm", "UPDATE invoice SET amount = 41 WHERE number IN ('I21', 'I22')");
        world.run(&["sync"]);
        world.agrees();
        for store in ["crm", "fin"] {
            assert_eq!(
                world.rows(store, "slot_name", "pg_replication_slots WHERE database = current_database()"),
                [""; 0]
            );
            assert_eq!(world.rows(store, "pubname", "pg_publication"), [""; 0]);
        }
    }
}

/// `run` goes on while its connections are cut and the server is restarted, and does everything once.
#[test]
fn cut_connections_and_restarts() {
    if left_out() {
        return;
    }
    let mut cluster = Cluster::own(&[]);
    let world = World::new(Side::Postgres(&cluster), Side::Postgres(&cluster));
    customers(&world);
    world.insert(0, 500);
    world.run(&["sync"]);
    let mut engine = world.command(&["run"]).spawn().unwrap();
    // Until it is at work: one that cannot begin ends.
    world.insert(500, 505);
    let began = Instant::now();
    while world.rows("fin", "count(*)", "bill") != ["404"] && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tablemap'";
    for round in 0..6u32 {
        world.insert(505 + round * 200, 705 + round * 200);
        std::thread::sleep(Duration::from_millis(40 * u64::from(round)));
        cluster.sql("postgres").rows(cut);
        world.sql("crm", &format!("UPDATE invoice SET amount = {round} WHERE number = 'I{}'", round * 3 + 1));
    }
    cluster.stop("QUIT");
    std::thread::sleep(Duration::from_millis(300));
    cluster.start();
    world.insert(1705, 1800);
    let until = Instant::now() + Duration::from_secs(60);
    let done = || world.rows("fin", "count(*)", "bill") == ["1440"];
    while !done() && Instant::now() < until {
        if engine.try_wait().unwrap().is_some() {
            let said = engine.wait_with_output().unwrap();
            panic!(
                "the engine ended: {}{}",
                String::from_utf8_lossy(&said.stdout),
                String::from_utf8_lossy(&said.stderr)
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Command::new("kill").arg(engine.id().to_string()).status().unwrap();
    let said = engine.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(!said.contains(PASSWORD), "{said}");
    world.run(&["run", "--once"]);
    assert!(done(), "{said}");
    world.agrees();
}

/// The engine is killed at seeded moments of a copy and of live work.
#[test]
fn a_killed_engine_goes_on() {
    if left_out() {
        return;
    }
    let cluster = Cluster::any();
    for way in cluster.ways() {
        killed(&World { way, ..World::new(Side::Postgres(&cluster), Side::Postgres(&cluster)) });
    }
}

fn killed(world: &World) {
    customers(world);
    world.insert(0, 1500);
    for (args, rounds) in [(["sync"].as_slice(), 5), (["run", "--once"].as_slice(), 5)] {
        for round in 0..rounds {
            if args.len() > 1 {
                world.insert(1500 + round * 100, 1600 + round * 100);
            }
            let mut engine = world.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(60 + u64::from(round) * 70));
            let _ = engine.kill();
            engine.wait().unwrap();
        }
        world.run(args);
        world.agrees();
    }
}

fn refused(dir: &Path, url: &str) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_tablemap"))
        .arg("-C")
        .arg(dir)
        .arg("sync")
        .env("CRM_URL", url)
        .env("FIN_URL", url)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(3), "{said}");
    said
}

#[test]
fn what_people_are_told() {
    if left_out() {
        return;
    }
    let cluster = Cluster::any();
    let world = World::new(Side::Postgres(&cluster), Side::Postgres(&cluster));
    let url = world.url("crm").unwrap().clone();
    let dir = world.dir.path();
    let wrong = url.replace(PASSWORD, "another-s3cret");
    for (url, parts) in [
        (wrong.clone(), vec!["does not let `tester` in", "check name and password"]),
        (url.replace("?", "-nowhere?"), vec!["does not exist"]),
        (url.replace("127.0.0.1", "no-such-host.invalid"), vec!["no-such-host.invalid"]),
        (url.replace("?sslmode=disable", ""), vec!["sslmode=disable"]),
        (url.replace("sslmode=disable", "sslmode=allow"), vec!["verify-full", "verify-ca"]),
        ("postgres://tester:another-s3cret/x@127.0.0.1/d".into(), vec!["%2F"]),
        ("mysql://tester:another-s3cret@127.0.0.1/d".into(), vec!["postgres://USER@HOST:PORT/DATABASE"]),
    ] {
        let said = refused(dir, &url);
        for part in parts {
            assert!(said.contains(part), "no `{part}` in {said}");
        }
        assert!(!said.contains("s3cret"), "{said}");
    }
    // Nor does the password stand in a state table, or in what the server knows of us.
    customers(&world);
    world.insert(0, 10);
    world.run(&["sync"]);
    let sql = Sql::open(&url);
    for table in sql.rows("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'tablemap'")
    {
        let found = sql.rows(&format!("SELECT count(*) FROM {table} AS x WHERE x::text LIKE '%{PASSWORD}%'"));
        assert_eq!(found, ["0"], "{table}");
    }
}

/// A server that takes connections and says nothing.
#[test]
fn a_server_that_hangs() {
    if left_out() {
        return;
    }
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let cluster = Cluster::any();
    let world = World::new(Side::Postgres(&cluster), Side::Postgres(&cluster));
    let began = Instant::now();
    let said = refused(world.dir.path(), &format!("postgres://u:s3cret@127.0.0.1:{port}/d?sslmode=disable"));
    assert!(said.contains("did not answer within"), "{said}");
    assert!(!said.contains("s3cret") && began.elapsed() < Duration::from_secs(40), "{said}");
}

/// TLS down to the host's name, unless the url says otherwise.
#[test]
fn tls() {
    if left_out() {
        return;
    }
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("left out: openssl, which makes the certificates, is not there");
        return;
    }
    let cluster = Cluster::own(&[]);
    let world = World::new(Side::Sqlite, Side::Postgres(&cluster));
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for line in [
        format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=tests -days 2"),
        format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.crt".into(),
    ] {
        let done = Command::new("openssl").args(line.split(' ')).current_dir(dir.path()).output().unwrap();
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    }
    cluster.give(&dir.path().join("server.key"), "server.key");
    cluster.give(&dir.path().join("server.crt"), "server.crt");
    // Where the server offers none, `prefer` goes without and `require` does not.
    let before = |mode: &str| {
        let url = world.url("fin").unwrap().replace("sslmode=disable", mode);
        let done = world.command(&["status"]).env("FIN_URL", url).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).to_string())
    };
    let (code, said) = before("sslmode=prefer");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = before("sslmode=require");
    assert!(code == Some(3) && said.contains("sslmode=prefer"), "{said}");
    let admin = cluster.sql("postgres");
    admin.run("ALTER SYSTEM SET ssl = on").unwrap();
    admin.run("SELECT pg_reload_conf()").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let ca = dir.path().join("ca.pem");
    let plain = world.url("fin").unwrap().clone();
    let named = plain.replace("127.0.0.1", "localhost");
    let trusted = format!("sslrootcert={}", ca.display());
    let status = |url: &str| {
        let done = world.command(&["sync"]).env("FIN_URL", url).output().unwrap();
        (
            done.status.code(),
            format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)),
        )
    };
    // With the name, without it, without the certificate at all.
    for url in [
        named.replace("sslmode=disable", &trusted),
        plain.replace("sslmode=disable", &format!("sslmode=verify-ca&{trusted}")),
        plain.replace("sslmode=disable", "sslmode=require"),
        plain.replace("sslmode=disable", "sslmode=prefer"),
    ] {
        let (code, said) = status(&url);
        assert_eq!(code, Some(0), "{url}: {said}");
    }
    let encrypted = "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'tablemap' AND NOT s.ssl";
    assert_eq!(admin.rows(encrypted), ["0"]);
    for url in [
        named.replace("?sslmode=disable", ""),
        plain.replace("sslmode=disable", &trusted),
        // Signed by an authority that nobody named; the system's do not know it.
        named.replace("sslmode=disable", "sslmode=verify-ca"),
    ] {
        let (code, said) = status(&url);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("certificate") && !said.contains(PASSWORD), "{said}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// `examples/crm-to-postgres` as its README plays it; the end is compared by the queries of the other example, which know
/// nothing of maps.
#[test]
fn the_invoice_flow_with_finance_in_postgres() {
    if left_out() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    for folder in ["maps/project-operations", "examples/project-operations", "examples/crm-to-postgres"] {
        copy_folder(&root.join(folder), &dir.path().join(folder));
    }
    let here = dir.path().join("examples/crm-to-postgres");
    let other = dir.path().join("examples/project-operations");
    let cluster = Cluster::any();
    let url = cluster.database();
    let finance = Sql::open(&url);
    std::fs::create_dir(here.join("data")).unwrap();
    let dataverse = rusqlite::Connection::open(here.join("data/dataverse.db")).unwrap();
    dataverse.busy_timeout(Duration::from_secs(10)).unwrap();
    let text = |path: std::path::PathBuf| std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    finance.run(&text(here.join("tables/finance.sql"))).unwrap();
    finance.run(&text(here.join("seed/finance.sql"))).unwrap();
    dataverse.execute_batch(&text(here.join("tables/dataverse.sql"))).unwrap();
    dataverse.execute_batch(&text(other.join("seed/dataverse.sql"))).unwrap();
    let began = Instant::now();
    let run = |args: &[&str]| {
        let mut c = Command::new(env!("CARGO_BIN_EXE_tablemap"));
        let done = c.arg("-C").arg(&here).args(args).env("FINANCE_URL", &url).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        // Some records are wrong on purpose.
        assert!(matches!(done.status.code(), Some(0 | 1)), "{args:?}: {said}");
        eprintln!("{args:?} at {} s: {said}", began.elapsed().as_secs());
    };
    run(&["check", "--live"]);
    run(&["sync"]);
    dataverse.execute_batch(&text(other.join("steps/1-confirm.sql"))).unwrap();
    run(&["run", "--once"]);
    run(&["run", "--once", "import-from-staging"]);
    finance.run(&text(here.join("steps/6-post.sql"))).unwrap();
    run(&["run", "--once"]);
    run(&["errors", "list"]);
    // Finance as a file, so that the queries can be asked.
    let mut sources = tablemap::source::Sources::new();
    let schema = text(dir.path().join("maps/project-operations/schemas/finance.schema.yaml"));
    let file = sources.add("finance.schema.yaml", schema);
    let (schema, findings) = tablemap::schema::load(&sources, file);
    assert!(findings.is_empty());
    let (schema, path) = (std::sync::Arc::new(schema), here.join("data/finance.db"));
    let options = tablemap::store::sqlite::Options { create: true, ..Default::default() };
    let made = tablemap::store::sqlite::SqliteStore::open("finance", &path, schema.clone(), options).unwrap();
    tablemap::store::Store::create_tables(&made).unwrap();
    drop(made);
    let mut copy = rusqlite::Connection::open(&path).unwrap();
    let tx = copy.transaction().unwrap();
    let made = text(here.join("tables/finance.sql"));
    for t in &schema.tables {
        // The library's other maps have tables that this flow has no use for.
        if !made.contains(&format!("CREATE TABLE {} (", t.stored_name().to_lowercase())) {
            continue;
        }
        let names: Vec<&str> = t.columns.iter().map(|c| c.name.as_str()).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let mut insert =
            tx.prepare(&format!("INSERT INTO {} ({}) VALUES ({marks})", t.name, names.join(", "))).unwrap();
        for row in finance.cells(&format!("SELECT {} FROM {}", names.join(", "), t.name)) {
            insert.execute(rusqlite::params_from_iter(row)).unwrap();
        }
    }
    tx.commit().unwrap();
    dataverse.execute_batch(&format!("ATTACH '{}' AS fin", path.display())).unwrap();
    dataverse.execute_batch(&format!("ATTACH '{}' AS dv", here.join("data/dataverse.db").display())).unwrap();
    let script = text(other.join("expected/check.sql"));
    for part in script.split("\n-- name: ").skip(1) {
        let (name, sql) = part.split_once('\n').unwrap();
        let mut s = dataverse.prepare(sql).unwrap_or_else(|e| panic!("{name}: {e}"));
        let n = s.column_count();
        let rows: Vec<String> = s
            .query_map([], |r| Ok((0..n).map(|i| format!("{:?}", r.get_ref(i).unwrap())).collect::<Vec<_>>().join(" ")))
            .unwrap()
            .map(|r| r.unwrap())
            .collect();
        assert!(rows.is_empty(), "{name}: {} rows differ, the first: {}", rows.len(), rows[0]);
    }
}
