//! One row per company, a reference found together with the company, so that a record fails in one company of several.

use super::{Project, Rng, Share, Sim, Template, simulate};
use std::collections::BTreeMap;

const A: &str = "
store: a
tables:
  items:
    primary_key: [id]
    columns:
      id: integer
      number: { type: text(10), required: true }
      name: text(30)
      kind: text(5)
    alternate_keys: [[number]]
";
const B: &str = "
store: b
tables:
  Kinds:
    company: DATAAREAID
    primary_key: [DATAAREAID, CODE]
    filled: elsewhere
    columns:
      DATAAREAID: { type: text(4), required: true }
      CODE: { type: text(5), required: true }
  Items:
    company: DATAAREAID
    primary_key: [DATAAREAID, NUMBER]
    columns:
      DATAAREAID: { type: text(4), required: true }
      NUMBER: { type: text(10), required: true }
      NAME: text(8)
      KIND: text(5)
    lookups:
      kind: { columns: [DATAAREAID, KIND], table: Kinds, key: [DATAAREAID, CODE] }
";
const MAP: &str = "
map \"Items\" {
  id items
  tables b.Items <- a.items
  operations left: create, update, delete
  company DATAAREAID = each
  key NUMBER = number
  fields {
    NAME << name
    kind.CODE < kind
  }
}
";
const COMPANIES: [&str; 3] = ["AA", "BB", "CC"];

struct Companies;

impl Template for Companies {
    fn project(&mut self, _: &mut Rng) -> Project {
        Project {
            schemas: vec![("a", A.into()), ("b", B.into())],
            maps: vec![MAP.into()],
            companies: Some(COMPANIES.map(String::from).into()),
        }
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        let (id, number, k) = (1 + rng.below(6), 1 + rng.below(7), 1 + rng.below(3));
        let name = *rng.pick(&["'a'", "'b'", "null", "'much too long'"]);
        let kind = *rng.pick(&["null", "'k1'", "'k2'", "'k3'"]);
        let sql = match rng.below(12) {
            0..=2 => format!("insert or ignore into items values ({id}, 'n{number}', {name}, {kind})"),
            3 => format!("insert or replace into items values ({id}, 'n{number}', {name}, {kind})"),
            4 => format!("update items set name = {name} where id = {id}"),
            5 => format!("update items set kind = {kind} where id = {id}"),
            6 => format!("update items set number = 'n{number}' where id = {id}"),
            7 => format!("update items set id = {} where id = {id}", 1 + rng.below(9)),
            8 => format!("delete from items where id = {id}"),
            _ => {
                return (
                    "b".into(),
                    format!("insert or ignore into Kinds values ('{}', 'k{k}')", rng.pick(&COMPANIES)),
                );
            }
        };
        ("a".into(), sql)
    }
    fn heal(&mut self) -> Vec<(String, String)> {
        let mut all = vec![("a".to_string(), "update items set name = 'healed' where length(name) > 8".to_string())];
        for c in COMPANIES {
            all.push((
                "b".into(),
                format!("insert or ignore into Kinds values ('{c}', 'k1'), ('{c}', 'k2'), ('{c}', 'k3')"),
            ));
        }
        all
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        let kinds: Vec<String> =
            sim.rows("b", "select DATAAREAID, CODE from Kinds").into_iter().map(|r| r.join("|")).collect();
        let mut rows: BTreeMap<(String, String), Vec<String>> = sim
            .rows("b", "select DATAAREAID, NUMBER, NAME, KIND from Items")
            .into_iter()
            .map(|r| ((r[0].clone(), r[1].clone()), r[2..].to_vec()))
            .collect();
        let mut waits: BTreeMap<(String, String), String> = sim
            .quarantine()
            .into_iter()
            .map(|q| {
                let k: Vec<String> = serde_json::from_str(&q.key).unwrap();
                ((q.company.clone(), k[0].clone()), q.kind)
            })
            .collect();
        let mut open = 0;
        for i in sim.rows("a", "select id, number, name, kind from items") {
            if i[2].len() > 8 {
                open += COMPANIES.len();
                COMPANIES.iter().for_each(|c| drop(waits.remove(&(c.to_string(), i[0].clone()))));
                let kept = waits.remove(&(String::new(), i[0].clone()));
                if kept.as_deref() != Some("failed") {
                    return Err(format!("item {} waits as {kept:?}", i[0]));
                }
                continue;
            }
            for c in COMPANIES {
                let wait = waits.remove(&(c.to_string(), i[0].clone()));
                if i[3] == "-" || kinds.contains(&format!("{c}|{}", i[3])) {
                    let row = rows.remove(&(c.to_string(), i[1].clone()));
                    if wait.is_some() || row.as_deref() != Some(&i[2..]) {
                        return Err(format!("{c} {i:?} is {row:?}, waits {wait:?}"));
                    }
                } else {
                    open += 1;
                    if wait.as_deref() != Some("parked") {
                        return Err(format!("{c} {i:?} should be parked: {wait:?}"));
                    }
                }
            }
        }
        if rows.len() > open || !waits.is_empty() {
            return Err(format!("left over: {rows:?}, waiting {waits:?}"));
        }
        Ok(())
    }
}

#[test]
fn simulate_companies() {
    simulate(
        &Share::of("companies", 50),
        &[56, 66, 73, 74, 78, 82, 134, 158, 195, 256, 263, 281, 282, 283, 414],
        &["parks", "quarantines", "deletes", "crashes", "updates"],
        &|_| Box::new(Companies),
    );
}
