//! What the round trip proofs say, held against random values: a line judged exact gives every value back that it
//! takes, and a value shown as lost is lost.

use proptest::prelude::*;
use std::sync::{Arc, OnceLock};
use tablemap::check;
use tablemap::schema::{self, Column};
use tablemap::sema::round_trip::{Loss, Way, judge, origin, pairs, run};
use tablemap::sema::{CheckedProject, Input};
use tablemap::source::Sources;
use tablemap::syntax::ast::Side;
use tablemap::syntax::dsl;
use tablemap::value::{Dec, Float, Type, Uuid, Value, compare, convert};

const TYPES: &[&str] = &[
    "{ type: text(12) }",
    "{ type: text(12), blank: \"\" }",
    "{ type: text(8), blank: \"-\" }",
    "{ type: text(40), collation: case-insensitive }",
    "{ type: integer }",
    "{ type: integer, blank: 0 }",
    "{ type: \"decimal(19,4)\" }",
    "{ type: \"decimal(12,2)\", blank: 0 }",
    "{ type: float }",
    "{ type: boolean }",
    "{ type: date }",
    "{ type: date, blank: 1900-01-01 }",
    "{ type: datetime }",
    "{ type: datetime(civil) }",
    "{ type: uuid }",
    "{ choice: { A: 1, B: 2, C: 3 } }",
    "{ choice: { A: 1, B: 2 }, blank: A }",
];

const TAILS: &[&str] = &[
    "",
    " | text()",
    " | integer()",
    " | decimal()",
    " | float()",
    " | boolean()",
    " | date()",
    " | datetime()",
    " | uuid()",
    " | add_days(3)",
    " | local('UTC')",
    " | add_days(1) | add_days(2)",
    " | text() | text()",
    " | decimal() | text()",
    " { 'A' = 1, 'B' = 2, else error }",
    " { 'A' = 1, 'B' > 1, else error }",
    " { 'A' = 'B', 'B' = 'A', else pass }",
    " { 'A' = 'B', 'B' = 'C', else pass }",
    " { 'A' = 'B', 'B' = 'C', 'C' = 'A' }",
    " { 'A' = true, 'B' = false, else < 'A' }",
    " { 1 = 2, 2 = 1, else pass }",
    " { 1 = 2, else pass }",
    " { 1 = true, 0 = false }",
    " { true = false, false = true }",
    " { true = false, false = true, null > false }",
    " { 'A' = 1, null = 2, else error }",
];

struct Built {
    project: CheckedProject,
    /// How many findings say that a line loses a value.
    told: usize,
}

/// One map for every two types and every tail, a project for each type on the left; maps with errors are left out by
/// the check.
fn built() -> &'static [Built] {
    static BUILT: OnceLock<Vec<Built>> = OnceLock::new();
    BUILT.get_or_init(|| (0..TYPES.len()).map(build).collect())
}

