//! Rules of docs/protocol.md that no feature shows: what a crash between two commits leaves, who may still write, what a
//! leg says of its place in the log.

use crate::features::{one, s, store, t};
use crate::harness::{World, counts};
use std::sync::atomic::{AtomicUsize, Ordering};
use tablemap::engine::{Engine, EngineError, Env, LegReport, Limits, Observer, Quiet};
use tablemap::schema::TableId;
use tablemap::store::StoreError;

/// More points than a run of these tests has.
const POINTS: u32 = 60;

fn limits() -> Limits {
    Limits { chunk_rows: 1, batch_rows: 1, live_rows: 1, apart_rows: 1, log_rows: 1, ..Limits::default() }
}

fn world(map: &str) -> World {
    let columns = ("v: text(9)\nw: text(9)", "V: text(9)\nW: text(9)");
    World::new(&[("a", &store("a", "s", "id", columns.0)), ("b", &store("b", "t", "ID", columns.1))], &[map])
        .limits(limits())
}

fn one_way() -> World {
    let w = world(&one("operations left: create, update, delete\n fields {\n V < v\n}"));
    w.sql("a", "insert into s values (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')");
    w
}

/// A map of two directions; `master` is who wins at first.
fn both_ways(master: &str, policy: &str) -> World {
    world(&format!(
        "map \"M\" {{\n id m\n tables b.t <-> a.s\n key ID = id\n initial {master} wins\n conflict {policy} wins\n fields {{\n V = v\n}}\n}}"
    ))
}

fn two_way(policy: &str) -> World {
    let w = both_ways("left", policy);
    w.sql("b", "insert into t(ID, V) values (1, 'a'), (2, 'b'), (3, 'c')");
    w.sync();
    w
}

/// Records that look something up.
fn looking_up(statements: &str) -> World {
    let a = "store: a\ntables:\n  s:\n    primary_key: [id]\n    columns:\n      id: integer\n      v: text(9)\n      g: { type: integer, lookup: g }\n  g:\n    filled: elsewhere\n    primary_key: [id]\n    columns: { id: integer, code: text(9), ok: boolean }\n";
    let map =
        one(&format!("operations left: create, update, delete\n {statements}\n fields {{\n V < v\n W < g.code\n}}"));
    let w = World::new(&[("a", a), ("b", &store("b", "t", "ID", "V: text(9)\nW: text(9)"))], &[&map]).limits(limits());
    w.sql(
        "a",
        "insert into g values (1, 'G', 1), (2, 'H', 0); insert into s values (1, 'a', 1), (2, 'b', 1), (3, 'c', 1)",
    );
    w.sync();
    w
}

/// An engine that dies at its `n`th point.
fn mortal(w: &World, n: u32) -> Engine {
    let mut engine = w.engine();
    engine.env = Env::default().failing_at(n);
    engine
}

/// A copy that died after its first row.
fn half_copied() -> World {
    for n in 1..POINTS {
        let w = one_way();
        let died = mortal(&w, n).sync(None, None, &Quiet);
        if t(&w).len() == 1 && matches!(died, Err(EngineError::Cancelled)) {
            return w;
        }
    }
    panic!("no point lies between the first row and the second");
}

/// Does something as soon as a leg into a side begins to copy.
struct AtStart<F>(F);

impl<F: Fn(&str) + Send + Sync> Observer for AtStart<F> {
    fn leg_started(&self, _: &str, into: &str, _: Option<u64>) {
        (self.0)(into);
    }
}

/// Does something as soon as a leg of a map is through.
struct AtEnd<F>(F);

impl<F: Fn(&str) + Send + Sync> Observer for AtEnd<F> {
    fn leg_finished(&self, report: &LegReport) {
        (self.0)(&report.map);
    }
}

/// How many conflicts both sides have written down.
fn conflicts(w: &World) -> usize {
    ["a", "b"].iter().map(|store| w.rows(store, "select * from _tablemap_conflicts").len()).sum()
}

#[test]
fn an_engine_that_was_taken_over_writes_nothing() {
    let w = one_way();
    let other = w.engine();
    let done = w.engine().sync(None, None, &AtStart(|_: &str| other.set_up().unwrap()));
    assert!(matches!(done, Err(EngineError::Store(StoreError::Fenced { .. }))), "{done:?}");
    assert_eq!(t(&w), Vec::<String>::new());
}

