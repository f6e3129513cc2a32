//! What a line points at: a column, or the end columns of references written through lookups.

use super::env::SideAt;
use super::ir::{Line, LineTarget, Reference, ReferenceInput, ReferenceTarget};
use super::reader::{ambiguous, list, named_targets, no_column, type_value};
use super::report::Report;
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::source::At;
use crate::syntax::ast::{OnMissing, Step};
use crate::value::Value;

/// What a target path points at.
#[derive(Clone, Debug)]
pub(crate) enum Dest {
    /// A column of the table.
    Column(ColumnId),
    /// Something of the row that a lookup refers to.
    Through {
        /// Index of the lookup in its table.
        lookup: usize,
        /// The lookup's name so far on the path.
        text: String,
        /// The tables it may point to: index of the target, what of it.
        alternatives: Vec<(usize, Dest)>,
    },
}

/// Resolves a target path; also its end columns, one per alternative.
pub(crate) fn dest(
    schema: &StoreSchema,
    table: TableId,
    steps: &[Step],
    text: &str,
    ends: &mut Vec<(TableId, ColumnId)>,
    report: &mut Report<'_>,
) -> Option<Dest> {
    let (step, rest) = steps.split_first()?;
    if rest.is_empty() && step.inner.is_none() {
        let Some(c) = schema.column(table, &step.name.text) else {
            no_column(schema, table, step, true, report);
            return None;
        };
        ends.push((table, c));
        return Some(Dest::Column(c));
    }
    let found = schema.lookup(table, &step.name.text).filter(|_| step.inner.is_none());
    let Some(lookup) = found else {
        no_column(schema, table, step, false, report);
        return None;
    };
    let index = schema.get(table).lookups.iter().position(|l| l.name == lookup.name)?;
    let text = format!("{text}{}", lookup.name);
    let mut alternatives = vec![];
    if rest.iter().any(|s| s.inner.is_some()) {
        for (target, inner) in named_targets(schema, lookup, rest, report)? {
            let to = lookup.targets[target].table;
            let below = format!("{text}.{}.", schema.get(to).name);
            alternatives.push((target, dest(schema, to, &inner.steps, &below, ends, report)?));
        }
    } else if lookup.targets.len() != 1 {
        ambiguous(schema, lookup, step, rest, report);
        return None;
    } else {
        let to = lookup.targets.first()?.table;
        alternatives.push((0, dest(schema, to, rest, &format!("{text}."), ends, report)?));
    }
    Some(Dest::Through { lookup: index, text, alternatives })
}

/// All lines that go through one lookup.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    table: TableId,
    lookup: usize,
    text: String,
    alternatives: Vec<Alternative>,
    lines: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
struct Alternative {
    target: usize,
    ends: Vec<(ColumnId, ReferenceInput)>,
    nested: Vec<Group>,
}

/// Adds what line `line` points at to the groups. False where the end column is written there already.
pub(crate) fn join(groups: &mut Vec<Group>, table: TableId, schema: &StoreSchema, dest: &Dest, line: usize) -> bool {
    let Dest::Through { lookup, text, alternatives } = dest else { return true };
    let at = groups.iter().position(|g| g.lookup == *lookup).unwrap_or_else(|| {
        groups.push(Group { table, lookup: *lookup, text: text.clone(), alternatives: vec![], lines: vec![] });
        groups.len() - 1
    });
    let group = &mut groups[at];
    group.lines.push(line);
    let mut free = true;
    for (target, below) in alternatives {
        let i = group.alternatives.iter().position(|a| a.target == *target).unwrap_or_else(|| {
            group.alternatives.push(Alternative { target: *target, ..Alternative::default() });
            group.alternatives.len() - 1
        });
        let alternative = &mut group.alternatives[i];
        match below {
            Dest::Column(c) => {
                free &= alternative.ends.iter().all(|(d, _)| d != c);
                alternative.ends.push((*c, ReferenceInput::Line(line)));
            }
            through => {
                let to = schema.get(table).lookups[*lookup].targets[*target].table;
                free &= join(&mut alternative.nested, to, schema, through, line);
            }
        }
    }
    free
}

