//! Names in the spelling of their schema, where the store's schema matches names without regard to case (`fmt`).

use crate::schema::{StoreSchema, TableId};
use crate::syntax::ast::{Call, Edit, Expr, ExprKind, File, Line, Map, Name, Path, Side, Step, TableRef, TestWhat};
use std::sync::Arc;

/// Stores by the name the project gives them.
type Stores<'a> = &'a [(String, Arc<StoreSchema>)];

/// A table that names are read in.
type Place<'a> = Option<(&'a StoreSchema, TableId)>;

/// Writes tables and columns as their schemas do. Only the case of ASCII letters changes; what is not known stays.
pub fn spell(stores: &[(String, Arc<StoreSchema>)], file: &mut File) {
    for map in &mut file.maps {
        spell_map(stores, map);
    }
}

fn put(name: &mut Name, spelling: &str) {
    if name.text != spelling && name.text.eq_ignore_ascii_case(spelling) {
        name.text = spelling.to_string();
    }
}

fn schema<'a>(stores: Stores<'a>, name: &str) -> Option<&'a StoreSchema> {
    stores.iter().find(|(n, _)| n == name).map(|(_, s)| s.as_ref())
}

fn table<'a>(stores: Stores<'a>, r: &mut TableRef) -> Place<'a> {
    let schema = schema(stores, &r.store.text)?;
    let id = schema.table(&r.table.text)?;
    put(&mut r.table, &schema.get(id).name);
    Some((schema, id))
}

fn spell_map(stores: Stores<'_>, map: &mut Map) {
    let Some(tables) = &mut map.tables else { return };
    let left = table(stores, &mut tables.it.left);
    let right = table(stores, &mut tables.it.right);
    let at = |side: Side| if side == Side::Left { left } else { right };
    for n in &mut map.direct {
        for d in &mut n.it.1 {
            d.columns.iter_mut().flatten().for_each(|p| path(at(n.it.0), p));
        }
    }
    if let Some(n) = &mut map.company {
        expr(left, None, &mut n.it.left);
        expr(right, None, &mut n.it.right);
    }
    for n in &mut map.filter {
        expr(at(n.it.0), None, &mut n.it.1);
    }
    for l in map.key.iter_mut().chain(&mut map.fields) {
        line(left, right, l);
    }
    for e in &mut map.edits {
        match e {
            Edit::Set(a, b) => {
                line(left, right, a);
                b.iter_mut().for_each(|b| line(left, right, b));
            }
            Edit::Add(a) => line(left, right, a),
            Edit::AddPairs(c, _) | Edit::Drop(c, _) => column(at(c.side), &mut c.column),
        }
    }
    for step in map.tests.iter_mut().flat_map(|t| &mut t.steps) {
        match &mut step.it.what {
            TestWhat::Row(side, row) => row.cells.iter_mut().for_each(|c| path(at(*side), &mut c.path)),
            TestWhat::Other(of, row) => {
                let place = match of.steps.as_mut_slice() {
                    [store, t] => schema(stores, &store.name.text).and_then(|s| {
                        let id = s.table(&t.name.text)?;
                        put(&mut t.name, &s.get(id).name);
                        Some((s, id))
                    }),
                    _ => None,
                };
                row.cells.iter_mut().for_each(|c| path(place, &mut c.path));
            }
            TestWhat::NoRow(_) | TestWhat::Parked | TestWhat::Error => {}
        }
    }
}

/// The operands each on its side; what stands in pipes reads the source's side.
fn line(left: Place<'_>, right: Place<'_>, l: &mut Line) {
    expr(left, None, &mut l.left);
    expr(right, None, &mut l.right);
    let source = if l.sign.flow.into(Side::Left) { right } else { left };
    l.pipes.iter_mut().for_each(|c| call(source, None, c));
}

fn call(inner: Place<'_>, outer: Place<'_>, c: &mut Call) {
    c.args.iter_mut().for_each(|a| expr(inner, outer, a));
}

