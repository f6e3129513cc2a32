//! The registry of codes. A code, once released, is never given another meaning. Ranges: TM01 syntax and structure,
//! TM02 names, TM03 types, TM04 direction and operations, TM05 keys, TM06 lookups, TM07 value maps, TM08 filters,
//! TM09 round trip, TM10 the set of maps, TM11 privacy and hygiene; TM90 records that could not be applied.

use super::Severity::{self, Error, Warning};

/// A stable finding code, `TM0101`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub &'static str);

impl Code {
    /// The severity its findings have unless the project says otherwise.
    pub fn severity(self) -> Severity {
        all().iter().find(|(c, _, _)| *c == self).map_or(Error, |(_, s, _)| *s)
    }
    /// What the code is about, in a few words.
    pub fn title(self) -> &'static str {
        all().iter().find(|(c, _, _)| *c == self).map_or("", |(_, _, t)| *t)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! codes {
    ($($name:ident $severity:ident $title:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code(stringify!($name));)*
        }
        static ALL: &[(Code, Severity, &str)] = &[$((Code::$name, $severity, $title)),*];
    };
}

codes! {
    // ---- syntax and structure, DSL and both notations (TM0101..TM0129)
    TM0101 Error "the text does not follow the grammar";
    TM0102 Error "a text or a quoted name is not closed";
    TM0103 Error "a brace is not closed, or closes nothing";
    TM0104 Error "`=` is used to compare";
    TM0105 Error "a sign or an operator of another language";
    TM0106 Error "a statement stands twice";
    TM0107 Error "unknown statement";
    TM0108 Error "nested too deep";
    TM0109 Error "a name in double quotes where a text is meant";
    TM0110 Error "a name lacks its double quotes";
    TM0111 Error "not a version";
    TM0112 Error "not an id";
    TM0113 Error "a table is not named as `store.table`";
    TM0114 Error "a reserved word is used as a name";
    TM0115 Error "a line stands in the wrong block";
    TM0116 Error "a pipe lacks its parentheses";
    TM0117 Error "not a duration";
    // ---- YAML notation (TM0130..TM0149)
    TM0130 Error "the YAML does not parse";
    // ---- files, project and schema files (TM0150..TM0179)
    TM0150 Error "a file cannot be read";
    // ---- names
    TM0201 Error "unknown store";
    // ---- types
    TM0301 Error "types do not fit";
    // ---- direction and operations
    TM0401 Error "a line runs in a direction the map does not have";
    // ---- keys
    TM0501 Error "the map has no key";
    // ---- lookups
    TM0601 Error "a path over a column that is no lookup";
    // ---- value maps
    TM0701 Error "a value map does not fit";
    // ---- filters
    TM0801 Error "a filter is not a condition";
    // ---- the set of maps
    TM1001 Error "prerequisites go in a circle";
    // ---- privacy and hygiene
    TM1101 Warning "unused value map";
}

/// Every code with its severity and title, in order.
pub fn all() -> &'static [(Code, Severity, &'static str)] {
    ALL
}
