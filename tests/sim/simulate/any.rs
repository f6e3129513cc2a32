//! Random schemas and random one-way maps over the language, alone or one after the other; random changes of keys, rows,
//! looked-up and related rows. What must be there is worked out from full tables and the maps' syntax trees.

mod oracle;
mod tables;
mod write;

use super::world::Quarantined;
use super::{Project, Rng, Share, Sim, Template, simulate};
use oracle::{Oracle, Row, V, Wanted, Why};
use std::collections::{BTreeMap, BTreeSet};
use tablemap::source::Sources;
use tablemap::syntax::ast::{Arrow, Map, Operation, Side};
use tables::Table;

#[derive(Default)]
struct Any {
    tables: Vec<Table>,
    /// How the first map's key is made; stays in edited maps.
    key: String,
    /// The source stands on the left.
    flipped: bool,
    maps: Vec<Map>,
    texts: Vec<String>,
    /// Rows that an operator's work left in targets, by map and key: nothing deletes them.
    left_over: BTreeSet<(usize, Vec<V>)>,
    /// What matched when the engine last rested, by map and source key.
    matched: BTreeSet<(usize, Vec<V>)>,
}

fn parsed(texts: &[String]) -> Vec<Map> {
    let mut maps = Vec::new();
    for text in texts {
        let mut sources = Sources::new();
        let file = sources.add("m.tmap".to_string(), text.clone());
        let (ast, _) = tablemap::syntax::dsl::parse(&sources, file);
        maps.extend(ast.maps);
    }
    maps
}

impl Any {
    fn rows(&self, sim: &Sim) -> oracle::Tables {
        let read = |t: &Table| {
            let rows = sim.rows(&t.store, &t.select()).into_iter();
            let row = |cells: Vec<String>| -> Row {
                let cells = t.columns.iter().zip(cells);
                cells.map(|(c, s)| (c.name.clone(), V::read(&s, &c.kind, c.blank))).collect()
            };
            (t.place(), rows.map(row).collect())
        };
        self.tables.iter().map(read).collect()
    }
    fn table(&self, place: &str) -> &Table {
        self.tables.iter().find(|t| t.place() == place).unwrap()
    }
    fn into(map: &Map) -> Side {
        match map.tables.as_ref().unwrap().it.arrow {
            Arrow::ToLeft => Side::Left,
            _ => Side::Right,
        }
    }
    /// The target's columns that make the key.
    fn key_columns(map: &Map) -> Vec<String> {
        let into = Self::into(map);
        map.key.iter().filter_map(|l| l.target(into)).map(|p| p.steps[0].name.text.clone()).collect()
    }
    /// As the table tells rows apart.
    fn key_of(table: &Table, row: &Row, columns: &[String]) -> Vec<V> {
        columns.iter().map(|c| table.column(c).seen(row[c].clone())).collect()
    }

    /// What each map wants of its target now: by key, with the primary key of the record; which source rows wait, by
    /// their primary key; and which match.
    #[allow(clippy::type_complexity)]
    fn wanted(
        &self,
        rows: &oracle::Tables,
        map: &Map,
    ) -> (BTreeMap<Vec<V>, (Row, Vec<String>)>, BTreeMap<Vec<String>, Vec<Why>>, BTreeSet<Vec<V>>) {
        let oracle = Oracle { tables: &self.tables, rows, map, into: Self::into(map) };
        let columns = Self::key_columns(map);
        let (source, target) = (self.table(&oracle.source()), self.table(&oracle.target()));
        let (mut wanted, mut waits, mut matched) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for row in &rows[&oracle.source()] {
            let key = Self::key_of(source, row, &source.key);
            let text: Vec<String> = key.iter().map(V::key_text).collect();
            match oracle.wants(row) {
                Wanted::Nothing => continue,
                Wanted::Row(made) => drop(wanted.insert(Self::key_of(target, &made, &columns), (made, text))),
                Wanted::Waits(why) => drop(waits.insert(text, why)),
            }
            matched.insert(key);
        }
        (wanted, waits, matched)
    }

