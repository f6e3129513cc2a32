//! What PostgreSQL's errors mean to the engine: of one record, or of the store.

use super::describe::Shape;
use crate::schema::{ColumnId, Table};
use crate::store::{RecordError, RecordErrorKind, StoreError};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Why the server did not do what it was asked.
#[derive(Debug)]
pub(super) enum Fault {
    /// It said so, or the connection broke.
    Sql(Error),
    /// It did not answer in so many seconds.
    Silent(u64),
}

impl From<Error> for Fault {
    fn from(e: Error) -> Fault {
        Fault::Sql(e)
    }
}

impl Fault {
    pub fn db(&self) -> Option<&DbError> {
        match self {
            Fault::Sql(e) => e.as_db_error(),
            Fault::Silent(_) => None,
        }
    }

    /// Whether the connection is of no use any more.
    pub fn breaks(&self) -> bool {
        match (self, self.db()) {
            (Fault::Silent(_), _) => true,
            (Fault::Sql(e), None) => e.is_closed() || is_io(e),
            (_, Some(db)) => ends_session(db.code()),
        }
    }

    /// Whether what was prepared for a table is of no use any more.
    pub fn outdates(&self) -> bool {
        self.db().is_some_and(|db| {
            [
                SqlState::UNDEFINED_TABLE,
                SqlState::UNDEFINED_COLUMN,
                SqlState::UNDEFINED_FUNCTION,
                SqlState::FEATURE_NOT_SUPPORTED,
                SqlState::DATATYPE_MISMATCH,
            ]
            .contains(db.code())
        })
    }
}

fn is_io(e: &Error) -> bool {
    std::error::Error::source(e).is_some_and(|s| s.downcast_ref::<std::io::Error>().is_some())
}

fn ends_session(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
}

/// The whole of what was said, with the server's hint.
fn words(db: &DbError) -> String {
    let mut said = db.message().to_string();
    for more in [db.detail(), db.hint()].into_iter().flatten() {
        said.push_str("; ");
        said.push_str(more);
    }
    said
}

/// The chain of causes in words; none of them holds a password.
fn causes(e: &Error) -> String {
    let mut said = e.to_string();
    let mut at: Option<&dyn std::error::Error> = std::error::Error::source(e);
    while let Some(cause) = at {
        let more = cause.to_string();
        if !said.contains(&more) {
            said.push_str(": ");
            said.push_str(&more);
        }
        at = cause.source();
    }
    said
}

/// A store error from whatever happened. `shown` names server and database, `user` who asked.
pub(super) fn store_error(store: &str, shown: &str, user: &str, fault: &Fault) -> StoreError {
    let store = store.to_string();
    let unreachable = |reason: String| StoreError::Unreachable { store: store.clone(), reason };
    let e = match fault {
        Fault::Silent(seconds) => {
            return unreachable(format!(
                "{shown} did not answer within {seconds} s; see whether the server hangs, or whether somebody holds a lock"
            ));
        }
        Fault::Sql(e) => e,
    };
    let Some(db) = e.as_db_error() else {
        let said = causes(e);
        let help = if said.contains("does not support TLS") {
            "; let it offer TLS, or, where the network is trusted, add `sslmode=prefer` or `sslmode=disable` to the url"
        } else if said.contains("certificate") {
            "; name the authority that signed it with `sslrootcert=FILE` in the url, and reach the server by the name it is for"
        } else if said.contains("password missing") {
            "; put it into the url, PGPASSWORD or the password file"
        } else {
            ""
        };
        return unreachable(format!("{shown}: {said}{help}"));
    };
    let code = db.code();
    let said = words(db);
    match code.code() {
        "28P01" | "28000" => unreachable(format!("{shown} does not let `{user}` in ({said}); check name and password")),
        "3D000" => unreachable(format!("{shown}: {said}; correct `url` of the store")),
        "53300" => unreachable(format!("{shown} has no connection left ({said})")),
        _ if ends_session(code) => unreachable(format!("{shown}: {said}")),
        "40001" => {
            StoreError::Lost { store, reason: format!("somebody else changed the same rows meanwhile ({said})") }
        }
        "40P01" => StoreError::Lost { store, reason: format!("two writers waited for each other ({said})") },
        // The server has not noticed yet that the one who read it is gone.
        "55006" => unreachable(format!("{shown}: another connection holds what is needed ({said})")),
        "55P03" => unreachable(format!("{shown}: a lock was not let go in time ({said})")),
        "57014" => unreachable(format!("{shown}: a statement took too long or was ended by somebody ({said})")),
        "0A000" if said.contains("cached plan") => {
            StoreError::Lost { store, reason: "a table was altered meanwhile".into() }
        }
        "42501" => StoreError::Other { store, reason: missing_right(db, user) },
        "42P01" | "42703" => StoreError::Schema { store, problems: vec![said] },
        "53100" => unreachable(format!("{shown}: its disk is full ({said})")),
        "53200" => unreachable(format!("{shown}: it has no memory left ({said})")),
        "25006" => unreachable(format!("{shown} takes no writes ({said}); is it a standby?")),
        _ => StoreError::Other { store, reason: format!("{said} (SQLSTATE {})", code.code()) },
    }
}

