//! A store that was restored from a backup, or replaced: found, told, compared, gone on from.

use super::project::Site;
use super::{one, store};

const PEOPLE: &str = "store: a\ntables:\n  people:\n    primary_key: [id]\n    columns:\n      id: { type: integer, generated: true }\n      number: { type: text(20), required: true }\n      name: text(30)\n      own: text(30)\n    alternate_keys: [[number]]\n";
const CUSTOMERS: &str = "store: b\ntables:\n  Customers:\n    primary_key: [ACCOUNT]\n    columns:\n      ACCOUNT: { type: text(20), required: true }\n      NAME: text(30)\n      OWN: text(30)\n";

fn one_way() -> Site {
    let map = one("operations left: create, update, delete\n fields {\n V < v\n}");
    Site::new(&[("a", &store("a", "s", "id", "v: text(9)")), ("b", &store("b", "t", "ID", "V: text(9)"))], &[&map])
}

fn two_way(policy: &str) -> Site {
    let map = format!(
        "map \"People\" {{\n  id people\n  tables b.Customers <-> a.people\n  key ACCOUNT = number\n  initial left wins\n  conflict {policy}\n  fields {{\n    NAME = name\n    OWN < own\n  }}\n}}\n"
    );
    Site::new(&[("a", PEOPLE), ("b", CUSTOMERS)], &[&map])
}

impl Site {
    fn back_up(&self, store: &str) {
        self.w.sql(store, &format!("vacuum into '{}'", self.path("backup.db").display()));
    }
    fn restore(&self, store: &str) {
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(self.path(&format!("{store}.db{end}")));
        }
        std::fs::rename(self.path("backup.db"), self.path(&format!("{store}.db"))).unwrap();
    }
    fn t(&self) -> Vec<String> {
        self.w.rows("b", "select * from t order by 1")
    }
    fn both(&self) -> (Vec<String>, Vec<String>) {
        (
            self.w.rows("b", "select * from Customers order by 1"),
            self.w.rows("a", "select number, name, own from people order by 1"),
        )
    }
    fn states(&self) -> Vec<String> {
        let status = self.run(&["status", "--format", "json"]).json();
        status["legs"].as_array().unwrap().iter().map(|l| l["state"].as_str().unwrap().to_string()).collect()
    }
}

#[test]
fn a_restored_source_of_a_one_way_map_is_written_again() {
    let s = one_way();
    s.w.sql("a", "insert into s values (1, 'a'), (2, 'b')");
    s.run(&["sync"]).says(0, &[]);
    s.back_up("a");
    s.w.sql("a", "update s set v = 'new' where id = 1; insert into s values (3, 'c'); delete from s where id = 2");
    s.once();
    assert_eq!(s.t(), ["1|new", "3|c"]);
    s.restore("a");
    s.w.sql("a", "insert into s values (4, 'd')");
    s.run(&["run", "--once"]).says(1, &["stopped", "tablemap recover"]);
    assert_eq!((s.states(), s.t()), (vec!["needs recover".to_string()], vec!["1|new".into(), "3|c".into()]));
    let dry = s.run(&["recover", "--dry-run", "--format", "json"]).json();
    let leg = &dry["legs"][0];
    assert_eq!((leg["created"].as_u64(), leg["updated"].as_u64()), (Some(2), Some(1)), "{dry}");
    assert_eq!((leg["only_in_target"].as_u64(), &leg["examples"][0]), (Some(1), &serde_json::json!("t ID=3")), "{dry}");
    assert_eq!((s.states()[0].as_str(), s.t().len()), ("needs recover", 2), "a dry run leaves all as it was");
    s.run(&["recover", "c"]).says(2, &["no store is called `c`"]);
    s.run(&["recover"]).says(0, &["only on one side", "t ID=3"]);
    assert_eq!(s.t(), ["1|a", "2|b", "3|c", "4|d"], "what the source does not have is told, not deleted");
    s.w.sql("a", "update s set v = 'live' where id = 4; delete from s where id = 1");
    s.once();
    assert_eq!(
        (s.t(), s.states()),
        (vec!["2|b".into(), "3|c".into(), "4|live".to_string()], vec!["running".to_string()])
    );
    s.run(&["recover"]).says(0, &["no map needs it"]);
    s.run(&["recover", "a"]).says(0, &["t ID=3"]);
    s.w.assert_quiet();
}

