//! References written through paths and existence references: records park in the target until their row is there.

use super::{Project, Rng, Share, Sim, Template, simulate};
use std::collections::{BTreeMap, BTreeSet};

const A: &str = "
store: a
tables:
  kinds:
    primary_key: [id]
    columns:
      id: integer
  groups:
    primary_key: [id]
    columns:
      id: integer
      code: { type: text(10), required: true }
      top: { type: integer, lookup: groups }
    alternate_keys: [[code]]
  items:
    primary_key: [id]
    columns:
      id: integer
      number: { type: text(20), required: true }
      group: { type: integer, lookup: groups }
      kind: integer
      code: text(10)
    alternate_keys: [[number]]
";
const R: &str = "
store: r
tables:
  kinds:
    primary_key: [ID]
    columns:
      ID: integer
  parents:
    primary_key: [id]
    columns:
      id: { type: uuid, generated: true }
      code: { type: text(10), required: true }
      top: { type: uuid, lookup: parents }
    alternate_keys: [[code]]
  children:
    primary_key: [id]
    columns:
      id: { type: uuid, generated: true }
      number: { type: text(20), required: true }
      parent: { type: uuid, lookup: parents }
      direct: { type: uuid, lookup: parents }
      KIND: { type: integer, lookup: kinds }
    alternate_keys: [[number]]
";

#[derive(Default)]
struct References {
    /// Children that were right before some run, as number, code and the row referred to: a reference holds the row it
    /// found, whatever that one is called later.
    held: BTreeSet<(String, String, String)>,
    /// The groups' references to each other are carried.
    tops: bool,
}

impl References {
    /// Groups that are above themselves, directly or over others.
    fn rings(&self, sim: &Sim) -> u64 {
        if !self.tops {
            return 0;
        }
        let tops = pairs(sim.rows("a", "select id, ifnull(top, '') from groups"));
        let above =
            |id: &String| std::iter::successors(tops.get(id), |up| tops.get(*up)).take(tops.len()).any(|up| up == id);
        tops.keys().filter(|id| above(id)).count() as u64
    }
}

fn pairs(rows: Vec<Vec<String>>) -> BTreeMap<String, String> {
    rows.into_iter().map(|r| (r[0].clone(), r[1].clone())).collect()
}

