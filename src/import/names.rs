//! Names of tables, columns and maps, and what they say of each other.

use crate::syntax::ast::{Name, Path, Step};

/// `Customers V3` becomes `CustomersV3`: the entity's name as the name of a table.
pub fn table(entity: &str) -> String {
    let mut out = String::new();
    for word in entity.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()) {
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            out.extend(first.to_uppercase());
            out.extend(chars);
        }
    }
    if out.is_empty() { "Table".into() } else { out }
}

/// `Customers V3 (accounts)` becomes `customers-v3-accounts`.
pub fn id(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_end_matches('-').to_string();
    if out.is_empty() { "map".into() } else { out }
}

/// The singular of an English plural, as far as names of tables go.
pub fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for end in ["sses", "xes", "ches", "shes"] {
        if name.ends_with(end) {
            return name[..name.len() - 2].to_string();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_string(),
        _ => name.to_string(),
    }
}

/// The plural that Dataverse makes of a name.
pub fn plural(name: &str) -> String {
    let vowel = |c: char| "aeiou".contains(c);
    if let Some(stem) = name.strip_suffix('y')
        && !stem.ends_with(vowel)
    {
        return format!("{stem}ies");
    }
    if ["s", "x", "ch", "sh"].iter().any(|e| name.ends_with(e)) {
        return format!("{name}es");
    }
    format!("{name}s")
}

/// The id of a table as Dataverse names it: that of `msdyn_currencies` is `msdyn_currencyid`.
pub fn row_id(set: &str) -> String {
    format!("{}id", singular(set))
}

/// A name without the publisher's prefix: `msdyn_paymentday` becomes `paymentday`.
pub fn bare(name: &str) -> &str {
    match name.split_once('_') {
        Some((prefix, rest)) if prefix.len() <= 8 && !rest.is_empty() => rest,
        _ => name,
    }
}

/// A Dataverse path: `a`, `a.b.c`, `customerid.Account(accountnumber).Contact(msdyn_contactpersonid)`. The error says why
/// it is none.
pub fn path(text: &str) -> Result<Path, String> {
    let mut steps = vec![];
    for part in parts(text) {
        let part = part.trim();
        let (name, inner) = match part.split_once('(') {
            None => (part, None),
            Some((name, rest)) => {
                let Some(inside) = rest.strip_suffix(')').filter(|_| !steps.is_empty()) else {
                    return Err(format!("`{text}` is no lookup path"));
                };
                (name.trim(), Some(path(inside)?))
            }
        };
        if name.is_empty() || name.contains([')', '\'', '\n']) {
            return Err(format!("`{text}` is no lookup path"));
        }
        steps.push(step(name, inner));
    }
    Ok(Path { this: false, steps, at: Default::default() })
}

/// The parts of a path between dots that stand in no parentheses.
fn parts(text: &str) -> Vec<&str> {
    let (mut out, mut from, mut depth) = (vec![], 0, 0usize);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => {
                out.push(&text[from..i]);
                from = i + 1;
            }
            _ => {}
        }
    }
    out.push(&text[from..]);
    out
}

/// A path of one column.
pub fn column(name: &str) -> Path {
    Path { this: false, steps: vec![step(name, None)], at: Default::default() }
}

/// A step of a path.
pub fn step(name: &str, inner: Option<Path>) -> Step {
    Step { name: Name { text: name.to_string(), at: Default::default() }, inner }
}

/// A path as dual-write writes it.
pub fn path_text(path: &Path) -> String {
    let step = |s: &Step| match &s.inner {
        Some(inner) => format!("{}({})", s.name.text, path_text(inner)),
        None => s.name.text.clone(),
    };
    path.steps.iter().map(step).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_and_maps() {
        assert_eq!(table("CDS Contacts V2"), "CDSContactsV2");
        assert_eq!(table("organization hierarchy - published"), "OrganizationHierarchyPublished");
        assert_eq!(id("Customers V3 (accounts)"), "customers-v3-accounts");
        for (one, many) in
            [("account", "accounts"), ("msdyn_currency", "msdyn_currencies"), ("tax", "taxes"), ("day", "days")]
        {
            assert_eq!((plural(one).as_str(), singular(many).as_str()), (many, one));
        }
        assert_eq!(singular("msdyn_class"), "msdyn_class");
    }

    #[test]
    fn paths() {
        let text = "customerid.Account(accountnumber).Contact(a.b)";
        let p = path(text).unwrap();
        assert_eq!((p.steps.len(), path_text(&p).as_str()), (3, text));
        assert!(path("a..b").is_err() && path("(a)").is_err() && path("a.b(c").is_err());
    }
}
