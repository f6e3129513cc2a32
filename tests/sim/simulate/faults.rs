//! A store around a store: every call is a crash point, before and after it, and a place where others get their turn:
//! writers with connections and threads of their own, a second engine that takes over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use tablemap::schema::{ColumnId, LiveTable, StoreSchema, TableId};
use tablemap::store::*;
use tablemap::value::Value;

/// The calls that a crash may be aimed at, by name: the `n`th call of that name, before or after it is made.
pub const CALLS: &[&str] = &[
    "verify",
    "prepare",
    "is_prepared",
    "identity",
    "take_over",
    "capture",
    "snapshot",
    "begin",
    "acknowledge",
    "maintain",
    "head",
    "witness",
    "scan",
    "sweep",
    "fetch",
    "related",
    "imagine",
    "dependents",
    "find",
    "changes",
    "is_empty",
    "check_epoch",
    "writing",
    "insert",
    "insert_all",
    "update",
    "update_all",
    "delete",
    "touch",
    "disown_side_effects",
    "commit",
    "progress",
    "all_progress",
    "quarantined",
    "quarantine_of",
    "quarantine_counts",
    "arrived",
    "ahead",
    "held",
    "ledger",
    "conflicts",
    "suspended",
    "companies",
    "put_progress",
    "quarantine",
    "release",
    "forget_before",
    "put_waits",
    "put_ahead",
    "put_held",
    "drop_ahead",
    "put_ledger",
    "drop_ledger",
    "put_conflict",
    "update_conflict",
    "put_run",
    "put_company",
    "forget_leg",
    "put_suspended",
];

/// Where an engine dies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    pub call: &'static str,
    pub after: bool,
    /// The how manieth call of that name.
    pub n: u32,
}

/// Somebody's turn: at which call on the store, and what is done then.
pub struct Turn {
    pub store: String,
    pub at: u32,
    pub act: Box<dyn FnOnce() -> bool + Send>,
}

/// What is planned for one engine, and what came of it.
#[derive(Default)]
pub struct Plan {
    crash: Option<Crash>,
    turns: Vec<Turn>,
    seen: BTreeMap<&'static str, u32>,
    on_store: BTreeMap<String, u32>,
    dead: bool,
    /// The engine writes rows together, whatever the store says of that.
    batches: bool,
    /// Points at which this engine died: call and `after`.
    pub died: Option<(&'static str, bool)>,
    /// How many turns were taken while the engine worked.
    pub taken: u64,
}

/// One engine's stores share it.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

impl Faults {
    pub fn new(crash: Option<Crash>, turns: Vec<Turn>, batches: bool) -> Faults {
        Faults(Arc::new(Mutex::new(Plan { crash, turns, batches, ..Plan::default() })))
    }
    pub fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    /// The names of the calls that were made.
    pub fn seen(&self) -> BTreeSet<&'static str> {
        self.plan().seen.keys().copied().collect()
    }
    /// Turns that the engine did not live to see.
    pub fn left(&self) -> Vec<Turn> {
        std::mem::take(&mut self.plan().turns)
    }
    pub fn around(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(FaultyStore { inner, faults: self.clone() })
    }

    fn gone(store: &str) -> StoreError {
        StoreError::Lost { store: store.to_string(), reason: "the simulated process died".into() }
    }

    fn before(&self, store: &str, call: &'static str) -> Result<u32> {
        let due = {
            let mut plan = self.plan();
            if plan.dead {
                return Err(Self::gone(store));
            }
            *plan.on_store.entry(store.to_string()).or_default() += 1;
            let now = plan.on_store[store];
            let mut due = Vec::new();
            let mut i = 0;
            while i < plan.turns.len() {
                match plan.turns[i].store == store && plan.turns[i].at <= now {
                    true => due.push(plan.turns.remove(i)),
                    false => i += 1,
                }
            }
            due
        };
        // Nobody holds the plan while others have their turn: the engine waits in this very call.
        for turn in due {
            if (turn.act)() {
                self.plan().taken += 1;
            }
        }
        let mut plan = self.plan();
        let n = plan.seen.entry(call).or_default();
        *n += 1;
        let n = *n;
        plan.dies(call, false, n).map_or(Ok(n), |()| Err(Self::gone(store)))
    }

    fn after(&self, store: &str, call: &'static str, n: u32) -> Result<()> {
        self.plan().dies(call, true, n).map_or(Ok(()), |()| Err(Self::gone(store)))
    }

    fn call<T>(&self, store: &str, name: &'static str, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let n = self.before(store, name)?;
        let made = make()?;
        self.after(store, name, n)?;
        Ok(made)
    }
}

