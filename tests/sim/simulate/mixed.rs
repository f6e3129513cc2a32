//! A mixed-direction map: rows go one way, what the other side finds out comes back, a value map in between.

use super::{Project, Rng, Share, Sim, Template, simulate};
use std::collections::BTreeMap;

const F: &str = "
store: f
tables:
  imports:
    primary_key: [ID]
    columns:
      ID: { type: text(10), required: true }
      TYPE: text(10)
      AMOUNT: integer
      PROJECT: text(10)
      VOUCHER: text(10)
      TAX: integer
";
const D: &str = "
store: d
tables:
  actuals:
    primary_key: [id]
    columns:
      id: integer
      key: { type: text(10), required: true }
      kind: integer
      amount: integer
      skip: integer
      project: { type: integer, lookup: projects }
      voucher: text(6)
      tax: integer
    alternate_keys: [[key]]
  projects:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      number: { type: text(10), required: true }
";
const MAP: &str = "
map \"Actuals\" {
  id actuals
  tables f.imports <-> d.actuals
  operations left: create, update, delete
  operations right: update
  key ID = key
  filter right: skip == 0
  filter left: VOUCHER is not null
  on exit left: delete
  fields {
    TYPE    << kind { 'Cost' < 1, 'Sales' < 2, else error }
    AMOUNT  <  amount
    PROJECT <  project.number
    VOUCHER >  voucher
    TAX     >  tax
  }
}
";

#[derive(Default)]
struct Mixed {
    next: u64,
}

impl Template for Mixed {
    fn project(&mut self, _: &mut Rng) -> Project {
        Project { schemas: vec![("f", F.into()), ("d", D.into())], maps: vec![MAP.into()], companies: None }
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        let key = rng.below(self.next + 1);
        let (kind, amount, skip) = (1 + rng.below(3), rng.below(50), u64::from(rng.chance(25)));
        let project = *rng.pick(&["null", "1", "2", "3"]);
        let p = 1 + rng.below(3);
        let d = |s: String| ("d".to_string(), s);
        match rng.below(14) {
            0..=3 => {
                self.next += 1;
                let n = self.next;
                d(format!("insert into actuals values ({n}, 'k{n}', {kind}, {amount}, {skip}, {project}, null, null)"))
            }
            4 => d(format!("update actuals set kind = {kind} where id = {key}")),
            5 => d(format!("update actuals set amount = {amount}, project = {project} where id = {key}")),
            6 => d(format!("update actuals set skip = 1 where id = {key}")),
            7 => d(format!("delete from actuals where id = {key}")),
            8 => d(format!("insert or replace into projects values ({p}, 'P{}')", rng.below(20))),
            9 => d(format!("delete from projects where id = {p}")),
            10..=12 => {
                let v = *rng.pick(&["'V1'", "'V2'", "'V3'", "'too long a voucher'"]);
                ("f".into(), format!("update imports set VOUCHER = {v}, TAX = {amount} where ID = 'k{key}'"))
            }
            _ => ("f".into(), format!("update imports set TAX = {amount} where ID = 'k{key}'")),
        }
    }
    fn heal(&mut self) -> Vec<(String, String)> {
        [
            ("d", "update actuals set kind = 1 where kind = 3"),
            ("d", "insert or ignore into projects values (1, 'h1'), (2, 'h2'), (3, 'h3')"),
            ("f", "update imports set VOUCHER = 'short' where length(VOUCHER) > 6"),
        ]
        .map(|(a, b)| (a.to_string(), b.to_string()))
        .into()
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        let projects: BTreeMap<String, String> = sim
            .rows("d", "select id, number from projects")
            .into_iter()
            .map(|r| (r[0].clone(), r[1].clone()))
            .collect();
        let mut left: BTreeMap<String, Vec<String>> = sim
            .rows("f", "select ID, TYPE, AMOUNT, PROJECT, VOUCHER, TAX from imports")
            .into_iter()
            .map(|r| (r[0].clone(), r[1..].to_vec()))
            .collect();
        let mut waits: BTreeMap<(String, String), String> = sim
            .quarantine()
            .into_iter()
            .map(|q| {
                let k: Vec<String> = serde_json::from_str(&q.key).unwrap();
                ((q.leg.clone(), k[0].clone()), q.kind)
            })
            .collect();
        for a in sim.rows("d", "select id, key, kind, amount, skip, project, voucher, tax from actuals") {
            let l = left.remove(&a[1]);
            let wait = waits.remove(&("sim/actuals/left".to_string(), a[0].clone()));
            let back = waits.remove(&("sim/actuals/right".to_string(), a[1].clone()));
            if let Some(l) = &l
                && l[3] != "-"
            {
                let long = l[3].len() > 6;
                if back.as_deref() != long.then_some("failed") || (!long && (l[3] != a[6] || l[4] != a[7])) {
                    return Err(format!("voucher of {}: left {l:?}, right {a:?}, waits {back:?}", a[1]));
                }
            } else if back.is_some() {
                return Err(format!("{} waits on its way back without a voucher", a[1]));
            }
            if a[4] == "1" {
                if l.is_some() || wait.is_some() {
                    return Err(format!("{} is skipped: {l:?} {wait:?}", a[1]));
                }
                continue;
            }
            let project = if a[5] == "-" { Some("-".to_string()) } else { projects.get(&a[5]).cloned() };
            let kind = match a[2].as_str() {
                "1" => Some("Cost"),
                "2" => Some("Sales"),
                _ => None,
            };
            match (kind, project) {
                (None, _) if wait.as_deref() == Some("failed") => {}
                (Some(_), None) if wait.as_deref() == Some("parked") => {}
                (Some(k), Some(p)) if wait.is_none() => {
                    if l.as_ref().is_none_or(|l| l[0] != k || l[1] != a[3] || l[2] != p) {
                        return Err(format!("left of {a:?} is {l:?}"));
                    }
                }
                _ => return Err(format!("{a:?} waits as {wait:?}")),
            }
        }
        // Of a record that could not go back and whose other side is gone, nothing is left to say.
        if !left.is_empty() || !waits.is_empty() {
            return Err(format!("left over: {left:?}, waiting {waits:?}"));
        }
        Ok(())
    }
}

#[test]
fn simulate_mixed() {
    simulate(&Share::of("mixed", 50), &[], &["parks", "quarantines", "deletes", "crashes", "updates"], &|_| {
        Box::new(Mixed::default())
    });
}
