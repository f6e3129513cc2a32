//! The in-memory store: a private in-memory database made from a schema; used by `tablemap test`.
