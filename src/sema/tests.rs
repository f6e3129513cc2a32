//! What legs are made of, on the schemas of the corpus.

use super::*;
use crate::schema::{ColumnId, TableId};
use crate::store::{CaptureSpec, Op, Predicate};
use crate::syntax::ast::{OnMissing, Side};
use crate::value::Value;

const CRM: &str = include_str!("../../tests/corpus/check/crm.schema.yaml");
const ERP: &str = include_str!("../../tests/corpus/check/erp.schema.yaml");

fn analysed(text: &str) -> (CheckedProject, Vec<String>) {
    let mut sources = Sources::new();
    let mut stores = vec![];
    for (name, schema) in [("crm", CRM), ("erp", ERP)] {
        let file = sources.add(name, schema);
        stores.push((name.to_string(), Arc::new(crate::schema::load(&sources, file).0)));
    }
    let file = sources.add("m.tmap", text);
    let (ast, findings) = crate::syntax::dsl::parse(&sources, file);
    assert!(findings.is_empty(), "{findings:?}");
    let files = [(file, Arc::new(ast))];
    let input = Input {
        sources: &sources,
        stores: &stores,
        files: &files,
        companies: None,
        time_zone: jiff::tz::TimeZone::UTC,
    };
    let (project, findings) = analyse(&input);
    (project, findings.into_iter().map(|d| format!("{} {}", d.code, d.message)).collect())
}

fn project(text: &str) -> CheckedProject {
    let (project, findings) = analysed(text);
    assert!(findings.iter().all(|f| !f.is_empty()) && !project.maps.is_empty(), "{findings:?}");
    project
}

/// Names of a store's tables and columns, for reading asserts.
struct Names<'p>(&'p StoreSchema);

impl Names<'_> {
    fn column(&self, t: TableId, c: ColumnId) -> String {
        self.0.get(t).column(c).name.clone()
    }
    fn columns(&self, t: TableId, c: &[ColumnId]) -> String {
        c.iter().map(|c| self.column(t, *c)).collect::<Vec<_>>().join(" ")
    }
    fn capture(&self, c: &CaptureSpec) -> String {
        let t = &self.0.get(c.table).name;
        format!("{t}: {} | {}", self.columns(c.table, &c.watched), self.columns(c.table, &c.old))
    }
}

const TWO_WAY: &str = r#"
map "M" {
  id         m
  tables     erp.Customers <-> crm.accounts
  operations left: create, update
  operations right: create, update
  direct     left: update (NAME)
  guard      left: reject
  company    DATAAREAID = company.code
  key        ACCOUNT = number
  filter     left: STATUS != 'Gone' and EMPLOYEES in (1, 2)
  filter     right: currency.iso is not null
  on exit    left: leave
  conflict   left wins

  fields {
    NAME      =  name
    CURRENCY  =  currency.iso on missing null
    CENTS     << credit | round(2)
    EMPLOYEES =  employees
    ONHOLD    >< onhold { 'Yes' = true, 'No' = false }
    STATUS    >< status { 'Active' = 'Open', 'Gone' = 'Closed', 'Blocked' > 'Open', else > error, else < 'Blocked' }
  }
}
"#;

#[test]
fn a_two_way_map() {
    let p = project(TWO_WAY);
    let (crm, erp) = (Names(&p.stores[0].1), Names(&p.stores[1].1));
    let m = &p.maps[0];
    let (left, right) = (m.into_left.as_ref().unwrap(), m.into_right.as_ref().unwrap());
    assert_eq!((m.two_way, left.name(m), right.name(m)), (5, "m/left".into(), "m/right".into()));

    // Primary key first; one join for each lookup, whoever follows it; found flags behind the columns.
    let plan = &left.read;
    let base: Vec<String> =
        plan.columns.iter().filter(|(f, _)| *f == 0).map(|(_, c)| crm.column(plan.table, *c)).collect();
    assert_eq!(base, ["accountid", "currency", "company", "number", "name", "credit", "employees", "onhold", "status"]);
    assert_eq!(plan.joins.len(), 2);
    let width = plan.columns.len();
    assert_eq!(left.joins.iter().map(|j| j.found).collect::<Vec<_>>(), [width, width + 1]);
    assert_eq!(left.joins.iter().map(|j| j.text.as_str()).collect::<Vec<_>>(), ["currency", "company"]);

    // Company, key, then fields; the same numbers in both legs.
    let columns = |l: &Leg| l.lines.iter().map(|l| l.column.clone()).collect::<Vec<_>>();
    assert_eq!(columns(left), ["DATAAREAID", "ACCOUNT", "NAME", "CURRENCY", "CENTS", "EMPLOYEES", "ONHOLD", "STATUS"]);
    let numbers = |l: &Leg| l.lines.iter().map(|l| l.two_way).collect::<Vec<_>>();
    assert_eq!(numbers(left), [None, None, Some(0), Some(1), None, Some(2), Some(3), Some(4)]);
    assert_eq!(numbers(right), [None, None, Some(0), Some(1), Some(2), Some(3), Some(4)]);
    for l in [left, right] {
        let exact: Vec<bool> = l.lines.iter().filter(|l| l.two_way.is_some()).map(|l| l.exact).collect();
        assert_eq!(exact, [true, true, true, true, false]);
    }
    assert_eq!(erp.columns(left.target.table, &left.key), "DATAAREAID ACCOUNT");
    assert_eq!(crm.columns(right.target.table, &right.key), "company number");

    // Into right, company and currency are references; the company's is part of the key.
    let [company, currency] = right.references.as_slice() else { panic!("{:?}", right.references) };
    assert!(company.key && !currency.key);
    assert_eq!((currency.name.as_str(), currency.on_missing), ("currency", OnMissing::Null));
    // Into left CURRENCY is a lookup's own column: the row must exist.
    let [existence] = left.references.as_slice() else { panic!("{:?}", left.references) };
    assert_eq!(existence.name, "CURRENCY");

    // What the logs hold.
    let specs: Vec<String> = left.capture.iter().map(|c| crm.capture(c)).collect();
    assert_eq!(
        specs,
        [
            "accounts: company number name status onhold credit employees currency | company number name status onhold \
             employees currency",
            "currencies: currencyid iso | currencyid",
            "companies: companyid code | companyid code",
        ]
    );
    let specs: Vec<String> = right.capture.iter().map(|c| erp.capture(c)).collect();
    assert_eq!(
        specs,
        ["Customers: NAME STATUS ONHOLD EMPLOYEES CURRENCY | DATAAREAID ACCOUNT NAME STATUS ONHOLD EMPLOYEES CURRENCY"]
    );
}