/// Everything about a leg's lines that references are made from.
pub(crate) struct Makings<'x, 'a> {
    pub(crate) target: SideAt<'a>,
    pub(crate) lines: &'x mut Vec<Line>,
    /// Per line: where it points, and what it says on missing rows.
    pub(crate) said: &'x [(At, Option<OnMissing>)],
    /// Columns of the target that lines and `each` write as they are.
    pub(crate) plain: &'x mut Vec<ColumnId>,
    pub(crate) out: Vec<Reference>,
}

impl Makings<'_, '_> {
    /// Makes the references of all groups, and those of columns that are lookups written as they are.
    pub(crate) fn make(&mut self, groups: Vec<Group>, report: &mut Report<'_>) {
        let mut work: Vec<(usize, Option<Group>)> =
            groups.into_iter().map(|g| (g.lines.first().copied().unwrap_or(0), Some(g))).collect();
        let bare = self.lines.iter().enumerate().filter(|(_, l)| matches!(l.target, LineTarget::Column(_)));
        work.extend(bare.map(|(i, _)| (i, None)));
        work.sort_by_key(|(line, _)| *line);
        let company = self.target.table().company;
        let mut has_company = company.is_some_and(|c| self.plain.contains(&c));
        for (line, group) in work {
            let made = match group {
                Some(g) => self.emit(&g, true, has_company, report),
                None => self.existence(line),
            };
            if let Some(made) = made {
                has_company |= self.out[made].targets.iter().any(|t| t.writes.iter().any(|(_, c)| Some(*c) == company));
            }
        }
    }

    /// A reference through a lookup; what it needs first.
    fn emit(&mut self, group: &Group, top: bool, has_company: bool, report: &mut Report<'_>) -> Option<usize> {
        let schema = self.target.schema;
        let lookup = &schema.get(group.table).lookups[group.lookup];
        let base = self.target.table();
        let at = group.lines.first().map_or(At::default(), |l| self.said[*l].0);
        let mut targets = vec![];
        for alternative in &group.alternatives {
            let to = &lookup.targets[alternative.target];
            let referred = schema.get(to.table);
            let mut by = alternative.ends.clone();
            for nested in &alternative.nested {
                let index = self.emit(nested, false, has_company, report)?;
                let through = &referred.lookups[nested.lookup];
                for a in &nested.alternatives {
                    let first = own_first(referred.company, &through.targets[a.target]).into_iter().next();
                    if let Some((_, column)) = first
                        && by.iter().all(|(c, _)| *c != column)
                    {
                        by.push((column, ReferenceInput::Nested(index)));
                    }
                }
            }
            let is_key = |by: &[(ColumnId, ReferenceInput)], more: Option<ColumnId>| {
                let has = |c: &ColumnId| Some(*c) == more || by.iter().any(|(b, _)| b == c);
                referred.keys().any(|k| k.iter().all(has))
            };
            if !is_key(&by, None) {
                let company = referred.company.filter(|rc| by.iter().all(|(c, _)| c != rc));
                let ours = base.company.filter(|c| {
                    has_company
                        && company.is_some_and(|rc| {
                            std::mem::discriminant(&base.column(*c).ty)
                                == std::mem::discriminant(&referred.column(rc).ty)
                        })
                });
                let names: Vec<&str> = by.iter().map(|(c, _)| referred.column(*c).name.as_str()).collect();
                match (company, ours) {
                    (Some(rc), Some(c)) if is_key(&by, Some(rc)) => by.push((rc, ReferenceInput::Column(c))),
                    (Some(rc), None) if is_key(&by, Some(rc)) => {
                        report.help(
                            Code::TM0607,
                            at,
                            format!(
                                "a row of `{}` is found by {} only together with its company, and the record has none",
                                referred.name,
                                list(&names)
                            ),
                            "add a `company` statement that writes the record's company column",
                        );
                        return None;
                    }
                    _ => {
                        let keys: Vec<String> = referred
                            .keys()
                            .map(|k| {
                                let names: Vec<&str> = k.iter().map(|c| referred.column(*c).name.as_str()).collect();
                                format!("({})", names.join(", "))
                            })
                            .collect();
                        report.help(
                            Code::TM0606,
                            at,
                            format!(
                                "{} {} no key of `{}`",
                                list(&names),
                                if names.len() == 1 { "is" } else { "are" },
                                referred.name
                            ),
                            format!("its keys are {}", keys.join(", ")),
                        );
                        return None;
                    }
                }
            }
            let mut writes = own_first(schema.get(group.table).company, to);
            if top {
                let company = base.company.filter(|_| has_company);
                writes.retain(|(_, c)| !self.plain.contains(c) && Some(*c) != company);
                if writes.is_empty() {
                    let first =
                        own_first(schema.get(group.table).company, to).iter().find_map(|(_, c)| self.writer(*c, &[]));
                    report.add(again(&group.text, at, first));
                    return None;
                }
            }
            targets.push(ReferenceTarget { table: to.table, by, writes, type_value: Value::Null });
        }
        let type_column = lookup.type_column.filter(|_| top && lookup.targets.len() > 1);
        set_types(schema, group.table, type_column, &mut targets);
        let index = self.out.len();
        let reference = Reference {
            name: group.text.clone(),
            targets,
            type_column,
            on_missing: OnMissing::Park,
            key: false,
            once: false,
            nullable: true,
        };
        self.out.push(reference);
        self.finish(index, &group.lines, top, report);
        Some(index)
    }

