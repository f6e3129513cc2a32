//! SQLite behind the Store trait.
