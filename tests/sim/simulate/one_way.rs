//! One way: a filter that follows a lookup, deletes and exits, lookups of one and two steps, `on missing null`, a value
//! map with gaps, `once`, values that are too long, keys that change, swap and are displaced.

use super::{Project, Rng, Share, Sim, Template, simulate};
use std::collections::{BTreeMap, BTreeSet};

const A: &str = "
store: a
tables:
  orders:
    primary_key: [id]
    columns:
      id: integer
      number: { type: text(20), required: true }
      name: text(100)
      status: integer
      customer: { type: integer, lookup: customers }
    alternate_keys: [[number]]
  customers:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      account: { type: text(20), required: true }
      blocked: integer
      group: { type: integer, lookup: groups }
    alternate_keys: [[account]]
  groups:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      code: text(10)
";

const B: &str = "
store: b
tables:
  Invoices:
    primary_key: [ROWNO]
    columns:
      ROWNO: { type: integer, generated: true }
      NUMBER: { type: text(24), required: true }
      NAME: text(12)
      STATUS: text(10)
      ACCOUNT: text(20)
      GROUPCODE: text(10)
      FIRSTNAME: text(100)
      NOTE: text(50)
    alternate_keys: [[NUMBER]]
";

pub struct OneWay {
    /// The target's primary key is its own, or the integration key.
    computed: bool,
}