    /// A lookup column written as it is: the row it refers to must exist.
    fn existence(&mut self, line: usize) -> Option<usize> {
        let schema = self.target.schema;
        let LineTarget::Column(column) = self.lines[line].target else { return None };
        let base = self.target.table();
        let lookup = schema.lookup(self.target.id(), &base.column(column).name)?;
        let type_column = lookup.type_column.filter(|_| lookup.targets.len() > 1);
        if type_column.is_some_and(|c| self.plain.contains(&c)) || lookup.targets.is_empty() {
            return None;
        }
        let mut targets = vec![];
        for to in &lookup.targets {
            let mut by = vec![];
            for (c, k) in to.columns.iter().zip(&to.key) {
                let plain = self.lines.iter().any(|l| l.target == LineTarget::Column(*c)) || Some(*c) == base.company;
                if *c == column {
                    by.push((*k, ReferenceInput::Line(line)));
                } else if plain && self.plain.contains(c) {
                    by.push((*k, ReferenceInput::Column(*c)));
                } else {
                    return None;
                }
            }
            let writes = to.columns.iter().zip(&to.key).filter(|(c, _)| **c == column).map(|(c, k)| (*k, *c)).collect();
            targets.push(ReferenceTarget { table: to.table, by, writes, type_value: Value::Null });
        }
        set_types(schema, self.target.id(), type_column, &mut targets);
        let index = self.out.len();
        let l = &self.lines[line];
        self.out.push(Reference {
            name: lookup.name.clone(),
            targets,
            type_column,
            on_missing: l.on_missing,
            key: l.key,
            once: l.once,
            nullable: l.nullable,
        });
        let l = &mut self.lines[line];
        l.target = LineTarget::Reference(index);
        Some(index)
    }

    /// The first line, but for these, that writes a column of the record.
    fn writer(&self, column: ColumnId, but: &[usize]) -> Option<At> {
        let writes = |target: &LineTarget| match target {
            LineTarget::Column(c) => *c == column,
            LineTarget::Reference(r) => self.out.get(*r).is_some_and(|r| r.columns().any(|c| c == column)),
        };
        let line = self.lines.iter().enumerate().position(|(i, l)| !but.contains(&i) && writes(&l.target))?;
        self.said.get(line).map(|(at, _)| *at)
    }