/// An expression over `inner`; `this` is a row of `outer`.
fn expr(inner: Place<'_>, outer: Place<'_>, e: &mut Expr) {
    let go = |e: &mut Expr| expr(inner, outer, e);
    match &mut e.kind {
        ExprKind::Literal(_) => {}
        ExprKind::Path(p) => path(if p.this { outer } else { inner }, p),
        ExprKind::Call(c) => call(inner, outer, c),
        ExprKind::Negate(x) | ExprKind::Not(x) => go(x),
        ExprKind::Binary(_, a, b) => {
            go(a);
            go(b);
        }
        ExprKind::IsNull { of, .. } | ExprKind::In { of, .. } | ExprKind::Like { of, .. } => go(of),
        ExprKind::Case { arms, otherwise } => {
            for (when, then) in arms {
                go(when);
                go(then);
            }
            otherwise.iter_mut().for_each(|e| go(e));
        }
        ExprKind::Aggregate { table, condition, of, .. } => {
            // A table of the same store, by its name alone.
            let found = inner.zip(table.steps.first_mut()).filter(|_| !table.this).and_then(|((s, _), step)| {
                let id = s.table(&step.name.text)?;
                put(&mut step.name, &s.get(id).name);
                Some((s, id))
            });
            expr(found, inner, condition);
            of.iter_mut().for_each(|e| expr(found, inner, e));
        }
    }
}

fn column(place: Place<'_>, name: &mut Name) {
    let Some((schema, table)) = place else { return };
    if let Some(c) = schema.column(table, &name.text) {
        put(name, &schema.get(table).column(c).name);
    } else if let Some(l) = schema.lookup(table, &name.text) {
        put(name, &l.name);
    }
}

fn path(place: Place<'_>, p: &mut Path) {
    steps(place, &mut p.steps);
}

fn steps(place: Place<'_>, rest: &mut [Step]) {
    let Some((schema, table)) = place else { return };
    let Some((step, rest)) = rest.split_first_mut() else { return };
    column(place, &mut step.name);
    let Some(lookup) = schema.lookup(table, &step.name.text) else { return };
    if rest.iter().any(|s| s.inner.is_some()) {
        // Alternatives: each names a table and goes on inside.
        for s in rest {
            let Some(id) = schema.table(&s.name.text) else { continue };
            put(&mut s.name, &schema.get(id).name);
            s.inner.iter_mut().for_each(|p| path(Some((schema, id)), p));
        }
    } else if let [one] = lookup.targets.as_slice() {
        steps(Some((schema, one.table)), rest);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::syntax::dsl;

    const FIN: &str = "store: fin\nnames: case-insensitive\ntables:\n  Orders:\n    primary_key: [ORDERID]\n    columns:\n      \
        ORDERID: text(20)\n      Total: \"decimal(18,2)\"\n      CUSTOMER: { type: text(20), lookup: Customers }\n  \
        Customers:\n    primary_key: [ACCOUNT]\n    columns:\n      ACCOUNT: text(20)\n      Name: text(60)\n";
    const CRM: &str = "store: crm\ntables:\n  order:\n    primary_key: [id]\n    columns:\n      id: text(20)\n      Total: integer\n";

    #[test]
    fn names_get_their_schemas_spelling_in_every_place() {
        let mut sources = Sources::new();
        let mut stores = vec![];
        for (name, text) in [("fin", FIN), ("crm", CRM)] {
            let file = sources.add(name, text);
            let (schema, found) = crate::schema::load(&sources, file);
            assert!(found.is_empty(), "{found:?}");
            stores.push((name.to_string(), Arc::new(schema)));
        }
        let text = "map \"m\" {\n  id         m\n  tables     fin.orders <- crm.order\n  \
            direct     left: update (TOTAL, customer)\n  key        orderid = id\n  \
            filter     left: CUSTOMER.NAME == 'x' and total > 1\n\n  fields {\n    \
            TOTAL         << TOTAL * 2\n    customer.name <  id\n  }\n\n  test \"t\" {\n    \
            given left { orderid = '1', customer.NAME = 'n' }\n    given fin.CUSTOMERS { account = '1' }\n    \
            expect left { TOTAL = 1 }\n  }\n}\n";
        let file = sources.add("m.tmap", text);
        let (mut tree, found) = dsl::parse(&sources, file);
        assert!(found.is_empty(), "{found:?}");
        spell(&stores, &mut tree);
        let written = dsl::write(&tree).split_whitespace().collect::<Vec<_>>().join(" ");
        for right in [
            "fin.Orders <- crm.order",
            "(Total, CUSTOMER)",
            "ORDERID = id",
            "CUSTOMER.Name == 'x' and Total > 1",
            // The right store is exact: its unknown name stays.
            "<< TOTAL * 2",
            "CUSTOMER.Name < id",
            "ORDERID = '1', CUSTOMER.Name = 'n'",
            "given fin.Customers { ACCOUNT = '1' }",
            "expect left { Total = 1 }",
        ] {
            assert!(written.contains(right), "{right} is not in\n{written}");
        }
        let again = tree.clone();
        spell(&stores, &mut tree);
        assert_eq!(tree, again);
    }
}