impl Template for References {
    fn project(&mut self, rng: &mut Rng) -> Project {
        let ops = "operations right: create, update, delete";
        let kinds = format!("map \"Kinds\" {{\n id kinds\n tables a.kinds -> r.kinds\n {ops}\n key id = ID\n}}\n");
        self.tops = rng.chance(50);
        let top = if self.tops { "fields {\n top.code > top.code\n }" } else { "" };
        let parents = format!(
            "map \"Parents\" {{\n id parents\n tables a.groups -> r.parents\n {ops}\n key code = code\n {top}\n}}\n"
        );
        let children = format!(
            "map \"Children\" {{\n id children\n tables a.items -> r.children\n {ops}\n key number = number\n fields {{\n \
             group.code > parent.code\n code > direct.code\n kind > KIND\n }}\n}}\n"
        );
        let mut maps = vec![kinds, parents, children];
        if rng.chance(50) {
            maps.reverse();
        }
        Project { schemas: vec![("a", A.into()), ("r", R.into())], maps, companies: None }
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        let (id, number, g, k) = (1 + rng.below(6), 1 + rng.below(7), 20 + rng.below(4), 1 + rng.below(3));
        let group = *rng.pick(&["null", "20", "21", "22", "23"]);
        let code = *rng.pick(&["null", "null", "'g1'", "'g2'", "'g3'"]);
        let kind = *rng.pick(&["null", "1", "2", "3"]);
        let sql = match rng.below(16) {
            0..=2 => format!("insert or ignore into items values ({id}, 'i{number}', {group}, {kind}, {code})"),
            3 => format!("insert or replace into items values ({id}, 'i{number}', {group}, {kind}, {code})"),
            4 => format!("update items set \"group\" = {group} where id = {id}"),
            5 => format!("update items set kind = {kind}, code = {code} where id = {id}"),
            6 => format!("update items set number = 'i{number}' where id = {id}"),
            7 => format!("delete from items where id = {id}"),
            8..=10 => format!("insert or ignore into groups values ({g}, 'g{}', null)", 1 + rng.below(4)),
            11 => format!("update groups set code = 'g{}' where id = {g}", 1 + rng.below(4)),
            12 => match rng.chance(50) {
                true => format!("delete from groups where id = {g}"),
                // To itself too, or in a ring.
                false => format!("update groups set top = {} where id = {g}", 20 + rng.below(4)),
            },
            13..=14 => format!("insert or ignore into kinds values ({k})"),
            _ => match rng.chance(60) {
                true => format!("update items set id = {} where id = {id}", 1 + rng.below(9)),
                false => format!("update groups set id = {} where id = {g}", 20 + rng.below(4)),
            },
        };
        ("a".into(), sql)
    }
    fn heal(&mut self) -> Vec<(String, String)> {
        [
            "update groups set top = null where top not in (select id from groups)",
            "insert or ignore into kinds values (1), (2), (3)",
            "update items set \"group\" = null where \"group\" not in (select id from groups)",
            "update items set code = null where code not in (select code from groups)",
        ]
        .map(|s| ("a".to_string(), s.to_string()))
        .into()
    }
    fn before_run(&mut self, sim: &Sim) {
        let there = !sim.rows("r", "select 1 from sqlite_master where name = 'parents'").is_empty();
        if !there {
            return;
        }
        let parents = pairs(sim.rows("r", "select id, code from parents"));
        let items = pairs(sim.rows("a", "select number, code from items"));
        for r in sim.rows("r", "select number, direct from children") {
            if let Some(code) = items.get(&r[0]).filter(|c| parents.get(&r[1]) == Some(c)) {
                self.held.insert((r[0].clone(), code.clone(), r[1].clone()));
            }
        }
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        let groups = pairs(sim.rows("a", "select id, code from groups"));
        let parents = pairs(sim.rows("r", "select code, id from parents"));
        let kinds: Vec<String> = sim.rows("r", "select ID from kinds").into_iter().map(|r| r[0].clone()).collect();
        let waits: BTreeMap<(String, String), String> = sim
            .quarantine()
            .into_iter()
            .map(|q| {
                let k: Vec<String> = serde_json::from_str(&q.key).unwrap();
                ((q.leg.clone(), k[0].clone()), format!("{} {}", q.kind, q.message))
            })
            .collect();
        let mut rows: BTreeMap<String, Vec<String>> = sim
            .rows("r", "select number, parent, direct, KIND from children")
            .into_iter()
            .map(|r| (r[0].clone(), r[1..].to_vec()))
            .collect();
        sim.stats.add("debts", waits.values().filter(|w| w.starts_with("debt")).count() as u64);
        sim.stats.add("rings", self.rings(sim));
        let mut open = 0;
        // A group that waits may yet leave its code: who refers to it waits as well.
        let waiting_groups =
            waits.iter().filter(|((l, _), w)| l == "sim/parents/right" && !w.starts_with("debt")).count();
        let groups_wait = waiting_groups > 0;
        for i in sim.rows("a", "select id, number, \"group\", kind, code from items") {
            let wait = waits.get(&("sim/children/right".to_string(), i[0].clone()));
            let reference = |code: Option<&String>| code.and_then(|c| parents.get(c)).cloned();
            let parent = if i[2] == "-" { Some("-".to_string()) } else { reference(groups.get(&i[2])) };
            let direct = if i[4] == "-" { Some("-".to_string()) } else { reference(Some(&i[4])) };
            let kind = (i[3] == "-" || kinds.contains(&i[3])).then(|| i[3].clone());
            match (parent, direct, kind) {
                (Some(_), Some(_), Some(_)) if groups_wait && wait.is_some_and(|w| w.starts_with("parked")) => {
                    open += 1
                }
                (Some(p), Some(d), Some(k)) => {
                    if let Some(w) = wait {
                        return Err(format!("item {} waits though it need not: {w}", i[0]));
                    }
                    match rows.remove(&i[1]) {
                        Some(r) if r == [p.clone(), d.clone(), k.clone()] => {}
                        Some(r)
                            if r[0] == p
                                && r[2] == k
                                && self.held.contains(&(i[1].clone(), i[4].clone(), r[1].clone())) => {}
                        other => return Err(format!("child {} is {other:?}, expected {p} {d} {k}", i[1])),
                    }
                }
                // Its row was there when it was applied, and has got another code since: the reference holds.
                (Some(p), None, Some(_)) if wait.is_none() && rows.get(&i[1]).is_some_and(|r| r[0] == p) => {
                    rows.remove(&i[1]);
                }
                _ => {
                    open += 1;
                    if !wait.is_some_and(|w| w.starts_with("parked")) {
                        return Err(format!("item {} should be parked, and there is {wait:?}", i[0]));
                    }
                }
            }
        }
        let parked = waits.keys().filter(|(l, _)| l == "sim/children/right").count();
        if rows.len() > open || parked != open {
            return Err(format!("children without source {rows:?}; {parked} wait, {open} should"));
        }
        if self.tops && !groups_wait {
            let tops = pairs(sim.rows("r", "select code, top from parents"));
            for g in sim.rows("a", "select code, ifnull(top, '') from groups") {
                let top = groups.get(&g[1]).and_then(|code| parents.get(code)).map_or("-", String::as_str);
                if tops.get(&g[0]).map(String::as_str) != Some(top) {
                    return Err(format!("the top of {} is {:?}, expected {top}", g[0], tops.get(&g[0])));
                }
            }
            if let Some(debt) = waits.values().find(|w| w.starts_with("debt")) {
                return Err(format!("nothing is lacking, and there is a {debt}"));
            }
        }
        let codes: Vec<&String> = groups.values().collect();
        let extra = parents.keys().filter(|c| !codes.contains(c)).count();
        let lacking = codes.iter().filter(|c| !parents.contains_key(**c)).count();
        if extra > waiting_groups || lacking > waiting_groups {
            return Err(format!("parents {parents:?}, groups {groups:?}, {waiting_groups} wait: {waits:?}"));
        }
        Ok(())
    }
}

#[test]
fn simulate_references() {
    simulate(
        &Share::of("references", 60),
        &[72, 80, 95, 227, 230, 261, 288, 291],
        &["parks", "debts", "deletes", "crashes", "updates"],
        &|_| Box::new(References::default()),
    );
}
