//! Identifiers that look like AWS's and come out the same in every run of the same story.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A number spread evenly over 64 bits, from what it stands for.
pub(crate) fn hash(of: impl Hash) -> u64 {
    // `DefaultHasher::new` has fixed keys, so equal stories get equal identifiers.
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The `n`th identifier of a kind, as Route 53 writes zone and change ids: a letter and capitals.
pub(crate) fn capitals(first: char, n: u64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";
    let mut bits = hash((first, n));
    let mut id = String::from(first);
    for _ in 0..12 {
        id.push(char::from(DIGITS[(bits % 32) as usize]));
        bits /= 32;
    }
    // Twelve base-32 digits hold 60 bits; the number itself at the end keeps ids apart for certain.
    id + &n.to_string()
}

/// The `n`th identifier of a kind, in the form of a UUID.
pub(crate) fn uuid(kind: &str, n: u64) -> String {
    let (a, b) = (hash((kind, n)), hash((n, kind)));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48) & 0x3fff,
        b & 0xffff_ffff_ffff
    )
}
