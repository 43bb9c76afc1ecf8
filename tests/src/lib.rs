//! End-to-end tests: templates, binaries, lab.
