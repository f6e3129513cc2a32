//! What is drawn: tables, maps, and what people do.

use super::tables::{Column, Kind, Table};
use crate::simulate::Rng;

fn table(store: &str, name: &str, key: &[&str], columns: Vec<Column>) -> Table {
    Table {
        store: store.into(),
        name: name.into(),
        key: key.iter().map(|k| k.to_string()).collect(),
        alternate: vec![],
        columns,
        generated: false,
        elsewhere: true,
    }
}

/// The source, what it looks up over one and two steps, and what is related to it.
pub fn tables(rng: &mut Rng) -> Vec<Table> {
    let kinds = [Kind::Integer, Kind::Integer, Kind::Text(8), Kind::Date, Kind::Uuid];
    let keys = 1 + if rng.chance(40) { 1 + rng.below(2) } else { 0 };
    let names: Vec<String> = (1..=keys).map(|i| format!("k{i}")).collect();
    let mut columns: Vec<Column> = names.iter().map(|n| Column::new(n, rng.pick(&kinds).clone()).required()).collect();
    let mut code = Column::new("code", Kind::Text(12)).required();
    code.folds = rng.chance(35);
    let folds = code.folds;
    columns.push(code);
    for i in 1..=3 + rng.below(4) {
        columns.push(Column::any(&format!("v{i}"), rng));
    }
    let by_text = rng.chance(40);
    let referring =
        |name: &str, to: &str| Column::new(name, if by_text { Kind::Text(8) } else { Kind::Integer }).refers(to);
    let referred = |name: &str| Column::new(name, if by_text { Kind::Text(8) } else { Kind::Integer }).required();
    columns.push(referring("r", "l1"));
    let mut source = table("a", "s", &[], columns);
    source.key = names;
    source.alternate = vec!["code".into()];
    let l1 = vec![
        referred("id"),
        Column::new("name", Kind::Text(20)),
        Column::new("n", Kind::Integer),
        Column::new("flag", Kind::Boolean),
        referring("up", "l2"),
    ];
    let l2 = vec![referred("id"), Column::new("name", Kind::Text(20))];
    let mut of = Column::new("owner", Kind::Text(12));
    of.folds = folds;
    let kid = vec![
        Column::new("id", Kind::Integer).required(),
        of,
        Column::new("amount", Kind::Integer),
        Column::new("flag", Kind::Boolean),
    ];
    vec![source, table("a", "l1", &["id"], l1), table("a", "l2", &["id"], l2), table("a", "kid", &["id"], kid)]
}

pub fn key(rng: &mut Rng) -> String {
    if rng.chance(70) { "code".into() } else { "concat('K', code)".into() }
}

/// The schema files' texts.
pub fn schemas(tables: &[Table]) -> Vec<(&'static str, String)> {
    let of = |store: &'static str| {
        let all: String = tables.iter().filter(|t| t.store == store).map(Table::schema).collect();
        (store, format!("store: {store}\ntables:\n{all}"))
    };
    ["a", "b", "c"].map(of).into_iter().filter(|(_, text)| text.contains("columns")).collect()
}

/// One line's source: an expression, what follows it, the column it fits into.
struct Drawn {
    from: String,
    tail: String,
    plain: bool,
    column: Column,
}

fn named<'a>(rng: &mut Rng, s: &'a Table, fits: impl Fn(&Kind) -> bool) -> Option<&'a Column> {
    let all: Vec<&Column> = s.columns.iter().filter(|c| c.name.starts_with('v') && fits(&c.kind)).collect();
    (!all.is_empty()).then(|| *rng.pick(&all))
}

fn is_text(k: &Kind) -> bool {
    matches!(k, Kind::Text(_))
}

const RELATED: &[&str] =
    &["owner == this.code", "owner == this.code and amount > 0", "flag == true and owner == this.code"];

fn text(rng: &mut Rng, s: &Table, depth: u32) -> String {
    let Some(c) = named(rng, s, is_text) else { return "code".into() };
    let c = c.name.clone();
    if depth == 0 {
        return c;
    }
    let inner = text(rng, s, depth - 1);
    match rng.below(9) {
        0 => format!("upper({inner})"),
        1 => format!("concat({inner}, '+', {c})"),
        2 => format!("trim({inner})"),
        3 => format!("left({inner}, {})", 1 + rng.below(5)),
        4 => format!("coalesce({inner}, 'none')"),
        5 => format!(
            "case when {} then {inner} when {} then 'two' else {c} end",
            condition(rng, s, 1),
            condition(rng, s, 0)
        ),
        6 => format!("if({}, {inner}, 'no')", condition(rng, s, 1)),
        7 => format!("nullif({inner}, 'B')"),
        _ => format!("lower({inner})"),
    }
}

