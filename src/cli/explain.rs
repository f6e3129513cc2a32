//! `explain`: the page of a code, and the list of all codes.

use super::Context;
use super::failure::{Code as Exit, Failure, Outcome};
use super::out::{BOLD, DIM, ERROR, HELP, WARN, paint, table};
use crate::check;
use crate::diagnostic::{Code, Severity, all_codes, did_you_mean};
use serde_json::json;

/// What a code of a finding means, with a wrong and a right example
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap explain TM0203\n  \
    tablemap explain --list                  all codes\n  \
    tablemap explain TM0203 --format json")]
pub(super) struct Args {
    /// The code, as findings show it
    #[arg(value_name = "CODE", required_unless_present = "list")]
    code: Option<String>,
    /// List all codes with their severity and title
    #[arg(long, conflicts_with = "code")]
    list: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    match &args.code {
        Some(code) => one(code, context),
        None => list(context),
    }
}

fn one(written: &str, context: &Context) -> Outcome {
    let upper = written.to_uppercase();
    let Some((code, severity, title)) = all_codes().iter().find(|(c, _, _)| c.0 == upper) else {
        let near = did_you_mean(&upper, all_codes().iter().map(|(c, _, _)| c.0));
        return Err(Failure::usage(format!("no finding has the code `{written}`"))
            .help(near.unwrap_or_else(|| "`tablemap explain --list` shows all codes".into())));
    };
    let page = check::page(*code).unwrap_or("");
    let body = page.split_once('\n').map_or("", |(_, rest)| rest);
    context.out.line(format!("{} {}\n", heading(*code, *severity), paint(BOLD, title)));
    context.out.line(plain(body.trim()));
    context.out.json(&json!({
        "format": 1, "code": code.0, "severity": severity, "title": title, "area": check::area(*code), "page": page,
    }));
    Ok(Exit::Fine)
}

fn list(context: &Context) -> Outcome {
    let mut area = "";
    let mut rows: Vec<Vec<String>> = vec![];
    let flush = |rows: &mut Vec<Vec<String>>| {
        if !rows.is_empty() {
            let text = table(&["", "", ""], std::mem::take(rows));
            context.out.line(text.lines().skip(1).collect::<Vec<_>>().join("\n"));
            context.out.line("");
        }
    };
    for (code, severity, title) in all_codes() {
        if check::area(*code) != area {
            flush(&mut rows);
            area = check::area(*code);
            context.out.line(paint(BOLD, area));
        }
        rows.push(vec![format!("  {code}"), word(*severity).to_string(), (*title).to_string()]);
    }
    flush(&mut rows);
    let all: Vec<_> = all_codes()
        .iter()
        .map(|(c, s, t)| json!({ "code": c.0, "severity": s, "title": t, "area": check::area(*c) }))
        .collect();
    context.out.json(&json!({ "format": 1, "codes": all }));
    Ok(Exit::Fine)
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

fn heading(code: Code, severity: Severity) -> String {
    let style = match severity {
        Severity::Error => ERROR,
        Severity::Warning => WARN,
        Severity::Info => HELP,
    };
    paint(style, format!("{code} ({})", word(severity)))
}

/// Markdown for a terminal: headings bold, examples moved to the right, the name of an example's file above it.
fn plain(page: &str) -> String {
    let mut out = String::new();
    let mut code = false;
    for line in page.lines() {
        match (code, line.strip_prefix("```"), line.strip_prefix("## ")) {
            (false, Some(info), _) => {
                code = true;
                if let Some(path) = info.split_whitespace().find(|w| w.ends_with(".yaml")) {
                    out.push_str(&format!("    {}\n", paint(DIM, format!("# {path}"))));
                }
            }
            (true, Some(_), _) => code = false,
            (true, None, _) if !line.is_empty() => out.push_str(&format!("    {line}\n")),
            (false, None, Some(heading)) => out.push_str(&format!("{}\n", paint(BOLD, heading))),
            _ => out.push_str(&format!("{line}\n")),
        }
    }
    out.trim_end().to_string()
}
