//! The messages of `pgoutput`, the server's own plug-in for logical decoding: what a committed transaction did, in the
//! order in which it did it.

use super::types::Kind;

/// A message of the slot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A transaction begins: where its commit stands in the WAL, when that was in microseconds since 2000, its number.
    Begin { commit: u64, at: i64, xid: u32 },
    /// It ends; where its commit record ends in the WAL.
    Commit { end: u64 },
    /// What a table that comes next looks like.
    Relation(Relation),
    /// A new row.
    Insert { relation: u32, new: Tuple },
    /// A changed row; `old` where the table's replica identity gives it.
    Update { relation: u32, old: Option<Old>, new: Tuple },
    /// A row that is gone.
    Delete { relation: u32, old: Old },
    /// Tables that were emptied.
    Truncate { relations: Vec<u32> },
    /// What somebody said with `pg_logical_emit_message`.
    Said { prefix: String, text: String },
    /// Nothing that matters here.
    Other,
}

/// A table as the slot describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub id: u32,
    /// `schema.name`.
    pub name: String,
    pub columns: Vec<String>,
    /// The columns' types, by object id.
    pub types: Vec<u32>,
}

/// A row as it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Old {
    /// Every column; else those of the replica identity only, the others null.
    pub full: bool,
    pub row: Tuple,
}

/// A row: its columns in the order of its relation.
pub(super) type Tuple = Vec<Cell>;

/// A column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    /// Large, and not changed: it is not sent again.
    Same,
    Text(String),
}

/// Reads from the front of a message.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    fn byte(&mut self) -> Option<u8> {
        Some(u8::from_be_bytes(self.array()?))
    }
    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.array()?))
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.array()?))
    }
    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.array()?))
    }
    fn text(&mut self, n: usize) -> Option<String> {
        String::from_utf8(self.take(n)?.to_vec()).ok()
    }
    /// A text that ends with a zero.
    fn word(&mut self) -> Option<String> {
        let end = self.0.iter().position(|b| *b == 0)?;
        let word = self.text(end)?;
        self.take(1)?;
        Some(word)
    }
    fn tuple(&mut self) -> Option<Tuple> {
        let n = self.u16()?;
        (0..n)
            .map(|_| {
                Some(match self.byte()? {
                    b'n' => Cell::Null,
                    b'u' => Cell::Same,
                    b't' => {
                        let n = usize::try_from(self.u32()?).ok()?;
                        Cell::Text(self.text(n)?)
                    }
                    _ => return None,
                })
            })
            .collect()
    }
}

/// Reads a message; none where it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Message> {
    let mut b = Bytes(bytes);
    Some(match b.byte()? {
        b'B' => Message::Begin { commit: b.u64()?, at: i64::from_be_bytes(b.array()?), xid: b.u32()? },
        b'C' => {
            // Flags, and the place of the commit record.
            b.take(9)?;
            Message::Commit { end: b.u64()? }
        }
        b'R' => {
            let id = b.u32()?;
            let (schema, name) = (b.word()?, b.word()?);
            b.byte()?;
            let n = b.u16()?;
            let column = |_| {
                b.byte()?;
                let (name, kind) = (b.word()?, b.u32()?);
                b.take(4)?;
                Some((name, kind))
            };
            let (columns, types) = (0..n).map(column).collect::<Option<Vec<(String, u32)>>>()?.into_iter().unzip();
            Message::Relation(Relation { id, name: format!("{schema}.{name}"), columns, types })
        }
        b'I' => {
            let relation = b.u32()?;
            b.byte().filter(|m| *m == b'N')?;
            Message::Insert { relation, new: b.tuple()? }
        }
        b'U' => {
            let relation = b.u32()?;
            let old = match b.byte()? {
                b'N' => None,
                mark @ (b'O' | b'K') => {
                    let row = b.tuple()?;
                    b.byte().filter(|m| *m == b'N')?;
                    Some(Old { full: mark == b'O', row })
                }
                _ => return None,
            };
            Message::Update { relation, old, new: b.tuple()? }
        }
        b'D' => {
            let relation = b.u32()?;
            let mark = b.byte().filter(|m| matches!(m, b'O' | b'K'))?;
            Message::Delete { relation, old: Old { full: mark == b'O', row: b.tuple()? } }
        }
        b'T' => {
            let n = b.u32()?;
            b.byte()?;
            Message::Truncate { relations: (0..n).map(|_| b.u32()).collect::<Option<_>>()? }
        }
        b'M' => {
            // Flags and place.
            b.take(9)?;
            let prefix = b.word()?;
            let n = usize::try_from(b.u32()?).ok()?;
            Message::Said { prefix, text: b.text(n)? }
        }
        b'O' | b'Y' => Message::Other,
        _ => return None,
    })
}