fn integer(rng: &mut Rng, s: &Table, depth: u32) -> String {
    let c = named(rng, s, |k| *k == Kind::Integer).map_or("r.n".to_string(), |c| c.name.clone());
    if c == "r.n" || depth == 0 {
        return if c == "r.n" { format!("length({})", text(rng, s, 0)) } else { c };
    }
    let inner = integer(rng, s, depth - 1);
    match rng.below(8) {
        0 => format!("{inner} + {c}"),
        1 => format!("({inner}) * 2"),
        2 => format!("abs({inner})"),
        3 => format!("-({inner})"),
        4 => format!("coalesce({inner}, 0)"),
        5 => format!("length({})", text(rng, s, 1)),
        6 => format!("{inner} - {}", rng.below(5)),
        _ => format!("greatest({inner}, {c})"),
    }
}

fn condition(rng: &mut Rng, s: &Table, depth: u32) -> String {
    if depth > 0 {
        let (a, b) = (condition(rng, s, depth - 1), condition(rng, s, depth - 1));
        return match rng.below(4) {
            0 => format!("({a} and {b})"),
            1 => format!("({a} or {b})"),
            2 => format!("not ({a})"),
            _ => a,
        };
    }
    for _ in 0..8 {
        let Some(c) = named(rng, s, |_| true) else { break };
        let n = c.name.clone();
        return match (&c.kind, rng.below(3)) {
            (_, 0) => format!("{n} is {}null", if rng.chance(60) { "not " } else { "" }),
            (Kind::Text(_), 1) => format!("{n} in ('a', 'abc', ' c ')"),
            (Kind::Text(_), _) => {
                format!("{n} {}like '{}'", if rng.chance(30) { "not " } else { "" }, rng.pick(&["a%", "%b%", "___"]))
            }
            (Kind::Integer, 1) => format!("{n} {} {}", rng.pick(&["==", "!=", "<", ">=", ">"]), rng.below(3)),
            (Kind::Integer, _) => format!("{n} + 1 > 1"),
            (Kind::Decimal, _) => format!("{n} {} 1.50", rng.pick(&["==", "<=", ">"])),
            (Kind::Boolean, _) => format!("{n} == true"),
            (Kind::Choice, _) => format!("{n} in (1, 2)"),
            (Kind::Date, _) => format!("{n} >= '2026-01-31'"),
            _ => continue,
        };
    }
    "r is not null".into()
}

fn column(i: usize, kind: Kind) -> Column {
    Column::new(&format!("C{i}"), kind)
}

fn drawn(rng: &mut Rng, s: &Table, i: usize) -> Drawn {
    let missing = |rng: &mut Rng| rng.pick(&["", "", " on missing null", " on missing error"]).to_string();
    let mut d = match rng.below(20) {
        0..=4 => match named(rng, s, |_| true) {
            Some(c) => {
                let mut to = Column { name: format!("C{i}"), ..c.clone() };
                to.blank = is_text(&c.kind) && rng.chance(20);
                if is_text(&c.kind) && rng.chance(30) {
                    to.kind = Kind::Text(5);
                }
                to.folds = is_text(&c.kind) && rng.chance(15);
                Drawn { from: c.name.clone(), tail: String::new(), plain: true, column: to }
            }
            None => Drawn { from: "code".into(), tail: String::new(), plain: true, column: column(i, Kind::Text(12)) },
        },
        5..=6 => Drawn { from: text(rng, s, 2), tail: String::new(), plain: false, column: column(i, Kind::Text(100)) },
        7 => Drawn {
            from: text(rng, s, 1),
            tail: " | trim() | truncate(4) default 'none'".into(),
            plain: false,
            column: column(i, Kind::Text(4)),
        },
        8..=9 => {
            Drawn { from: integer(rng, s, 2), tail: String::new(), plain: false, column: column(i, Kind::Integer) }
        }
        10 => Drawn {
            from: format!("({})", condition(rng, s, 1)),
            tail: String::new(),
            plain: false,
            column: column(i, Kind::Boolean),
        },
        11 => Drawn { from: "r.name".into(), tail: missing(rng), plain: true, column: column(i, Kind::Text(20)) },
        12 => Drawn { from: "r.up.name".into(), tail: missing(rng), plain: true, column: column(i, Kind::Text(20)) },
        13 => Drawn { from: "r.n".into(), tail: missing(rng), plain: true, column: column(i, Kind::Integer) },
        14 => {
            let c = named(rng, s, |k| matches!(k, Kind::Integer | Kind::Choice)).map_or("r.n", |c| c.name.as_str());
            let otherwise = *rng.pick(&["", ", else error", ", else 'other'"]);
            let pairs = format!(" {{ 'zero' {{}} 0, 'one' {{}} 1, 'two' {{}} 2{otherwise} }}");
            // A choice has no member 0.
            let pairs = if c.starts_with('v') && s.column(c).kind == Kind::Choice {
                pairs.replace("'zero' {} 0, ", "")
            } else {
                pairs
            };
            Drawn { from: c.into(), tail: pairs, plain: false, column: column(i, Kind::Text(10)) }
        }
        15 => Drawn {
            from: format!("count(kid where {})", rng.pick(RELATED)),
            tail: String::new(),
            plain: false,
            column: column(i, Kind::Integer),
        },
        16 => Drawn {
            from: format!("{}(kid where {} : amount)", rng.pick(&["sum", "min", "max"]), rng.pick(RELATED)),
            tail: String::new(),
            plain: false,
            column: column(i, Kind::Integer),
        },
        17 => Drawn { from: "'constant'".into(), tail: String::new(), plain: false, column: column(i, Kind::Text(20)) },
        18 => Drawn { from: text(rng, s, 0), tail: " once".into(), plain: false, column: column(i, Kind::Text(100)) },
        _ => Drawn {
            from: format!("coalesce({}, 'x')", text(rng, s, 1)),
            tail: String::new(),
            plain: false,
            column: column(i, Kind::Text(100)).required(),
        },
    };
    if d.column.name.is_empty() {
        d.column.name = format!("C{i}");
    }
    d
}

