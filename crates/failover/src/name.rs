//! DNS names as Route 53 keeps them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The label under which a protected name's register lives.
const REGISTER_LABEL: &str = "_holdfast";

/// What the name of a drill (`holdfast drill`) begins with, before the time at which it began.
pub const DRILL_LABEL: &str = "holdfast-drill-";

/// An asterisk in Route 53's form.
const WILDCARD: &str = "\\052";

/// So many names, in words.
pub(crate) fn counted(names: usize) -> String {
    if names == 1 { "1 name".to_owned() } else { format!("{names} names") }
}

/// A DNS name in Route 53's own form: lower case, no trailing dot, every octet other than `a-z 0-9 - _ .` as `\ooo`.
///
/// Two spellings of one name are equal: `*.Example.com.` and `\052.example.com`.
/// Source: Route 53 developer guide, "DNS domain name format".
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not a DNS name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or an empty label.
    #[error("{0:?} has an empty label; write it as in www.example.com")]
    EmptyLabel(String),
    /// A label of more than 63 octets, or a name of more than 255.
    #[error("{0:?} is longer than DNS allows (63 octets a label, 255 a name)")]
    TooLong(String),
    /// A backslash that does not begin a three-digit octal code.
    #[error("{0:?} has a backslash that begins no octal code such as \\052")]
    BadEscape(String),
}

impl Name {
    /// The name of the TXT record that holds this name's register.
    #[must_use]
    pub fn register(&self) -> Self {
        Self(format!("{REGISTER_LABEL}.{}", self.0))
    }

    /// The protected name, if this is the name of a register.
    #[must_use]
    pub fn protected_by_register(&self) -> Option<Self> {
        let rest = self.0.strip_prefix(REGISTER_LABEL)?.strip_prefix('.')?;
        Some(Self(rest.to_owned()))
    }

    /// True of a drill's throw-away name, which is nobody's to protect: what befalls it is no failover of the workload.
    #[must_use]
    pub fn is_drills(&self) -> bool {
        self.0.strip_prefix(DRILL_LABEL).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    }

    /// True if this is `ancestor` or below it.
    #[must_use]
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.0.strip_suffix(&ancestor.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The nearest name, this or above it, without escaped characters: how those sort in a listing is not documented.
    #[must_use]
    pub fn plain_ancestor(&self) -> Self {
        match self.0.rsplit_once('\\') {
            Some((_, rest)) => Self(rest.split_once('.').map_or("", |(_, ancestor)| ancestor).to_owned()),
            None => self.clone(),
        }
    }

    /// True without escaped characters, a wildcard's among them: only of such names is it known how a listing sorts them.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.0.contains('\\')
    }

    /// Route 53's form, without a trailing dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What names are listed by, as bytes: a plan of ten thousand names compares a million times, so nothing is allocated.
    fn listing_key(&self) -> impl Iterator<Item = u8> {
        let plain = |label| if label == WILDCARD { "*" } else { label };
        self.0.rsplit('.').flat_map(move |label| plain(label).bytes().chain(std::iter::once(b'.')))
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let bare = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let mut name = String::with_capacity(bare.len());
        let (mut octets, mut label_octets) = (0, 0);
        let mut rest = bare.bytes();
        while let Some(octet) = rest.next() {
            label_octets += 1;
            match octet {
                b'.' if label_octets == 1 => return Err(NameError::EmptyLabel(text.to_owned())),
                b'.' => {
                    label_octets = 0;
                    name.push('.');
                }
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(octet)),
                b'\\' => {
                    let digits = [rest.next(), rest.next(), rest.next()];
                    name.push_str(&octal(digits).ok_or_else(|| NameError::BadEscape(text.to_owned()))?);
                }
                other => name.push_str(&format!("\\{other:03o}")),
            }
            octets += 1;
            if label_octets > 63 || octets > 253 {
                return Err(NameError::TooLong(text.to_owned()));
            }
        }
        if label_octets == 0 {
            return Err(NameError::EmptyLabel(text.to_owned()));
        }
        Ok(Self(name))
    }
}

/// One `\ooo` escape in normal form: octets that need no escape lose it.
fn octal(digits: [Option<u8>; 3]) -> Option<String> {
    let mut octet: u32 = 0;
    for digit in digits {
        let digit = digit.filter(|d| (b'0'..=b'7').contains(d))?;
        octet = octet * 8 + u32::from(digit - b'0');
    }
    match u8::try_from(octet).ok()?.to_ascii_lowercase() {
        plain @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') => Some(char::from(plain).to_string()),
        other => Some(format!("\\{other:03o}")),
    }
}

/// For people: `*` instead of `\052`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace(WILDCARD, "*"))
    }
}

/// Route 53 lists names by their labels from the right, `com.example.www.`, and "the trailing dot can affect the sort
/// order when the record name contains characters that appear before ." (ListResourceRecordSets).
impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.listing_key().cmp(other.listing_key())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn every_spelling_of_a_name_is_one_name() {
        for (spelled, kept) in [
            ("WWW.Example.com.", "www.example.com"),
            ("*.example.com", r"\052.example.com"),
            (r"\052.example.com.", r"\052.example.com"),
            (r"\141.example.com", "a.example.com"),
            ("a b.example.com", r"a\040b.example.com"),
            ("_x-1.example.com", "_x-1.example.com"),
        ] {
            assert_eq!(name(spelled).as_str(), kept, "{spelled}");
        }
        assert_eq!(name(r"\052.example.com").to_string(), "*.example.com");
    }

    #[test]
    fn what_is_not_a_name_is_refused_with_its_reason() {
        let long = "a".repeat(64);
        for bad in ["", ".", "a..b", ".a", long.as_str(), r"\05.com", r"a\", r"\999.com"] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_sort_as_route_53_lists_them() {
        let mut names =
            ["z.example.com", "example.com", "a.z.example.com", "example.net", "z-1.example.com", "*.example.com"]
                .map(name);
        names.sort();
        let sorted = names.map(|n| n.to_string());
        let listed =
            ["example.com", "*.example.com", "z-1.example.com", "z.example.com", "a.z.example.com", "example.net"];
        assert_eq!(sorted, listed);
    }

    #[test]
    fn what_is_escaped_is_found_below_its_plain_ancestor() {
        let shop = name("shop.example.com");
        for escaped in [name("*.shop.example.com"), name("*.shop.example.com").register()] {
            assert_eq!(escaped.plain_ancestor(), shop);
            assert!(escaped.is_within(&shop));
        }
        assert_eq!(shop.plain_ancestor(), shop);
        assert!(!name("workshop.example.com").is_within(&shop));
    }

    #[test]
    fn a_register_name_leads_back_to_the_name_it_protects() {
        let wildcard = name("*.example.com");
        assert_eq!(wildcard.register().as_str(), r"_holdfast.\052.example.com");
        assert_eq!(wildcard.register().protected_by_register(), Some(wildcard.clone()));
        assert_eq!(wildcard.protected_by_register(), None);
    }
}
