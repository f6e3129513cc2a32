//! Spanned YAML trees from parser events, comments kept.