fn written(flipped: bool, target: &str, from: &str, tail: &str, plain: bool) -> String {
    // In a value map the target's word stands on its side.
    let doubled = !plain || tail.contains('|') || tail.contains("default");
    let (sign, pair) = match flipped {
        true => (if doubled { ">>" } else { ">" }, ">"),
        false => (if doubled { "<<" } else { "<" }, "<"),
    };
    let tail = match tail.split_once('{') {
        Some(_) => values(tail, flipped, pair),
        None => tail.to_string(),
    };
    match flipped {
        true => format!("    {from} {sign} {target}{tail}\n"),
        false => format!("    {target} {sign} {from}{tail}\n"),
    }
}

/// `'zero' {} 0` is the target's word and the source's.
fn values(tail: &str, flipped: bool, pair: &str) -> String {
    let inner = tail.trim().trim_start_matches('{').trim_end_matches('}');
    let all: Vec<String> = inner
        .split(',')
        .map(|p| match p.split_once("{}") {
            Some((to, from)) if flipped => format!("{} {pair} {}", from.trim(), to.trim()),
            Some((to, from)) => format!("{} {pair} {}", to.trim(), from.trim()),
            None => p.trim().to_string(),
        })
        .collect();
    format!(" {{ {} }}", all.join(", "))
}

/// A map over the tables there are: its lines write columns that the target has.
pub fn map(rng: &mut Rng, tables: &[Table], key: &str, flipped: bool) -> String {
    let s = &tables[0];
    let t = tables.iter().find(|t| t.name == "T").unwrap();
    let mut lines = Vec::new();
    for i in 1..=2 + rng.below(5) as usize {
        for _ in 0..12 {
            let d = drawn(rng, s, i);
            let fits =
                |c: &&Column| c.name.starts_with('C') && c.kind == d.column.kind && c.required == d.column.required;
            let taken = |c: &&Column| lines.iter().any(|(n, _): &(String, String)| *n == c.name);
            if let Some(c) = t.columns.iter().filter(fits).find(|c| !taken(c)) {
                lines.push((c.name.clone(), written(flipped, &c.name, &d.from, &d.tail, d.plain)));
                break;
            }
        }
    }
    for c in t.columns.iter().filter(|c| c.required && c.name.starts_with('C') && c.name != "CODE") {
        if !lines.iter().any(|(n, _)| *n == c.name) {
            lines.push((c.name.clone(), written(flipped, &c.name, "'must'", "", false)));
        }
    }
    body(rng, s, ("m1", "a.s", "b.T"), key, flipped, &lines)
}