impl Template for OneWay {
    fn project(&mut self, rng: &mut Rng) -> Project {
        self.computed = rng.chance(30);
        let key = if self.computed { "NUMBER << concat('K', number)" } else { "NUMBER = number" };
        let map = format!(
            "
map \"Orders\" {{
  id orders
  tables b.Invoices <- a.orders
  operations left: create, update, delete
  key {key}
  filter right: status > 0 and (customer is null or customer.blocked != 1)
  on exit left: delete
  fields {{
    NAME      << name | trim()
    STATUS    << status {{ 'open' < 1, 'paid' < 2, null > null }}
    ACCOUNT   <  customer.account
    GROUPCODE <  customer.group.code on missing null
    FIRSTNAME << name once
  }}
}}
"
        );
        let map = map.replace(", null > null", "");
        let b = if rng.chance(50) {
            B.replace("primary_key: [ROWNO]", "primary_key: [NUMBER]")
                .replace("      ROWNO: { type: integer, generated: true }\n", "")
                .replace("    alternate_keys: [[NUMBER]]\n", "")
        } else {
            B.to_string()
        };
        Project { schemas: vec![("a", A.into()), ("b", b)], maps: vec![map], companies: None }
    }

    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        let id = 1 + rng.below(8);
        let other = 1 + rng.below(8);
        let number = 1 + rng.below(9);
        let customer = *rng.pick(&["null", "10", "11", "12", "13"]);
        let status = *rng.pick(&[0, 1, 1, 2, 2, 3]);
        let name = *rng.pick(&["'n1'", "' n2 '", "'third'", "null", "'a name that is too long'"]);
        let c = 10 + rng.below(4);
        let g = 20 + rng.below(3);
        let sql = match rng.below(26) {
            0..=3 => format!("insert or ignore into orders values ({id}, 'N{number}', {name}, {status}, {customer})"),
            4 => format!("insert or replace into orders values ({id}, 'N{number}', {name}, {status}, {customer})"),
            5..=6 => format!("update orders set name = {name} where id = {id}"),
            7..=8 => format!("update orders set status = {status} where id = {id}"),
            9 => format!("update orders set customer = {customer} where id = {id}"),
            10 => format!("update orders set number = 'N{number}' where id = {id}"),
            11 => format!("update or replace orders set number = 'N{number}' where id = {id}"),
            12 => format!(
                "update orders set number = 'tmp' where id = {id}; update orders set number = ifnull((select number from \
                 orders where id = -{other}), number) where id = {id}; update orders set number = 'N{number}x' where id = {id}"
            ),
            13 => format!(
                "create temp table if not exists sw(a, b); delete from sw; insert into sw select (select number from orders \
                 where id = {id}), (select number from orders where id = {other}); \
                 update orders set number = 'swap' where id = {id} and exists (select 1 from sw where a is not null and b is not null and a <> b); \
                 update orders set number = (select a from sw) where id = {other} and exists (select 1 from sw where a is not null and b is not null and a <> b); \
                 update orders set number = (select b from sw) where id = {id} and exists (select 1 from sw where a is not null and b is not null and a <> b)"
            ),
            14 => format!("update orders set id = {} where id = {id}", 1 + rng.below(12)),
            15..=16 => format!("delete from orders where id = {id}"),
            17..=18 => format!("insert or ignore into customers values ({c}, 'C{c}', 0, {g})"),
            19 => format!("update customers set account = 'C{c}{}' where id = {c}", rng.below(3)),
            20 => format!("update customers set blocked = 1 - blocked where id = {c}"),
            21 => format!("update customers set \"group\" = {} where id = {c}", *rng.pick(&["20", "21", "22", "null"])),
            22 => format!("delete from customers where id = {c}"),
            23 => format!("insert or replace into groups values ({g}, 'G{}')", rng.below(30)),
            24 => match rng.chance(50) {
                true => format!("delete from groups where id = {g}"),
                false => format!("update customers set id = {} where id = {c}", 10 + rng.below(4)),
            },
            _ => {
                let n = rng.below(4);
                return (
                    "b".into(),
                    match rng.chance(50) {
                        true => format!("update Invoices set NOTE = 'note{n}' where NUMBER like '%N{number}'"),
                        false => format!("insert or ignore into Invoices(NUMBER, NAME) values ('H{n}', 'hand')"),
                    },
                );
            }
        };
        ("a".into(), sql)
    }

    fn heal(&mut self) -> Vec<(String, String)> {
        [
            "update orders set name = 'healed' where length(trim(name)) > 12",
            "update orders set status = 2 where status = 3",
            "insert or ignore into customers values (10, 'C10h', 0, 20), (11, 'C11h', 0, null), (12, 'C12h', 1, 20), (13, 'C13h', 0, 22)",
        ]
        .map(|s| ("a".to_string(), s.to_string()))
        .into()
    }

    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        let customers: BTreeMap<String, Vec<String>> = sim
            .rows("a", "select id, account, blocked, \"group\" from customers")
            .into_iter()
            .map(|r| (r[0].clone(), r))
            .collect();
        let groups: BTreeMap<String, String> =
            sim.rows("a", "select id, code from groups").into_iter().map(|r| (r[0].clone(), r[1].clone())).collect();
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut waiting: BTreeMap<String, &str> = BTreeMap::new();
        for o in sim.rows("a", "select id, number, name, status, customer from orders order by id") {
            let (id, number, name, status, customer) = (&o[0], &o[1], &o[2], &o[3], &o[4]);
            let number = if self.computed { format!("K{number}") } else { number.clone() };
            let of = customers.get(customer);
            let open = customer == "-" || of.is_some_and(|c| c[2] != "1");
            if status == "0" || !open {
                continue;
            }
            let name = if name == "-" { "-".to_string() } else { name.trim().to_string() };
            if name.len() > 12 {
                waiting.insert(id.clone(), "failed");
                continue;
            }
            let status = match status.as_str() {
                "1" => "open",
                "2" => "paid",
                _ => {
                    waiting.insert(id.clone(), "failed");
                    continue;
                }
            };
            let account = of.map_or("-".to_string(), |c| c[1].clone());
            let group = of.and_then(|c| groups.get(&c[3])).cloned().unwrap_or("-".into());
            expected.insert(number, vec![name, status.into(), account, group]);
        }
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for q in sim.quarantine() {
            if q.leg != "sim/orders/left" {
                return Err(format!("{} in quarantine", q.leg));
            }
            let id: Vec<String> = serde_json::from_str(&q.key).unwrap();
            seen.insert(id[0].clone(), q.kind.clone());
        }
        let should: BTreeMap<String, String> = waiting.iter().map(|(k, v)| (k.clone(), v.to_string())).collect();
        if seen != should {
            let texts: Vec<String> = sim.quarantine().into_iter().map(|q| q.message).collect();
            return Err(format!("in quarantine {seen:?}, expected {should:?}: {texts:?}"));
        }
        let mut orphans = 0;
        let mut there = BTreeSet::new();
        for r in sim.rows("b", "select NUMBER, NAME, STATUS, ACCOUNT, GROUPCODE from Invoices") {
            there.insert(r[0].clone());
            match expected.get(&r[0]) {
                Some(e) if *e == r[1..] => {}
                Some(e) => return Err(format!("{} is {:?}, expected {e:?}", r[0], &r[1..])),
                None if r[0].starts_with('H') => {}
                None => orphans += 1,
            }
        }
        if let Some(k) = expected.keys().find(|k| !there.contains(*k)) {
            return Err(format!("{k} is missing in the target"));
        }
        if orphans > waiting.len() {
            return Err(format!(
                "{orphans} rows in the target have no source, {} records wait: {there:?}",
                waiting.len()
            ));
        }
        Ok(())
    }
}

#[test]
fn simulate_one_way() {
    simulate(&Share::of("one way", 90), &[133, 236, 373], &["quarantines", "deletes", "crashes", "updates"], &|_| {
        Box::new(OneWay { computed: false })
    });
}
