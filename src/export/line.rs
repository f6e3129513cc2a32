//! A line as a field mapping.

use super::Source;
use super::refuse::cannot_box as cannot;
use crate::diagnostic::Diagnostic;
use crate::import::json::{Json, Kind, Text};
use crate::import::names;
use crate::syntax::ast::{Arrow, ElseAction, Expr, ExprKind, Flow, Line, LineValues, Literal, Pair, Pairs, Path, Side};

/// Finance value, Dataverse value (none = null), and which way the pair holds.
pub type PairWords = (String, Option<String>, Flow);

/// A line in the words of dual-write.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// The finance field; empty for a constant.
    pub source: String,
    /// The Dataverse column or path; empty for a constant.
    pub destination: String,
    /// 1, 2 or 3.
    pub direction: &'static str,
    /// The value map.
    pub pairs: Option<Vec<PairWords>>,
    /// Default or constant.
    pub default: Option<String>,
}

/// Which way a line runs in its map: `=` in a one-way map runs that way.
pub fn flow(line: &Line, arrow: Arrow) -> Flow {
    match (line.sign.flow, arrow) {
        (Flow::Both, Arrow::ToRight) => Flow::ToRight,
        (Flow::Both, Arrow::ToLeft) => Flow::ToLeft,
        (flow, _) => flow,
    }
}

fn literal(e: &Expr) -> Option<&Literal> {
    match &e.kind {
        ExprKind::Literal(l) => Some(l),
        _ => None,
    }
}

fn path(e: &Expr) -> Option<&Path> {
    match &e.kind {
        ExprKind::Path(p) if !p.this => Some(p),
        _ => None,
    }
}

/// A line in the words of dual-write, or why it has none.
pub fn words(source: &Source<'_>, line: &Line, arrow: Arrow) -> Result<Words, Box<Diagnostic>> {
    let by_hand = "write the line as dual-write can say it, or leave the map here";
    if let Some(pipe) = line.pipes.first() {
        let message = format!("the pipe `{}`: dual-write has value maps, constants and defaults only", pipe.name.text);
        return Err(cannot(pipe.at, message, by_hand));
    }
    if line.once {
        return Err(cannot(line.at, "`once`: there every line is written with every change", by_hand));
    }
    if line.on_missing.is_some() {
        return Err(cannot(line.at, "`on missing`: there a missing row always fails the record", by_hand));
    }
    let flow = flow(line, arrow);
    for e in [&line.left, &line.right] {
        if path(e).is_none() && literal(e).is_none() {
            return Err(cannot(e.at, "a computed value: there a line carries a column or a constant", by_hand));
        }
    }
    if let Some(p) = path(&line.left).filter(|p| p.steps.len() != 1 || p.steps[0].inner.is_some()) {
        return Err(cannot(p.at, "a lookup path on the finance side: its fields are those of the entity", by_hand));
    }
    let (left, right) = (path(&line.left), path(&line.right));
    let (lt, rt) = (left.and_then(|p| source.ty(Side::Left, p)), right.and_then(|p| source.ty(Side::Right, p)));
    let constant =
        literal(&line.left).map(|l| (l, Side::Right, rt)).or(literal(&line.right).map(|l| (l, Side::Left, lt)));
    let default = match (&line.default, constant) {
        (Some(d), _) if flow == Flow::ToRight => Some(source.value(d, Side::Right, rt).unwrap_or_default()),
        (Some(d), _) => Some(source.value(d, Side::Left, lt).unwrap_or_default()),
        (None, Some((l, side, ty))) => Some(source.value(l, side, ty).unwrap_or_default()),
        (None, None) => None,
    };
    let pairs = match &line.values {
        None => None,
        Some(LineValues::Inline(p)) => Some(p),
        Some(LineValues::Named(n)) => match source.values.iter().find(|v| v.name.text == n.text) {
            Some(v) => Some(&v.pairs),
            None => return Err(cannot(n.at, format!("no value map is called `{}`", n.text), "correct the name")),
        },
    };
    let pairs = pairs.map(|p| self::pairs(source, p, flow, (lt, rt))).transpose()?;
    Ok(Words {
        source: left.map(names::path_text).unwrap_or_default(),
        destination: right.map(names::path_text).unwrap_or_default(),
        direction: match flow {
            Flow::ToRight => "1",
            Flow::ToLeft => "2",
            Flow::Both => "3",
        },
        pairs,
        default,
    })
}

type Types<'a> = (Option<&'a crate::value::Type>, Option<&'a crate::value::Type>);