impl Plan {
    fn dies(&mut self, call: &'static str, after: bool, n: u32) -> Option<()> {
        let crash = self.crash.as_ref()?;
        if self.dead || (crash.call, crash.after, crash.n) != (call, after, n) {
            return None;
        }
        self.dead = true;
        self.died = Some((call, after));
        Some(())
    }
}

struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Faults,
}

/// Hands calls on, each one a crash point.
macro_rules! through {
    ($($name:ident(&self $(, $a:ident: $t:ty)*) -> $r:ty;)*) => {
        $(fn $name(&self $(, $a: $t)*) -> Result<$r> {
            self.faults.call(self.inner.name(), stringify!($name), || self.inner.$name($($a),*))
        })*
    };
    ($to:ident; $($name:ident(&mut self $(, $a:ident: $t:ty)*) -> $r:ty;)*) => {
        $(fn $name(&mut self $(, $a: $t)*) -> Result<$r> {
            let (faults, store) = (self.faults.clone(), self.store.clone());
            faults.call(&store, stringify!($name), || self.$to().$name($($a),*))
        })*
    };
}

impl Store for FaultyStore {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn schema(&self) -> &Arc<StoreSchema> {
        self.inner.schema()
    }
    fn position_at(&self, seq: i64) -> Position {
        self.inner.position_at(seq)
    }
    fn describe(&self) -> Result<Vec<LiveTable>> {
        self.inner.describe()
    }
    fn create_tables(&self) -> Result<()> {
        self.inner.create_tables()
    }
    fn install_guards(&self, project: &str, guards: &[GuardSpec]) -> Result<()> {
        self.inner.install_guards(project, guards)
    }
    fn remove_guards(&self, project: &str) -> Result<usize> {
        self.inner.remove_guards(project)
    }
    fn guards(&self, project: &str) -> Result<GuardStatus> {
        self.inner.guards(project)
    }
    fn watch(&self) -> Result<Box<dyn Watch>> {
        self.inner.watch()
    }
    through! {
        verify(&self, tables: &[TableId]) -> Vec<String>;
        prepare(&self) -> ();
        is_prepared(&self) -> bool;
        identity(&self) -> Identity;
        take_over(&self, project: &str, holder: &str) -> i64;
        capture(&self, wanted_by: &str, specs: &[CaptureSpec]) -> Vec<TableId>;
        acknowledge(&self, acks: &[(String, Position)]) -> ();
        maintain(&self) -> ();
    }
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        let store = self.inner.name().to_string();
        let inner = self.faults.call(&store, "snapshot", || self.inner.snapshot())?;
        Ok(Box::new(View { inner, store, faults: self.faults.clone() }))
    }
    fn begin(&self) -> Result<Box<dyn Transaction>> {
        let store = self.inner.name().to_string();
        let inner = self.faults.call(&store, "begin", || self.inner.begin())?;
        Ok(Box::new(View { inner, store, faults: self.faults.clone() }))
    }
}

/// A snapshot or a transaction.
struct View<T: ?Sized> {
    faults: Faults,
    store: String,
    inner: Box<T>,
}

