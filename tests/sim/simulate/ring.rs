//! Maps that feed each other: one ring settles, one does not and is cut and named.

use super::{Project, Rng, Share, Sim, Template, simulate};

const A: &str = "
store: a
tables:
  t:
    primary_key: [id]
    columns:
      id: integer
      p: integer
      q: integer
";
const B: &str = "
store: b
tables:
  u:
    primary_key: [ID]
    columns:
      ID: integer
      P: integer
";

struct Ring {
    endless: bool,
}

impl Template for Ring {
    fn project(&mut self, rng: &mut Rng) -> Project {
        self.endless = rng.chance(50);
        let there = "map \"There\" {\n id there\n tables a.t -> b.u\n operations right: create, update\n key id = ID\n fields {\n p > P\n }\n}";
        let into = if self.endless { "(P + 1) >> p" } else { "P + 1 >> q" };
        let back = format!(
            "map \"Back\" {{\n id back\n tables b.u -> a.t\n operations right: update\n key ID = id\n fields {{\n {into}\n }}\n}}"
        );
        Project { schemas: vec![("a", A.into()), ("b", B.into())], maps: vec![there.into(), back], companies: None }
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        let (id, p) = (1 + rng.below(4), 100 * rng.below(9));
        (
            "a".into(),
            match rng.below(3) {
                0 => format!("insert or ignore into t values ({id}, {p}, null)"),
                _ => format!("update t set p = {p} where id = {id}"),
            },
        )
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        let waiting = sim.quarantine();
        if self.endless {
            if let Some(q) = waiting.iter().find(|q| q.kind != "circle") {
                return Err(format!("waits as {}: {}", q.kind, q.message));
            }
            sim.stats.add("circles", waiting.len() as u64);
            return Ok(());
        }
        if let Some(q) = waiting.first() {
            return Err(q.message.clone());
        }
        let t = sim.rows("a", "select id, p, q from t order by 1");
        let u = sim.rows("b", "select ID, P, P + 1 from u order by 1");
        if t != u { Err(format!("{t:?} {u:?}")) } else { Ok(()) }
    }
}

#[test]
fn simulate_ring() {
    simulate(&Share::of("ring", 30), &[], &["circles", "crashes", "updates"], &|_| Box::new(Ring { endless: false }));
}
