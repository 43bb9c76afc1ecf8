//! End-to-end tests: templates, binaries, lab.

pub mod emulator;
