//! A two-way map with a value map, both policies: an exact model of every record's agreed values, updates, conflicts,
//! deletes, keys that change, and rows that come back.

use super::{Project, Rng, Share, Sim, Template, simulate};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const A: &str = "
store: a
tables:
  people:
    primary_key: [id]
    columns:
      id: { type: integer, generated: true }
      number: { type: text(20), required: true }
      name: text(30)
      city: text(30)
      onhold: boolean
    alternate_keys: [[number]]
";
pub(super) const B: &str = "
store: b
tables:
  Customers:
    primary_key: [ACCOUNT]
    columns:
      ACCOUNT: { type: text(20), required: true }
      NAME: text(30)
      CITY: text(30)
      HOLD: text(3)
";

pub(super) type Rows = BTreeMap<String, Vec<String>>;

#[derive(Default)]
pub(super) struct TwoWay {
    left_wins: bool,
    master_left: bool,
    /// What both sides agreed on when the engine last rested; none before the first copy, or after a crash that
    /// people's writes followed.
    agreed: Option<Rows>,
    before: Option<(Rows, Rows)>,
    /// Rows that were replaced, deleted or came back since the sides agreed.
    conflicts: usize,
}

impl TwoWay {
    pub(super) fn left(sim: &Sim) -> Rows {
        sim.rows("b", "select ACCOUNT, NAME, CITY, HOLD from Customers").into_iter().map(split).collect()
    }
    pub(super) fn right(sim: &Sim) -> Rows {
        let sql = "select number, name, city, case onhold when 1 then 'Yes' when 0 then 'No' end from people";
        sim.rows("a", sql).into_iter().map(split).collect()
    }
    fn conflicts(sim: &Sim) -> usize {
        let there = |s| !sim.rows(s, "select 1 from sqlite_master where name = '_tablemap_conflicts'").is_empty();
        ["a", "b"].iter().filter(|s| there(**s)).map(|s| sim.rows(s, "select 1 from _tablemap_conflicts").len()).sum()
    }
}

fn split(r: Vec<String>) -> (String, Vec<String>) {
    (r[0].clone(), r[1..].to_vec())
}

/// What the record comes to, and whether there was a conflict: three-way merge by column, the winner decides.
pub(super) fn merge(
    base: Option<&Vec<String>>,
    l: Option<&Vec<String>>,
    r: Option<&Vec<String>>,
    left_wins: bool,
) -> (Option<Vec<String>>, bool) {
    let (winner, loser) = if left_wins { (l, r) } else { (r, l) };
    match (base, winner, loser) {
        (_, None, None) => (None, false),
        (None, Some(x), None) | (None, None, Some(x)) => (Some(x.clone()), false),
        (None, Some(w), Some(o)) => (Some(w.clone()), w != o),
        (Some(b), None, Some(o)) => (None, b != o),
        (Some(b), Some(w), None) => match b == w {
            true => (None, false),
            false => (Some(w.clone()), true),
        },
        (Some(b), Some(w), Some(o)) => {
            let mut conflict = false;
            let merged = (0..b.len()).map(|i| {
                if w[i] == o[i] || o[i] == b[i] {
                    w[i].clone()
                } else if w[i] == b[i] {
                    o[i].clone()
                } else {
                    conflict = true;
                    w[i].clone()
                }
            });
            (Some(merged.collect()), conflict)
        }
    }
}

