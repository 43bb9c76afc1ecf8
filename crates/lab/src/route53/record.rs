//! Resource record sets, and whether their values are any good.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::name::DnsName;

/// The record types the lab serves, in the order Route 53 lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Kind {
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Soa,
    Txt,
}

impl Kind {
    /// Every type.
    pub const ALL: [Self; 7] = [Self::A, Self::Aaaa, Self::Cname, Self::Mx, Self::Ns, Self::Soa, Self::Txt];
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Txt => "TXT",
        })
    }
}

/// Which half of a failover pair a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Failover {
    /// Answered while healthy.
    Primary,
    /// Answered while the primary is not.
    Secondary,
}

impl fmt::Display for Failover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if *self == Self::Primary { "PRIMARY" } else { "SECONDARY" })
    }
}

/// What tells record sets apart, in the order of `ListResourceRecordSets`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Name.
    pub name: DnsName,
    /// Type.
    pub kind: Kind,
    /// Set identifier, if the set is one of several.
    pub set_identifier: Option<String>,
}

impl fmt::Display for Key {
    /// As Route 53's messages name a record set.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[name='{}', type='{}'", self.name, self.kind)?;
        if let Some(identifier) = &self.set_identifier {
            write!(formatter, ", set-identifier='{identifier}'")?;
        }
        formatter.write_str("]")
    }
}

/// What a record set answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Its own values.
    Values {
        /// Time to live, seconds.
        ttl: u32,
        /// The values, as given.
        values: Vec<String>,
    },
    /// The values of another name.
    Alias {
        /// Hosted zone id of the target.
        zone: String,
        /// The target.
        name: DnsName,
        /// Whether the target's health counts as this record's.
        evaluate_target_health: bool,
    },
}

/// A resource record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// What tells it apart.
    pub key: Key,
    /// Its half of a failover pair, if it is one.
    pub failover: Option<Failover>,
    /// The health check it is associated with.
    pub health_check: Option<String>,
    /// What it answers with.
    pub target: Target,
}

impl RecordSet {
    /// True if a DELETE that gives `other` means this set: every value alike, in any order.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let alike = match (&self.target, &other.target) {
            (Target::Values { ttl, values }, Target::Values { ttl: other_ttl, values: others }) => {
                ttl == other_ttl && sorted(values) == sorted(others)
            }
            (mine, theirs) => mine == theirs,
        };
        alike && self.key == other.key && self.failover == other.failover && self.health_check == other.health_check
    }

    /// The set's own values; none for an alias.
    pub fn values(&self) -> &[String] {
        match &self.target {
            Target::Values { values, .. } => values,
            Target::Alias { .. } => &[],
        }
    }
}

fn sorted(values: &[String]) -> Vec<&String> {
    let mut values: Vec<_> = values.iter().collect();
    values.sort_unstable();
    values
}

/// Says what is wrong with a value, in Route 53's words.
pub(super) fn fault_of_value(kind: Kind, value: &str) -> Option<String> {
    let problem = match kind {
        Kind::A if value.parse::<Ipv4Addr>().is_err() => {
            "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        }
        Kind::Aaaa if value.parse::<Ipv6Addr>().is_err() => {
            "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
        }
        Kind::Cname | Kind::Ns => return DnsName::parse(value).err().map(|bad| fatal(&bad.to_string())),
        Kind::Txt => {
            return strings_of_txt(value).err().map(|problem| fatal(&format!("{problem} encountered with '{value}'")));
        }
        _ => return None,
    };
    Some(fatal(&format!("{problem} encountered with '{value}'")))
}

fn fatal(problem: &str) -> String {
    format!("Invalid Resource Record: 'FATAL problem: {problem}'")
}

/// The strings a TXT value is made of: "one or more strings that are enclosed in double quotation marks", each "up to
/// 255 characters", the whole at most 4,000 (Developer Guide, "TXT record type"); specials as `\ooo`, and `\"`.
pub(crate) fn strings_of_txt(value: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    if value.chars().count() > 4000 {
        return Err("TXTRDATATooLong (Value length exceeds 4000 characters)");
    }
    let mut strings = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        rest = rest.strip_prefix('"').ok_or("InvalidCharacterString (Value should be enclosed in quotation marks)")?;
        let mut string = Vec::new();
        loop {
            let mut characters = rest.chars();
            match characters.next() {
                None => return Err("InvalidCharacterString (Value should be enclosed in quotation marks)"),
                Some('"') => break,
                Some('\\') => {
                    let code = rest.get(1..4).filter(|code| code.bytes().all(|digit| digit.is_ascii_digit()));
                    if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
                        string.push(byte);
                        rest = &rest[4..];
                        continue;
                    }
                    let escaped = characters.next().ok_or("InvalidCharacterString (Value ends in an escape)")?;
                    string.extend(escaped.to_string().bytes());
                }
                Some(plain) => string.extend(plain.to_string().bytes()),
            }
            rest = characters.as_str();
        }
        if string.len() > 255 {
            return Err("CharacterStringTooLong (Value is too long)");
        }
        strings.push(string);
        rest = rest[1..].trim_start();
    }
    if strings.is_empty() { Err("CharacterStringEmpty (Value is empty)") } else { Ok(strings) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_by_family() {
        assert_eq!(fault_of_value(Kind::A, "192.0.2.1"), None);
        assert_eq!(fault_of_value(Kind::Aaaa, "2001:db8::1"), None);
        assert!(fault_of_value(Kind::A, "2001:db8::1").unwrap().contains("ARRDATAIllegalIPv4Address"));
        assert!(fault_of_value(Kind::Aaaa, "192.0.2.1").unwrap().contains("AAAARRDATAIllegalIPv6Address"));
    }

    #[test]
    fn a_txt_value_is_quoted_strings_of_at_most_255_characters() {
        assert_eq!(strings_of_txt(r#""v=1" "a \"b\" \052""#).unwrap(), [b"v=1".to_vec(), b"a \"b\" *".to_vec()]);
        let longest = format!("\"{}\"", "x".repeat(255));
        assert!(strings_of_txt(&longest).is_ok());
        let too_long = format!("\"{}\"", "x".repeat(256));
        assert!(strings_of_txt(&too_long).unwrap_err().starts_with("CharacterStringTooLong"));
        for bad in ["bare", "\"open", "\"a\"b", "\"a\\"] {
            assert!(strings_of_txt(bad).unwrap_err().starts_with("InvalidCharacterString"), "{bad}");
        }
        assert!(strings_of_txt(&vec![longest; 16].join(" ")).unwrap_err().starts_with("TXTRDATATooLong"));
    }

    #[test]
    fn a_delete_matches_values_in_any_order_and_nothing_else() {
        let set = |ttl, values: &[&str], check: Option<&str>| RecordSet {
            key: Key { name: DnsName::parse("a.example.com").unwrap(), kind: Kind::A, set_identifier: None },
            failover: None,
            health_check: check.map(str::to_owned),
            target: Target::Values { ttl, values: values.iter().map(|value| (*value).to_owned()).collect() },
        };
        let stored = set(60, &["192.0.2.1", "192.0.2.2"], Some("h"));
        assert!(stored.says_the_same_as(&set(60, &["192.0.2.2", "192.0.2.1"], Some("h"))));
        assert!(!stored.says_the_same_as(&set(61, &["192.0.2.1", "192.0.2.2"], Some("h"))));
        assert!(!stored.says_the_same_as(&set(60, &["192.0.2.1"], Some("h"))));
        assert!(!stored.says_the_same_as(&set(60, &["192.0.2.1", "192.0.2.2"], None)));
    }
}
