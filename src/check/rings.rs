//! TM1005: maps that feed each other in a ring, judged by column. The two legs of one map are no ring, since a map's
//! own writes do not come back to it; nor is a way on which the rows that one map writes never pass the next filter.

use super::regions::{Space, Verdict};
use super::writers::constants;
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::{ColumnId, StoreSchema};
use crate::sema::round_trip::read_cells;
use crate::sema::{CheckedProject, Expr, Input, Leg, Line, LineTarget, TableAt};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// A circle of more columns than this is cut short.
const MOST: usize = 400;

type Place = (TableAt, ColumnId);

struct Step<'p> {
    map: usize,
    leg: &'p Leg,
    line: &'p Line,
    from: usize,
    to: usize,
}

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let mut places: HashMap<Place, usize> = HashMap::new();
    let mut all: Vec<Place> = vec![];
    let mut steps: Vec<Step<'_>> = vec![];
    for (map, m) in project.maps.iter().enumerate() {
        for leg in m.legs() {
            for line in &leg.lines {
                for from in sources(leg, line) {
                    for to in targets(leg, line) {
                        let mut index = |p: Place| {
                            *places.entry(p).or_insert_with(|| {
                                all.push(p);
                                all.len() - 1
                            })
                        };
                        let (from, to) = (index(from), index(to));
                        steps.push(Step { map, leg, line, from, to });
                    }
                }
            }
        }
    }
    let mut out = vec![];
    let mut told: HashSet<BTreeSet<usize>> = HashSet::new();
    let mut feeds: HashMap<(usize, usize), bool> = HashMap::new();
    for circle in circles(all.len(), &steps) {
        // A map's two legs alone.
        let mut maps: Vec<usize> = circle.iter().map(|s| steps[*s].map).collect();
        maps.sort_unstable();
        maps.dedup();
        if told.contains(&maps.iter().copied().collect()) {
            continue;
        }
        if let [_] = maps.as_slice()
            && circle.iter().all(|s| steps[*s].leg.source != steps[*s].leg.target)
        {
            continue;
        }
        for start in circle.iter().take(MOST) {
            let Some(ring) = shortest(input, &steps, &circle, *start, &mut feeds) else { continue };
            // Keys that are passed on as they are come to rest at once.
            let copies = ring.iter().all(|s| copied(&steps[*s]));
            if copies && ring.iter().any(|s| steps[*s].line.key) {
                continue;
            }
            let set: BTreeSet<usize> = ring.iter().map(|s| steps[*s].map).collect();
            if told.insert(set) {
                out.push(tell(input, project, &all, &steps, &ring));
            }
        }
    }
    out
}

fn copied(step: &Step<'_>) -> bool {
    matches!(step.line.value, Expr::Slot(_) | Expr::FirstFound(_))
}

fn sources(leg: &Leg, line: &Line) -> Vec<Place> {
    let mut cells = vec![];
    read_cells(&line.value, &mut cells);
    for j in &line.joins {
        cells.extend(leg.joins.get(*j).into_iter().flat_map(|j| &j.refs));
    }
    cells.sort_unstable();
    cells.dedup();
    let place = |cell: usize| {
        let (from, id) = leg.read.columns.get(cell)?;
        let table = if *from == 0 { leg.read.table } else { leg.read.joins.get(*from - 1)?.table };
        Some((TableAt { store: leg.source.store, table }, *id))
    };
    cells.into_iter().filter_map(place).collect()
}

fn targets(leg: &Leg, line: &Line) -> Vec<Place> {
    match line.target {
        LineTarget::Column(c) => vec![(leg.target, c)],
        LineTarget::Reference(r) => {
            let writes = leg.references.get(r).into_iter().flat_map(|r| &r.targets).flat_map(|t| &t.writes);
            let set: BTreeSet<ColumnId> = writes.map(|(_, c)| *c).collect();
            set.into_iter().map(|c| (leg.target, c)).collect()
        }
    }
}

