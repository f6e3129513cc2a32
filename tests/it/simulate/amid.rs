//! The other templates with people who go on writing while the engine works: `moved` has them from the start.

use super::{Project, Rng, Sim, Template, simulate};

/// A template with people who write while the engine works; while it copies as well, or only then when it does not.
struct Amid<T> {
    of: T,
    copies: bool,
}

impl<T: Template> Template for Amid<T> {
    fn project(&mut self, rng: &mut Rng) -> Project {
        self.of.project(rng)
    }
    fn act(&mut self, rng: &mut Rng) -> (String, String) {
        self.of.act(rng)
    }
    fn heal(&mut self) -> Vec<(String, String)> {
        self.of.heal()
    }
    fn before_run(&mut self, sim: &Sim) {
        self.of.before_run(sim);
    }
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String> {
        self.of.rested(sim)
    }
    fn loose(&self) -> bool {
        self.of.loose()
    }
    fn lost_track(&mut self) {
        self.of.lost_track();
    }
    fn amid(&self, copies: bool) -> bool {
        self.copies || !copies
    }
}

/// Plays a template with people amid.
fn among<T: Template + 'static>(name: &str, copies: bool, cases: u64, make: &dyn Fn() -> T) {
    simulate(name, cases, &[], &["deletes", "crashes", "updates"], &|_| Box::new(Amid { of: make(), copies }));
}

#[test]
fn simulate_one_way_amid() {
    among("one way amid people", false, 40, &|| super::one_way::OneWay::default());
}

#[test]
fn simulate_two_way_amid() {
    among("two way amid people", false, 40, &super::two_way::TwoWay::default);
}

#[test]
fn simulate_chain_amid() {
    among("chain amid people", false, 40, &|| super::chain::Chain);
}

#[test]
fn simulate_mixed_amid() {
    among("mixed amid people", false, 40, &super::mixed::Mixed::default);
}

#[test]
fn simulate_one_way_while_copied() {
    among("one way while copied", true, 40, &|| super::one_way::OneWay::default());
}

#[test]
fn simulate_two_way_while_copied() {
    among("two way while copied", true, 40, &super::two_way::TwoWay::default);
}
