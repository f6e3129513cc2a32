//! A chain over three stores' tables, one of its links a derived map: a.items → b.stage → b.final → c.out.

use super::{Project, Rng, Share, Sim, Template, simulate};
use std::collections::BTreeMap;

const A: &str = "
store: a
tables:
  items:
    primary_key: [id]
    columns:
      id: integer
      code: { type: text(20), required: true }
      qty: integer
    alternate_keys: [[code]]
";
const B: &str = "
store: b
tables:
  stage:
    primary_key: [CODE]
    columns:
      CODE: { type: text(20), required: true }
      QTY: integer
      EXTRA: text(10)
  final:
    primary_key: [KEY]
    columns:
      KEY: { type: text(30), required: true }
      QTY: { type: integer, required: true }
      EXTRA: text(10)
";
const C: &str = "
store: c
tables:
  out:
    primary_key: [ID]
    columns:
      ID: { type: uuid, required: true }
      KEY: text(30)
      QTY: integer
";

struct Chain;

impl Template for Chain {
    fn project(&mut self, _: &mut Rng) -> Project {
        let m1 = "
map \"Stage\" {
  id stage
  tables a.items -> b.stage
  operations right: create, update, delete
  key code = CODE
  fields {
    qty > QTY
  }
}";
        let m2 = "
map \"Final\" {
  id final
  tables b.stage -> b.final
  operations right: create, update, delete
  key concat('F', CODE) >> KEY
  filter left: QTY > 0
  on exit right: delete
  fields {
    QTY * 2 >> QTY
    EXTRA > EXTRA
  }
}";
        let m3 = "
map \"Out\" {
  id out
  tables b.final -> c.out
  operations right: create, update, delete
  key uuid_of('out', KEY) >> ID
  fields {
    KEY > KEY
    QTY > QTY
  }
}";
        Project {
            schemas: vec![("a", A.into()), ("b", B.into()), ("c", C.into())],
            maps: vec![m1.into(), m2.into(), m3.into()],
            companies: None,
        }
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        let (id, code, qty) = (1 + rng.below(7), 1 + rng.below(8), rng.below(4));
        let sql = match rng.below(12) {
            0..=3 => format!("insert or ignore into items values ({id}, 'c{code}', {qty})"),
            4 => format!("insert or replace into items values ({id}, 'c{code}', {qty})"),
            5..=7 => format!("update items set qty = {qty} where id = {id}"),
            8 => format!("update items set code = 'c{code}' where id = {id}"),
            9 => format!("update items set id = {} where id = {id}", 1 + rng.below(9)),
            10 => format!("delete from items where id = {id}"),
            _ => return ("b".into(), format!("update stage set EXTRA = 'e{qty}' where CODE = 'c{code}'")),
        };
        ("a".into(), sql)
    }
    fn heal(&mut self) -> Vec<(String, String)> {
        vec![("a".into(), "update items set qty = qty + 1".into())]
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        if let Some(q) = sim.quarantine().first() {
            return Err(format!("in quarantine: {}", q.message));
        }
        let pairs = |rows: Vec<Vec<String>>| -> BTreeMap<String, String> {
            rows.into_iter().map(|r| (r[0].clone(), r[1..].join("|"))).collect()
        };
        let stage = pairs(sim.rows("b", "select CODE, QTY from stage"));
        if stage != pairs(sim.rows("a", "select code, qty from items")) {
            return Err(format!("stage is {stage:?}"));
        }
        let wanted = pairs(sim.rows("b", "select 'F' || CODE, QTY * 2, EXTRA from stage where QTY > 0"));
        let last = pairs(sim.rows("b", "select KEY, QTY, EXTRA from final"));
        if last != wanted {
            return Err(format!("final is {last:?}, expected {wanted:?}"));
        }
        let out = pairs(sim.rows("c", "select KEY, QTY from out"));
        let wanted = pairs(sim.rows("b", "select KEY, QTY from final"));
        if out != wanted || out.len() != sim.rows("c", "select 1 from out").len() {
            return Err(format!("out is {out:?}, expected {wanted:?}"));
        }
        Ok(())
    }
}

#[test]
fn simulate_chain() {
    simulate(&Share::of("chain", 50), &[57, 273], &["deletes", "crashes", "updates"], &|_| Box::new(Chain));
}
