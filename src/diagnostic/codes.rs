//! The registry of codes. A code, once released, is never given another meaning. Ranges: TM01 syntax and structure,
//! TM02 names, TM03 types, TM04 direction and operations, TM05 keys, TM06 lookups, TM07 value maps, TM08 filters,
//! TM09 round trip, TM10 the set of maps, TM11 privacy and hygiene, TM12 the live store, TM13 import and export, TM14
//! versions of map files; TM90 records that could not be applied.

use super::Severity::{self, Error, Info, Warning};

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
    TM0106 Error "a statement or a cell stands twice";
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
    TM0118 Error "a text that the DSL cannot write";
    TM0119 Warning "a map file without a map";
    TM0120 Error "a test that gives what is no row";
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
    TM0202 Error "unknown table";
    TM0203 Error "unknown column";
    TM0204 Error "unknown function";
    TM0205 Error "unknown value map";
    TM0206 Error "unknown member of a choice";
    TM0207 Error "`this` outside of related rows";
    TM0208 Error "two maps with one id";
    TM0209 Error "two maps with one name";
    TM0210 Error "two value maps with one name";
    TM0211 Error "a map without an id";
    TM0212 Error "a map that does not say its tables";
    TM0213 Error "an overlay of a map that is not in the project";
    TM0214 Error "related rows that nothing relates";
    TM0215 Error "overlays go in a circle";
    TM0216 Error "two overlays of one map";
    TM0217 Error "an edit of what the base does not have";
    TM0218 Error "an addition of what the base has already";
    TM0219 Warning "the base has changed under an overlay";
    // ---- types
    TM0301 Error "a value that makes no sense in its column";
    TM0302 Error "a value that may be changed on its way";
    TM0303 Warning "a text that may be too long for its column";
    TM0304 Warning "a text that may be too long for a key";
    TM0305 Error "a literal that is no value of its type";
    TM0306 Error "a comparison of different types";
    TM0307 Error "wrong arguments of a function";
    TM0308 Error "a comparison with null";
    TM0309 Error "an operator on a type that it does not work on";
    TM0310 Error "the arms of `case` do not meet in one type";
    TM0311 Warning "null may get into a required column";
    TM0312 Error "null is written into a required column";
    TM0313 Warning "a number that may not fit its column";
    // ---- direction and operations
    TM0401 Error "a line in a direction that the map does not have";
    TM0402 Error "a two-way line in a one-way map";
    TM0403 Warning "a direction that no line uses";
    TM0404 Error "a required column without a source on create";
    TM0405 Error "a read-only column is written";
    TM0406 Error "two lines write one column";
    TM0407 Error "`default` or `once` on a two-way line";
    TM0408 Error "a two-way line that computes";
    TM0409 Error "two-way lines without a policy for conflicts";
    TM0410 Warning "a policy for conflicts that cannot arise";
    TM0411 Warning "a statement about a direction that the map does not have";
    TM0412 Error "rows are deleted on exit, but deleting is not among the operations";
    TM0413 Error "a line that points at no column";
    TM0414 Error "the master of the initial sync is nobody's source";
    TM0415 Warning "a guard that nothing can set off";
    TM0416 Warning "an `on exit` that never applies";
    TM0417 Warning "a create-only column that is not written `once`";
    TM0418 Warning "updates that change nothing";
    // ---- keys
    TM0501 Error "the map has no key";
    TM0502 Error "a key that is always null";
    TM0503 Error "the key does not identify one row";
    TM0504 Error "a one-way key in a two-way map";
    TM0505 Error "`each` in a two-way map";
    TM0506 Error "a looked-up key where deletes are carried over";
    TM0507 Warning "the company is left out";
    TM0508 Warning "several source rows have one key";
    // ---- lookups
    TM0601 Error "a path over a column that is no lookup";
    TM0602 Error "a lookup that does not point to the named table";
    TM0603 Error "a lookup to several tables without a choice among them";
    TM0604 Error "a path of the wrong form";
    TM0605 Error "a path that ends at a lookup over several columns";
    TM0606 Error "the columns of a reference are no key of the looked-up table";
    TM0607 Error "a reference lacks the company";
    TM0608 Error "`lookup_type` of what is no lookup to several tables";
    TM0609 Warning "a looked-up table that no map fills";
    TM0610 Warning "a required reference inside a circle of tables";
    TM0611 Warning "`on missing` without a lookup";
    TM0612 Error "alternatives of different types";
    TM0613 Error "lines of one reference disagree on `on missing`";
    TM0614 Error "a question about related rows where none may stand";
    // ---- value maps
    TM0701 Error "a value that cannot be in a value map's pair";
    TM0702 Error "two pairs for one value";
    TM0703 Warning "members of a choice without a pair";
    TM0704 Warning "a pair that is never used";
    TM0705 Warning "an empty value map";
    TM0706 Error "two `else` for one direction";
    TM0707 Error "`else pass` between different types";
    // ---- filters
    TM0801 Error "a filter is not a condition";
    TM0802 Warning "a filter that decides nothing";
    TM0803 Error "a guard's filter over more than the table's own columns";
    TM0804 Warning "a filter that no row passes";
    // ---- round trip
    TM0901 Error "a two-way line without a way back";
    TM0902 Warning "a value map makes two values one";
    TM0903 Warning "a value comes back in another form";
    TM0904 Warning "a value that is nothing on the other side";
    TM0905 Warning "a value whose image has no way back";
    TM0906 Warning "two keys become one";
    // ---- the set of maps
    TM1001 Error "prerequisites go in a circle";
    TM1002 Warning "a prerequisite that is not in the project";
    TM1003 Warning "two maps write one column";
    TM1004 Warning "two maps create the same rows";
    TM1005 Warning "a ring of maps";
    TM1006 Warning "a map runs before what it needs";
    // ---- privacy and hygiene
    TM1101 Warning "unused value map";
    // ---- comments that silence findings (TM1110..TM1119)
    TM1110 Warning "an `allow` without a reason";
    TM1111 Warning "an `allow` that silences nothing";
    TM1112 Warning "an `allow` of an error";
    TM1113 Warning "an `allow` of a code that does not exist";
    TM1102 Error "a password in a file";
    TM1103 Warning "an unknown company";
    // ---- the live store (`check --live`)
    TM1201 Error "a table that the live store does not have";
    TM1202 Error "a column that the live store does not have";
    TM1203 Error "a live column that does not keep values of its type";
    TM1204 Warning "a live column that demands or compares otherwise than its schema says";
    TM1205 Error "a live column that must have a value and gets none";
    TM1206 Error "a key without a unique index in the live store";
    TM1207 Warning "looked-up columns without an index in the live store";
    TM1208 Error "a right that the maps need and the store's user has not got";
    // ---- import and export
    TM1301 Error "a file that cannot be imported whole";
    TM1302 Error "a field mapping that contradicts itself";
    TM1303 Warning "a transform that is not known";
    TM1304 Error "a filter that cannot be taken over";
    TM1305 Warning "a key that wants a decision";
    TM1306 Info "a decision of the import";
    TM1307 Warning "a decision left to a person";
    TM1308 Error "what dual-write cannot say";
    // ---- versions of map files (`merge`)
    TM1401 Error "both sides changed the same";
    TM1402 Error "a conflict that nobody has decided";
    // ---- records that could not be applied (told by the engine, never by `check`)
    TM9001 Error "a stored value does not fit the store's schema";
    TM9002 Error "an expression has no value for the record";
    TM9003 Error "a value does not fit the column it goes to";
    TM9004 Error "a required value is missing";
    TM9005 Error "a looked-up record is not there";
    TM9006 Error "a key finds more than one row, or is taken";
    TM9007 Error "the store refused the row";
    TM9008 Error "the map does not allow what would be needed";
    TM9009 Error "changed on both sides, waiting for a person";
    TM9010 Error "the record goes in a circle";
    TM9011 Error "a change was skipped by command";
}

/// Every code with its severity and title, in order.
pub fn all() -> &'static [(Code, Severity, &'static str)] {
    ALL
}