#[test]
fn an_engine_that_was_taken_over_notes_no_beginning() {
    let later = "map \"N\" {\n id n\n tables b.t <- a.s\n key ID = id\n fields {\n W < w\n}\n}";
    let first = "map \"M\" {\n id m\n tables b.t <-> a.s\n key ID = id\n initial left wins\n conflict left wins\n fields {\n V = v\n}\n}";
    let mut w = world(first);
    w.sql("b", "insert into t(ID, V) values (1, 'a')");
    w.sync();
    let table = [TableId(0)];
    w.engine().suspend(0, &table).unwrap();
    w.engine().resume_capture(0, &table).unwrap();
    // The new map comes first, and is copied when the other one has been compared.
    w.set_maps(&[later, first]);
    let other = w.engine();
    let compared = AtomicUsize::new(0);
    let taken_over = AtEnd(|map: &str| {
        if map == "m" && compared.fetch_add(1, Ordering::Relaxed) == 1 {
            other.run_once(None, &Quiet).unwrap();
        }
    });
    let done = w.engine().run_once(None, &taken_over);
    assert!(matches!(done, Err(EngineError::Store(StoreError::Fenced { .. }))), "{done:?}");
    // A beginning that came late would have made it forget how far the other one had come.
    let phases = w.rows("b", "select phase from _tablemap_progress where leg like '%/n/%'");
    assert_eq!(phases, ["live"]);
}

#[test]
fn what_an_operator_says_during_a_copy_is_kept() {
    let w = one_way();
    let other = w.engine();
    let pause = AtStart(|_: &str| assert_eq!(other.set_desired(0, None, "pause").unwrap(), 1));
    w.engine().sync(None, None, &pause).unwrap();
    assert_eq!(w.rows("b", "select desired from _tablemap_progress"), ["pause"]);
}

#[test]
fn a_copy_that_died_goes_on_behind_its_last_chunk() {
    let w = half_copied();
    assert_eq!(counts(&w.run(), "m", "left"), [2, 0, 0, 0, 0, 0, 0]);
    assert_eq!(t(&w), ["1|a|-", "2|b|-", "3|c|-"]);
    w.assert_quiet();
}

#[test]
fn a_map_that_was_edited_in_the_middle_of_its_copy_is_copied_from_the_start() {
    let mut w = half_copied();
    w.set_maps(&[&one("operations left: create, update, delete\n fields {\n V << upper(v)\n}")]);
    w.run();
    assert_eq!(t(&w), ["1|A|-", "2|B|-", "3|C|-"]);
}

#[test]
fn what_changes_behind_a_copy_that_died_arrives() {
    let w = half_copied();
    w.sql("a", "update s set v = 'new' where id = 1");
    w.run();
    assert_eq!(t(&w), ["1|new|-", "2|b|-", "3|c|-"]);
    w.assert_quiet();
}

#[test]
fn what_arrived_before_a_crash_is_no_conflict_after_it() {
    let mut answered = 0;
    for n in 1..POINTS {
        let w = two_way("right");
        // Two log rows of one record, with another record between them.
        w.sql("a", "update s set v = 'one' where id = 1; update s set v = 'two' where id = 2");
        w.sql("a", "update s set v = 'won' where id = 1");
        let died = mortal(&w, n).run_once(None, &Quiet).is_err();
        // Who sees what arrived, and changes it, has the last word.
        let seen = w.rows("b", "select ID from t where V in ('won', 'two')");
        w.sql("b", "update t set V = 'answer' where V in ('won', 'two')");
        w.run();
        for id in &seen {
            answered += usize::from(died);
            assert!(t(&w).contains(&format!("{id}|answer|-")), "died at {n}: {:?}", t(&w));
            assert!(s(&w).contains(&format!("{id}|answer|-")), "died at {n}: {:?}", s(&w));
        }
        assert_eq!(conflicts(&w), 0, "died at {n}");
        w.assert_quiet();
        if !died {
            assert!(answered > 0, "nothing arrived before a crash");
            return;
        }
    }
    panic!("a run has more than {POINTS} points");
}