fn pairs(
    source: &Source<'_>,
    pairs: &Pairs,
    flow: Flow,
    (lt, rt): Types<'_>,
) -> Result<Vec<PairWords>, Box<Diagnostic>> {
    let mut out: Vec<PairWords> = vec![];
    for p in &pairs.pairs {
        match &p.it {
            Pair::Else { action: ElseAction::Error, .. } => {}
            Pair::Else { .. } => {
                let help = "write a pair for every value; there a value without one fails the record";
                return Err(cannot(p.at, "`else` in a value map: dual-write has pairs only", help));
            }
            Pair::Of { left, sign, right } => {
                let runs = |s: Side| sign.flow.into(s) && flow.into(s);
                if !runs(Side::Left) && !runs(Side::Right) {
                    continue;
                }
                let l = source.value(left, Side::Left, lt).unwrap_or_default();
                let r = source.value(right, Side::Right, rt);
                if flow == Flow::Both && sign.flow == Flow::ToLeft || out.iter().any(|(o, ..)| *o == l) {
                    let message = format!("two pairs for the finance value `{l}`: there each has one");
                    return Err(cannot(p.at, message, "keep one of them"));
                }
                let sign = if flow == Flow::Both { sign.flow } else { flow };
                out.push((l, r, sign));
            }
        }
    }
    // The first finance value of several is the way back; what is not must stand behind it.
    for (i, (l, r, sign)) in out.iter().enumerate() {
        let first =
            out.iter().position(|(f, q, _)| q == r && !f.is_empty()).or(out.iter().position(|(_, q, _)| q == r));
        if flow == Flow::Both && (*sign == Flow::Both) != (first == Some(i)) {
            let message = format!(
                "which value `{}` becomes on the way back cannot be said of `{l}`",
                r.clone().unwrap_or_default()
            );
            return Err(cannot(
                pairs.at,
                message,
                "let the pair with `=` stand before those with `>` of the same value",
            ));
        }
    }
    Ok(out)
}

/// A field mapping of a line; what an older one has beside what the line says is kept.
pub fn mapping(words: &Words, old: Option<&Json>, related: Option<String>) -> Json {
    let mut json = old.cloned().unwrap_or_else(|| Json::made(Kind::Object(vec![])));
    // An older mapping is one of the same fields, in its own spelling.
    if old.is_none() {
        set_text(&mut json, "sourceField", &words.source);
        set_text(&mut json, "destinationField", &words.destination);
    }
    let direction = match json.get("syncDirection").map(|d| &d.kind) {
        Some(Kind::Text(t)) if t.value.text == words.direction => None,
        Some(Kind::Number(n)) if n == words.direction => None,
        Some(Kind::Text(_)) => Some(Json::text_of(words.direction)),
        _ => Some(Json::made(Kind::Number(words.direction.into()))),
    };
    if let Some(direction) = direction {
        json.set("syncDirection", direction);
    }
    if let Some(related) = related.filter(|_| json.get("destinationLookupFieldRelatedEntity").is_none()) {
        json.set("destinationLookupFieldRelatedEntity", Json::text_of(&related));
    }
    let old = json.get("valueTransforms").and_then(Json::items).unwrap_or_default().to_vec();
    let of = |name: &str| {
        let is = |t: &&Json| t.get("transformType").and_then(Json::text).is_some_and(|n| n.eq_ignore_ascii_case(name));
        old.iter()
            .find(is)
            .cloned()
            .unwrap_or_else(|| Json::made(Kind::Object(vec![(Text::new("transformType"), Json::text_of(name))])))
    };
    let mut transforms = vec![];
    if let Some(pairs) = &words.pairs {
        let mut t = of("ValueMap");
        if t.get("createValuesOnDestination").is_none() {
            t.set("createValuesOnDestination", Json::made(Kind::Boolean(false)));
        }
        let entries = pairs.iter().map(|(l, r, _)| {
            let value = r.as_ref().map_or(Json::made(Kind::Null), |r| Json::text_of(r));
            (Text::new(l), value)
        });
        t.set("valueMap", Json::made(Kind::Object(entries.collect())));
        transforms.push(t);
    }
    if let Some(default) = &words.default {
        let mut t = of("Default");
        set_text(&mut t, "defaultValue", default);
        transforms.push(t);
    }
    if !transforms.is_empty() || !old.is_empty() {
        json.set("valueTransforms", Json::made(Kind::Array(transforms)));
    }
    json
}

/// Sets a text unless it says that already.
pub fn set_text(json: &mut Json, key: &str, text: &str) {
    if json.get(key).and_then(Json::text) != Some(text) {
        json.set(key, Json::text_of(text));
    }
}
