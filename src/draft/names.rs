//! How alike two names are.

/// Beginnings that say who published a column, not what it is.
const PUBLISHERS: &[&str] = &["msdyn", "cdm", "mserp", "adx", "new", "cr"];
/// Words of one meaning.
const SAME: &[(&str, &str)] = &[
    ("zipcode", "postalcode"),
    ("street", "line1"),
    ("qty", "quantity"),
    ("amt", "amount"),
    ("curr", "currency"),
    ("desc", "description"),
    ("organizationname", "name"),
    ("stateorprovince", "state"),
    ("countryregionisocode", "country"),
    ("countryregionid", "country"),
    ("deliveryaddress", "address1"),
    ("invoiceaddress", "address2"),
];

/// From 0 (nothing in common) to 1 (the same but for case, underscores and the publisher).
pub(super) fn likeness(a: &str, b: &str) -> f64 {
    let mut best: f64 = 0.0;
    for a in forms(a) {
        for b in forms(b) {
            best = best.max(alike(&a, &b));
        }
    }
    best
}

fn forms(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let letters = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let mut all = vec![letters(&lower)];
    if let Some((first, rest)) = lower.split_once('_')
        && PUBLISHERS.contains(&first)
    {
        all = vec![letters(rest)];
    }
    let mut renamed = all[0].clone();
    for (from, to) in SAME {
        renamed = renamed.replace(from, to);
    }
    if renamed != all[0] {
        all.push(renamed);
    }
    all
}

fn alike(a: &str, b: &str) -> f64 {
    if a == b {
        return if a.is_empty() { 0.0 } else { 1.0 };
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let ratio = short.len() as f64 / long.len() as f64;
    let mut best = strsim::sorensen_dice(a, b) * 0.85;
    // The last word says what a thing is.
    if short.len() >= 3 && long.ends_with(short) {
        best = best.max(0.55 + 0.4 * ratio);
    } else if short.len() >= 4 && long.starts_with(short) {
        best = best.max(0.5 + 0.45 * ratio);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::likeness;

    #[test]
    fn names_that_mean_the_same() {
        assert!(likeness("CREDITLIMITISMANDATORY", "msdyn_creditlimitismandatory") == 1.0);
        assert!(likeness("DELIVERYADDRESSZIPCODE", "address1_postalcode") == 1.0);
        assert!(likeness("PROJECTID", "msdyn_project") > 0.8);
        assert!(likeness("SALESCURRENCYCODE", "creditlimit") < 0.5);
    }
}