#[test]
fn no_leg_says_that_it_read_what_it_has_not_carried() {
    for n in 1..POINTS {
        let w = one_way();
        w.sync();
        w.sql("a", "update s set v = 'one' where id = 1; update s set v = 'two' where id = 2");
        w.sql("a", "update s set v = 'three' where id = 3");
        let died = mortal(&w, n).run_once(None, &Quiet).is_err();
        let number = |store, sql| w.rows(store, sql)[0].parse::<i64>().unwrap();
        let acked = number("a", "select acked from _tablemap_readers");
        let position = number("b", "select position from _tablemap_progress");
        assert!(acked <= position, "died at {n}: the log may be cut up to {acked}, and the leg stands at {position}");
        if !died {
            return;
        }
    }
    panic!("a run has more than {POINTS} points");
}

#[test]
fn maps_that_take_over_leave_those_before_what_they_read() {
    let mut w = one_way();
    w.sync();
    let before = w.engine();
    before.set_up().unwrap();
    w.set_maps(&[&one("operations left: create, update, delete\n fields {\n W < w\n}")]);
    w.engine().widen_from(&before).unwrap();
    w.sql("a", "update s set v = 'late' where id = 2");
    before.settle(None, &Quiet).unwrap();
    assert_eq!(t(&w)[1], "2|late|-");
}

/// Lets a run die at each of its points, and the next one go on; then `check`. Records are taken up one by one, and all
/// at once.
fn dying(make: impl Fn() -> World, change: &str, check: impl Fn(&World)) {
    for log_rows in [1, 50] {
        dying_with(Limits { log_rows, ..limits() }, &make, change, &check);
    }
}

fn dying_with(limits: Limits, make: impl Fn() -> World, change: &str, check: impl Fn(&World)) {
    for n in 1..POINTS {
        let w = make().limits(limits);
        w.sql("a", change);
        let died = mortal(&w, n).run_once(None, &Quiet).is_err();
        w.run();
        check(&w);
        w.assert_quiet();
        if !died {
            return;
        }
    }
    panic!("a run has more than {POINTS} points");
}

#[test]
fn what_a_run_left_when_it_died_the_next_one_carries() {
    let change = "update s set v = 'one' where id = 1; insert into s values (4, 'd', 'w');
        update s set v = 'two' where id = 2; delete from s where id = 3; update s set v = 'end' where id = 1";
    let copied = || {
        let w = one_way();
        w.sync();
        w
    };
    dying(copied, change, |w| assert_eq!(t(w), ["1|end|-", "2|two|-", "4|d|-"]));
}

#[test]
fn a_run_that_died_among_the_users_of_a_changed_row_does_all_of_them() {
    let check = |w: &World| assert_eq!(t(w), ["1|a|new", "2|b|new", "3|c|new"]);
    dying(|| looking_up(""), "update g set code = 'new'", check);
}

#[test]
fn records_that_left_by_a_lookup_go_although_the_run_died() {
    // The second record looks another row up by the time the first one is done.
    let change = "update s set v = 'x' where id = 1; update g set ok = 0; update s set g = 2 where id = 2";
    let make = || looking_up("filter right: g.ok\n on exit left: delete");
    // In one stretch: docs/guarantees.md names the gap between two.
    let limits = Limits { log_rows: 50, ..limits() };
    dying_with(limits, make, change, |w| assert_eq!(t(w), Vec::<String>::new()));
}

#[test]
fn a_record_that_came_by_a_lookup_before_the_run_died_goes_when_it_is_deleted() {
    for n in 1..POINTS {
        let w = looking_up("filter right: g.ok\n on exit left: delete");
        w.sql("a", "update g set ok = 0");
        w.run();
        w.sql("a", "update g set ok = 1");
        let died = mortal(&w, n).run_once(None, &Quiet).is_err();
        w.sql("a", "delete from s where id = 1");
        w.run();
        assert_eq!(t(&w).len(), 2, "died at {n}: {:?}", t(&w));
        if !died {
            return;
        }
    }
    panic!("a run has more than {POINTS} points");
}

#[test]
fn who_looks_up_a_row_that_goes_hears_of_it() {
    let w = looking_up("");
    w.sql("a", "delete from g");
    w.run();
    assert_eq!(w.errors().len(), 3, "{:?}", w.errors());
    w.sql("a", "insert into g values (1, 'back', 1)");
    w.run();
    assert_eq!((t(&w)[0].as_str(), w.errors().len()), ("1|a|back", 0));
}

