//! Work on many texts at once.

/// The most threads.
const MAX_THREADS: usize = 8;

/// `f` of each item, in the order of the items, on as many threads as there are processors.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS).min(items.len());
    if threads < 2 {
        return items.iter().map(f).collect();
    }
    // Small pieces: a thread that was kept waiting takes fewer.
    let piece = items.len().div_ceil(threads * 8);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut done: Vec<(usize, Vec<R>)> = std::thread::scope(|scope| {
        let work = || {
            let mut own = vec![];
            loop {
                let start = next.fetch_add(piece, std::sync::atomic::Ordering::Relaxed);
                let Some(rest) = items.get(start..).filter(|r| !r.is_empty()) else { return own };
                own.push((start, rest.iter().take(piece).map(&f).collect::<Vec<R>>()));
            }
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for thread in others {
            match thread.join() {
                Ok(mut own) => all.append(&mut own),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    done.sort_by_key(|(start, _)| *start);
    done.into_iter().flat_map(|(_, own)| own).collect()
}

/// Does a piece of work for each number below `count`, on as many threads as there are processors.
pub fn each(count: usize, work: &(dyn Fn(usize) + Sync)) {
    let numbers: Vec<usize> = (0..count).collect();
    in_parallel(&numbers, |n| work(*n));
}