fn build(l: usize) -> Built {
    {
        let mut sources = Sources::new();
        let mut stores = vec![];
        for name in ["l", "r"] {
            let columns: String = TYPES.iter().enumerate().map(|(i, t)| format!("      c{i}: {t}\n")).collect();
            let text = format!(
                "store: {name}\ntables:\n  t:\n    primary_key: [id]\n    columns:\n      id: {{ type: uuid, required: true }}\n{columns}"
            );
            let file = sources.add(format!("{name}.schema.yaml"), text);
            let (schema, findings) = schema::load(&sources, file);
            assert!(findings.is_empty(), "{findings:?}");
            stores.push((name.to_string(), Arc::new(schema)));
        }
        let mut text = String::new();
        for r in 0..TYPES.len() {
            for (t, tail) in TAILS.iter().enumerate() {
                text += &format!(
                    "map \"m{l}-{r}-{t}\" {{\n  id m{l}-{r}-{t}\n  tables l.t <-> r.t\n  key id = id\n  conflict hold\n  fields {{\n    c{l} = c{r}{tail}\n  }}\n}}\n"
                );
            }
        }
        let file = sources.add("all.tmap", text);
        let (ast, findings) = dsl::parse(&sources, file);
        assert!(findings.is_empty(), "{findings:?}");
        let files = [(file, std::sync::Arc::new(ast))];
        let time_zone = jiff::tz::TimeZone::UTC;
        let input = Input { sources: &sources, stores: &stores, files: &files, companies: None, time_zone };
        let (project, findings) = check::check(&input);
        let told = findings.iter().filter(|d| ("TM0902"..="TM0905").contains(&d.code.0)).count();
        Built { project, told }
    }
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
    fn text(&mut self) -> String {
        let words = ["A", "B", "C", "true", "no", "-", "", "2026-02-03", "1.50", "07", "0", "1", "2", "ab", "Ab"];
        if self.roll(2) == 0 {
            return words[self.roll(words.len() as u64) as usize].to_string();
        }
        let letters = ['a', 'B', ' ', '0', '7', '.', '-', 'ä', 'é'];
        (0..self.roll(12)).map(|_| letters[self.roll(letters.len() as u64) as usize]).collect()
    }
    fn value(&mut self, ty: &Type) -> Value {
        let small = self.roll(7) as i64 - 2;
        let large = self.0 as i64;
        let pick = self.roll(3);
        match ty {
            Type::Text { .. } => Value::text(self.text()),
            Type::Integer => Value::Integer(if pick == 0 { large } else { small }),
            Type::Decimal { .. } => {
                let whole = if pick == 0 { large % 10_000_000_000 } else { small };
                let text = format!("{whole}.{:04}", if pick == 1 { 0 } else { self.roll(10_000) });
                Value::Decimal(Dec::parse(&text).unwrap())
            }
            Type::Float => Value::Float(Float::new(large as f64 / 1e7).unwrap()),
            Type::Boolean => Value::Boolean(pick == 0),
            Type::Date => Value::Date(self.day()),
            Type::DateTime { .. } => {
                let (h, m, s) = (self.roll(24) as i8, self.roll(60) as i8, self.roll(60) as i8);
                Value::DateTime(if pick == 0 { self.day().at(0, 0, 0, 0) } else { self.day().at(h, m, s, 0) })
            }
            Type::Uuid => Value::Uuid(Uuid::from_u128(u128::from(self.0) << 64 | u128::from(self.0))),
            Type::Choice(c) => Value::Integer(c.members[self.roll(c.members.len() as u64) as usize].value),
            _ => Value::Null,
        }
    }
    fn day(&mut self) -> tablemap::value::Date {
        if self.roll(4) == 0 {
            return tablemap::value::Date::new(1900, 1, 1).unwrap();
        }
        let (y, m, d) = (1890 + self.roll(200) as i16, 1 + self.roll(12) as i8, 1 + self.roll(28) as i8);
        tablemap::value::Date::new(y, m, d).unwrap()
    }
}

/// What a column gives back of what is written into it.
fn kept(column: &Column, v: Value) -> Value {
    if column.blank.as_ref() == Some(&v) { Value::Null } else { v }
}

/// Nothing and the empty text are one; letters' case counts where the column says so.
fn alike(a: &Value, b: &Value, column: &Column) -> bool {
    let nothing = |v: &Value| v.is_null() || *v == Value::text("");
    a == b || (nothing(a) && nothing(b)) || compare(a, b, column.collation).is_some_and(|o| o.is_eq())
}

/// There and back; none where the value does not get there.
fn there_and_back(
    project: &CheckedProject,
    (here, other): (&Column, &Column),
    (cell, back_cell): (usize, usize),
    (there, back): (Way<'_>, Way<'_>),
    v: &Value,
) -> Option<Result<Value, String>> {
    let arrived = run(&project.context, there.leg, there.line, &[(cell, v.clone())]).ok()?;
    let stored = kept(other, arrived);
    let returned = run(&project.context, back.leg, back.line, &[(back_cell, stored)]);
    Some(returned.map(|v| kept(here, v)))
}

