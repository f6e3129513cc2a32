//! Which column of a table is which: where the map types stand, the names beside them, and what the header calls the rest.

use super::markup::{Row, inline};
use super::none;
use super::symbol::symbol;

/// The columns of a table of field mappings.
pub struct Columns {
    /// The finance field.
    pub left: usize,
    /// The map type.
    pub sign: usize,
    /// The Dataverse column.
    pub right: usize,
    /// The default value, if there is such a column.
    pub default: Option<usize>,
    /// What nothing else asks for, with its header: kept as comments.
    pub notes: Vec<(usize, String)>,
    /// Whether Dataverse stands first: what is drawn to the right runs to finance.
    pub turned: bool,
}

/// In headers; of the languages that the reference is translated to.
const DEFAULT: &[&str] = &[
    "default",
    "standard",
    "standaard",
    "vorgabe",
    "défaut",
    "defaut",
    "predetermin",
    "predefin",
    "padrão",
    "padrao",
    "domyśln",
    "výchozí",
    "varsayılan",
    "oletus",
    "умолчан",
    "既定",
    "默认",
    "預設",
    "기본",
    "constant",
    "konstant",
];
const FINANCE: &[&str] = &["finance", "f&o", "operations", "fno"];
const DATAVERSE: &[&str] = &["dataverse", "customer engagement", "crm", "cds", "other dynamics"];
const REMARK: &[&str] = &[
    "comment",
    "note",
    "remark",
    "description",
    "required",
    "mandatory",
    "kommentar",
    "bemerk",
    "hinweis",
    "opmerk",
    "beschr",
    "remarque",
    "descri",
    "comentario",
    "observa",
    "備考",
    "备注",
];

fn says(header: &str, words: &[&str]) -> bool {
    let header = inline(header).to_lowercase();
    words.iter().any(|w| header.contains(w))
}

/// Finds the columns; none where the table is about something else.
pub fn find(header: &Row, rows: &[Row]) -> Option<Columns> {
    let count = header.cells.len().max(rows.iter().map(|r| r.cells.len()).max().unwrap_or(0));
    if header.cells.len() < 3 {
        return None;
    }
    let signs = |c: usize| rows.iter().filter(|r| symbol(r.cell(c)).is_some()).count();
    let sign = (0..count).max_by_key(|c| (signs(*c), count - c)).filter(|c| signs(*c) > 0)?;
    let named = |c: &usize| *c != sign && names(rows, *c);
    let beside = sign.checked_sub(1).filter(named).zip(Some(sign + 1).filter(named));
    let any: Vec<usize> = (0..count).filter(named).take(2).collect();
    let (first, second) = match (beside, any.as_slice()) {
        (Some(both), _) => both,
        (None, [a, b]) => (*a, *b),
        _ => (sign.checked_sub(1)?, sign + 1),
    };
    let turned = turned(header, rows, first, second);
    let (left, right) = if turned { (second, first) } else { (first, second) };
    let rest = || (0..count).filter(|c| ![sign, first, second].contains(c));
    let next = sign.max(first).max(second) + 1;
    let default = rest()
        .find(|c| says(header.cell(*c), DEFAULT))
        .or_else(|| rest().find(|c| *c == next && !says(header.cell(*c), REMARK)));
    let number = |t: &str| t.trim_end_matches('.').chars().all(|c| c.is_ascii_digit());
    let said = |c: &usize| rows.iter().any(|r| !number(&inline(r.cell(*c))));
    let notes = rest().filter(|c| Some(*c) != default).filter(said);
    let notes = notes.map(|c| (c, inline(header.cell(c)))).collect();
    Some(Columns { left, sign, right, default, notes, turned })
}

/// Whether most of what stands in a column could be names.
fn names(rows: &[Row], column: usize) -> bool {
    let like = |t: &str| {
        t.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && t.chars().all(|c| c.is_alphanumeric() || "_.()".contains(c))
    };
    let texts: Vec<String> = rows.iter().map(|r| inline(r.cell(column))).filter(|t| !t.is_empty()).collect();
    !texts.is_empty() && texts.iter().filter(|t| like(t)).count() * 2 > texts.len()
}

/// Whether the first of two columns is Dataverse's. Finance's fields are written in capitals, Dataverse's columns in small
/// letters; the header may say it too. Where the two contradict each other, the order of the reference holds.
fn turned(header: &Row, rows: &[Row], first: usize, second: usize) -> bool {
    let case = |column: usize| {
        let texts = rows.iter().map(|r| inline(r.cell(column))).filter(|t| !none(t) && t.contains(char::is_alphabetic));
        texts.fold(0i64, |sum, t| match (t.contains(char::is_uppercase), t.contains(char::is_lowercase)) {
            (true, false) => sum + 1,
            (false, true) => sum - 1,
            _ => sum,
        })
    };
    let (a, b) = (case(first), case(second));
    let side = |c: usize| (says(header.cell(c), FINANCE), says(header.cell(c), DATAVERSE));
    let (finance, dataverse) = ((true, false), (false, true));
    let by_header = (side(first), side(second));
    match (a < 0 && b > 0, a > 0 && b < 0) {
        (true, _) => by_header != (finance, dataverse),
        (_, true) => false,
        _ => by_header == (dataverse, finance),
    }
}
