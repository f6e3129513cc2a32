//! Small renderers over one diagnostic value.

pub mod human;
pub mod json;
