//! A web site in a region: a health page, and writes that go to the region's database.

/// All sites.
#[derive(Debug, Default)]
pub struct Sites {}