#[test]
fn guards_of_a_map() {
    let p = project(TWO_WAY);
    let m = &p.maps[0];
    let ops: Vec<Op> = m.guards.iter().map(|(_, g)| g.op).collect();
    assert_eq!(ops, [Op::Insert, Op::Update, Op::Delete]);
    let (store, create) = &m.guards[0];
    assert_eq!((*store, create.reject, create.except.len()), (1, true, 0));
    assert!(matches!(&create.when, Some(Predicate::And(items)) if items.len() == 2));
    assert_eq!(
        create.message,
        "creating rows in Customers directly is not allowed: map \"M\" fills this table from crm.accounts; create the \
         record there"
    );
    assert_eq!(m.guards[1].1.except.len(), 1);
    assert!(m.guards[1].1.message.starts_with("changing other columns of Customers than NAME directly is not allowed"));
}

#[test]
fn value_maps_each_way() {
    let p = project(TWO_WAY);
    let m = &p.maps[0];
    let status = |l: &Leg, v: Value| {
        let line = l.lines.iter().find(|x| x.two_way == Some(4)).unwrap();
        let mut row = vec![Value::Null; l.read.columns.len() + l.joins.len()];
        let input = line.inputs[0];
        let cell = l.read.columns.iter().position(|c| *c == (0, input)).unwrap();
        row[cell] = v;
        line.value.eval(&p.context, &row).map(|v| v.into_owned()).map_err(|e| e.reason)
    };
    let (left, right) = (m.leg(Side::Left).unwrap(), m.leg(Side::Right).unwrap());
    assert_eq!(status(left, Value::Integer(1)), Ok(Value::Integer(10)));
    assert_eq!(status(left, Value::Integer(3)), Ok(Value::Integer(20)));
    assert_eq!(status(right, Value::Integer(20)), Ok(Value::Integer(1)));
    assert_eq!(status(right, Value::Null), Ok(Value::Null));
    assert!(status(right, Value::Integer(99)).unwrap_err().contains("has no pair"));
}

const ORDERS: &str = r#"
map "Orders" {
  id         orders
  tables     erp.Orders ARROW crm.orders
  key        ORDERNO = orderno

  fields {
    KIND     SIGN kind
    CUSTOMER SIGN PATH
  }
}
"#;

fn orders(arrow: &str, path: &str) -> (CheckedProject, Vec<String>) {
    let sign = if arrow == "<-" { "<" } else { ">" };
    analysed(&ORDERS.replace("ARROW", arrow).replace("SIGN", sign).replace("PATH", path))
}

#[test]
fn polymorphic_paths_are_read() {
    let (p, _) = orders("<-", "customer.accounts(number).contacts(code)");
    let leg = p.maps[0].into_left.as_ref().unwrap();
    assert_eq!(
        leg.read.joins.iter().map(|j| j.when.clone().unwrap().1).collect::<Vec<_>>(),
        [Value::text("accounts"), Value::text("contacts")]
    );
    assert!(leg.joins.iter().all(|j| j.siblings == [0, 1]));
    let line = leg.lines.iter().find(|l| l.column == "CUSTOMER").unwrap();
    let Expr::FirstFound(ways) = &line.value else { panic!("{:?}", line.value) };
    assert_eq!(ways.iter().map(|w| w.0).collect::<Vec<_>>(), [leg.joins[0].found, leg.joins[1].found]);
    // A table that the path does not name is joined too: its rows are not missing.
    let (p, _) = orders("<-", "customer.contacts(code)");
    let leg = p.maps[0].into_left.as_ref().unwrap();
    assert_eq!((leg.read.joins.len(), leg.joins[1].siblings.as_slice()), (2, [0, 1].as_slice()));
}

