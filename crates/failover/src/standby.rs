//! Whether DR's half of the workload could carry users: not only names and databases, but what stands behind them.
//!
//! Each row is one fact: what must be so, how it is looked at, what was seen, what puts it right. What could not be seen is not known,
//! and never ready.

pub mod capacity;
pub mod copies;
pub mod database;
pub mod image;
pub mod news;
pub mod pipeline;
pub mod places;
pub mod quota;
pub mod traffic;
pub mod wanted;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a look brought; or why it brought nothing, in words.
pub type Look<T> = Result<T, String>;

/// One fact about something of `S`.
pub struct Row<S> {
    /// What it is called.
    pub id: &'static str,
    /// What must be so.
    pub must_be: &'static str,
    /// The calls by which it is looked at.
    pub how: &'static str,
    /// What to do while it is not known.
    pub otherwise: &'static str,
    judge: fn(&S, &Limits) -> Judgement,
}

/// What a row makes of what was seen; or why nobody knows.
type Judgement = Result<Judged, String>;

enum Judged {
    Ready(String),
    NotReady { seen: String, remedy: String },
}

fn ready(seen: impl Into<String>) -> Judgement {
    Ok(Judged::Ready(seen.into()))
}

fn not_ready(seen: impl Into<String>, remedy: impl Into<String>) -> Judgement {
    Ok(Judged::NotReady { seen: seen.into(), remedy: remedy.into() })
}

/// A field of an answer; AWS leaves out what it does not say.
fn told<'a, T>(field: Option<&'a T>, what: &str) -> Look<&'a T> {
    field.ok_or_else(|| format!("AWS does not say {what}"))
}

/// One judgement about several things of a kind: what is not ready outweighs what is not known, and that what is ready.
fn of_all(each: impl Iterator<Item = Judgement>) -> Judgement {
    let (mut good, mut bad, mut remedies, mut unknown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for judgement in each {
        match judgement {
            Ok(Judged::Ready(seen)) => good.push(seen),
            Ok(Judged::NotReady { seen, remedy }) => {
                bad.push(seen);
                remedies.push(remedy);
            }
            Err(why) => unknown.push(why),
        }
    }
    remedies.dedup();
    match (bad.is_empty(), unknown.is_empty()) {
        (false, _) => not_ready(bad.join("; "), remedies.join("; ")),
        (true, false) => Err(unknown.join("; ")),
        (true, true) => ready(good.join("; ")),
    }
}

/// How far DR may be from the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// For how many days more a certificate must be valid at least. ACM renews what it can well before that: one with fewer days left was
    /// imported, or could not be renewed.
    pub certificate_days_min: i64,
    /// How much of the primary's capacity DR must have at once, before it has grown, in percent.
    pub capacity_percent_min: u64,
    /// How far a bucket in DR may be behind, in seconds. S3 Replication Time Control promises 15 minutes.
    pub replication_seconds_max: u64,
    /// How much of the vCPUs that the account used in the primary region DR's quota must hold, in percent. Less where much of what runs
    /// there fails over to nowhere.
    pub quota_percent_min: u64,
    /// How much earlier than the primary's DR's image may have been set, in hours: where a release reaches DR first. A release that DR
    /// missed shows only if the one before is older than that.
    pub image_hours_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            certificate_days_min: 30,
            capacity_percent_min: 25,
            replication_seconds_max: 900,
            quota_percent_min: 100,
            image_hours_max: 2,
        }
    }
}

impl Limits {
    /// What must be so, with these limits in place of the defaults that the row's own text has.
    fn in_force(&self, must_be: &str) -> String {
        let numbers = |limits: &Self| {
            [
                ("certificate_days_min", limits.certificate_days_min.to_string()),
                ("capacity_percent_min", limits.capacity_percent_min.to_string()),
                ("replication_seconds_max", limits.replication_seconds_max.to_string()),
                ("quota_percent_min", limits.quota_percent_min.to_string()),
                ("image_hours_max", limits.image_hours_max.to_string()),
            ]
        };
        let both = numbers(&Self::default()).into_iter().zip(numbers(self));
        both.fold(must_be.to_owned(), |text, ((name, default), (_, mine))| {
            text.replace(&format!("{name} ({default})"), &format!("{name} ({mine})"))
        })
    }
}

/// Whether a fact is as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Users would miss something.
    NotReady,
    /// Nobody knows.
    NotKnown,
    /// It is as it must be.
    Ready,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReady => "not ready",
            Self::NotKnown => "not known",
            Self::Ready => "ready",
        })
    }
}

/// A row, judged about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The row.
    pub row: &'static str,
    /// What it is about.
    pub about: String,
    /// Whether it is as it must be.
    pub verdict: Verdict,
    /// What was seen, or why nothing was.
    pub seen: String,
    /// What must be so, with the limits that hold.
    pub must_be: String,
    /// The calls by which it was looked at.
    pub how: &'static str,
    /// What puts it right, or lets it be known; empty if it is ready.
    pub remedy: String,
}