/// Names the table and the GRANT.
fn missing_right(db: &DbError, user: &str) -> String {
    let said = db.message();
    let named = said.rsplit("for ").next().unwrap_or(said);
    let user = super::types::ident(user);
    match named.split_once(' ') {
        Some(("table", t)) | Some(("view", t)) => {
            format!(
                "`{said}`; let the owner run: GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {user}",
                super::types::ident(t)
            )
        }
        Some(("schema", s)) => {
            format!("`{said}`; let the owner run: GRANT USAGE, CREATE ON SCHEMA {} TO {user}", super::types::ident(s))
        }
        Some(("database", d)) => {
            format!("`{said}`; let the owner run: GRANT CREATE ON DATABASE {} TO {user}", super::types::ident(d))
        }
        _ if said.starts_with("must be owner of ") => {
            format!("`{said}`; triggers are made by the table's owner or by one whom it granted TRIGGER")
        }
        _ => said.to_string(),
    }
}

/// The record's own fault, where it is one; else the error is the store's.
pub(super) fn record_error(table: &Table, shape: &Shape, fault: &Fault) -> Option<RecordError> {
    let db = fault.db()?;
    let of = |kind, column, message: String| Some(RecordError { kind, column, message });
    let column = db.column().and_then(|c| column_named(table, c));
    match db.code().code() {
        "23505" | "23P01" => {
            let key = db.constraint().and_then(|c| shape.index_named(c));
            let columns: Vec<ColumnId> = key
                .map(|k| k.columns.iter().filter_map(|c| column_named(table, c.as_deref()?)).collect())
                .unwrap_or_default();
            let names: Vec<&str> = columns.iter().map(|c| table.column(*c).name.as_str()).collect();
            let what = if names.is_empty() {
                words(db)
            } else {
                format!("another row of `{}` holds the same {}", table.name, names.join(", "))
            };
            of(RecordErrorKind::Unique, columns.last().copied(), what)
        }
        "23502" => {
            let named = column.map(|c| table.column(c).name.clone());
            of(
                RecordErrorKind::Required,
                column,
                named.map_or_else(|| words(db), |n| format!("`{n}` must have a value")),
            )
        }
        "23503" => of(
            RecordErrorKind::Foreign,
            None,
            format!("a foreign key of `{}` has no row, or rows still refer to this one ({})", table.name, words(db)),
        ),
        "428C9" => {
            of(RecordErrorKind::Refused, column, format!("{}; make the column read-only in the schema", words(db)))
        }
        // Errors of users' triggers, checks of tables and domains, policies.
        "23514" | "23001" | "44000" | "P0001" | "P0002" | "P0003" | "P0004" | "27000" => {
            of(RecordErrorKind::Refused, column, words(db))
        }
        code if code.starts_with("22") || code == "54000" => of(RecordErrorKind::Misfit, column, words(db)),
        _ => None,
    }
}

pub(super) fn column_named(table: &Table, name: &str) -> Option<ColumnId> {
    let exact = table.columns.iter().position(|c| c.name == name);
    let i = exact.or_else(|| table.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name)))?;
    u32::try_from(i).ok().map(ColumnId)
}