#[test]
fn what_we_wrote_before_a_crash_is_no_change_of_the_other_side() {
    for n in 1..POINTS {
        let w = two_way("left");
        w.sql("a", "update s set v = 'one' where id = 1");
        let died = mortal(&w, n).run_once(None, &Quiet).is_err();
        w.sql("a", "update s set v = 'two' where id = 1");
        w.run();
        assert_eq!((t(&w)[0].as_str(), s(&w)[0].as_str()), ("1|two|-", "1|two|-"), "died at {n}");
        assert_eq!(conflicts(&w), 0, "died at {n}");
        if !died {
            return;
        }
    }
    panic!("a run has more than {POINTS} points");
}

#[test]
fn a_conflict_that_was_decided_before_a_crash_is_none_after_it() {
    for n in 1..POINTS {
        let w = two_way("right");
        w.sql("b", "update t set V = 'left' where ID = 1");
        w.sql("a", "update s set v = 'right' where id = 1");
        let died = mortal(&w, n).run_once(None, &Quiet).is_err();
        w.sql("a", "update s set v = 'after' where id = 1");
        w.run();
        assert_eq!((t(&w)[0].as_str(), s(&w)[0].as_str()), ("1|after|-", "1|after|-"), "died at {n}");
        assert_eq!(conflicts(&w), 1, "died at {n}");
        if !died {
            return;
        }
    }
    panic!("a run has more than {POINTS} points");
}

#[test]
fn what_a_copy_has_seen_is_no_change_after_it() {
    let mut answered = 0;
    for n in 1..POINTS {
        let w = both_ways("right", "right");
        w.sql("a", "insert into s(id, v) values (1, 'a'), (2, 'b')");
        // After the place in the log was noted, before the first row was read.
        let change = AtStart(|_: &str| w.sql("a", "update s set v = 'seen' where v = 'a'"));
        let died = mortal(&w, n).sync(None, None, &change).is_err();
        if t(&w).len() == 2 {
            w.sql("b", "update t set V = 'answer' where ID = 1");
            w.run();
            assert_eq!((t(&w)[0].as_str(), s(&w)[0].as_str()), ("1|answer|-", "1|answer|-"), "died at {n}");
            assert_eq!(conflicts(&w), 0, "died at {n}");
            answered += usize::from(died);
        }
        if !died {
            assert!(answered > 0, "nothing was copied before a crash");
            return;
        }
    }
    panic!("a copy has more than {POINTS} points");
}

#[test]
fn what_changes_between_the_directions_of_a_copy_is_kept() {
    let w = both_ways("left", "right");
    w.sql("b", "insert into t(ID, V) values (1, 'a')");
    let change = AtStart(|into: &str| {
        if into == "left" {
            w.sql("b", "update t set V = 'later'");
        }
    });
    w.engine().sync(None, None, &change).unwrap();
    assert_eq!((t(&w), s(&w)), (vec!["1|later|-".to_string()], vec!["1|later|-".to_string()]));
    assert_eq!(conflicts(&w), 0);
}

#[test]
fn a_value_that_went_and_came_back_is_no_change() {
    let w = two_way("right");
    w.sql("a", "update s set v = 'x' where id = 1; update s set v = 'a' where id = 1");
    w.sql("b", "update t set V = 'other' where ID = 1");
    w.run();
    assert_eq!((t(&w)[0].as_str(), s(&w)[0].as_str()), ("1|other|-", "1|other|-"));
    assert_eq!(conflicts(&w), 0);
}

#[test]
fn a_second_copy_writes_nothing() {
    let w = one_way();
    w.sync();
    assert_eq!(counts(&w.sync(), "m", "left"), [0, 0, 0, 3, 0, 0, 0]);
}

#[test]
fn a_new_copy_finds_the_rows_whose_keys_changed_since() {
    let w = one_way();
    w.sync();
    w.sql("b", "update t set W = 'note' where ID = 1");
    w.sql("a", "update s set id = 9 where id = 1");
    w.sync();
    assert_eq!(t(&w), ["2|b|-", "3|c|-", "9|a|note"]);
}

