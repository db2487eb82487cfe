//! The house's rules, checked: who imports whom, how large things are, what they are called, where effects happen, and
//! what is never written. It reads the tree as it lies on the disk and runs nothing of it.
//!
//! [`tidy::tree`] is what lies there, [`tidy::source`] a file as tokens, [`tidy::paths`] what a file names; the rules
//! follow, each with its exceptions as data. An exception that is not needed any more fails as well.

mod tidy {
    mod tree;
    mod source;
    mod paths;
    mod finding;

    mod imports;
    mod effects;
    mod shape;
    mod names;
    mod practice;
    mod pages;

    mod planted;
}
