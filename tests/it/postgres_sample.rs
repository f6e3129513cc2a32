//! The sample database Chinook, copied into tables of another shape and kept in step with them while people write on
//! every side: into PostgreSQL by one project, into a SQLite file by another, both from and to the same database.
//! At the end all three say the same, by SQL that knows nothing of maps.

use crate::cluster::{Cluster, PASSWORD, Sql, left_out};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long people write.
const SECONDS: u64 = 6;

/// Beside each other: what the shop holds, and the house's columns and table that must say the same.
const SAME: &[(&str, &str, &str)] = &[
    (
        "SELECT artist_id, name, (SELECT count(*) FROM album b WHERE b.artist_id = a.artist_id) FROM artist a",
        "number, name, records",
        "performer",
    ),
    ("SELECT album_id, title, artist_id FROM album", "number, title, performer", "record"),
    ("SELECT name, genre_id FROM genre", "name, number", "style"),
    ("SELECT media_type_id, name FROM media_type", "number, name", "medium"),
    (
        "SELECT track_id, t.name, t.album_id, g.name, media_type_id, a.name, composer, milliseconds / 1000, unit_price \
         FROM track t LEFT JOIN genre g USING (genre_id) LEFT JOIN album b USING (album_id) \
         LEFT JOIN artist a ON a.artist_id = b.artist_id",
        "number, name, record, style, medium, performer_name, composer, seconds, price",
        "song",
    ),
    (
        "SELECT employee_id, first_name || ' ' || last_name, reports_to, birth_date::date, email FROM employee",
        "number, name, boss, born, email",
        "staff",
    ),
    (
        "SELECT email, first_name, last_name, city, phone, support_rep_id, \
         (SELECT sum(total) FROM invoice i WHERE i.customer_id = c.customer_id) FROM customer c",
        "email, first_name, last_name, city, phone, agent, bought",
        "client",
    ),
    (
        "SELECT invoice_id, email, invoice_date::date, billing_country, total, \
         (SELECT count(*) FROM invoice_line l WHERE l.invoice_id = i.invoice_id) \
         FROM invoice i JOIN customer USING (customer_id)",
        "number, client, day, country, total, lines",
        "bill",
    ),
    (
        "SELECT invoice_line_id, invoice_id, track_id, unit_price * quantity FROM invoice_line",
        "number, bill, song, amount",
        "bill_line",
    ),
    ("SELECT playlist_id, name FROM playlist", "number, name", "list"),
    ("SELECT playlist_id, track_id FROM playlist_track", "list, song", "list_song"),
];

fn line(cells: Vec<Option<String>>) -> String {
    cells.into_iter().map(|c| c.unwrap_or("-".into())).collect::<Vec<_>>().join("|")
}

/// A project of its own that keeps one house in step with the shop.
struct House {
    dir: tempfile::TempDir,
    shop: String,
    /// The PostgreSQL database; none: a SQLite file.
    url: Option<String>,
}

impl House {
    fn new(name: &str, shop: &str, url: Option<String>) -> House {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample/chinook");
        let dir = tempfile::tempdir().unwrap();
        for file in ["music.tmap", "house.schema.yaml"] {
            std::fs::copy(sample.join(file), dir.path().join(file)).unwrap();
        }
        let house = match url {
            Some(_) => "kind: postgres, url: \"${HOUSE_URL}\"",
            None => "kind: sqlite, path: house.db",
        };
        std::fs::write(dir.path().join("shop.schema.yaml"), "store: shop\ntables: {}\n").unwrap();
        std::fs::write(
            dir.path().join("tablemap.yaml"),
            format!(
                "name: {name}\nstores:\n  shop: {{ kind: postgres, url: \"${{SHOP_URL}}\", schema: shop.schema.yaml }}\n  \
                 house: {{ {house}, schema: house.schema.yaml }}\nmaps: [\"*.tmap\"]\n"
            ),
        )
        .unwrap();
        let tables = std::fs::read_to_string(sample.join("house.sql")).unwrap();
        let house = House { dir, shop: shop.to_string(), url };
        match house.url {
            Some(_) => house.write(&tables).unwrap(),
            // A column for numbers would hold binary floats.
            None => house.write(&tables.replace("numeric(10,2)", "text")).unwrap(),
        }
        house
    }