/// A value as the triggers would have it logged: the slot writes truth values short and pads fixed lengths.
pub(super) fn as_logged(cell: &Cell, kind: Option<&Kind>) -> Option<String> {
    match (cell, kind) {
        (Cell::Null | Cell::Same, _) => None,
        (Cell::Text(t), Some(Kind::Boolean)) => Some(if t == "t" { "true" } else { "false" }.into()),
        (Cell::Text(t), Some(Kind::Char(_))) => Some(t.trim_end_matches(' ').into()),
        // Nothing, to JSON.
        (Cell::Text(t), Some(Kind::Json | Kind::Jsonb)) if t == "null" => None,
        (Cell::Text(t), _) => Some(t.clone()),
    }
}

/// `0/16B3748` as a number.
pub(super) fn place(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    Some(u64::from(u32::from_str_radix(high, 16).ok()?) << 32 | u64::from(u32::from_str_radix(low, 16).ok()?))
}

/// A number as `0/16B3748`.
pub(super) fn place_text(place: u64) -> String {
    format!("{:X}/{:X}", place >> 32, place & 0xffff_ffff)
}

/// Bytes from hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

/// The whole number of a transaction from its lower half, near to another one.
pub(super) fn whole_xid(xid: u32, near: u64) -> u64 {
    let low = u32::try_from(near & 0xffff_ffff).unwrap_or(0);
    near.wrapping_add_signed(i64::from(xid.wrapping_sub(low).cast_signed()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bytes(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn messages_are_read() {
        let commit = 0x16b_3748u64.to_be_bytes();
        let begin = bytes(&[b"B", &commit, &5i64.to_be_bytes(), &77u32.to_be_bytes()]);
        assert_eq!(read(&begin), Some(Message::Begin { commit: 0x16b_3748, at: 5, xid: 77 }));
        let relation = bytes(&[
            b"R\0\0\0\x09public\0t\0f\0\x02",
            b"\x01id\0\0\0\0\x14\xff\xff\xff\xff",
            b"\0v\0\0\0\0\x19\xff\xff\xff\xff",
        ]);
        let columns = vec!["id".to_string(), "v".to_string()];
        let types = vec![20, 25];
        assert_eq!(
            read(&relation),
            Some(Message::Relation(Relation { id: 9, name: "public.t".into(), columns, types }))
        );
        let update = b"U\0\0\0\x09O\0\x02t\0\0\0\x017nN\0\x02t\0\0\0\x018u";
        let text = |s: &str| Cell::Text(s.into());
        let old = Some(Old { full: true, row: vec![text("7"), Cell::Null] });
        let new = vec![text("8"), Cell::Same];
        assert_eq!(read(update), Some(Message::Update { relation: 9, old, new }));
        let said = b"M\x01\0\0\0\0\0\0\0\0tablemap:x\0\0\0\0\x02hi";
        assert_eq!(read(said), Some(Message::Said { prefix: "tablemap:x".into(), text: "hi".into() }));
        assert_eq!(read(b"T\0\0\0\x02\0\0\0\0\x01\0\0\0\x02"), Some(Message::Truncate { relations: vec![1, 2] }));
    }

    #[test]
    fn what_is_cut_short_is_none() {
        let update = b"U\0\0\0\x09O\0\x02t\0\0\0\x017nN\0\x02t\0\0\0\x018u";
        for n in 0..update.len() {
            assert_eq!(read(&update[..n]), None, "{n}");
        }
        assert_eq!(read(b"Z"), None);
        // A length beyond the end, and a text that is none.
        assert_eq!(read(b"I\0\0\0\x09N\0\x01t\xff\xff\xff\xffx"), None);
        assert_eq!(read(b"I\0\0\0\x09N\0\x01t\0\0\0\x01\xff"), None);
    }

    #[test]
    fn numbers_and_places() {
        assert_eq!(place("1/16B3748"), Some(0x1_016b_3748));
        assert_eq!(place_text(0x1_016b_3748), "1/16B3748");
        assert_eq!(place("x"), None);
        assert_eq!(unhex("00ff4A"), Some(vec![0, 255, 74]));
        assert_eq!((unhex("0"), unhex("zz")), (None, None));
        assert_eq!(whole_xid(5, (3 << 32) | 7), (3 << 32) | 5);
        assert_eq!(whole_xid(9, (3 << 32) | 7), (3 << 32) | 9);
        // The counter went round between the two.
        assert_eq!(whole_xid(u32::MAX, 3 << 32), (3 << 32) - 1);
        assert_eq!(whole_xid(1, (3 << 32) - 1), (3 << 32) + 1);
    }
}