/// Sets of steps among columns that all lead to each other (Tarjan, without recursion).
fn circles(columns: usize, steps: &[Step<'_>]) -> Vec<Vec<usize>> {
    let mut after: Vec<Vec<usize>> = vec![vec![]; columns];
    for s in steps {
        after[s.from].push(s.to);
    }
    let (mut index, mut low) = (vec![usize::MAX; columns], vec![0; columns]);
    let (mut on, mut stack, mut part) = (vec![false; columns], vec![], vec![usize::MAX; columns]);
    let (mut next, mut parts) = (0, 0);
    for root in 0..columns {
        if index[root] != usize::MAX {
            continue;
        }
        let mut work = vec![(root, 0usize)];
        while let Some((v, i)) = work.pop() {
            if i == 0 {
                (index[v], low[v]) = (next, next);
                next += 1;
                stack.push(v);
                on[v] = true;
            }
            match after[v].get(i) {
                Some(w) => {
                    work.push((v, i + 1));
                    if index[*w] == usize::MAX {
                        work.push((*w, 0));
                    } else if on[*w] {
                        low[v] = low[v].min(index[*w]);
                    }
                }
                None => {
                    if low[v] == index[v] {
                        while let Some(w) = stack.pop() {
                            on[w] = false;
                            part[w] = parts;
                            if w == v {
                                break;
                            }
                        }
                        parts += 1;
                    }
                    if let Some((up, _)) = work.last() {
                        low[*up] = low[*up].min(low[v]);
                    }
                }
            }
        }
    }
    let mut out: Vec<Vec<usize>> = vec![vec![]; parts];
    for (i, s) in steps.iter().enumerate() {
        if part[s.from] == part[s.to] {
            out[part[s.from]].push(i);
        }
    }
    out.retain(|steps| !steps.is_empty());
    out.sort();
    out
}

/// Whether what a step writes sets off the next.
fn goes_on(input: &Input<'_>, a: &Step<'_>, b: &Step<'_>, feeds: &mut HashMap<(usize, usize), bool>) -> bool {
    if a.to != b.from || (a.map == b.map && a.leg.into != b.leg.into) {
        return false;
    }
    // Over a lookup the row that is read is another one, which no filter speaks about.
    if b.leg.source != a.leg.target {
        return true;
    }
    let key = (std::ptr::from_ref(a.leg) as usize, std::ptr::from_ref(b.leg) as usize);
    *feeds.entry(key).or_insert_with(|| passes(&input.stores[b.leg.source.store].1, a.leg, b.leg))
}

/// Whether a row that one leg writes can pass the filter of another.
fn passes(schema: &StoreSchema, a: &Leg, b: &Leg) -> bool {
    let table = schema.get(b.source.table);
    let mut space = Space::new();
    for (c, v) in constants(a) {
        space.fix(format!("own {}", c.0), table.column(c), v.clone());
    }
    let own = |from: usize, c: ColumnId| (from == 0).then(|| format!("own {}", c.0));
    space.decide(&[(b, schema, &own)]).0 != Verdict::Never
}

fn shortest(
    input: &Input<'_>,
    steps: &[Step<'_>],
    circle: &[usize],
    start: usize,
    feeds: &mut HashMap<(usize, usize), bool>,
) -> Option<Vec<usize>> {
    let mut before: HashMap<usize, usize> = HashMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        if goes_on(input, &steps[at], &steps[start], feeds) {
            let mut ring = vec![at];
            let mut here = at;
            while here != start {
                here = *before.get(&here)?;
                ring.push(here);
            }
            ring.reverse();
            return Some(ring);
        }
        for next in circle.iter().take(MOST) {
            if *next != start && !before.contains_key(next) && goes_on(input, &steps[at], &steps[*next], feeds) {
                before.insert(*next, at);
                open.push_back(*next);
            }
        }
    }
    None
}

fn tell(input: &Input<'_>, project: &CheckedProject, all: &[Place], steps: &[Step<'_>], ring: &[usize]) -> Diagnostic {
    let name = |i: usize| {
        let (at, c) = all[i];
        let (store, schema) = &input.stores[at.store];
        let t = schema.get(at.table);
        format!("`{store}.{}.{}`", t.name, t.column(c).name)
    };
    let mut path = ring.first().map_or_else(String::new, |s| name(steps[*s].from));
    for s in ring {
        path += &format!(" → {} (`{}`)", name(steps[*s].to), project.maps[steps[*s].map].id);
    }
    let changes = ring.iter().any(|s| !copied(&steps[*s]));
    let why =
        if changes { "each round may change the value again" } else { "two changes at once may chase each other" };
    // Where the ring is closed: by the map that stands last.
    let last = ring.iter().copied().max_by_key(|s| steps[*s].map).unwrap_or(0);
    let mut d = Diagnostic::new(Code::TM1005, steps[last].line.at.0, format!("a ring of maps: {path}; {why}"));
    for s in ring.iter().filter(|s| **s != last) {
        d = d.related(steps[*s].line.at.0, format!("`{}`", project.maps[steps[*s].map].id));
    }
    d.help("leave one line out, use one two-way map, or let a filter keep back the rows that came the other way")
}