#[test]
fn there_are_lines_of_both_kinds() {
    let (mut exact, mut lossy, mut told) = (0, 0, 0);
    for b in built() {
        told += b.told;
        for m in &b.project.maps {
            for (_, a, _) in pairs(m.into_left.as_ref().unwrap(), m.into_right.as_ref().unwrap()) {
                if a.exact { exact += 1 } else { lossy += 1 }
            }
        }
    }
    assert!(exact > 100 && lossy > 100, "{exact} exact, {lossy} lossy");
    assert_eq!(told, lossy, "every lossy line is told of, once");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn exact_lines_give_every_value_back(seed in 1u64..) {
        let mut dice = Dice(seed);
        for (b, m) in built().iter().flat_map(|b| b.project.maps.iter().map(move |m| (b, m))) {
            let (left, right) = (&b.project.stores[0].1, &b.project.stores[1].1);
            let (into_left, into_right) = (m.into_left.as_ref().unwrap(), m.into_right.as_ref().unwrap());
            for (_, a, c) in pairs(into_left, into_right).filter(|(_, a, _)| a.exact) {
                let (l, r) = (origin(left, into_right, &c.value).unwrap(), origin(right, into_left, &a.value).unwrap());
                let (wl, wr) = (
                    Way { leg: into_left, line: a, source: right },
                    Way { leg: into_right, line: c, source: left },
                );
                for _ in 0..4 {
                    for (here, other, cells, ways) in
                        [(l.column, r.column, (l.cell, r.cell), (wr, wl)), (r.column, l.column, (r.cell, l.cell), (wl, wr))]
                    {
                        let v = kept(here, dice.value(&here.ty));
                        if convert(v.clone(), &here.ty).is_err() {
                            continue;
                        }
                        let back = there_and_back(&b.project, (here, other), cells, ways, &v);
                        if let Some(back) = back {
                            let fine = back.as_ref().is_ok_and(|w| alike(w, &v, here));
                            prop_assert!(fine, "{}: {v} comes back as {back:?} through `{}`", m.id, a.text);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_shown_as_lost_is_lost() {
    for (b, m) in built().iter().flat_map(|b| b.project.maps.iter().map(move |m| (b, m))) {
        let (left, right) = (&b.project.stores[0].1, &b.project.stores[1].1);
        let (into_left, into_right) = (m.into_left.as_ref().unwrap(), m.into_right.as_ref().unwrap());
        for (_, a, c) in pairs(into_left, into_right) {
            let (wl, wr) =
                (Way { leg: into_left, line: a, source: right }, Way { leg: into_right, line: c, source: left });
            let verdict = judge(&b.project.context, wl, wr);
            assert_eq!(verdict.is_ok(), a.exact && c.exact, "{}", m.id);
            let Err(loss) = verdict else { continue };
            let Loss { from, value, back, .. } = *loss.unwrap();
            let (l, r) = (origin(left, into_right, &c.value).unwrap(), origin(right, into_left, &a.value).unwrap());
            let (here, other, cells, ways) = match from {
                Side::Left => (l.column, r.column, (l.cell, r.cell), (wr, wl)),
                Side::Right => (r.column, l.column, (r.cell, l.cell), (wl, wr)),
            };
            assert!(
                convert(value.clone(), &here.ty).is_ok_and(|v| v == value),
                "{}: {value} is none of its type",
                m.id
            );
            let found = there_and_back(&b.project, (here, other), cells, ways, &value).unwrap();
            assert_eq!(found.is_ok(), back.is_ok(), "{}", m.id);
            if let (Ok(found), Ok(back)) = (found, back) {
                assert_eq!(found, back, "{}", m.id);
                assert!(!alike(&found, &value, here), "{}: {value} comes back", m.id);
            }
        }
    }
}
