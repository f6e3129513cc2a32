//! In which order maps run: what is needed first, what is looked up first, ties by file order.

use super::ir::{CheckedMap, TableAt};

/// Needs that lead from a map back to itself, as indexes, first one again at the end.
pub(crate) fn circles(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    fn visit(at: usize, needs: &[Vec<usize>], state: &mut [u8], path: &mut Vec<usize>, out: &mut Vec<Vec<usize>>) {
        state[at] = 1;
        path.push(at);
        for n in &needs[at] {
            match state[*n] {
                0 => visit(*n, needs, state, path, out),
                1 => {
                    let from = path.iter().position(|p| p == n).unwrap_or(0);
                    let mut circle = path[from..].to_vec();
                    circle.push(*n);
                    out.push(circle);
                }
                _ => {}
            }
        }
        path.pop();
        state[at] = 2;
    }
    let mut out = vec![];
    let mut state = vec![0; needs.len()];
    for i in 0..needs.len() {
        if state[i] == 0 {
            visit(i, needs, &mut state, &mut vec![], &mut out);
        }
    }
    out
}

/// Whether a map creates rows of a table.
pub(crate) fn fills(map: &CheckedMap, table: TableAt) -> bool {
    map.legs().any(|l| l.target == table && l.operations.create)
}

/// Indexes of the maps in the order they run. A circle of lookups is broken where it does least harm: at the first map
/// in file order whose prerequisites are done.
pub(crate) fn order(maps: &[std::sync::Arc<CheckedMap>]) -> Vec<usize> {
    let looked_up: Vec<Vec<usize>> = maps
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let tables: Vec<TableAt> = m
                .legs()
                .flat_map(|l| {
                    l.references
                        .iter()
                        .flat_map(|r| &r.targets)
                        .map(|t| TableAt { store: l.target.store, table: t.table })
                })
                .collect();
            (0..maps.len()).filter(|j| *j != i && tables.iter().any(|t| fills(&maps[*j], *t))).collect()
        })
        .collect();
    let mut done = vec![false; maps.len()];
    let mut out = Vec::with_capacity(maps.len());
    while out.len() < maps.len() {
        let needed = |i: &usize| maps[*i].needs.iter().all(|n| done[*n] || n == i);
        let open = |i: &usize| !done[*i];
        let next = (0..maps.len())
            .find(|i| open(i) && needed(i) && looked_up[*i].iter().all(|j| done[*j]))
            .or_else(|| (0..maps.len()).find(|i| open(i) && needed(i)))
            .or_else(|| (0..maps.len()).find(open));
        let Some(next) = next else { break };
        done[next] = true;
        out.push(next);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::circles;

    #[test]
    fn circles_are_found_once() {
        assert!(circles(&[vec![1], vec![2], vec![]]).is_empty());
        assert_eq!(circles(&[vec![1], vec![2], vec![0]]), [vec![0, 1, 2, 0]]);
        assert_eq!(circles(&[vec![0]]), [vec![0, 0]]);
    }
}
