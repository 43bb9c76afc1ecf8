//! DNS names as Route 53 keeps, sorts and writes them.

use std::fmt::{self, Write};

/// A fully qualified name in lower case. Sorts as Route 53 lists: "by DNS name with the labels reversed", with the
/// trailing dot counted (API reference, `ListResourceRecordSets`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName {
    reversed: String,
    labels: Vec<String>,
}

/// Why a text is no DNS name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing there.
    #[error("DomainNameEmpty (Domain name is empty) encountered with '{0}'")]
    Empty(String),
    /// A label of no or more than 63 bytes.
    #[error("DomainLabelTooLong (Domain label is empty or too long) encountered with '{0}'")]
    Label(String),
    /// More than 255 bytes.
    #[error("DomainNameTooLong (Domain name is too long) encountered with '{0}'")]
    TooLong(String),
}

impl DnsName {
    /// Reads a name with or without trailing dot, special characters plain or as `\ooo`.
    ///
    /// # Errors
    /// If it is empty, or a label or the whole is too long.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let mut labels = vec![String::new()];
        let mut rest = text.trim_end_matches('.');
        if rest.is_empty() {
            return Err(BadName::Empty(text.to_owned()));
        }
        while let Some(character) = rest.chars().next() {
            let (character, length) = octal(rest).unwrap_or((character, character.len_utf8()));
            if length == 1 && character == '.' {
                labels.push(String::new());
            } else if let Some(label) = labels.last_mut() {
                label.push(character.to_ascii_lowercase());
            }
            rest = &rest[length..];
        }
        if labels.iter().any(|label| label.is_empty() || label.chars().count() > 63) {
            return Err(BadName::Label(text.to_owned()));
        }
        if labels.iter().map(|label| label.chars().count() + 1).sum::<usize>() > 255 {
            return Err(BadName::TooLong(text.to_owned()));
        }
        Ok(Self::from_labels(labels))
    }

    /// A name of these labels, first label first; each character stands for one byte.
    pub fn from_labels(labels: Vec<String>) -> Self {
        let reversed = labels.iter().rev().fold(String::new(), |reversed, label| reversed + label + ".");
        Self { reversed, labels }
    }

    /// The labels, first label first.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// True if this is `zone` or lies below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        self.labels.ends_with(&zone.labels)
    }

    /// The name without its first label.
    pub fn parent(&self) -> Option<Self> {
        (self.labels.len() > 1).then(|| Self::from_labels(self.labels[1..].to_vec()))
    }

    /// The wildcard directly below this name.
    pub fn wildcard(&self) -> Self {
        let star = std::iter::once("*".to_owned());
        Self::from_labels(star.chain(self.labels.iter().cloned()).collect())
    }

    /// True for a name such as `*.example.com`.
    pub fn is_wildcard(&self) -> bool {
        self.labels.first().is_some_and(|label| label == "*")
    }

    /// As it would sort if Route 53 sorted what it writes, escapes and all. AWS's pages say "by DNS name with the labels
    /// reversed" without saying whether `\\052` sorts as `*` or as `\\`.
    pub fn reversed_as_written(&self) -> String {
        self.labels.iter().rev().fold(String::new(), |mut reversed, label| {
            write_label(&mut reversed, label).ok();
            reversed.push('.');
            reversed
        })
    }

    /// Without the trailing dot.
    pub fn bare(&self) -> String {
        self.to_string().trim_end_matches('.').to_owned()
    }
}

fn octal(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix('\\')?.get(..3)?;
    let byte = u8::from_str_radix(digits, 8).ok()?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| (char::from(byte), 4))
}

impl fmt::Display for DnsName {
    /// "If the domain name includes any characters other than a to z, 0 to 9, - (hyphen), or _ (underscore), Route 53
    /// API actions return the characters as escape codes" (Developer Guide, `DomainNameFormat`).
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in &self.labels {
            write_label(formatter, label)?;
            formatter.write_char('.')?;
        }
        Ok(())
    }
}

fn write_label(to: &mut impl Write, label: &str) -> fmt::Result {
    label.chars().try_for_each(|character| match character {
        'a'..='z' | '0'..='9' | '-' | '_' => to.write_char(character),
        other => write!(to, "\\{:03o}", u32::from(other) & 0xff),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    #[test]
    fn names_are_lower_case_with_a_trailing_dot_and_octal_escapes() {
        assert_eq!(name("WWW.Example.com").to_string(), "www.example.com.");
        assert_eq!(name("*.example.com.").to_string(), "\\052.example.com.");
        assert_eq!(name("\\052.example.com").labels()[0], "*");
        assert_eq!(name("_state.a-1.example.com").bare(), "_state.a-1.example.com");
    }

    #[test]
    fn names_sort_by_reversed_labels_with_the_dot_counted() {
        let mut names = ["www.example.com", "b.a.example.com", "www-a.example.com", "example.com", "*.example.com"];
        names.sort_by_key(|text| name(text));
        assert_eq!(names, ["example.com", "*.example.com", "b.a.example.com", "www-a.example.com", "www.example.com"]);
    }

    #[test]
    fn a_name_is_within_its_zone_and_not_within_one_that_only_ends_alike() {
        assert!(name("a.example.com").is_within(&name("example.com")));
        assert!(name("example.com").is_within(&name("example.com")));
        assert!(!name("badexample.com").is_within(&name("example.com")));
    }

    #[test]
    fn an_empty_name_an_empty_label_and_a_long_label_are_no_names() {
        assert!(matches!(DnsName::parse("."), Err(BadName::Empty(_))));
        assert!(matches!(DnsName::parse("a..b"), Err(BadName::Label(_))));
        assert!(matches!(DnsName::parse(&"x".repeat(64)), Err(BadName::Label(_))));
        assert!(matches!(DnsName::parse(&"a.".repeat(130)), Err(BadName::TooLong(_))));
    }
}
