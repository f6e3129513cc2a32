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
    // ---- YAML notation (TM0130..TM0149)
    TM0130 Error "the YAML does not parse";
    TM0131 Error "a key is written twice";
    TM0132 Error "an alias of nothing";
    TM0133 Error "aliases stand for too much";
    TM0134 Error "merge keys are not read";
    TM0135 Error "more than one document in a file";
    TM0136 Error "a tab in the indentation";
    TM0137 Error "nested too deep";
    TM0138 Error "a tag, or a key that is no text";
    TM0139 Warning "a bare word that not every reader takes for text";
    TM0140 Error "YAML changes this line";
    TM0141 Error "a value of the wrong kind";
    TM0142 Error "an unknown key";
    TM0143 Error "a key is missing";
    // ---- files, project and schema files (TM0150..TM0179)
    TM0150 Error "a file cannot be read";
    TM0151 Error "a file is not UTF-8";
    TM0152 Error "a file is too large";
    TM0153 Error "a value of the wrong kind in a schema or project file";
    TM0154 Error "an unknown key in a schema or project file";
    TM0155 Error "a key is missing in a schema or project file";
    TM0156 Error "an unknown type";
    TM0157 Error "a schema names a column it does not have";
    TM0158 Error "a lookup to a table the schema does not have";
    TM0159 Error "a table without a primary key";
    TM0160 Error "two of one name";
    TM0161 Error "a blank or default that does not fit its column";
    TM0162 Error "a lookup that does not fit the key it points to";
    TM0163 Error "an unknown or broken choice";
    TM0164 Error "an environment variable is not set";
    TM0165 Error "an unknown time zone";
    TM0166 Error "a store that cannot be reached this way";
    TM0167 Error "no project file";
    TM0168 Error "a level of a check that does not exist";
    TM0169 Warning "a pattern that finds no map";
    TM0170 Error "a schema of another store";
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
