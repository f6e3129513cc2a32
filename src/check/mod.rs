//! The checks that need more than one place at once. (Findings that typing itself makes come from `sema`.)