    fn write(&self, sql: &str) -> Result<(), String> {
        match &self.url {
            Some(url) => Sql::open(url).run(sql),
            None => {
                let c = rusqlite::Connection::open(self.dir.path().join("house.db")).unwrap();
                c.busy_timeout(Duration::from_secs(20)).unwrap();
                c.execute_batch(sql).map_err(|e| e.to_string())
            }
        }
    }

    fn rows(&self, columns: &str, table: &str) -> Vec<String> {
        let casts: Vec<String> = columns.split(", ").map(|c| format!("CAST({c} AS text)")).collect();
        let sql = format!("SELECT {} FROM {table}", casts.join(", "));
        let mut rows: Vec<String> = match &self.url {
            Some(url) => Sql::open(url).cells(&sql).into_iter().map(line).collect(),
            None => {
                let c = rusqlite::Connection::open(self.dir.path().join("house.db")).unwrap();
                let mut s = c.prepare(&sql).unwrap();
                let row = |r: &rusqlite::Row<'_>| (0..casts.len()).map(|i| r.get(i)).collect::<Result<Vec<_>, _>>();
                s.query_map([], row).unwrap().map(|r| line(r.unwrap())).collect()
            }
        };
        rows.sort();
        rows
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_tablemap"));
        c.arg("-C").arg(self.dir.path()).args(args).env("SHOP_URL", &self.shop);
        c.env("HOUSE_URL", self.url.as_deref().unwrap_or("")).stdout(Stdio::piped()).stderr(Stdio::piped());
        c
    }

    fn run(&self, args: &[&str]) -> String {
        let done = self.command(args).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success() && !said.contains(PASSWORD), "{args:?}: {said}");
        said
    }

    fn end(&self, mut engine: Child) -> String {
        let early = engine.try_wait().unwrap().is_some();
        if !early {
            Command::new("kill").arg(engine.id().to_string()).status().unwrap();
        }
        let said = engine.wait_with_output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        assert!(!early, "the engine ended: {said}");
        said
    }

    fn agrees(&self, shop: &Sql) {
        for (sql, columns, table) in SAME {
            let mut wanted: Vec<String> = shop.cells(sql).into_iter().map(line).collect();
            wanted.sort();
            let found = self.rows(columns, table);
            let only = |a: &[String], b: &[String]| -> Vec<String> {
                let b: std::collections::HashSet<&String> = b.iter().collect();
                a.iter().filter(|r| !b.contains(r)).take(3).cloned().collect()
            };
            assert!(
                wanted == found,
                "`{table}` differs: {} rows there, {} here; only there {:?}, only here {:?}",
                wanted.len(),
                found.len(),
                only(&wanted, &found),
                only(&found, &wanted)
            );
        }
    }
}

/// What people do in the shop, each line in a transaction of its own.
fn sales(n: u64) -> String {
    let (invoice, first) = (1000 + n, 10_000 + 3 * n);
    let mut sql = format!(
        "BEGIN; INSERT INTO invoice (invoice_id, customer_id, invoice_date, billing_country, total) \
         VALUES ({invoice}, {}, '2026-03-{:02} 10:00', 'Norway', 0); \
         INSERT INTO invoice_line SELECT {first} + i, {invoice}, 1 + ({n} * 17 + i * 5) % 3503, 0.99, 1 + i FROM generate_series(0, 2) i; \
         UPDATE invoice SET total = (SELECT sum(unit_price * quantity) FROM invoice_line WHERE invoice_id = {invoice}) \
         WHERE invoice_id = {invoice}; COMMIT;",
        1 + n * 7 % 59,
        1 + n % 28,
    );
    if n % 3 == 2 {
        let gone = invoice - 2;
        sql.push_str(&format!(
            "BEGIN; DELETE FROM invoice_line WHERE invoice_id = {gone}; DELETE FROM invoice WHERE invoice_id = {gone}; COMMIT;"
        ));
    }
    sql
}

fn catalog(n: u64) -> String {
    match n % 5 {
        0 => format!("UPDATE artist SET name = 'Artist {n}' WHERE artist_id = {}", 1 + n * 3 % 275),
        1 => format!(
            "UPDATE album SET title = title || '.', artist_id = {} WHERE album_id = {}",
            1 + n % 275,
            1 + n % 347
        ),
        2 => {
            format!("UPDATE track SET unit_price = {}.5, name = 'Track {n}' WHERE track_id % 100 = {}", n % 9, n % 100)
        }
        3 => format!("UPDATE genre SET name = 'Genre {n}' WHERE genre_id = {}", 1 + n % 25),
        _ => format!(
            "UPDATE customer SET support_rep_id = {}, phone = '{n}' WHERE customer_id = {}",
            3 + n % 3,
            1 + n % 59
        ),
    }
}

