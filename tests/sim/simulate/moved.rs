//! A two-way map in which both sides insert, delete, change and move the same keys, also while the engine works: at rest
//! both sides hold the same, and nothing waits.

use super::two_way::TwoWay;
use super::{Project, Rng, Share, Sim, Template, simulate};

#[derive(Default)]
struct Moved {
    people: TwoWay,
    names: u64,
}

impl Template for Moved {
    fn project(&mut self, rng: &mut Rng) -> Project {
        let mut project = self.people.project(rng);
        let policy = *rng.pick(&["left wins", "right wins", "merge else left wins", "merge else right wins"]);
        for map in &mut project.maps {
            *map = map.replace("conflict left wins", "conflict right wins");
            *map = map.replace("conflict right wins", &format!("conflict {policy}"));
        }
        project
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        let (k, sure) = (1 + rng.below(3), rng.below(12));
        self.names += 1;
        let n = self.names;
        let (store, table, key) = *rng.pick(&[("b", "Customers", "ACCOUNT"), ("a", "people", "number")]);
        let values = match store {
            "a" => format!("'{k}', 'n{n}', 'c{}', 0", n % 4),
            _ => format!("'{k}', 'n{n}', 'c{}', 'No'", n % 4),
        };
        let columns = if store == "a" { "(number, name, city, onhold)" } else { "" };
        let which = match rng.chance(20) {
            true => format!(
                "{key} = (select {key} from {table} where {key} like 'm%' order by {key} limit 1 offset {})",
                rng.below(2)
            ),
            false => format!("{key} = '{k}'"),
        };
        let sql = match sure {
            0..=2 => format!("insert or ignore into {table}{columns} values ({values})"),
            3 => format!("insert or replace into {table}{columns} values ({values})"),
            4 => format!("update {table} set name = 'n{n}' where {which}"),
            5 => format!("update {table} set city = 'c{n}', name = null where {which}"),
            6..=8 => format!("delete from {table} where {which}"),
            9 if store == "a" => format!("update or ignore people set id = {} where {which}", 1 + rng.below(9)),
            _ => format!("update {table} set {key} = 'm{store}{n}' where {which}"),
        };
        (store.into(), sql)
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        if let Some(q) = sim.quarantine().first() {
            return Err(format!("in quarantine: {}", q.message));
        }
        let (l, r) = (TwoWay::left(sim), TwoWay::right(sim));
        match l == r {
            true => Ok(()),
            false => Err(format!("the sides differ: left {l:?}, right {r:?}")),
        }
    }
}

#[test]
fn simulate_moved() {
    let share = Share::of("moved", 60);
    simulate(&share, &[], &["deletes", "crashes", "updates"], &|_| Box::<Moved>::default());
}
