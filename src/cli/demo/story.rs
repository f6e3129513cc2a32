//! The story: who does what, which map moves how many records where.

use super::super::failure::{Code, Failure, Outcome};
use super::super::legs;
use super::super::open::{self, Loaded};
use super::super::out::{
    BOLD, DIM, ERROR, GOOD, HELP, WARN, indent, many, number, paint, shell, table_by, text_width, wrap,
};
use super::super::{Context, sql};
use super::{content, database};
use crate::engine::{Engine, LegReport, Quiet};
use crate::store::{QuarantineKind, Quarantined};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::time::Instant;

const CUSTOMERS: &str = "customers-v3-accounts";
const INVOICES: &str = "project-invoice-proposal-v2";
const BILLED: &str = "billed-sales-at-confirmation";
const REVERSAL: &str = "unbilled-sales-reversal";
const LINKS: &str = "billed-sales-connections";
const ACTUALS: &str = "project-operations-integration-actuals";
const RELATIONS: &str = "project-operations-transaction-relationships";
const IMPORT: &str = "import-from-staging";
const POSTING: &str = "posting-back-to-staging";

/// How expected/check.sql names the stores.
const DATAVERSE: &str = "dv";
const FINANCE: &str = "fin";

struct Story<'a> {
    context: &'a Context,
    loaded: &'a Loaded,
    engine: Engine,
    dir: &'a Path,
    /// Both stores, as expected/check.sql names them.
    reader: sql::Reader,
    steps: Vec<Json>,
    /// Records moved in all.
    moved: u64,
}

/// Plays it; `shown` is the folder as the user wrote it.
pub(super) fn play(context: &Context, loaded: &Loaded, shown: &Path, dir: &Path) -> Outcome {
    loaded.runnable(context, &[])?;
    let engine = loaded.engine(open::env(true)?)?;
    let began = Instant::now();
    let reader = sql::Reader::new(vec![(DATAVERSE, database(dir, "dataverse")), (FINANCE, database(dir, "finance"))]);
    let mut s = Story { context, loaded, engine, dir, reader, steps: vec![], moved: 0 };
    let out = &context.out;
    let invoices = s.count((DATAVERSE, "invoices", ""))?;
    let lines = s.count((DATAVERSE, "invoicedetails", ""))?;
    let title = "From a proforma invoice in Dataverse to a posted invoice in finance, by nine table maps";
    out.line(paint(BOLD, wrap(title, text_width(0))));
    s.say(&format!(
        "Two SQLite files in {} play the two systems. Dataverse holds {} draft invoices of three \
         companies with {} lines; finance has never heard of them.",
        shown.display(),
        number(invoices),
        number(lines)
    ));

    s.title("Getting into step", "the initial sync");
    let guards = s.engine.install_guards()?;
    s.say(&format!("Guards installed: {guards}. From here on finance refuses what its maps do not allow."));
    let report = s.engine.sync(None, None, &Quiet)?;
    s.report("initial sync", &report.legs);

    s.title("Step 1", "the project manager confirms the invoices in Dataverse");
    let n = s.person("dataverse", "steps/1-confirm.sql")?;
    s.say(&format!("{} invoices go from Draft to Confirmed.", number(n)));
    s.title("Step 2", "each confirmed invoice becomes an invoice proposal in finance");
    s.maps("proposals", &[INVOICES])?;
    s.title("Step 3", "inside Dataverse: each line is billed, its unbilled sale taken back, both are linked");
    s.maps("billing", &[BILLED, REVERSAL, LINKS])?;
    s.title("Step 4", "actuals that are not marked Skip Sync, and their links, go to finance's staging");
    s.maps("staging", &[ACTUALS, RELATIONS])?;
    s.title("Step 5", "inside finance: the periodic import makes proposal lines of the billed sales");
    s.say("On a schedule of 15 minutes; here by name: tablemap run --once import-from-staging");
    s.maps("import", &[IMPORT])?;
    s.title("Step 6", "the accountant posts the proposals; vouchers, amounts and taxes come back");
    let n = s.person("finance", "steps/6-post.sql")?;
    s.say(&format!("{} rows of proposals and their lines are posted in finance.", number(n)));
    s.maps("posting", &[POSTING, ACTUALS])?;
    s.settle("settling")?;

    s.title("What is not allowed", "somebody works around the maps");
    s.refused("types a proposal into finance", "finance", "steps/direct-create.sql")?;
    s.refused("deletes a proposal in finance", "finance", "steps/direct-delete.sql")?;
    s.refused("types a voucher number into Dataverse", "dataverse", "steps/direct-voucher.sql")?;

    s.title("What waits", "nothing is dropped, nothing is cut, nobody has to start over");
    s.waiting()?;
    s.title("The contract arrives", "seed/late-contract.sql in Dataverse: what was parked goes on by itself");
    s.person("dataverse", "seed/late-contract.sql")?;
    s.settle("late contract")?;
    s.title("The name is shortened", "steps/fix-long-name.sql in Dataverse: the changed record is tried again");
    s.person("dataverse", "steps/fix-long-name.sql")?;
    s.settle("shortened name")?;
    s.title("The accountant posts what came late", "steps/6-post.sql again");
    s.person("finance", "steps/6-post.sql")?;
    s.settle("posting again")?;
    let left = s.errors()?;
    s.say(&format!(
        "Still in quarantine, on purpose: {} of a type ({}) that the value map does not know, until somebody \
         gives it another type, or the map a pair for it.",
        many(left.len(), "record"),
        left.iter().map(|e| e.value.as_str()).collect::<Vec<_>>().join(", ")
    ));

    let fine = s.compare()?;
    let seconds = began.elapsed().as_secs_f64();
    out.line("");
    out.line(format!("{} records moved in {seconds:.1} s.", number(s.moved)));
    let at = shell(&shown.to_string_lossy());
    out.line(format!("\n{}", paint(BOLD, "Try next")));
    for (command, what) in [
        (format!("tablemap status -C {at}"), "where every map stands"),
        (format!("tablemap errors list -C {at}"), "the record that waits, and why"),
        (format!("tablemap check -C {at}"), "after you misspell a column in maps/"),
        (format!("tablemap test -C {at}"), "the maps' own tests"),
        (format!("tablemap run -C {at}"), "live: change a row in data/*.db and watch"),
        ("tablemap init my-project".to_string(), "a project of your own"),
    ] {
        out.line(format!("  {}  {what}", paint(HELP, format!("{command:<width$}", width = 25 + at.chars().count()))));
    }
    out.json(&json!({ "dir": shown.display().to_string(), "steps": s.steps, "as_expected": fine, "seconds": seconds }));
    Ok(if fine { Code::Fine } else { Code::Findings })
}

