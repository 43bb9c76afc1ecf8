//! Global transaction ids, in the forms of the two kinds of server. What a server said is parsed before it goes into a statement.

use std::collections::BTreeMap;
use std::fmt;

/// A set of MySQL's: `3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5:7`, several with commas; since 8.3 with a tag after the uuid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtidSet(BTreeMap<String, Vec<(u64, u64)>>);

impl GtidSet {
    /// As MySQL writes it, with or without line breaks. `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut set = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let mut words = part.split(':').map(str::trim);
            let uuid = words.next().filter(|word| is_uuid(word))?;
            let (mut source, mut has_some) = (uuid.to_ascii_lowercase(), false);
            for word in words {
                match interval(word) {
                    Some(interval) => {
                        set.0.entry(source.clone()).or_default().push(interval);
                        has_some = true;
                    }
                    None if is_tag(word) => source = format!("{}:{word}", &source[..uuid.len()]),
                    None => return None,
                }
            }
            if !has_some {
                return None;
            }
        }
        Some(set)
    }

    /// True if no transaction is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many transactions are in it.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().flatten().map(|(first, last)| last - first + 1).sum()
    }
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (source, intervals)) in self.0.iter().enumerate() {
            write!(f, "{}{source}", if nth == 0 { "" } else { "," })?;
            for (first, last) in intervals {
                if first == last { write!(f, ":{first}") } else { write!(f, ":{first}-{last}") }?;
            }
        }
        Ok(())
    }
}

fn is_uuid(word: &str) -> bool {
    let dashes: Vec<usize> = word.match_indices('-').map(|(at, _)| at).collect();
    word.len() == 36 && dashes == [8, 13, 18, 23] && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// "a tag must begin with a letter or an underscore, and has up to 32 characters" (MySQL 8.3, GTID format).
fn is_tag(word: &str) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    word.len() <= 32 && word.starts_with(is_start) && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn interval(word: &str) -> Option<(u64, u64)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (1 <= first && first <= last).then_some((first, last))
}

/// A position of MariaDB's: of each domain the last transaction, by the server that wrote it and its number: `0-2-12,7-9-3`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains(BTreeMap<u32, (u32, u64)>);

impl Domains {
    /// As MariaDB writes it. `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut domains = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let mut numbers = part.split('-');
            let (domain, server, nth) = (numbers.next()?, numbers.next()?, numbers.next()?);
            let one = (domain.parse().ok()?, (server.parse().ok()?, nth.parse().ok()?));
            if numbers.next().is_some() || domains.insert(one.0, one.1).is_some() {
                return None;
            }
        }
        Some(Self(domains))
    }

    /// True if nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many transactions of this a server at `other` lacks, if each number stands for one.
    ///
    /// # Errors
    /// Where the two cannot be compared: a domain that `other` has never heard of, or one number for two transactions.
    pub fn beyond(&self, other: &Self) -> Result<u64, String> {
        let mut beyond = 0;
        for (domain, (server, nth)) in &self.0 {
            match other.0.get(domain) {
                None => {
                    return Err(format!("{domain}-{server}-{nth} is of a domain that the other has never heard of"));
                }
                Some((of, at)) if at == nth && of != server => {
                    return Err(format!(
                        "{domain}-{server}-{nth} and {domain}-{of}-{at} are two transactions of one number"
                    ));
                }
                Some((_, at)) => beyond += nth.saturating_sub(*at),
            }
        }
        Ok(beyond)
    }
}

impl fmt::Display for Domains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(|(domain, (server, nth))| format!("{domain}-{server}-{nth}")).collect();
        f.write_str(&parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const TWO: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    #[test]
    fn a_set_of_mysql_is_read_counted_and_written_back() {
        let text = format!("{}:1-5:7,\n{TWO}:3", ONE.to_uppercase());
        let set = GtidSet::parse(&text).unwrap();
        assert_eq!((set.count(), set.to_string()), (7, format!("{ONE}:1-5:7,{TWO}:3")));
        let tagged = GtidSet::parse(&format!("{ONE}:1-2:backup:4:other:9")).unwrap();
        assert_eq!((tagged.count(), tagged.to_string()), (4, format!("{ONE}:1-2,{ONE}:backup:4,{ONE}:other:9")));
        assert_eq!(GtidSet::parse(&tagged.to_string()), Some(tagged));
        assert!(GtidSet::parse("").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_set_goes_into_no_statement() {
        let quoted = format!("{ONE}:1'); DROP TABLE t; --");
        let none = [&quoted, "0-1-10", ONE, &format!("{ONE}:5-1"), &format!("{ONE}:0"), "NULL", "x:1"];
        for text in none {
            assert_eq!(GtidSet::parse(text), None, "{text}");
        }
        let long = format!("{ONE}:{}:1", "t".repeat(33));
        assert_eq!(GtidSet::parse(&long), None);
        for text in ["0-1", "0-1-2-3", "a-1-2", "0-1-10,0-2-11", "0-1-10'", ONE] {
            assert_eq!(Domains::parse(text), None, "{text}");
        }
    }

    #[test]
    fn positions_of_mariadb_are_compared_domain_by_domain() {
        let at = |text: &str| Domains::parse(text).unwrap();
        assert_eq!(at("0-2-12, 7-9-3").to_string(), "0-2-12,7-9-3");
        assert_eq!(at("0-2-12,7-9-3").beyond(&at("0-1-10,7-9-3")), Ok(2));
        assert_eq!(at("0-2-12").beyond(&at("0-2-12,7-9-3")), Ok(0));
        assert_eq!(at("0-1-8").beyond(&at("0-2-12")), Ok(0));
        assert!(at("0-1-12").beyond(&at("0-2-12")).unwrap_err().contains("two transactions of one number"));
        assert!(at("0-1-12").beyond(&at("7-1-12")).unwrap_err().contains("0-1-12 is of a domain"));
        assert!(at("").is_empty());
    }
}
