//! A mutation test of the checker: takes maps without findings, plants one mistake at a time of each kind that people
//! make, and asks that `check` finds at least 95 % of each kind, with the right code at the right line.

mod expectations;
mod kinds;
mod sets;
mod types;
mod world;

use kinds::Make;
use world::{Mutant, World};

/// A kind of mistake: what `check` may say about it, and where it is planted.
struct Kind {
    name: &'static str,
    codes: &'static [&'static str],
    make: Make,
}

const fn kind(name: &'static str, codes: &'static [&'static str], make: Make) -> Kind {
    Kind { name, codes, make }
}

const KINDS: &[Kind] = &[
    kind("misspelt store", &["TM0201"], kinds::store),
    kind("misspelt table", &["TM0202"], kinds::table),
    kind("misspelt left column", &["TM0203"], kinds::left_column),
    kind("misspelt right column", &["TM0203"], kinds::right_column),
    kind("misspelt lookup step", &["TM0203", "TM0601", "TM0602"], kinds::lookup_step),
    kind("misspelt function", &["TM0204"], kinds::function_name),
    kind("misspelt choice member", &["TM0206"], kinds::member),
    kind("misspelt `needs`", &["TM1002"], kinds::needs),
    kind("misspelt `values` name", &["TM0205"], kinds::values_name),
    kind("wrong number of arguments", &["TM0307"], kinds::number_of_arguments),
    kind("wrong type of arguments", &["TM0307", "TM0305"], kinds::type_of_arguments),
    kind("a line's sign reversed", &["TM0401", "TM0413"], kinds::sign_reversed),
    kind("a line against the map's arrow", &["TM0401"], kinds::against_the_arrow),
    kind("two lines for one column", &["TM0406"], kinds::two_lines),
    kind("key pair dropped", &["TM0501", "TM0503"], kinds::key_dropped),
    kind("key pair doubled", &["TM0406"], kinds::key_doubled),
    kind("key made lossy", &["TM0901", "TM0906", "TM0508"], kinds::key_lossy),
    kind("key not unique on one side", &["TM0503", "TM0508"], kinds::key_not_unique),
    kind("company dropped", &["TM0503", "TM0507", "TM0607"], kinds::company_dropped),
    kind("required column without a source", &["TM0404"], kinds::required_dropped),
    kind("read-only column written", &["TM0405"], types::read_only),
    kind("create-only column written", &["TM0417"], types::create_only),
    kind("text narrowed", &["TM0303"], types::text_narrowed),
    kind("scale narrowed", &["TM0302"], types::scale_narrowed),
    kind("integer range narrowed", &["TM0302", "TM0313"], types::range_narrowed),
    kind("boolean to integer", &["TM0301"], types::boolean_to_integer),
    kind("choice to choice", &["TM0301"], types::choice_to_choice),
    kind("date to datetime", &["TM0302"], types::date_to_datetime),
    kind("a value map with a hole", &["TM0703"], types::hole),
    kind("a value map with an unknown member", &["TM0206"], kinds::unknown_pair_member),
    kind("a doubled `=` pair", &["TM0702"], types::doubled_pair),
    kind("a pair against the direction", &["TM0704"], types::pair_against),
    kind("two sources for one two-way target", &["TM0702"], types::two_sources),
    kind("`else` of the wrong type", &["TM0701", "TM0206", "TM0305"], types::else_type),
    kind("`else` too long", &["TM0701"], types::else_too_long),
    kind("`default` of the wrong type", &["TM0305", "TM0206"], types::default_type),
    kind("`default` too long", &["TM0305"], types::default_too_long),
    kind("`default` or `once` on a two-way line", &["TM0407"], types::tail_on_two_way),
    kind("a constant that is no member", &["TM0206"], kinds::constant),
    kind("filter on an unknown column", &["TM0203"], sets::filter_column),
    kind("filter comparing different types", &["TM0305", "TM0306"], sets::filter_types),
    kind("filter always true", &["TM0802"], sets::filter_true),
    kind("filter always false", &["TM0804", "TM0802"], sets::filter_false),
    kind("path over a column that is no lookup", &["TM0601"], types::no_lookup),
    kind("path to a column that is not unique", &["TM0606"], types::not_unique),
    kind("path without company", &["TM0607"], sets::reference_without_company),
    kind("polymorphic path without a table", &["TM0603"], types::polymorphic),
    kind("prerequisites in a circle", &["TM1001"], sets::circle),
    kind("two maps writing one column", &["TM1003", "TM1004"], sets::two_writers),
    kind("a ring of maps", &["TM1005"], sets::ring),
    kind("`operations` that no leg can do", &["TM0411"], sets::operations),
    kind("`direct` with an unknown column", &["TM0203"], types::misspelt_direct),
    kind("`each` in a two-way map", &["TM0505"], sets::each),
    kind("an `on exit` that never applies", &["TM0411", "TM0416"], sets::on_exit),
    kind("two maps with one id or label", &["TM0208", "TM0209"], sets::same_id),
    kind("a password in a file", &["TM1102"], sets::password),
];

/// Kinds whose rule is not there yet, with the reason.
const PENDING: &[(&str, &str)] = &[];

/// At most so many mutants of a kind are tried, taken evenly.
const MOST: usize = 20;

fn sample(all: Vec<(usize, Mutant)>) -> Vec<(usize, Mutant)> {
    let n = all.len();
    if n <= MOST {
        return all;
    }
    (0..MOST).map(|i| all[i * n / MOST].clone()).collect()
}

/// Planted, found, and those that were missed.
fn judge(worlds: &[World], k: &Kind) -> (usize, usize, Vec<String>) {
    let mut all: Vec<(usize, Mutant)> = vec![];
    for (i, w) in worlds.iter().enumerate() {
        all.extend((k.make)(w).into_iter().map(|m| (i, m)));
    }
    let all = sample(all);
    let missed: Vec<String> = all.iter().filter_map(|(i, m)| worlds[*i].finds(m, k.codes).err()).collect();
    (all.len(), all.len() - missed.len(), missed)
}

#[test]
fn planted_mistakes_are_found() {
    let worlds = [
        World::read("shipped", "maps/project-operations/schemas", "maps/project-operations"),
        World::read("extra", "tests/corpus/mutations", "tests/corpus/mutations"),
    ];
    let next = std::sync::atomic::AtomicUsize::new(0);
    let judged = std::sync::Mutex::new(vec![]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(k) = KINDS.get(i) else { break };
                    let result = judge(&worlds, k);
                    judged.lock().unwrap().push((i, result));
                }
            });
        }
    });
    let mut judged = judged.into_inner().unwrap();
    judged.sort_by_key(|(i, _)| *i);
    let mut wrong = vec![];
    println!("| kind | planted | found | % |\n|---|---|---|---|");
    for (i, (planted, found, missed)) in &judged {
        let k = &KINDS[*i];
        let percent = if *planted == 0 { 0.0 } else { *found as f64 * 100.0 / *planted as f64 };
        let pending = PENDING.iter().find(|(name, _)| *name == k.name);
        let note = pending.map_or(String::new(), |(_, why)| format!(" pending: {why} |"));
        println!("| {} | {planted} | {found} | {percent:.0} |{note}", k.name);
        let fine = *planted >= 5 && percent >= 95.0;
        if fine && pending.is_some() {
            wrong.push(format!("`{}` is found: take it out of PENDING", k.name));
        } else if (!fine && pending.is_none()) || (!missed.is_empty() && std::env::var_os("TABLEMAP_MISSED").is_some())
        {
            let shown: Vec<&String> = missed.iter().take(4).collect();
            wrong.push(format!(
                "`{}`: {found} of {planted}\n    {}",
                k.name,
                shown.iter().map(|s| s.as_str()).collect::<Vec<_>>().join("\n    ")
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