impl Story<'_> {
    fn title(&self, what: &str, who: &str) {
        self.context.out.line(format!("\n{}", wrap(&format!("{}  {who}", paint(BOLD, what)), text_width(0))));
    }
    fn say(&self, text: &str) {
        self.context.out.line(indent(&wrap(text, text_width(2)), 2));
    }
    /// Text that has its form already.
    fn show(&self, text: &str) {
        self.context.out.line(indent(text, 2));
    }
    /// A paragraph further in.
    fn quote(&self, text: &str) {
        self.show(&indent(&wrap(text, text_width(4)), 2));
    }
    /// Rows of a table that a filter lets through.
    fn count(&self, (store, table, filter): (&str, &str, &str)) -> Result<u64, Failure> {
        self.reader.count(&format!("SELECT count(*) FROM {store}.{table} {filter}"))
    }
    /// A person's script on a store; rows changed.
    fn person(&self, store: &str, file: &str) -> Result<u64, Failure> {
        let done = sql::script(&database(self.dir, store), content::text(file))?;
        done.map_err(|e| Failure::new(format!("{file}: {e}")))
    }
    /// These maps work off what is pending.
    fn maps(&mut self, step: &str, ids: &[&str]) -> Result<(), Failure> {
        let indexes: Vec<usize> =
            ids.iter().filter_map(|id| self.loaded.checked.maps.iter().position(|m| m.id == *id)).collect();
        let report = self.engine.run_once(Some(&indexes), &Quiet)?;
        self.report(step, &report.legs);
        Ok(())
    }
    /// All maps, until nothing moves any more.
    fn settle(&mut self, step: &str) -> Result<(), Failure> {
        let all: Vec<usize> = (0..self.loaded.checked.maps.len()).collect();
        let mut sum = crate::engine::Report::default();
        for _ in 0..10 {
            let report = self.engine.run_once(Some(&all), &Quiet)?;
            let moved = report.legs.iter().any(|l| l.written() > 0);
            report.legs.iter().for_each(|l| sum.add(l));
            if !moved {
                break;
            }
        }
        self.report(step, &sum.legs);
        Ok(())
    }
    /// A step's table: which map moved how many records where.
    fn report(&mut self, step: &str, all: &[LegReport]) {
        self.moved += all.iter().map(LegReport::written).sum::<u64>();
        self.steps.push(json!({ "step": step, "legs": all }));
        let moved: Vec<LegReport> = all.iter().filter(|l| l.moved()).cloned().collect();
        if !moved.is_empty() {
            self.show(&legs::brief(self.loaded, &moved));
        }
    }
    /// Something that a guard must refuse.
    fn refused(&mut self, what: &str, store: &str, file: &str) -> Result<(), Failure> {
        match sql::script(&database(self.dir, store), content::text(file))? {
            Err(message) => {
                self.say(&format!("Somebody {what} ({file}):"));
                self.quote(&format!("{} {message}", paint(WARN, "refused:")));
                self.steps.push(json!({ "step": file, "refused": message }));
                Ok(())
            }
            Ok(_) => Err(Failure::new(format!("{file} went through: the guard in `{store}` does not hold"))),
        }
    }
    fn errors(&self) -> Result<Vec<Quarantined>, Failure> {
        let all: Vec<usize> = (0..self.loaded.checked.maps.len()).collect();
        Ok(self.engine.errors(&all)?.into_iter().map(|(_, e)| e).filter(|e| e.kind != QuarantineKind::Debt).collect())
    }
    /// What failed and what is parked: the failed ones whole, of the parked ones the first of each map.
    fn waiting(&mut self) -> Result<(), Failure> {
        let all = self.errors()?;
        let (parked, failed): (Vec<_>, Vec<_>) = all.iter().partition(|e| e.kind == QuarantineKind::Parked);
        self.say(&format!("{} failed:", many(failed.len(), "record")));
        for e in &failed {
            self.quote(&format!("{} {}", paint(WARN, &e.code), e.message));
        }
        self.say(&format!(
            "{} wait for a record that has not arrived. The first of each map:",
            number(parked.len() as u64)
        ));
        let mut seen: Vec<&str> = Vec::new();
        for e in &parked {
            if seen.contains(&e.leg.as_str()) {
                continue;
            }
            seen.push(&e.leg);
            self.quote(&e.message);
        }
        let entries: Vec<Json> =
            failed.iter().map(|e| json!({ "leg": e.leg, "code": e.code, "message": e.message })).collect();
        self.steps.push(json!({ "step": "what waits", "failed": entries, "parked": parked.len() }));
        Ok(())
    }
    /// Both stores beside each other, and against what plain SQL says must be there.
    fn compare(&mut self) -> Result<bool, Failure> {
        self.title(
            "Both stores compared",
            "counted and worked out again by plain SQL (expected/check.sql), without the maps",
        );
        let mut rows = Vec::new();
        for (map, left, right) in [
            (
                CUSTOMERS,
                (FINANCE, "CustomersV3", "WHERE PARTYTYPE = 'Organization'"),
                (DATAVERSE, "accounts", "WHERE customertypecode = 3"),
            ),
            (
                INVOICES,
                (FINANCE, "ProjInvoiceProposals", ""),
                (DATAVERSE, "invoices", "WHERE msdyn_projectinvoicestatus = 192350002"),
            ),
            (ACTUALS, (FINANCE, "ProjActualsImports", ""), (DATAVERSE, "msdyn_actuals", "WHERE msdyn_skipsync = 0")),
            (
                RELATIONS,
                (FINANCE, "ProjTransactionRelationshipImports", ""),
                (DATAVERSE, "msdyn_transactionconnections", ""),
            ),
            (IMPORT, (FINANCE, "ProjInvoiceProposalLines", ""), (DATAVERSE, "invoicedetails", "")),
        ] {
            let (l, r) = (self.count(left)?, self.count(right)?);
            let note = match r.saturating_sub(l) {
                0 => String::new(),
                n => format!("{n} in quarantine"),
            };
            rows.push(vec![
                map.to_string(),
                format!("finance.{}", left.1),
                number(l),
                format!("dataverse.{}", right.1),
                number(r),
                note,
            ]);
        }
        self.show(&table_by(2, &["map", "left", ">rows", "right", ">rows", ""], rows));
        let results = self.reader.queries(content::text("expected/check.sql"))?;
        let wrong: Vec<_> = results.iter().filter(|(_, n, _)| *n > 0).collect();
        let entries: Vec<Json> =
            results.iter().map(|(name, n, _)| json!({ "check": name, "differences": n })).collect();
        self.steps.push(json!({ "step": "comparison", "checks": entries }));
        if wrong.is_empty() && !results.is_empty() {
            let names: Vec<&str> = results.iter().map(|(name, _, _)| name.as_str()).collect();
            self.say(&format!("{}  {}", paint(GOOD, "as expected"), paint(DIM, names.join(", "))));
            return Ok(true);
        }
        for (name, n, first) in wrong {
            self.say(&format!(
                "{} {name}: {} differ; the first: {first}",
                paint(ERROR, "differences"),
                many(*n, "row")
            ));
        }
        Ok(false)
    }
}