impl<T: ?Sized> View<T> {
    fn there(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: Read + ?Sized> Read for View<T>
where
    View<T>: State,
{
    through! { there;
        head(&mut self) -> Position;
        witness(&mut self, position: &Position) -> Option<String>;
        scan(&mut self, plan: &ReadPlan, after: Option<&[Value]>, limit: usize, out: &mut Rows) -> ();
        sweep(&mut self, plan: &ReadPlan, cursor: Option<&str>, limit: usize, out: &mut Rows) -> Swept;
        fetch(&mut self, plan: &ReadPlan, keys: &[Vec<Value>], out: &mut Rows) -> Vec<bool>;
        related(&mut self, plan: &ReadPlan, by: &[ColumnId], values: &[Value], out: &mut Rows) -> ();
        imagine(&mut self, plan: &ReadPlan, base: &[(ColumnId, Value)], out: &mut Rows) -> ();
        dependents(&mut self, plan: &ReadPlan, join: usize, values: &[Value], after: Option<&[Value]>, limit: usize) -> Vec<Vec<Value>>;
        find(&mut self, table: TableId, by: &[ColumnId], keys: &[Vec<Value>], read: &[ColumnId]) -> Vec<Found>;
        changes(&mut self, after: &Position, tables: &[TableId], legs: &[String], limit: usize, out: &mut Vec<Change>) -> bool;
        count_changes(&mut self, after: &Position, tables: &[TableId], own: &[String]) -> u64;
        log_size(&mut self) -> LogSize;
        is_empty(&mut self, table: TableId) -> bool;
        count(&mut self, table: TableId) -> u64;
    }
    fn state(&mut self) -> &mut dyn ReadState {
        self
    }
}

impl Snapshot for View<dyn Snapshot> {}

/// The state tables of a view.
trait State {
    fn read(&mut self) -> &mut dyn ReadState;
}
impl State for View<dyn Snapshot> {
    fn read(&mut self) -> &mut dyn ReadState {
        self.inner.state()
    }
}
impl State for View<dyn Transaction> {
    fn read(&mut self) -> &mut dyn ReadState {
        self.inner.state()
    }
}

impl<T: ?Sized> ReadState for View<T>
where
    View<T>: State,
{
    through! { read;
        progress(&mut self, leg: &str) -> Option<Progress>;
        all_progress(&mut self, prefix: &str) -> Vec<Progress>;
        quarantined(&mut self, filter: &QuarantineFilter) -> Vec<Quarantined>;
        quarantine_of(&mut self, leg: &str, key: &str) -> Vec<Quarantined>;
        quarantine_counts(&mut self, leg: &str) -> Vec<(QuarantineKind, u64)>;
        arrived(&mut self, leg: &str, limit: usize) -> Vec<String>;
        ahead(&mut self, leg: &str) -> Vec<Ahead>;
        held(&mut self, leg: &str) -> Vec<(String, String, i64)>;
        ledger(&mut self, leg: &str) -> Vec<(String, i64)>;
        runs(&mut self, prefix: &str, limit: usize) -> Vec<RunRecord>;
        conflicts(&mut self, leg: &str, key: Option<&str>) -> Vec<ConflictRow>;
        conflict_count(&mut self, leg: &str) -> u64;
        suspended(&mut self, project: &str) -> Vec<String>;
        companies(&mut self, project: &str) -> Vec<(String, String, String)>;
    }
}

impl View<dyn Transaction> {
    fn write(&mut self) -> &mut dyn WriteState {
        self.inner.state_mut()
    }
}

impl WriteState for View<dyn Transaction> {
    through! { write;
        put_progress(&mut self, progress: &Progress) -> ();
        forget_leg(&mut self, leg: &str) -> ();
        quarantine(&mut self, entry: &Quarantined) -> ();
        release(&mut self, leg: &str, key: &str, company: &str) -> u64;
        forget_before(&mut self, leg: &str, key: &str, company: &str) -> ();
        put_waits(&mut self, leg: &str, key: &str, company: &str, waits: &[Wait]) -> ();
        put_ahead(&mut self, leg: &str, ahead: &Ahead) -> ();
        put_held(&mut self, leg: &str, ikey: &str, key: &str, through: i64) -> ();
        drop_ahead(&mut self, leg: &str, through: i64) -> ();
        put_ledger(&mut self, leg: &str, upper: &str, position: i64) -> ();
        drop_ledger(&mut self, leg: &str) -> ();
        put_conflict(&mut self, leg: &str, key: &str, base: &str, left: &str, right: &str, outcome: &str) -> ();
        update_conflict(&mut self, row: &ConflictRow) -> ();
        put_run(&mut self, run: &RunRecord) -> ();
        put_suspended(&mut self, project: &str, table: &str, suspended: bool) -> ();
        put_company(&mut self, project: &str, company: &str, since: &str, until: &str) -> ();
    }
}

type Outcome<T> = std::result::Result<T, RecordError>;

impl Transaction for View<dyn Transaction> {
    through! { there;
        check_epoch(&mut self, project: &str, epoch: i64) -> ();
        writing(&mut self, leg: &str, settles: bool, path: &str) -> ();
        insert(&mut self, table: TableId, columns: &[ColumnId], row: &[Value]) -> Outcome<Option<Vec<Value>>>;
        insert_all(&mut self, table: TableId, columns: &[ColumnId], rows: &[&[Value]], outcomes: &mut Vec<Outcome<Option<Vec<Value>>>>) -> ();
        update(&mut self, table: TableId, key: &[Value], columns: &[ColumnId], values: &[Value]) -> Outcome<()>;
        update_all(&mut self, table: TableId, columns: &[ColumnId], rows: &[(&[Value], &[Value])], outcomes: &mut Vec<Outcome<()>>) -> ();
        delete(&mut self, table: TableId, key: &[Value]) -> Outcome<()>;
        touch(&mut self, table: TableId, key: &[Value], old: &[(ColumnId, Value)], for_leg: &str) -> ();
        disown_side_effects(&mut self, leg: &str, written: &dyn Fn(TableId, &[Value]) -> usize) -> u64;
    }
    fn in_batches(&self) -> bool {
        self.faults.plan().batches || self.inner.in_batches()
    }
    fn state_mut(&mut self) -> &mut dyn WriteState {
        self
    }
    fn commit(self: Box<Self>) -> Result<()> {
        let View { faults, store, inner } = *self;
        faults.call(&store, "commit", || inner.commit())
    }
}