    /// Takes from the lines what holds for their reference, and checks what it writes.
    fn finish(&mut self, index: usize, lines: &[usize], top: bool, report: &mut Report<'_>) {
        let mut said: Option<(OnMissing, At)> = None;
        for l in lines {
            let (at, Some(on_missing)) = self.said[*l] else { continue };
            match said {
                Some((first, first_at)) if first != on_missing => report.add(
                    Diagnostic::new(
                        Code::TM0613,
                        at.0,
                        format!("this line and another through `{}` say different things", self.out[index].name),
                    )
                    .related(first_at.0, "the other one")
                    .help("all lines through one lookup make one reference: say `on missing` once"),
                ),
                Some(_) => {}
                None => said = Some((on_missing, at)),
            }
        }
        let base = self.target.table();
        let reference = &mut self.out[index];
        reference.on_missing = said.map_or(OnMissing::Park, |(o, _)| o);
        reference.key = lines.iter().any(|l| self.lines[*l].key);
        reference.once = !lines.is_empty() && lines.iter().all(|l| self.lines[*l].once);
        if !top {
            return;
        }
        let at = lines.first().map_or(At::default(), |l| self.said[*l].0);
        let written: Vec<ColumnId> = reference.columns().collect();
        let mut doubled = vec![];
        for c in &written {
            let column = base.column(*c);
            if column.read_only {
                let message = format!("`{}.{}` is read-only", base.name, column.name);
                let d = Diagnostic::new(Code::TM0405, at.0, message)
                    .help("remove the line, or turn its sign round: only the store itself writes this column");
                report.add(report.declared(d, column.span, &column.name, "the column"));
            }
            if self.plain.contains(c) {
                let name = format!("{}.{}", base.name, column.name);
                doubled.push((name, *c));
            }
            reference.nullable &= !column.required || column.blank.is_some();
        }
        for (name, c) in doubled {
            report.add(again(&name, at, self.writer(c, lines)));
        }
        let reference = &mut self.out[index];
        let create_only = !written.is_empty() && written.iter().all(|c| base.column(*c).create_only);
        reference.once |= create_only;
        self.plain.extend(&written);
        for l in lines {
            let line = &mut self.lines[*l];
            line.target = LineTarget::Reference(index);
            line.once |= create_only;
        }
    }
}

impl Reference {
    /// The columns of the record that it writes, the type column included.
    pub(crate) fn columns(&self) -> impl Iterator<Item = ColumnId> + '_ {
        let mut all: Vec<ColumnId> = self.targets.iter().flat_map(|t| t.writes.iter().map(|(_, c)| *c)).collect();
        all.extend(self.type_column);
        let mut seen = vec![];
        all.retain(|c| {
            !seen.contains(c) && {
                seen.push(*c);
                true
            }
        });
        all.into_iter()
    }
}

/// Says what the type column of a polymorphic lookup gets for each of its tables.
fn set_types(schema: &StoreSchema, holder: TableId, column: Option<ColumnId>, targets: &mut [ReferenceTarget]) {
    if let Some(c) = column {
        for t in targets {
            t.type_value = type_value(schema, holder, c, t.table);
        }
    }
}

fn again(name: &str, at: At, first: Option<At>) -> Diagnostic {
    let d = Diagnostic::new(Code::TM0406, at.0, format!("`{name}` is written by another line too"))
        .help("keep one line for each column and direction");
    match first {
        Some(first) if first.0 != at.0 => d.related(first.0, "the first line"),
        _ => d,
    }
}

/// (key column, referring column) of a lookup, the company's pair last.
fn own_first(company: Option<ColumnId>, to: &crate::schema::LookupTarget) -> Vec<(ColumnId, ColumnId)> {
    let mut pairs: Vec<(ColumnId, ColumnId)> = to.key.iter().copied().zip(to.columns.iter().copied()).collect();
    pairs.sort_by_key(|(_, c)| Some(*c) == company);
    pairs
}