#[test]
fn a_table_that_lost_its_triggers_is_copied_again() {
    let w = one_way();
    w.sync();
    w.sql("a", "drop trigger _tablemap_capture_s_update; update s set v = 'unseen' where id = 1");
    w.run();
    assert_eq!(t(&w)[0], "1|unseen|-");
}

#[test]
fn what_waits_of_a_record_is_told_under_the_key_it_has() {
    let w = one_way();
    w.sync();
    w.sql("a", "update s set v = 'much too long' where id = 1");
    w.run();
    w.sql("a", "update s set id = 9 where id = 1");
    w.run();
    let errors = w.errors();
    assert!(errors.len() == 1 && errors[0].contains("id=9"), "{errors:?}");
    w.sql("a", "update s set v = 'fine' where id = 9");
    w.run();
    assert_eq!((w.errors().len(), t(&w)), (0, vec!["2|b|-".to_string(), "3|c|-".into(), "9|fine|-".into()]));
}

#[test]
fn what_a_record_was_before_it_held_a_bad_value_is_known() {
    let w = two_way("right");
    w.sql("a", "update s set v = 'much too long' where id = 1");
    w.run();
    assert_eq!(w.errors().len(), 1);
    w.sql("a", "update s set v = 'a' where id = 1");
    w.sql("b", "update t set V = 'other' where ID = 1");
    w.run();
    assert_eq!((t(&w)[0].as_str(), s(&w)[0].as_str()), ("1|other|-", "1|other|-"));
    assert_eq!((w.errors().len(), conflicts(&w)), (0, 0));
}

#[test]
fn what_waited_of_a_log_that_is_no_more_is_forgotten() {
    let w = one_way();
    w.sync();
    let kept = w.dir.path().join("kept.db");
    w.sql("a", &format!("vacuum into '{}'", kept.display()));
    w.sql("a", "insert into s values (9, 'much too long', '')");
    w.run();
    assert_eq!(w.errors().len(), 1);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(w.dir.path().join(format!("a.db{end}")));
    }
    std::fs::rename(&kept, w.path("a")).unwrap();
    assert_eq!(w.run().stopped.len(), 1);
    w.engine().recover(None, false, &Quiet).unwrap();
    assert_eq!(w.errors(), Vec::<String>::new());
}

#[test]
fn a_store_that_fails_at_a_row_is_not_the_records_fault() {
    let w = one_way();
    w.sql("b", "create trigger broken after insert on t begin insert into not_there values (new.ID); end");
    assert!(matches!(w.engine().sync(None, None, &Quiet), Err(EngineError::Store(_))));
    assert_eq!(w.errors(), Vec::<String>::new());
}

#[test]
fn a_refused_row_leaves_nothing_behind() {
    let w = one_way();
    w.sql(
        "b",
        "create table seen(id); create trigger half after insert on t when new.V = 'b'
         begin insert into seen values (new.ID); select raise(fail, 'no b'); end",
    );
    w.sync();
    assert_eq!((t(&w), w.errors().len()), (vec!["1|a|-".to_string(), "3|c|-".into()], 1));
    assert_eq!(w.rows("b", "select * from seen"), Vec::<String>::new());
}

/// Writes into the source at some points of a first copy of one row a chunk.
fn copied_amid(acts: [(usize, &'static str); 2]) -> World {
    let w = one_way();
    let path = w.path("a");
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let write = move |_: &str| {
        let n = seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        for (_, sql) in acts.iter().filter(|(at, _)| *at == n) {
            rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        }
    };
    w.engine_in(Env::default().at_points(write)).sync(None, None, &Quiet).unwrap();
    w
}

/// A record whose key changes twice, and one that comes and goes across the cursor: no chunk sees what was in between.
#[test]
fn what_changes_twice_during_a_copy_leaves_nothing_behind() {
    for n in 0..9 {
        for between in 0..4 {
            let w = copied_amid([
                (n, "update s set id = 7 where id = 2; insert into s values (8, 'd', 'x')"),
                (n + between, "update s set id = 9 where id = 7; delete from s where id = 8"),
            ]);
            assert_eq!(t(&w), ["1|a|-", "3|c|-", "9|b|-"], "at points {n} and {}", n + between);
            w.assert_quiet();
        }
    }
}