    fn judge(&mut self, sim: &mut Sim, n: usize, rows: &oracle::Tables) -> Result<(), String> {
        let map = self.maps[n].clone();
        let into = Self::into(&map);
        let id = map.id.as_ref().unwrap().it.clone();
        let leg = format!("sim/{id}/{}", into.word());
        let (wanted, waits, matched) = self.wanted(rows, &map);
        let mut seen: BTreeMap<Vec<String>, (String, String)> = BTreeMap::new();
        for q in sim.quarantine().into_iter().filter(|q| q.leg == leg) {
            seen.insert(serde_json::from_str(&q.key).unwrap(), (q.kind, q.message));
        }
        for (key, why) in &waits {
            let kind = seen.remove(key);
            let fits = kind.as_ref().is_some_and(|(k, _)| match k.as_str() {
                "failed" => why.contains(&Why::Failed),
                "parked" => why.contains(&Why::Parked),
                _ => false,
            });
            if !fits {
                return Err(format!("{leg}: {key:?} should wait as {why:?}, and there is {kind:?}"));
            }
        }
        let oracle = Oracle { tables: &self.tables, rows, map: &map, into };
        let columns = Self::key_columns(&map);
        let target = self.table(&oracle.target()).clone();
        let mut there: BTreeMap<Vec<V>, &Row> = BTreeMap::new();
        for row in &rows[&oracle.target()] {
            if there.insert(Self::key_of(&target, row, &columns), row).is_some() {
                return Err(format!("{leg}: two rows of one key: {row:?}"));
            }
        }
        // What is left stays because its record waits, or because nobody may delete it.
        let leaves = !map.operations.iter().any(|o| o.it.1.iter().any(|o| o.it == Operation::Delete))
            || !map.filter.is_empty() && !map.on_exit.iter().any(|e| e.it.1);
        let (mut blocked, mut adopted) = (0, 0);
        for (key, (want, of)) in &wanted {
            let Some(row) = there.remove(key) else { return Err(format!("{leg}: {key:?} is missing in the target")) };
            // A row that nobody deletes, or that of a record which waits, is in the way of the one that is to get its key.
            let stays = leaves || !waits.is_empty() || self.left_over.contains(&(n, key.clone()));
            let held_up = |kind: &str| kind == "failed" || kind == "parked" && !waits.is_empty();
            if stays && seen.get(of).is_some_and(|(kind, why)| held_up(kind) && why.contains("holds the same")) {
                seen.remove(of);
                blocked += 1;
                continue;
            }
            if let Some((column, v)) = want.iter().find(|(c, v)| target.column(c).seen(row[*c].clone()) != **v) {
                return Err(format!(
                    "{leg}: {key:?}: {column} is {:?}, expected {v:?}; waiting: {seen:?}",
                    row[column]
                ));
            }
            // A copy takes a row that was left over for the record's, and leaves the one it had.
            adopted += usize::from(self.left_over.remove(&(n, key.clone())));
        }
        if let Some((key, why)) = seen.into_iter().next() {
            return Err(format!("{leg}: {key:?} waits and need not: {why:?}"));
        }
        let extra: Vec<&Vec<V>> = there.keys().filter(|k| !self.left_over.contains(&(n, (*k).clone()))).collect();
        if !leaves && extra.len() > waits.len() + blocked + adopted {
            return Err(format!("{leg}: rows without a record: {extra:?}; {} records wait", waits.len()));
        }
        if adopted > 0 {
            let left: Vec<Vec<V>> = there.into_keys().collect();
            self.left_over.extend(left.into_iter().map(|k| (n, k)));
        }
        let source = self.table(&oracle.source());
        let all: BTreeSet<Vec<V>> =
            rows[&oracle.source()].iter().map(|r| Self::key_of(source, r, &source.key)).collect();
        let exits = self.matched.iter().filter(|(m, k)| *m == n && all.contains(k) && !matched.contains(k)).count();
        sim.stats.add("exits", exits as u64);
        self.matched.retain(|(m, _)| *m != n);
        self.matched.extend(matched.into_iter().map(|k| (n, k)));
        Ok(())
    }
}