impl Template for TwoWay {
    fn project(&mut self, rng: &mut Rng) -> Project {
        self.left_wins = rng.chance(50);
        self.master_left = rng.chance(50);
        let word = |left: bool| if left { "left" } else { "right" };
        let map = format!(
            "
map \"People\" {{
  id people
  tables b.Customers <-> a.people
  key ACCOUNT = number
  initial {} wins
  conflict {} wins
  fields {{
    NAME = name
    CITY = city
    HOLD >< onhold {{ 'Yes' = true, 'No' = false }}
  }}
}}
",
            word(self.master_left),
            word(self.left_wins)
        );
        Project { schemas: vec![("a", A.into()), ("b", B.into())], maps: vec![map], companies: None }
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        let k = 1 + rng.below(5);
        let (n, c, h) = (rng.below(4), rng.below(4), rng.below(2));
        if rng.chance(50) {
            let hold = ["No", "Yes"][h as usize];
            let sql = match rng.below(9) {
                0..=2 => format!("insert or ignore into Customers values ('{k}', 'n{n}', 'c{c}', '{hold}')"),
                3 => format!("update Customers set NAME = 'n{n}' where ACCOUNT = '{k}'"),
                4 => format!("update Customers set CITY = 'c{c}' where ACCOUNT = '{k}'"),
                5 => format!("update Customers set HOLD = '{hold}', CITY = null where ACCOUNT = '{k}'"),
                6 => format!(
                    "update Customers set NAME = 'x' where ACCOUNT = '{k}'; update Customers set NAME = 'n{n}' where ACCOUNT = '{k}'"
                ),
                _ => format!("delete from Customers where ACCOUNT = '{k}'"),
            };
            return ("b".into(), sql);
        }
        let sql = match rng.below(9) {
            0..=2 => {
                format!("insert or ignore into people(number, name, city, onhold) values ('{k}', 'n{n}', 'c{c}', {h})")
            }
            3 => format!("update people set name = 'n{n}' where number = '{k}'"),
            4 => format!("update people set city = 'c{c}' where number = '{k}'"),
            5 => format!("update people set onhold = {h}, city = null where number = '{k}'"),
            6 => format!(
                "update people set name = 'y' where number = '{k}'; update people set name = 'n{n}' where number = '{k}'"
            ),
            _ => format!("delete from people where number = '{k}'"),
        };
        ("a".into(), sql)
    }
    fn before_run(&mut self, sim: &Sim) {
        self.before = Some((Self::left(sim), Self::right(sim)));
        self.conflicts = Self::conflicts(sim);
    }
    fn lost_track(&mut self) {
        self.before = None;
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        if let Some(q) = sim.quarantine().first() {
            return Err(format!("in quarantine: {}", q.message));
        }
        let (l, r) = (Self::left(sim), Self::right(sim));
        if l != r {
            return Err(format!("the sides differ: left {l:?}, right {r:?}"));
        }
        if let (Some((bl, br)), Some(agreed)) = (self.before.take(), &self.agreed) {
            let keys: BTreeSet<&String> = bl.keys().chain(br.keys()).chain(agreed.keys()).collect();
            let mut should = 0;
            for k in keys {
                let (want, conflict) = merge(agreed.get(k), bl.get(k), br.get(k), self.left_wins);
                should += usize::from(conflict);
                if l.get(k) != want.as_ref() {
                    return Err(format!(
                        "{k}: agreed {:?}, left {:?}, right {:?}: became {:?}, expected {want:?}",
                        agreed.get(k),
                        bl.get(k),
                        br.get(k),
                        l.get(k)
                    ));
                }
            }
            let logged = Self::conflicts(sim) - self.conflicts;
            if logged != should {
                let log =
                    |s| sim.rows(s, "select leg, key, base, \"left\", \"right\", outcome from _tablemap_conflicts");
                return Err(format!(
                    "{logged} conflicts were logged, expected {should}: agreed {agreed:?}, left {bl:?}, right {br:?}, log {:?} {:?}",
                    log("a"),
                    log("b")
                ));
            }
            sim.stats.add("conflicts", should as u64);
        }
        self.agreed = Some(l);
        Ok(())
    }
}

#[test]
fn simulate_two_way() {
    simulate(
        &Share::of("two way", 90),
        &[94, 171, 173, 237, 279, 404, 453],
        &["conflicts", "deletes", "crashes", "updates"],
        &|_| Box::new(TwoWay::default()),
    );
}