fn lists(n: u64) -> String {
    format!(
        "BEGIN; DELETE FROM playlist_track WHERE playlist_id = 1 AND track_id % 50 = {}; \
         INSERT INTO playlist_track SELECT 1, track_id FROM track WHERE track_id % 50 = {} ON CONFLICT DO NOTHING; COMMIT; \
         UPDATE playlist SET name = 'List {n}' WHERE playlist_id = {}",
        n % 50,
        (n + 25) % 50,
        1 + n % 18,
    )
}

/// What people do in a house.
fn at_home(n: u64) -> String {
    match n % 3 {
        0 => format!("UPDATE client SET city = 'City {n}', phone = 'home {n}' WHERE email LIKE '%{}%'", n % 10),
        1 => format!(
            "UPDATE song SET composer = 'Composer {n}', price = {}.25 WHERE number = {}",
            n % 7,
            1 + n * 31 % 3503
        ),
        _ => format!("UPDATE performer SET name = 'Performer {n}' WHERE number = {}", 1 + n * 5 % 275),
    }
}

#[test]
fn chinook_under_concurrent_writers() {
    if left_out() {
        return;
    }
    let cluster = Cluster::own(&[]);
    let shop = cluster.database();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample/chinook/chinook.sql");
    let sql = Sql::open(&shop);
    sql.run(&std::fs::read_to_string(sample).unwrap()).unwrap();
    sql.run("ALTER TABLE customer ADD UNIQUE (email); ALTER TABLE genre ADD UNIQUE (name)").unwrap();
    let houses =
        [House::new("music", &format!("{shop}&notify=on"), Some(cluster.database())), House::new("files", &shop, None)];
    let copying = Instant::now();
    for house in &houses {
        let said = house.run(&["schema", "pull", "shop"]);
        assert!(said.contains("11 tables"), "{said}");
        house.run(&["check", "--live"]);
        house.run(&["sync"]);
        eprintln!("copied after {} ms", copying.elapsed().as_millis());
        house.agrees(&sql);
    }
    let engines: Vec<Child> = houses.iter().map(|h| h.command(&["run"]).spawn().unwrap()).collect();
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let written: u64 = std::thread::scope(|scope| {
        let mut people = Vec::new();
        for say in [sales, catalog, lists] {
            let (shop, stop) = (&shop, &stop);
            people.push(scope.spawn(move || {
                let sql = Sql::open(shop);
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    // One who met an engine in the same rows begins again.
                    match sql.run(&say(n)) {
                        Ok(()) => n += 1,
                        Err(_) => sql.run("ROLLBACK").unwrap(),
                    }
                    std::thread::sleep(Duration::from_millis(25));
                }
                n
            }));
        }
        for house in &houses {
            let stop = &stop;
            people.push(scope.spawn(move || {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    n += u64::from(house.write(&at_home(n)).is_ok());
                    std::thread::sleep(Duration::from_millis(60));
                }
                n
            }));
        }
        std::thread::sleep(Duration::from_secs(SECONDS));
        stop.store(true, Ordering::Relaxed);
        people.into_iter().map(|p| p.join().unwrap()).sum()
    });
    let said: Vec<String> = houses.iter().zip(engines).map(|(h, e)| h.end(e)).collect();
    // What one house changed goes through the shop into the other.
    for _ in 0..2 {
        for house in &houses {
            house.run(&["run", "--once"]);
            eprintln!("once more after {} ms", began.elapsed().as_millis());
        }
    }
    eprintln!("{written} transactions in {SECONDS} s, in step after {} ms", began.elapsed().as_millis());
    for (house, said) in houses.iter().zip(said) {
        let open = house.run(&["errors", "list"]);
        assert!(open.contains("nothing is in quarantine"), "{open}\n{said}");
        house.agrees(&sql);
    }
    assert!(written > 100, "nobody came to write: {written}");
    let sold = sql.rows("SELECT count(*) FROM invoice WHERE invoice_id >= 1000");
    assert_ne!(sold, ["0"]);
}
