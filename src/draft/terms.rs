//! What of a table can stand on one side of a line: its columns, and natural keys of rows they refer to.

use super::{Side, quote};
use crate::schema::{ColumnId, LookupTarget, Table, TableId};
use crate::value::Type;

/// An operand to be.
pub(super) struct Term {
    /// As the DSL writes it.
    pub text: String,
    /// The column of the table it begins with.
    pub column: ColumnId,
    /// The type at its end.
    pub ty: Type,
    /// Names to compare by.
    pub names: Vec<String>,
    /// The tables it refers to, where it is a lookup.
    pub to: Option<Vec<TableId>>,
    /// Whether maps may write it.
    pub writable: bool,
    /// Whether it is written on create only.
    pub create_only: bool,
    /// Whether the store makes it.
    pub generated: bool,
    /// Whether it is an id that means nothing to the other store.
    pub surrogate: bool,
}

/// The company of a table's rows as the DSL writes it.
pub(super) fn company(side: &Side<'_>) -> Option<String> {
    let t = side.table();
    let c = t.company?;
    let own = quote(&t.column(c).name);
    // A reference to a table of companies is followed to the code.
    let target = t.lookups.iter().find(|l| l.targets.iter().any(|x| x.columns == [c])).and_then(|l| l.targets.first());
    match target.filter(|_| t.column(c).ty == Type::Uuid) {
        Some(target) => {
            let end = natural(side.schema.get(target.table))?;
            Some(format!("{own}.{end}"))
        }
        None => Some(own),
    }
}

/// The only column besides the company's of a key that is no made-up id.
fn natural_key(t: &Table) -> Option<ColumnId> {
    t.keys().find_map(|k| {
        let mut rest = k.iter().copied().filter(|c| Some(*c) != t.company);
        let only = rest.next().filter(|_| rest.next().is_none())?;
        (t.column(only).ty != Type::Uuid && !t.column(only).generated).then_some(only)
    })
}

fn natural(t: &Table) -> Option<String> {
    natural_key(t).map(|c| quote(&t.column(c).name))
}

/// Every term of a side's table, in the order of its columns.
pub(super) fn terms(side: &Side<'_>) -> Vec<Term> {
    let t = side.table();
    let mut all = Vec::new();
    for (i, c) in t.columns.iter().enumerate() {
        let id = ColumnId(i as u32);
        if t.company == Some(id) {
            continue;
        }
        let own = |x: &&LookupTarget| {
            let rest: Vec<ColumnId> = x.columns.iter().copied().filter(|c| Some(*c) != t.company).collect();
            rest == [id]
        };
        let lookup = t.lookups.iter().find(|l| l.name == c.name || l.targets.iter().any(|x| own(&x)));
        let targets: Vec<&LookupTarget> = lookup.iter().flat_map(|l| &l.targets).filter(own).collect();
        let to: Option<Vec<TableId>> = (!targets.is_empty()).then(|| targets.iter().map(|x| x.table).collect());
        let key = t.primary_key.contains(&id);
        let made = c.ty == Type::Uuid && (to.is_some() || (key && c.generated));
        let plain = Term {
            text: quote(&c.name),
            column: id,
            ty: c.ty.clone(),
            names: vec![c.name.clone()],
            to: to.clone(),
            writable: !c.read_only,
            create_only: c.create_only,
            generated: c.generated,
            surrogate: made,
        };
        if let [target] = targets.as_slice()
            && let Some(lookup) = lookup
        {
            let there = side.schema.get(target.table);
            if let Some(end) = natural_key(there).filter(|e| !target.key.contains(e)) {
                let end = there.column(end);
                let mut names = vec![c.name.clone(), format!("{}{}", c.name, end.name)];
                // The key's own name says something where nothing else leads to that table.
                let leads = |l: &&crate::schema::Lookup| l.targets.iter().any(|x| x.table == target.table);
                if t.lookups.iter().filter(leads).count() == 1 {
                    names.push(end.name.clone());
                }
                all.push(Term {
                    text: format!("{}.{}", quote(&lookup.name), quote(&end.name)),
                    ty: end.ty.clone(),
                    names,
                    surrogate: false,
                    column: id,
                    to,
                    writable: !c.read_only,
                    create_only: c.create_only,
                    generated: false,
                });
            }
        }
        all.push(plain);
    }
    all
}