fn body(
    rng: &mut Rng,
    s: &Table,
    (id, source, target): (&str, &str, &str),
    key: &str,
    flipped: bool,
    lines: &[(String, String)],
) -> String {
    let (into, from) = if flipped { ("right", "left") } else { ("left", "right") };
    let tables = if flipped { format!("{source} -> {target}") } else { format!("{target} <- {source}") };
    let operations = if rng.chance(80) { "create, update, delete" } else { "create, update" };
    let keyed = written(flipped, "CODE", key, "", key.chars().all(char::is_alphabetic));
    let mut text = format!(
        "map \"{id}\" {{\n  id {id}\n  tables {tables}\n  operations {into}: {operations}\n  key {}\n",
        keyed.trim()
    );
    if rng.chance(65) {
        let mut c = condition(rng, s, 1);
        if s.name == "s" {
            match rng.below(6) {
                0 => c = format!("{c} and (r is null or r.flag == true)"),
                1 => c = format!("exists(kid where {}) or {c}", rng.pick(RELATED)),
                2 => c = format!("count(kid where {}) < 2", rng.pick(RELATED)),
                3 => c = format!("{c} or every(kid where owner == this.code : flag)"),
                _ => {}
            }
        }
        text.push_str(&format!("  filter {from}: {c}\n"));
        if operations.contains("delete") && rng.chance(75) {
            text.push_str(&format!("  on exit {into}: delete\n"));
        }
    }
    let all: String = lines.iter().map(|(_, l)| l.as_str()).collect();
    format!("{text}  fields {{\n{all}  }}\n}}\n")
}

/// The maps, and the targets they need.
pub fn maps(rng: &mut Rng, tables: &mut Vec<Table>, key: &str, flipped: bool) -> Vec<String> {
    let s = tables[0].clone();
    let mut code = Column::new("CODE", Kind::Text(16)).required();
    code.folds = s.column("code").folds;
    let lines: Vec<Drawn> = (1..=2 + rng.below(6) as usize).map(|i| drawn(rng, &s, i)).collect();
    let mut columns = vec![code.clone()];
    columns.extend(lines.iter().map(|d| d.column.clone()));
    columns.push(Column::new("NOTE", Kind::Text(20)));
    let mut t = table("b", "T", &["CODE"], columns);
    t.elsewhere = false;
    if rng.chance(50) {
        t.columns.insert(0, Column::new("ROWNO", Kind::Integer));
        (t.key, t.alternate, t.generated) = (vec!["ROWNO".into()], vec!["CODE".into()], true);
    }
    let texts: Vec<(String, String)> = lines
        .iter()
        .map(|d| (d.column.name.clone(), written(flipped, &d.column.name, &d.from, &d.tail, d.plain)))
        .collect();
    let mut maps = vec![body(rng, &s, ("m1", "a.s", "b.T"), key, flipped, &texts)];
    // A second map goes on from there, in the same store or into a third one.
    if rng.chance(35) {
        let store = if rng.chance(50) { "b" } else { "c" };
        let mut columns = vec![code];
        let (mut lines, mut plain) = (vec![], t.clone());
        for c in t.columns.iter().filter(|c| c.name.starts_with('C') && c.name != "CODE") {
            if rng.chance(60) {
                columns.push(Column { name: c.name.replace('C', "D"), required: false, blank: false, ..c.clone() });
                let name = c.name.replace('C', "D");
                lines.push((name.clone(), written(false, &name, &c.name, "", true)));
            }
        }
        columns.push(Column::new("NOTE", Kind::Text(20)));
        lines.push(("NOTE".into(), written(false, "NOTE", "NOTE", "", true)));
        // Conditions are made of columns named v….
        plain.columns.retain(|c| c.name.starts_with('C') && c.name != "CODE" && !c.folds);
        plain.columns.iter_mut().for_each(|c| c.name = c.name.replace('C', "v"));
        let mut u = table(store, "U", &["CODE"], columns);
        u.elsewhere = false;
        let text = body(rng, &plain, ("m2", "b.T", &u.place()), "CODE", false, &lines);
        let text: String = text
            .lines()
            .map(|l| {
                if l.trim_start().starts_with("filter") { l.replace(" v", " C").replace("(v", "(C") } else { l.into() }
            })
            .map(|l| l + "\n")
            .collect();
        maps.push(text.replace("r is not null", "NOTE is null"));
        tables.push(u);
    }
    tables.push(t);
    maps
}

