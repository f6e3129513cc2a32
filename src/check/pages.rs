//! The page of every code: what it means, a wrong and a right example, in `pages/CODE.md`.
//!
//! A new code needs its file and its name in the list below; a test says which are missing, and runs the examples.

use crate::diagnostic::Code;

macro_rules! pages {
    ($($code:ident)*) => {
        static PAGES: &[(Code, &str)] =
            &[$((Code::$code, include_str!(concat!("pages/", stringify!($code), ".md")))),*];
    };
}

pages! {
    TM0101 TM0102 TM0103 TM0104 TM0105 TM0106 TM0107 TM0108 TM0109 TM0110 TM0111 TM0112 TM0113 TM0114 TM0115
    TM0116 TM0117 TM0118 TM0119 TM0120 TM0130 TM0131 TM0132 TM0133 TM0134 TM0135 TM0136 TM0137 TM0138 TM0139 TM0140 TM0141 TM0142
    TM0143 TM0150 TM0151 TM0152 TM0153 TM0154 TM0155 TM0156 TM0157 TM0158 TM0159 TM0160 TM0161 TM0162 TM0163
    TM0164 TM0165 TM0166 TM0167 TM0168 TM0169 TM0170
    TM0201 TM0202 TM0203 TM0204 TM0205 TM0206 TM0207 TM0208 TM0209 TM0210 TM0211 TM0212 TM0213 TM0214 TM0215 TM0216
    TM0217 TM0218 TM0219
    TM0301 TM0302 TM0303 TM0304 TM0305 TM0306 TM0307 TM0308 TM0309 TM0310 TM0311 TM0312 TM0313
    TM0401 TM0402 TM0403 TM0404 TM0405 TM0406 TM0407 TM0408 TM0409 TM0410 TM0411 TM0412 TM0413 TM0414 TM0415
    TM0416 TM0417 TM0418
    TM0501 TM0502 TM0503 TM0504 TM0505 TM0506 TM0507 TM0508
    TM0601 TM0602 TM0603 TM0604 TM0605 TM0606 TM0607 TM0608 TM0609 TM0610 TM0611 TM0612 TM0613 TM0614
    TM0701 TM0702 TM0703 TM0704 TM0705 TM0706 TM0707
    TM0801 TM0802 TM0803 TM0804
    TM0901 TM0902 TM0903 TM0904 TM0905 TM0906
    TM1001 TM1002 TM1003 TM1004 TM1005 TM1006
    TM1101 TM1102 TM1103 TM1110 TM1111 TM1112 TM1113
    TM1201 TM1202 TM1203 TM1204 TM1205 TM1206 TM1207 TM1208
    TM1301 TM1302 TM1303 TM1304 TM1305 TM1306 TM1307 TM1308
    TM1401 TM1402
    TM9001 TM9002 TM9003 TM9004 TM9005 TM9006 TM9007 TM9008 TM9009 TM9010 TM9011
}

/// The page of a code, in Markdown.
pub fn page(code: Code) -> Option<&'static str> {
    PAGES.iter().find(|(c, _)| *c == code).map(|(_, text)| *text)
}

/// A page as a rule's help: what it means in plain words, and the whole page in Markdown.
pub fn help(code: Code) -> Option<(String, String)> {
    let page = page(code)?;
    let meaning = page.split_once("## What it means").map_or("", |(_, rest)| rest);
    let meaning = meaning.split("\n## ").next().unwrap_or("").trim();
    Some((meaning.replace('`', ""), page.to_string()))
}

/// The area of a code, as design and documents name them.
pub fn area(code: Code) -> &'static str {
    match code.0.get(2..4) {
        Some("01") => "syntax and structure",
        Some("02") => "names",
        Some("03") => "types",
        Some("04") => "direction and operations",
        Some("05") => "keys",
        Some("06") => "lookups",
        Some("07") => "value maps",
        Some("08") => "filters",
        Some("09") => "round trip",
        Some("10") => "the set of maps",
        Some("11") => "privacy and hygiene",
        Some("12") => "the live store",
        Some("13") => "import and export",
        Some("14") => "versions of map files",
        Some("90") => "records that could not be applied",
        _ => "others",
    }
}