/// Something that rows are about.
pub trait Subject: Sized + 'static {
    /// Its rows.
    const ROWS: &'static [Row<Self>];

    /// What it is called.
    fn about(&self) -> String;

    /// Every row about it, judged.
    fn judge(&self, limits: &Limits) -> Vec<Finding> {
        let judged = |row: &Row<Self>| {
            let (verdict, seen, remedy) = match (row.judge)(self, limits) {
                Ok(Judged::Ready(seen)) => (Verdict::Ready, seen, String::new()),
                Ok(Judged::NotReady { seen, remedy }) => (Verdict::NotReady, seen, remedy),
                Err(why) => (Verdict::NotKnown, why, row.otherwise.to_owned()),
            };
            let (row, must_be, how) = (row.id, limits.in_force(row.must_be), row.how);
            Finding { row, about: self.about(), verdict, seen, must_be, how, remedy }
        };
        Self::ROWS.iter().map(judged).collect()
    }
}

/// The verdict about all of DR. That nothing was looked at is no good news either.
#[must_use]
pub fn verdict(findings: &[Finding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).min().unwrap_or(Verdict::NotKnown)
}

/// How many findings have each verdict.
#[must_use]
pub fn counts(findings: &[Finding]) -> BTreeMap<Verdict, usize> {
    let mut counts = BTreeMap::from([(Verdict::NotReady, 0), (Verdict::NotKnown, 0), (Verdict::Ready, 0)]);
    for finding in findings {
        *counts.entry(finding.verdict).or_default() += 1;
    }
    counts
}

/// Every row, as a page shows it: what it is called, what must be so, how it is looked at, what to do while it is not known.
#[must_use]
pub fn every_row() -> Vec<[&'static str; 4]> {
    fn of<S: Subject>() -> impl Iterator<Item = [&'static str; 4]> {
        S::ROWS.iter().map(|row| [row.id, row.must_be, row.how, row.otherwise])
    }
    of::<database::Replica>()
        .chain(of::<traffic::Entrance>())
        .chain(of::<capacity::Capacity>())
        .chain(of::<quota::Quota>())
        .chain(of::<copies::Secret>())
        .chain(of::<copies::Parameter>())
        .chain(of::<image::Image>())
        .chain(of::<copies::Bucket>())
        .chain(of::<pipeline::Pair>())
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The one finding of a row.
    pub fn of_row<S: Subject>(subject: &S, row: &str) -> Finding {
        let found: Vec<_> =
            subject.judge(&Limits::default()).into_iter().filter(|finding| finding.row == row).collect();
        assert_eq!(found.len(), 1, "{row}");
        found.into_iter().next().unwrap()
    }

    /// Holds the row to a verdict, to words of what was seen, and to a remedy where there must be one.
    pub fn expect<S: Subject>(subject: &S, row: &str, verdict: Verdict, words: &str) {
        let finding = of_row(subject, row);
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(finding.seen.contains(words), "{words:?} is not in {finding:?}");
        assert_eq!(finding.remedy.is_empty(), verdict == Verdict::Ready, "{finding:?}");
    }

    /// Every row of it is not known.
    pub fn expect_nothing_known<S: Subject>(subject: &S) {
        for finding in subject.judge(&Limits::default()) {
            assert_eq!(finding.verdict, Verdict::NotKnown, "{finding:?}");
            assert!(!finding.remedy.is_empty(), "{finding:?}");
        }
    }

    #[test]
    fn a_row_tells_the_limit_that_holds_and_its_own_text_the_default() {
        let mine = Limits {
            certificate_days_min: 365,
            capacity_percent_min: 80,
            replication_seconds_max: 60,
            quota_percent_min: 50,
            image_hours_max: 12,
        };
        let told: Vec<_> = every_row().into_iter().map(|[_, must_be, ..]| must_be).collect();
        for (name, number) in [
            ("certificate_days_min", 365),
            ("capacity_percent_min", 80),
            ("replication_seconds_max", 60),
            ("quota_percent_min", 50),
            ("image_hours_max", 12),
        ] {
            let row = told.iter().find(|text| text.contains(&format!("{name} ("))).expect(name);
            assert_eq!(Limits::default().in_force(row), **row);
            assert!(mine.in_force(row).contains(&format!("{name} ({number})")), "{row}");
        }
    }

    #[test]
    fn one_thing_that_is_not_ready_outweighs_one_that_is_not_known_and_that_all_that_are_ready() {
        let bad = || not_ready("one is down", "bring it up");
        let not_known = || Err::<Judged, _>("one is silent".to_owned());
        let verdict = |each: Vec<Judgement>| match of_all(each.into_iter()) {
            Ok(Judged::Ready(seen)) => (Verdict::Ready, seen),
            Ok(Judged::NotReady { seen, .. }) => (Verdict::NotReady, seen),
            Err(why) => (Verdict::NotKnown, why),
        };
        assert_eq!(verdict(vec![ready("a"), not_known(), bad()]), (Verdict::NotReady, "one is down".to_owned()));
        assert_eq!(verdict(vec![ready("a"), not_known()]), (Verdict::NotKnown, "one is silent".to_owned()));
        assert_eq!(verdict(vec![ready("a"), ready("b")]), (Verdict::Ready, "a; b".to_owned()));
    }

    #[test]
    fn where_nothing_was_looked_at_nothing_is_ready() {
        assert_eq!(verdict(&[]), Verdict::NotKnown);
        assert_eq!(counts(&[]).values().sum::<usize>(), 0);
    }

    #[test]
    fn no_two_rows_share_a_name_and_each_says_all_that_a_person_needs() {
        let rows = every_row();
        let ids: std::collections::BTreeSet<_> = rows.iter().map(|row| row[0]).collect();
        assert_eq!(ids.len(), rows.len());
        assert!(rows.iter().flatten().all(|text| !text.is_empty()));
    }
}