impl Template for Any {
    fn project(&mut self, rng: &mut Rng) -> Project {
        loop {
            self.tables = write::tables(rng);
            self.flipped = rng.chance(50);
            self.key = write::key(rng);
            self.texts = write::maps(rng, &mut self.tables, &self.key, self.flipped);
            let schemas: Vec<(&'static str, String)> = write::schemas(&self.tables);
            // What the analysis refuses (types that do not meet, say) is drawn again.
            match super::world::checked(&super::world::read_schemas(&schemas), &self.texts, None) {
                Ok(_) => {
                    self.maps = parsed(&self.texts);
                    return Project { schemas, maps: self.texts.clone(), companies: None };
                }
                Err(e) if std::env::var("TABLEMAP_SIM_REFUSED").is_ok() => {
                    println!("refused: {}\n{e}", self.texts.join("\n"));
                }
                Err(_) => {}
            }
        }
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        write::act(rng, &self.tables)
    }
    fn heal(&mut self) -> Vec<(String, String)> {
        write::heal(&self.tables)
    }
    fn may_stay(&self, waiting: &Quarantined) -> bool {
        // Where nothing is left over, `rested` says whether a row in the way may stay.
        waiting.message.contains("holds the same")
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        let rows = self.rows(sim);
        (0..self.maps.len()).try_for_each(|n| self.judge(sim, n, &rows))
    }
    fn follows_upheaval(&self) -> bool {
        true
    }
    fn edited(&mut self, rng: &mut Rng) -> Option<Vec<String>> {
        let schemas = super::world::read_schemas(&write::schemas(&self.tables));
        let first = write::map(rng, &self.tables, &self.key, self.flipped);
        let mut texts = self.texts.clone();
        texts[0] = first;
        match super::world::checked(&schemas, &texts, None) {
            Ok(_) => Some(texts),
            Err(e) => {
                if std::env::var("TABLEMAP_SIM_REFUSED").is_ok() {
                    println!("refused: {}\n{e}", texts.join("\n"));
                }
                None
            }
        }
    }
    fn reloaded(&mut self, maps: &[String]) {
        self.texts = maps.to_vec();
        self.maps = parsed(maps);
    }
    fn began_anew(&mut self, sim: &Sim) {
        let rows = self.rows(sim);
        for n in 0..self.maps.len() {
            let map = self.maps[n].clone();
            let (wanted, ..) = self.wanted(&rows, &map);
            let columns = Self::key_columns(&map);
            let target = Oracle { tables: &self.tables, rows: &rows, map: &map, into: Self::into(&map) }.target();
            let table = self.table(&target).clone();
            let there = rows[&target].iter().map(|r| Self::key_of(&table, r, &columns));
            self.left_over.extend(there.filter(|k| !wanted.contains_key(k)).map(|k| (n, k)));
        }
    }
}

const COUNTERS: &[&str] = &["quarantines", "parks", "deletes", "crashes", "updates", "exits", "reloads", "recovers"];

fn part(n: u64, met: &'static [u64], open: &'static [u64]) {
    if std::env::var("TABLEMAP_SIM_POSTGRES").is_ok() {
        eprintln!("left out: its people write SQLite's words");
        return;
    }
    let share = Share { name: "any", cases: 240, weight: 11, part: (n, 2), met, open };
    simulate(&share, &[], COUNTERS, &|_| Box::new(Any::default()));
}

#[test]
fn simulate_any_even() {
    part(0, &[106, 216, 742, 3490], &[]);
}

#[test]
fn simulate_any_odd() {
    part(1, &[91, 149, 187, 193, 681, 789, 1393, 1499], &[]);
}
