//! Rules of docs/protocol.md that no feature shows: what a crash between two commits leaves, who may still write, what a
//! leg says of its place in the log.

use crate::features::{one, s, store, t};
use crate::harness::{World, counts};
use tablemap::engine::{Engine, EngineError, Env, Limits, Observer, Quiet};
use tablemap::store::StoreError;

/// More points than a run of these tests has.
const POINTS: u32 = 60;

fn limits() -> Limits {
    Limits { chunk_rows: 1, batch_rows: 1, live_rows: 1, log_rows: 1, ..Limits::default() }
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

fn two_way(policy: &str) -> World {
    let w = world(&format!(
        "map \"M\" {{\n id m\n tables b.t <-> a.s\n key ID = id\n initial left wins\n conflict {policy}\n fields {{\n V = v\n}}\n}}"
    ));
    w.sql("b", "insert into t(ID, V) values (1, 'a'), (2, 'b'), (3, 'c')");
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

/// Does something as soon as a leg begins to copy.
struct AtStart<F>(F);

impl<F: Fn() + Send + Sync> Observer for AtStart<F> {
    fn leg_started(&self, _: &str, _: &str, _: Option<u64>) {
        (self.0)();
    }
}

#[test]
fn an_engine_that_was_taken_over_writes_nothing() {
    let w = one_way();
    let other = w.engine();
    let done = w.engine().sync(None, None, &AtStart(|| other.set_up().unwrap()));
    assert!(matches!(done, Err(EngineError::Store(StoreError::Fenced { .. }))), "{done:?}");
    assert_eq!(t(&w), Vec::<String>::new());
}

#[test]
fn what_an_operator_says_during_a_copy_is_kept() {
    let w = one_way();
    let other = w.engine();
    w.engine().sync(None, None, &AtStart(|| assert_eq!(other.set_desired(&[0], "pause").unwrap(), 1))).unwrap();
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
        let w = two_way("right wins");
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
        let conflicts = ["a", "b"].map(|store| w.rows(store, "select count(*) from _tablemap_conflicts"));
        assert_eq!(conflicts, [["0"], ["0"]], "died at {n}");
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