#[test]
fn a_restored_side_of_a_two_way_map_is_compared_by_the_maps_policy() {
    for policy in ["left wins", "right wins", "hold"] {
        let s = two_way(policy);
        s.w.sql("b", "insert into Customers values ('1', 'n', 'x'), ('2', 'm', 'y')");
        s.run(&["sync"]).says(0, &[]);
        s.back_up("a");
        s.w.sql("a", "update people set name = 'lost', own = 'lost' where number = '1'; insert into people(number, name) values ('3', 'k')");
        s.w.sql("b", "insert into Customers values ('4', 'j', 'z')");
        s.once();
        s.restore("a");
        s.w.sql("a", "insert into people(number, name) values ('5', 'i')");
        s.run(&["run", "--once"]).says(1, &["people", "recover"]);
        assert_eq!(s.states(), ["needs recover", "needs recover"]);
        assert_eq!(s.both().0[0], "1|lost|lost");
        let held = policy == "hold";
        let dry = s.run(&["recover", "--dry-run", "--format", "json"]).json();
        s.run(&["recover"]).says(i32::from(held), &["only on one side"]);
        let told = s.run(&["conflicts", "list", "--all", "--format", "json"]).json();
        assert_eq!(told["conflicts"].as_array().unwrap().len(), 1, "{told}");
        let conflicts: u64 = dry["legs"].as_array().unwrap().iter().map(|l| l["conflicts"].as_u64().unwrap()).sum();
        let alone: u64 = dry["legs"].as_array().unwrap().iter().map(|l| l["only_in_source"].as_u64().unwrap()).sum();
        assert_eq!((conflicts, alone), (1, 3), "{policy} {dry}");
        if held {
            let id = told["conflicts"][0]["id"].as_str().unwrap();
            s.run(&["conflicts", "show", id]).says(0, &["NAME = name", "lost", "n"]);
            s.run(&["conflicts", "resolve", id, "--left"]).says(0, &[]);
            s.once();
        }
        let name = if policy == "right wins" { "n" } else { "lost" };
        let (left, right) = s.both();
        // A line of one direction is what its source has; nobody knows who is right about rows on one side.
        assert_eq!(left, [format!("1|{name}|-"), "2|m|-".into(), "3|k|-".into(), "4|j|z".into()], "{policy}");
        assert_eq!(right, [format!("1|{name}|-"), "2|m|-".into(), "5|i|-".into()], "{policy}");
        // Both directions go on.
        s.w.sql("a", "update people set name = 'M' where number = '2'; update people set own = 'o' where number = '5'");
        s.w.sql("b", "update Customers set NAME = 'K' where ACCOUNT = '3'");
        s.once();
        let (left, right) = s.both();
        assert_eq!((left[1].as_str(), left.len()), ("2|M|-", 5), "{policy}");
        assert!(right.contains(&"3|K|-".to_string()), "{policy} {right:?}");
        s.w.assert_quiet();
    }
}

#[test]
fn a_replaced_store_is_not_copied_from_before_somebody_says_so() {
    let s = two_way("left wins");
    s.w.sql("b", "insert into Customers values ('1', 'n', 'x'), ('2', 'm', 'y')");
    s.run(&["sync"]).says(0, &[]);
    std::fs::remove_file(s.path("a.db")).unwrap();
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(s.path(&format!("a.db{end}")));
    }
    s.w.sql("a", "create table people(id integer primary key, number text unique not null, name text, own text); insert into people values (7, '1', 'other', null)");
    s.run(&["run", "--once"]).says(1, &["is another one than before"]);
    assert_eq!(s.both(), (vec!["1|n|-".into(), "2|m|-".into()], vec!["1|other|-".into()]));
    s.run(&["recover"]).says(0, &["only on one side"]);
    assert_eq!(s.both(), (vec!["1|n|-".into(), "2|m|-".into()], vec!["1|n|-".into()]));
    s.once();
    s.w.assert_quiet();
}
