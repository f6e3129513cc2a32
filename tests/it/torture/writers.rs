//! People at work: four writers on each side, each a thread with a connection of its own, seeded. What they may do to a
//! record depends on its key:
//!
//! * `h…`: both sides insert, replace, change and delete it, or move it to a key that nobody ever had (`m…`);
//! * `ra…`, `rb…`: one side alone, which also displaces and swaps keys;
//! * `calm…`: never deleted; a column is written by one writer, so that its last value is known and must be on both
//!   sides at the end.

use super::world::{CALM, CUSTOMERS, GROUPS, HOT, Site};
use crate::rng::Rng;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many writers each side has.
const WRITERS: u64 = 4;

/// What a writer last committed of the calm records: (column, number of the record) to value.
pub type Last = BTreeMap<(&'static str, u64), String>;

/// The writers of one side, or of both.
pub struct Writers {
    stop: Arc<AtomicBool>,
    commits: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Last>>,
}

impl Writers {
    /// Four for each of the stores. `pause`: at most so long between two transactions. `ids`: orders have these.
    pub fn start(site: &Site, stores: &[&'static str], seed: u64, pause: Duration, ids: u64) -> Writers {
        let mut all = Writers { stop: Arc::default(), commits: Arc::default(), threads: vec![] };
        for (s, &store) in stores.iter().enumerate() {
            for n in 0..WRITERS {
                let (conn, stop, commits) = (site.open(store), all.stop.clone(), all.commits.clone());
                let rng = Rng::new(seed * 100 + s as u64 * 10 + n);
                let writer = Writer { conn, store, n, ids, rng, count: 0, last: Last::new() };
                all.threads.push(std::thread::spawn(move || writer.work(&stop, &commits, pause)));
            }
        }
        all
    }

    /// Transactions committed so far.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Ends them; what they last wrote to the calm records.
    pub fn end(self) -> Last {
        self.stop.store(true, Ordering::Relaxed);
        let mut last = Last::new();
        for thread in self.threads {
            last.extend(thread.join().unwrap());
        }
        last
    }
}

struct Writer {
    conn: Connection,
    store: &'static str,
    n: u64,
    ids: u64,
    rng: Rng,
    count: u64,
    last: Last,
}

impl Writer {
    fn work(mut self, stop: &AtomicBool, commits: &AtomicU64, pause: Duration) -> Last {
        while !stop.load(Ordering::Relaxed) {
            let mut wrote = Last::new();
            let acts = 1 + self.rng.below(6);
            let sql: Vec<String> = (0..acts).map(|_| self.act(&mut wrote)).collect();
            let sql = format!("begin immediate; {}; commit", sql.join("; "));
            // Whoever captures must never break what people do.
            self.conn.execute_batch(&sql).unwrap_or_else(|e| panic!("writer {} of {}: {e}: {sql}", self.n, self.store));
            self.last.append(&mut wrote);
            commits.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(pause.mul_f64(self.rng.below(1000) as f64 / 1000.0));
        }
        self.last
    }

    fn act(&mut self, wrote: &mut Last) -> String {
        self.count += 1;
        let dice = self.rng.below(100);
        match (self.store, dice) {
            (_, 0..=29) => self.calm(wrote),
            ("a", 30..=59) => self.order(),
            ("a", 60..=64) => self.looked_up(),
            ("b", 30..=34) => {
                let o = self.rng.below(self.ids);
                format!("update Invoices set NOTE = 'note {}' where NUMBER = 'O{o}'", self.count)
            }
            (_, 35..=79) => self.hot(),
            _ => self.alone(),
        }
    }

    /// Table, key column, primary key of a row (`a` has ids beside the key), and three columns, of a map of two
    /// directions on this side.
    fn table(&mut self) -> (&'static str, &'static str, [&'static str; 3], bool) {
        let people = self.rng.chance(50);
        match (self.store, people) {
            ("a", true) => ("people", "number", ["name", "city", "onhold"], true),
            ("a", false) => ("items", "number", ["title", "price", "stock"], false),
            (_, true) => ("Customers", "ACCOUNT", ["NAME", "CITY", "HOLD"], true),
            (_, false) => ("Stock", "CODE", ["TITLE", "PRICE", "STOCK"], false),
        }
    }

    fn values(&mut self, people: bool) -> [String; 3] {
        let (n, c) = (self.n, self.count % 1000);
        let (v, h) = (self.rng.below(4), self.rng.below(2));
        match (people, self.store) {
            (true, "a") => [format!("'name {n}.{c}'"), format!("'city {v}'"), h.to_string()],
            (true, _) => [format!("'name {n}.{c}'"), format!("'city {v}'"), format!("'{}'", ["No", "Yes"][h as usize])],
            (false, _) => [format!("'title {n}.{c}'"), format!("'{c}.{h}0'"), v.to_string()],
        }
    }

    /// A record that is never deleted: each writer has its own records and columns.
    fn calm(&mut self, wrote: &mut Last) -> String {
        let i = self.n + WRITERS * self.rng.below(CALM / WRITERS);
        let c = self.count;
        let (table, key, column, value, quoted): (_, _, &'static str, _, _) =
            match (self.store, self.rng.below(3), self.rng.chance(20)) {
                ("a", 0, true) => {
                    let id = 1 + self.rng.below(5000);
                    return format!("update or ignore people set id = {id} where number = 'calm{i}'");
                }
                ("a", 0, _) => ("people", "number", "city", format!("a{}.{c}", self.n), true),
                ("a", 1, _) => ("items", "number", "title", format!("a{}.{c}", self.n), true),
                ("a", ..) => ("items", "number", "stock", (c * 2).to_string(), false),
                (_, 0, _) => ("Customers", "ACCOUNT", "NAME", format!("b{}.{c}", self.n), true),
                (_, 1, _) => ("Stock", "CODE", "PRICE", format!("{c}.75"), true),
                _ => ("Stock", "CODE", "STOCK", (c * 2 + 1).to_string(), false),
            };
        let written = if quoted { format!("'{value}'") } else { value.clone() };
        wrote.insert((column, i), value);
        format!("update {table} set {column} = {written} where {key} = 'calm{i}'")
    }

    /// A record that both sides write.
    fn hot(&mut self) -> String {
        let (table, key, columns, people) = self.table();
        let values = self.values(people);
        let (all, list) = (columns.join(", "), values.join(", "));
        let k = self.rng.below(HOT);
        let which = match self.rng.below(5) {
            0 => format!(
                "{key} = (select {key} from {table} where {key} like 'm%' order by {key} limit 1 offset {})",
                self.rng.below(20)
            ),
            _ => format!("{key} = 'h{k}'"),
        };
        let (c, v) = (self.rng.below(3) as usize, self.rng.below(3) as usize);
        match self.rng.below(12) {
            0..=2 => format!("insert or ignore into {table}({key}, {all}) values ('h{k}', {list})"),
            3 => format!("insert or replace into {table}({key}, {all}) values ('h{k}', {list})"),
            4..=7 => format!("update {table} set {} = {} where {which}", columns[c], values[c]),
            8 => format!(
                "update {table} set {} = {}, {} = null where {which}",
                columns[c],
                values[c],
                columns[(c + 1 + v % 2) % 3]
            ),
            9..=10 => format!("delete from {table} where {which}"),
            _ => format!("update {table} set {key} = 'm{}{}.{}' where {which}", self.store, self.n, self.count),
        }
    }

    /// A record that only this side writes.
    fn alone(&mut self) -> String {
        let (table, key, columns, people) = self.table();
        let values = self.values(people);
        let (all, list) = (columns.join(", "), values.join(", "));
        let mut name = || format!("'r{}{}'", self.store, self.rng.below(30));
        let (k, other) = (name(), name());
        let c = self.rng.below(3) as usize;
        match self.rng.below(12) {
            0..=2 => format!("insert or ignore into {table}({key}, {all}) values ({k}, {list})"),
            3 => format!("insert or replace into {table}({key}, {all}) values ({k}, {list})"),
            4 => format!(
                "insert into {table}({key}, {all}) values ({k}, {list}) on conflict({key}) do update set {} = {}",
                columns[c], values[c]
            ),
            5..=6 => format!("update {table} set {} = {} where {key} = {k}", columns[c], values[c]),
            7 => format!("update or ignore {table} set {key} = {other} where {key} = {k}"),
            8 => format!("update or replace {table} set {key} = {other} where {key} = {k}"),
            9 => self.swap(table, key, &k, &other),
            _ => format!("delete from {table} where {key} = {k}"),
        }
    }

    /// Two rows take each other's keys; where one is not there, the other just gets its key.
    fn swap(&self, table: &str, key: &str, k: &str, other: &str) -> String {
        let passing = format!("'pass{}{}.{}'", self.store, self.n, self.count);
        format!(
            "update {table} set {key} = {passing} where {key} = {k}; update {table} set {key} = {k} where {key} = {other}; \
             update {table} set {key} = {other} where {key} = {passing}"
        )
    }

    /// An order: across the cursor of a first copy, in and out of the filter, and with other lookups.
    fn order(&mut self) -> String {
        let (id, to) = (1 + self.rng.below(self.ids * 3), 1 + self.rng.below(self.ids * 3));
        let (o, p) = (1 + self.rng.below(self.ids + 50), 1 + self.rng.below(self.ids + 50));
        let (c, g) = (1 + self.rng.below(CUSTOMERS), 1 + self.rng.below(GROUPS));
        let count = self.count;
        let values = format!("'O{o}', ' order {count}', '{}.5', {}, {c}, {g}", count % 100, self.rng.below(3));
        match self.rng.below(14) {
            0..=2 => format!("insert or ignore into orders values ({id}, {values})"),
            3 => format!("insert or replace into orders values ({id}, {values})"),
            4 => format!("update orders set name = 'order {count}', amount = '{count}.10' where number = 'O{o}'"),
            5 => format!("update orders set status = 1 - min(status, 1) where number = 'O{o}'"),
            6 => format!("update orders set customer = {c}, \"group\" = nullif({g}, 1) where number = 'O{o}'"),
            7 => format!("update or ignore orders set number = 'O{p}' where number = 'O{o}'"),
            8 => format!("update or replace orders set number = 'O{p}' where number = 'O{o}'"),
            9 => self.swap("orders", "number", &format!("'O{o}'"), &format!("'O{p}'")),
            10 => format!("update or ignore orders set id = {to} where number = 'O{o}'"),
            11 => format!("update or replace orders set id = {to} where number = 'O{o}'"),
            _ => format!("delete from orders where number = 'O{o}'"),
        }
    }

    /// A row that orders look up.
    fn looked_up(&mut self) -> String {
        let (c, g, n) = (1 + self.rng.below(CUSTOMERS), 1 + self.rng.below(GROUPS), self.count);
        let by = format!("{}.{n}", self.n);
        match self.rng.below(10) {
            0..=1 => format!("insert or ignore into groups values ({g}, 'g{by}')"),
            2 => format!("insert or replace into groups values ({g}, 'g{by}')"),
            3 => format!("update groups set code = 'g{by}' where id = {g}"),
            4 => format!("delete from groups where id = {g}"),
            5..=6 => format!("insert or ignore into customers values ({c}, 'C{by}', 0)"),
            7 => format!("update customers set account = 'C{by}' where id = {c}"),
            8 => format!("update customers set blocked = 1 - blocked where id = {c}"),
            _ => format!("delete from customers where id = {c}"),
        }
    }
}
