//! Whole outages, in every way they can go wrong.

mod random;
