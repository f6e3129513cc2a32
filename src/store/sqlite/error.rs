//! What SQLite's errors mean to the engine: of one record, or of the store.

use crate::schema::{ColumnId, Table};
use crate::store::{RecordError, RecordErrorKind, StoreError};
use rusqlite::{Error, ErrorCode, ffi};

/// A store error from whatever SQLite said.
pub(super) fn store_error(store: &str, e: Error) -> StoreError {
    let unreachable = |reason: String| StoreError::Unreachable { store: store.to_string(), reason };
    let Error::SqliteFailure(code, message) = &e else {
        return StoreError::Other { store: store.to_string(), reason: e.to_string() };
    };
    let said = message.clone().unwrap_or_else(|| code.to_string());
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => unreachable(format!(
            "another program holds it locked ({said}); end what writes to it and run the command again"
        )),
        ErrorCode::NotADatabase => unreachable(
            "the file is no SQLite database, or is encrypted; correct `path` of the store in tablemap.yaml".into(),
        ),
        ErrorCode::DatabaseCorrupt => {
            unreachable(format!("the file is damaged ({said}); restore it, or recover it with `sqlite3 FILE .recover`"))
        }
        ErrorCode::CannotOpen => unreachable(format!("the file cannot be opened ({said}); check path and rights")),
        ErrorCode::PermissionDenied => unreachable(format!("no right to open it ({said})")),
        ErrorCode::ReadOnly => unreachable(
            "it is read-only; give the user who runs the engine the right to write the file and its folder".into(),
        ),
        ErrorCode::DiskFull => unreachable("the disk is full; nothing of that transaction was written".into()),
        ErrorCode::SystemIoFailure => unreachable(format!("reading or writing the file failed ({said})")),
        ErrorCode::FileLockingProtocolFailed => unreachable(format!("its file locks do not work ({said})")),
        _ => StoreError::Other { store: store.to_string(), reason: said },
    }
}

/// The record's own fault, where it is one; else the error is the store's.
pub(super) fn record_error(table: &Table, e: &Error) -> Option<RecordError> {
    let Error::SqliteFailure(code, message) = e else {
        return None;
    };
    let said = message.as_deref().unwrap_or("");
    let of = |kind, column, message: String| Some(RecordError { kind, column, message });
    // "UNIQUE constraint failed: T.a, T.b", "NOT NULL constraint failed: T.a"
    let named: Vec<ColumnId> = said
        .split_once("constraint failed: ")
        .map(|(_, rest)| rest.split(", ").filter_map(|n| column_named(table, n.rsplit('.').next()?)).collect())
        .unwrap_or_default();
    let words =
        |columns: &[ColumnId]| columns.iter().map(|c| table.column(*c).name.as_str()).collect::<Vec<_>>().join(", ");
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            let what = if named.is_empty() {
                said.to_string()
            } else {
                format!("another row of `{}` holds the same {}", table.name, words(&named))
            };
            of(RecordErrorKind::Unique, named.last().copied(), what)
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => {
            let what =
                if named.is_empty() { said.to_string() } else { format!("`{}` must have a value", words(&named)) };
            of(RecordErrorKind::Required, named.first().copied(), what)
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => of(
            RecordErrorKind::Foreign,
            None,
            format!("a foreign key of `{}` has no row, or rows still refer to this one", table.name),
        ),
        ffi::SQLITE_CONSTRAINT_DATATYPE => of(RecordErrorKind::Misfit, None, said.to_string()),
        ffi::SQLITE_CONSTRAINT_TRIGGER => of(RecordErrorKind::Refused, None, said.to_string()),
        _ => match code.code {
            ErrorCode::ConstraintViolation => of(RecordErrorKind::Refused, None, said.to_string()),
            ErrorCode::TypeMismatch => {
                of(RecordErrorKind::Misfit, None, "a value is no whole number, as the table's row id must be".into())
            }
            ErrorCode::TooBig => of(RecordErrorKind::Misfit, None, "a value is larger than the database takes".into()),
            _ => None,
        },
    }
}

pub(super) fn column_named(table: &Table, name: &str) -> Option<ColumnId> {
    table.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name)).map(|i| ColumnId(i as u32))
}