#[test]
fn polymorphic_references_are_written() {
    let (p, _) = orders("->", "customer.contacts(code)");
    let leg = p.maps[0].into_right.as_ref().unwrap();
    let crm = Names(&p.stores[0].1);
    let [r] = leg.references.as_slice() else { panic!("{:?}", leg.references) };
    assert_eq!(crm.columns(leg.target.table, &r.columns().collect::<Vec<_>>()), "customer customertype");
    assert_eq!(r.targets.len(), 1);
    // An account is found by its number and its company only, and orders have no company.
    let (_, findings) = orders("->", "customer.accounts(number).contacts(code)");
    assert!(findings.iter().any(|f| f.starts_with("TM0607")), "{findings:?}");
}

#[test]
fn nested_references_come_first() {
    let p = project(
        r#"
map "M" {
  id      m
  tables  erp.Customers -> crm.accounts
  company DATAAREAID = company.code
  key     ACCOUNT = number
  fields {
    ACCOUNT    > parent.number
    DATAAREAID > parent.company.code
  }
}
"#,
    );
    let leg = p.maps[0].into_right.as_ref().unwrap();
    let names: Vec<&str> = leg.references.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["company", "parent.company", "parent"]);
    let by = &leg.references[2].targets[0].by;
    assert!(matches!(by.as_slice(), [(_, ReferenceInput::Line(2)), (_, ReferenceInput::Nested(1))]), "{by:?}");
    assert!(leg.lines[2..].iter().all(|l| l.target == LineTarget::Reference(2)));
}

#[test]
fn a_reference_takes_the_company_of_its_record() {
    let p = project(
        r#"
map "M" {
  id      m
  tables  erp.Customers -> crm.accounts
  company DATAAREAID = company.code
  key     ACCOUNT = number
  fields {
    ACCOUNT > parent.number
  }
}
"#,
    );
    let leg = p.maps[0].into_right.as_ref().unwrap();
    let parent = leg.references.iter().find(|r| r.name == "parent").unwrap();
    let by = &parent.targets[0].by;
    assert!(matches!(by.as_slice(), [(_, ReferenceInput::Line(2)), (_, ReferenceInput::Column(_))]), "{by:?}");
}

#[test]
fn the_hash_is_of_the_meaning() {
    let hash = |text: &str| project(text).maps[0].hash.clone();
    let one = hash(TWO_WAY);
    let moved = TWO_WAY
        .replace("  conflict", "  # a comment\n\n  conflict")
        .replace("id         m", "id m\n  version 2.0\n  label da 'Kunder'")
        .replace("NAME      =  name", "NAME = name");
    assert_eq!(one, hash(&moved));
    assert_ne!(one, hash(&TWO_WAY.replace("'Blocked' > 'Open'", "'Blocked' > 'Held'")));
    assert_ne!(one, hash(&TWO_WAY.replace("NAME      =  name", "NAME << name | trim()")));
}

#[test]
fn order_follows_needs_and_references() {
    let map = |id: &str, tables: &str, more: &str, line: &str| {
        format!("map \"{id}\" {{\n  id {id}\n  tables {tables}\n{more}\n  fields {{\n    {line}\n  }}\n}}\n")
    };
    let regions = "  key CUSTOMER = code";
    let text = [
        map("orders", "erp.Orders -> crm.orders", "  key ORDERNO = orderno", "KIND > kind\n    'N' >> region.code"),
        map("early", "erp.Orders -> crm.links", "  key uuid_of(ORDERNO) >> linkid\n  needs late", "KIND > title"),
        map("late", "erp.Orders -> crm.nodes", "  key CUSTOMER = code", "ORDERNO > next.code"),
        map("regions", "erp.Orders -> crm.regions", regions, "uuid_of(CUSTOMER) >> regionid once"),
    ];
    let (p, findings) = analysed(&text.concat());
    assert_eq!(p.maps.len(), 4, "{findings:?}");
    let ids: Vec<&str> = p.order.iter().map(|i| p.maps[*i].id.as_str()).collect();
    assert_eq!(ids, ["late", "early", "regions", "orders"]);
}

#[test]
fn an_empty_value_map_runs_nothing() {
    let (p, findings) = analysed(&TWO_WAY.replace("{ 'Yes' = true, 'No' = false }", "{ }"));
    assert!(findings.iter().any(|f| f.starts_with("TM0705")), "{findings:?}");
    assert!(p.maps[0].into_left.is_none() && p.maps[0].into_right.is_none());
}

#[test]
fn pipes_run_back_through_their_inverses() {
    let (p, findings) = analysed(&TWO_WAY.replace("EMPLOYEES =  employees", "EXTERNAL >< legacy | uuid()"));
    assert!(!p.maps.is_empty(), "{findings:?}");
    let leg = p.maps[0].into_right.as_ref().unwrap();
    let line = leg.lines.iter().find(|l| l.column == "legacy").unwrap();
    assert!(matches!(&line.value, Expr::Call(f, _) if f.0.name == "text"), "{:?}", line.value);
}
