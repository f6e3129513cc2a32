//! What fuzzing found stays found: the inputs of `tests/corpus/fuzz/TARGET/` go through the fuzz targets' own functions.

use std::path::Path;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

type Body = fn(&[u8]);

const TARGETS: &[(&str, Body)] = &[
    ("dsl", bodies::dsl),
    ("yaml", bodies::yaml),
    ("expr", bodies::expr),
    ("fmt", bodies::fmt),
    ("schema", bodies::schema),
    ("convert", bodies::convert),
    ("check", bodies::check),
    ("fix", bodies::fix),
    ("documented", bodies::documented),
    ("dual_write", bodies::dual_write),
    ("versions", bodies::versions),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The cases below a folder `TARGET/`, each through its target; all that fail are told.
fn replay(corpus: &Path) {
    let mut failed = vec![];
    for folder in std::fs::read_dir(corpus).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let (_, body) = TARGETS.iter().find(|(t, _)| *t == name).unwrap_or_else(|| panic!("no target `{name}`"));
        for case in std::fs::read_dir(&folder).unwrap() {
            let case = case.unwrap().path();
            let data = std::fs::read(&case).unwrap();
            eprintln!("== {}", case.display());
            if std::panic::catch_unwind(|| body(&data)).is_err() {
                failed.push(case.display().to_string());
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn findings_of_fuzzing_stay_found() {
    replay(&root().join("tests/corpus/fuzz"));
}

/// `TABLEMAP_FUZZ=fuzz/artifacts cargo nextest run what_the_fuzzer_left` shows what a run of the fuzzer found.
#[test]
fn what_the_fuzzer_left() {
    if let Some(folder) = std::env::var_os("TABLEMAP_FUZZ") {
        replay(Path::new(&folder));
    }
}

#[test]
fn seeds_pass_all_targets() {
    for pattern in ["maps/**/*.tmap", "tests/corpus/**/*.tmap", "tests/**/*.map.yaml", "maps/**/*.schema.yaml"] {
        for path in glob::glob(&root().join(pattern).to_string_lossy()).unwrap() {
            let path = path.unwrap();
            println!("{}", path.display());
            let data = std::fs::read(&path).unwrap();
            TARGETS.iter().for_each(|(_, body)| body(&data));
        }
    }
}

/// `TABLEMAP_MUTATE=60 cargo nextest run seeds_changed_at_random`: a fuzzer for those without nightly. Each target gets the
/// seeds with pieces of others put in, doubled, cut out or replaced, for so many seconds; it knows nothing of coverage.
/// `TABLEMAP_TARGET` names one target, `TABLEMAP_SEED` begins elsewhere. What is found lies in `fuzz/artifacts/TARGET`.
#[test]
fn seeds_changed_at_random() {
    let Some(seconds) = std::env::var("TABLEMAP_MUTATE").ok().and_then(|s| s.parse::<u64>().ok()) else { return };
    let only = std::env::var("TABLEMAP_TARGET").ok();
    let mut state = std::env::var("TABLEMAP_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1u64) | 1;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below.max(1)
    };
    let mut failed = vec![];
    for (target, body) in TARGETS.iter().filter(|(t, _)| only.as_ref().is_none_or(|o| o == t)) {
        let seeds = seeds(target);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
        let (mut tried, mut found) = (0u64, 0);
        while std::time::Instant::now() < end && found < 5 {
            let mut data = seeds[random(seeds.len())].clone();
            for _ in 0..=random(4) {
                change(&mut data, &seeds[random(seeds.len())], &mut random);
            }
            tried += 1;
            if std::panic::catch_unwind(|| body(&data)).is_err() {
                found += 1;
                let folder = root().join("fuzz/artifacts").join(target);
                std::fs::create_dir_all(&folder).unwrap();
                let path = folder.join(format!("changed-{tried}"));
                std::fs::write(&path, &data).unwrap();
                failed.push(path.display().to_string());
            }
        }
        println!("{target}: {tried} inputs, {found} findings");
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What a target begins with: files of its kind; of `versions` three of them, the second and third a little changed.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let patterns: &[&str] = match target {
        "documented" => &["tests/corpus/documented/*.md", "tests/corpus/fuzz/documented/*"],
        "dual_write" => &["tests/corpus/dual-write/*", "tests/corpus/fuzz/dual_write/*"],
        "schema" => &["maps/**/*.schema.yaml", "tests/corpus/check/*.schema.yaml"],
        "expr" => &["tests/corpus/fuzz/expr/*"],
        _ => &["maps/**/*.tmap", "tests/corpus/check/*/*.tmap", "tests/**/*.map.yaml"],
    };
    let paths = patterns.iter().flat_map(|p| glob::glob(&root().join(p).to_string_lossy()).unwrap());
    let all: Vec<Vec<u8>> = paths.map(|p| std::fs::read(p.unwrap()).unwrap()).collect();
    if target != "versions" {
        return all;
    }
    let three = |one: &Vec<u8>| {
        let lines: Vec<&[u8]> = one.split_inclusive(|b| *b == b'\n').collect();
        let without = |n: usize| {
            let rest = lines.iter().enumerate().filter(|(i, _)| *i != lines.len() * n / 4);
            rest.map(|(_, l)| *l).collect::<Vec<_>>().concat()
        };
        [one.clone(), without(2), without(3)].join(&0)
    };
    all.iter().map(three).collect()
}

fn change(data: &mut Vec<u8>, other: &[u8], random: &mut impl FnMut(usize) -> usize) {
    let from = random(data.len());
    let to = (from + random(24)).min(data.len());
    match random(6) {
        0 => drop(data.drain(from..to)),
        1 => {
            let piece = data[from..to].to_vec();
            data.splice(to..to, piece);
        }
        2 => {
            let start = random(other.len());
            let end = (start + random(60)).min(other.len());
            data.splice(from..to, other[start..end].iter().copied());
        }
        3 => {
            let odd = [
                "\"", "'", "`", "|", "<", ">", "=", "{", "}", "(", ")", "\\", ",", ":", "\n", "#", ".", "é", "0",
                "null", " ",
            ];
            data.splice(from..from, odd[random(odd.len())].bytes());
        }
        4 => {
            // A line moves, or is there twice.
            let lines: Vec<Vec<u8>> = data.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            let mut lines = lines;
            let line = lines[random(lines.len())].clone();
            lines.insert(random(lines.len()), line);
            *data = lines.concat();
        }
        _ => data.truncate(to.max(1)),
    }
    if data.is_empty() {
        data.push(b' ');
    }
}