/// Something that people do: store and SQL.
pub fn act(rng: &mut Rng, tables: &[Table]) -> (String, String) {
    let s = &tables[0];
    let code = |rng: &mut Rng| {
        let letter = if s.column("code").folds && rng.chance(30) { 'N' } else { 'n' };
        format!("'{letter}{}'", 1 + rng.below(8))
    };
    let part = |rng: &mut Rng, t: &Table, c: &Column| match (&c.kind, c.name.as_str()) {
        (_, "code" | "owner") => code(rng),
        (Kind::Integer, n) if t.key.iter().any(|k| k == n) && t.name == "s" => (1 + rng.below(6)).to_string(),
        (Kind::Integer, "id") => (1 + rng.below(if t.name == "kid" { 8 } else { 4 })).to_string(),
        (Kind::Text(_), "id") => format!("'p{}'", 1 + rng.below(4)),
        _ => c.sql(rng),
    };
    let values = |rng: &mut Rng, t: &Table| {
        let all: Vec<String> = t.columns.iter().map(|c| part(rng, t, c)).collect();
        all.join(", ")
    };
    let row = |rng: &mut Rng, t: &Table| {
        let key: Vec<String> = t.key.iter().map(|k| format!("{k} = {}", part(rng, t, t.column(k)))).collect();
        // Of a long key the first part mostly does.
        if rng.chance(70) { key[0].clone() } else { key.join(" and ") }
    };
    let a = |sql: String| ("a".to_string(), sql);
    let others = &tables[1..4];
    match rng.below(30) {
        0..=5 => a(format!("insert or ignore into s values ({})", values(rng, s))),
        6 => a(format!("insert or replace into s values ({})", values(rng, s))),
        7..=12 => {
            let free: Vec<&Column> = s.columns.iter().filter(|c| c.name.starts_with('v') || c.name == "r").collect();
            let (c, d) = (*rng.pick(&free), *rng.pick(&free));
            let second = if c.name != d.name && rng.chance(40) {
                format!(", {} = {}", d.name, d.sql(rng))
            } else {
                String::new()
            };
            a(format!("update s set {} = {}{second} where {}", c.name, c.sql(rng), row(rng, s)))
        }
        13 => a(format!("update s set code = {} where {} /* key */", code(rng), row(rng, s))),
        14 => a(format!("update or replace s set code = {} where {} /* key */", code(rng), row(rng, s))),
        15 => {
            let k = rng.pick(&s.key).clone();
            let to = part(rng, s, s.column(&k));
            a(format!("update or ignore s set {k} = {to} where {} /* key */", row(rng, s)))
        }
        16 => {
            let (x, y) = (code(rng), code(rng));
            // Two rows swap their codes.
            a(format!(
                "update s set code = 'swap' where code = {x}; update s set code = {x} where code = {y}; update s set \
                 code = {y} where code = 'swap' /* key */"
            ))
        }
        17..=18 => a(format!("delete from s where {}", row(rng, s))),
        19 => a(format!(
            "delete from s where {}; insert or ignore into s values ({}); update s set r = {} where {}",
            row(rng, s),
            values(rng, s),
            s.column("r").sql(rng),
            row(rng, s)
        )),
        20..=27 => {
            let t = rng.pick(others);
            let c = rng.pick(&t.columns);
            a(match rng.below(7) {
                0..=2 => format!("insert or ignore into {} values ({})", t.name, values(rng, t)),
                3 => format!("insert or replace into {} values ({})", t.name, values(rng, t)),
                4..=5 => {
                    format!("update or ignore {} set {} = {} where {}", t.name, c.name, part(rng, t, c), row(rng, t))
                }
                _ => format!("delete from {} where {}", t.name, row(rng, t)),
            })
        }
        _ => {
            ("b".into(), format!("update T set NOTE = 'note{}' where CODE like '%{}'", rng.below(3), 1 + rng.below(8)))
        }
    }
}

/// Nothing is too long, unmapped, empty or missing any more.
pub fn heal(tables: &[Table]) -> Vec<(String, String)> {
    let s = &tables[0];
    let mut all = Vec::new();
    for c in s.columns.iter().filter(|c| c.name.starts_with('v')) {
        let mended = match c.kind {
            Kind::Text(_) => "'ok'",
            Kind::Integer | Kind::Choice => "1",
            _ => continue,
        };
        all.push(format!("update s set {} = {mended}", c.name));
    }
    let text = matches!(s.column("r").kind, Kind::Text(_));
    for i in 1..=4 {
        let id = if text { format!("'p{i}'") } else { i.to_string() };
        all.push(format!("insert or ignore into l2 values ({id}, 'two')"));
        all.push(format!("insert or ignore into l1 values ({id}, 'one', 1, 1, {id})"));
    }
    all.push("update l1 set n = 1".into());
    all.into_iter().map(|sql| ("a".to_string(), sql)).collect()
}
