//! TM1006: a map looks up what only maps fill that wait for it.

use crate::diagnostic::{Code, Diagnostic};
use crate::sema::{CheckedProject, Input, TableAt};

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let waits = waiting(project);
    let mut out = vec![];
    for (i, map) in project.maps.iter().enumerate() {
        for leg in map.legs() {
            for reference in &leg.references {
                for target in &reference.targets {
                    let table = TableAt { store: leg.target.store, table: target.table };
                    let (store, schema) = &input.stores[table.store];
                    let t = schema.get(table.table);
                    let fills = |j: usize| project.maps[j].legs().any(|l| l.target == table && l.operations.create);
                    let fillers: Vec<usize> = (0..project.maps.len()).filter(|j| fills(*j)).collect();
                    if t.filled_elsewhere
                        || fillers.is_empty()
                        || !fillers.iter().all(|j| *j != i && waits[*j].contains(&i))
                    {
                        continue;
                    }
                    let Some(at) = super::filled::place(input, map, leg, reference) else { continue };
                    let first = &project.maps[fillers[0]];
                    let mut d = Diagnostic::new(
                        Code::TM1006,
                        at.0,
                        format!(
                            "`{}` looks up `{store}.{}`, which `{}` fills, and `{}` waits for this map: nothing is there when it runs",
                            reference.name, t.name, first.id, first.id
                        ),
                    );
                    if let Some(needs) = super::tree(input, first).and_then(|m| m.needs.as_ref()) {
                        d = d.related(needs.at.0, "it waits here");
                    }
                    out.push(d.help("take the prerequisite away, or put it the other way round"));
                }
            }
        }
    }
    let mut seen: Vec<Diagnostic> = vec![];
    for d in out {
        if !seen.contains(&d) {
            seen.push(d);
        }
    }
    seen
}

/// For each map the maps that must have run before it.
fn waiting(project: &CheckedProject) -> Vec<std::collections::HashSet<usize>> {
    let mut out = Vec::with_capacity(project.maps.len());
    for map in &project.maps {
        let mut all = std::collections::HashSet::new();
        let mut open = map.needs.clone();
        while let Some(n) = open.pop() {
            if all.insert(n) {
                open.extend(&project.maps[n].needs);
            }
        }
        out.push(all);
    }
    out
}
