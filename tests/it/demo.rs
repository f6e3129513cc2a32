//! The demo's stores against an expectation worked out here, by SQL over the untouched seed data: nothing of it comes
//! from the engine or its maps.

use std::path::Path;
use std::process::Command;
use tablemap::source::Sources;
use tablemap::store::Store;
use tablemap::store::sqlite::{Options, SqliteStore};

/// Expected minus there, and there minus expected; both must be empty. `seed` is the seed data, `dv` and `fin` are
/// what the demo left behind.
const COMPARISONS: &[(&str, &str, &str)] = &[
    (
        "one proposal for each invoice, with contract, currency and date",
        "select x.cdm_companycode, i.invoicenumber, s.ordernumber, t.isocurrencycode, substr(i.msdyn_invoicedate, 1, 10)
         from seed.invoices i
         join seed.cdm_companies x on x.cdm_companyid = i.msdyn_owningcompany
         join seed.salesorders s on s.salesorderid = i.salesorderid
         join seed.transactioncurrencies t on t.transactioncurrencyid = i.transactioncurrencyid",
        "select DATAAREAID, INVOICEPROPOSALID, PROJECTCONTRACTID, SALESCURRENCY, substr(INVOICEDATE, 1, 10)
         from fin.ProjInvoiceProposals",
    ),
    (
        "billed sales of each invoice: how many, what amount",
        "select invoiceid, count(*), sum(cast(round(extendedamount * 100) as integer)) from seed.invoicedetails group by 1",
        "select msdyn_invoice, count(*), sum(cast(round(msdyn_amount * 100) as integer))
         from dv.msdyn_actuals where msdyn_transactiontypecode = 192350006 group by 1",
    ),
    (
        "proposal lines of each proposal: how many, what amount",
        "select i.invoicenumber, count(*), sum(cast(round(d.extendedamount * 100) as integer))
         from seed.invoicedetails d join seed.invoices i on i.invoiceid = d.invoiceid group by 1",
        "select INVOICEPROPOSALID, count(*), sum(cast(round(LINEAMOUNT * 100) as integer))
         from fin.ProjInvoiceProposalLines group by 1",
    ),
    (
        "the voucher of each posted line, back on its actual",
        "select i.invoiceid, 'PRJ' || substr(i.invoicenumber, 5), count(*)
         from seed.invoicedetails d join seed.invoices i on i.invoiceid = d.invoiceid group by 1, 2",
        "select msdyn_invoice, msdyn_vouchernumber, count(*) from dv.msdyn_actuals
         where msdyn_vouchernumber is not null group by 1, 2",
    ),
    (
        "recorded actuals in staging: all but the one of an unknown type",
        "select msdyn_actualimportid from seed.msdyn_actuals
         where msdyn_transactiontypecode <> 192350004 and not msdyn_skipsync",
        "select s.ACTUALSIMPORTID from fin.ProjActualsImports s
         where s.ACTUALSIMPORTID in (select msdyn_actualimportid from seed.msdyn_actuals)",
    ),
    (
        "staging holds recorded and billed actuals and nothing else",
        "select (select count(*) from seed.invoicedetails) + (select count(*) from seed.msdyn_actuals
           where msdyn_transactiontypecode <> 192350004 and not msdyn_skipsync)",
        "select count(*) from fin.ProjActualsImports",
    ),
];

fn database(path: &Path, project: &tablemap::project::Project, store: &str) -> SqliteStore {
    let schema = project.store(store).unwrap().schema.clone();
    let options = Options { create: true, ..Options::default() };
    SqliteStore::open(store, path, schema, options).unwrap()
}

#[test]
fn the_demos_stores_hold_what_plain_sql_expects() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("demo");
    let out = Command::new(env!("CARGO_BIN_EXE_tablemap")).args(["demo", "--dir"]).arg(&at).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));

    // The seed once more, untouched by any map; with the contract that comes late.
    let mut sources = Sources::new();
    let (project, findings) = tablemap::project::load(&at, &mut sources);
    assert!(findings.is_empty(), "{findings:?}");
    let seed = dir.path().join("seed.db");
    database(&seed, &project.unwrap(), "dataverse").create_tables().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/project-operations");
    let c = rusqlite::Connection::open(&seed).unwrap();
    for script in ["seed/dataverse.sql", "seed/late-contract.sql"] {
        c.execute_batch(&std::fs::read_to_string(example.join(script)).unwrap()).unwrap();
    }
    drop(c);

    let c = rusqlite::Connection::open_in_memory().unwrap();
    for (name, path) in [("seed", seed), ("dv", at.join("data/dataverse.db")), ("fin", at.join("data/finance.db"))] {
        c.execute(&format!("attach ?1 as {name}"), [path.to_str().unwrap()]).unwrap();
    }
    let differing = |expected: &str, there: &str| -> i64 {
        let sql = format!(
            "select (select count(*) from (select * from ({expected}) except select * from ({there})))
                  + (select count(*) from (select * from ({there}) except select * from ({expected})))"
        );
        c.query_row(&sql, [], |r| r.get(0)).unwrap_or_else(|e| panic!("{e}: {sql}"))
    };
    let rows = |sql: &str| -> i64 { c.query_row(&format!("select count(*) from ({sql})"), [], |r| r.get(0)).unwrap() };
    for (what, expected, there) in COMPARISONS {
        assert!(rows(expected) > 0, "{what}: the expectation is empty");
        assert_eq!(differing(expected, there), 0, "{what}");
    }

    // The comparison can fail: one cent, one row.
    let check = std::fs::read_to_string(example.join("expected/check.sql")).unwrap();
    let queries: Vec<&str> = check
        .split("\n-- name: ")
        .skip(1)
        .map(|q| q.split_once('\n').unwrap().1)
        .map(|q| &q[..q.rfind(';').unwrap()])
        .collect();
    assert!(queries.len() >= 10);
    let found = || -> i64 { queries.iter().map(|q| rows(q)).sum() };
    assert_eq!(found(), 0);
    c.execute_batch(
        "update fin.ProjInvoiceProposalLines set LINEAMOUNT = LINEAMOUNT + 0.01
         where rowid = (select min(rowid) from fin.ProjInvoiceProposalLines)",
    )
    .unwrap();
    assert!(found() > 0);
    let (what, expected, there) = COMPARISONS[2];
    assert!(differing(expected, there) > 0, "{what}");
}
