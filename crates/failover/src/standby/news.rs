//! What of a look is news.
//!
//! Nobody remembers what was told: what each look found is a metric, and from the last of them it is worked out afresh what people know by now.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Finding, Verdict, counts};
use crate::fact::Attention;

/// How far back looks are asked for. What has lasted for longer is known by the looks since.
pub const LOOKBACK: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How many rows a report lists, and how much of a text it has: the bus and SNS take 256 KB, and a message says some of it twice.
const LISTED_MAX: usize = 20;
const BYTES_MAX: usize = 1_500;

/// How many rows of a look were not as they must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many were not ready.
    pub not_ready: u64,
    /// How many nobody knows.
    pub not_known: u64,
}

impl Counts {
    /// While users are on DR nothing stands by, and nobody looks whether it is ready: that is neither ready nor not.
    pub const OF_NOTHING: Self = Self { not_ready: 0, not_known: 1 };

    /// Of these findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let counts = counts(findings);
        let of = |verdict| u64::try_from(counts[&verdict]).unwrap_or(u64::MAX);
        Self { not_ready: of(Verdict::NotReady), not_known: of(Verdict::NotKnown) }
    }

    fn is_clear(self) -> bool {
        self == Self::default()
    }
}

/// What a look has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// Nothing that was not told.
    Nothing,
    /// More rows are not ready than people know, by two looks.
    NotReady,
    /// More rows are not known than people know, by two looks.
    NotKnown,
    /// All is ready again.
    Ready,
}

impl News {
    /// How loudly it is told.
    #[must_use]
    pub fn attention(self) -> Attention {
        match self {
            Self::Nothing => Attention::None,
            Self::NotReady => Attention::Page,
            Self::NotKnown | Self::Ready => Attention::Notice,
        }
    }
}

/// What is news now, after the looks `before`, the oldest first. Where nobody knows those, what is wrong is told once more.
#[must_use]
pub fn news(now: Counts, before: Result<&[Counts], &str>) -> News {
    let Ok(before) = before else {
        return match now {
            Counts { not_ready: 1.., .. } => News::NotReady,
            Counts { not_known: 1.., .. } => News::NotKnown,
            Counts { .. } => News::Nothing,
        };
    };
    let looks: Vec<_> = before.iter().copied().chain([now]).collect();
    let mut told = Counts::default();
    let mut news = News::Nothing;
    for pair in looks.windows(2) {
        news = tell(&mut told, pair[0], pair[1]);
    }
    news
}

/// What a look told, after the one before it; `told` is how many rows people know of.
fn tell(told: &mut Counts, last: Counts, now: Counts) -> News {
    if now.is_clear() {
        let was = std::mem::take(told);
        return if was.is_clear() { News::Nothing } else { News::Ready };
    }
    let seen_twice = |of: fn(&Counts) -> u64| of(&last).min(of(&now));
    let news = if seen_twice(|it| it.not_ready) > told.not_ready {
        News::NotReady
    } else if seen_twice(|it| it.not_known) > told.not_known {
        News::NotKnown
    } else {
        News::Nothing
    };
    // Fewer, by two looks, are as many as people know of from then on, so that one more is told again.
    let known = |told: u64, of: fn(&Counts) -> u64| told.max(seen_twice(of)).min(of(&last).max(of(&now)));
    *told = Counts {
        not_ready: known(told.not_ready, |it| it.not_ready),
        not_known: known(told.not_known, |it| it.not_known),
    };
    news
}

/// A row that is not as it must be, as people are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The row.
    pub row: String,
    /// What it is about.
    pub about: String,
    /// Whether it is not ready or not known.
    pub verdict: Verdict,
    /// What was seen, or why nothing was.
    pub seen: String,
    /// What to do.
    pub remedy: String,
}

/// What the function readiness returns, and so the event that the bus carries on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What is news.
    pub readiness: News,
    /// How much it deserves a person's attention.
    pub attention: Attention,
    /// When it was looked, by AWS's time.
    pub at: Timestamp,
    /// How many rows are not ready.
    pub not_ready: u64,
    /// How many rows nobody knows.
    pub not_known: u64,
    /// Those, or the first of them: what is not ready first.
    pub rows: Vec<Told>,
}

impl Report {
    /// About a look.
    #[must_use]
    pub fn of(at: Timestamp, readiness: News, findings: &[Finding]) -> Self {
        let Counts { not_ready, not_known } = Counts::of(findings);
        let of = |verdict| findings.iter().filter(move |finding| finding.verdict == verdict);
        let rows = of(Verdict::NotReady).chain(of(Verdict::NotKnown)).map(Told::of).collect();
        Self { readiness, attention: readiness.attention(), at, not_ready, not_known, rows }.bounded()
    }

    /// As much of it as a message has room for.
    #[must_use]
    pub fn bounded(self) -> Self {
        let rows = self.rows.into_iter().take(LISTED_MAX).map(Told::bounded).collect();
        Self { rows, ..self }
    }

    /// Nothing stands by while users are on DR.
    #[must_use]
    pub fn on_dr(at: Timestamp) -> Self {
        let Counts { not_ready, not_known } = Counts::OF_NOTHING;
        Self { readiness: News::Nothing, attention: Attention::None, at, not_ready, not_known, rows: Vec::new() }
    }
}

impl Told {
    fn of(finding: &Finding) -> Self {
        let Finding { row, about, verdict, seen, remedy, .. } = finding.clone();
        Self { row: row.to_owned(), about, verdict, seen, remedy }
    }

    fn bounded(mut self) -> Self {
        for text in [&mut self.row, &mut self.about, &mut self.seen, &mut self.remedy] {
            text.truncate(text.floor_char_boundary(BYTES_MAX));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of the looks tells, one after the other.
    fn told(looks: &[(u64, u64)]) -> Vec<News> {
        let looks: Vec<_> = looks.iter().map(|&(not_ready, not_known)| Counts { not_ready, not_known }).collect();
        (0..looks.len()).map(|nth| news(looks[nth], Ok(&looks[..nth]))).collect()
    }

    #[test]
    fn a_row_that_turns_red_is_told_once_by_two_looks_and_that_all_is_ready_again_once() {
        use News::{NotReady, Nothing, Ready};
        let looks = [(0, 0), (1, 0), (1, 0), (1, 0), (1, 0), (0, 0), (0, 0)];
        assert_eq!(told(&looks), [Nothing, Nothing, NotReady, Nothing, Nothing, Ready, Nothing]);
    }

    #[test]
    fn what_one_look_found_is_no_news_and_neither_is_its_end() {
        assert_eq!(told(&[(0, 0), (1, 0), (0, 0), (0, 1), (0, 0)]), [News::Nothing; 5]);
    }

    #[test]
    fn one_row_more_is_told_while_another_is_left_red_and_so_is_one_that_comes_back() {
        use News::{NotReady, Nothing};
        let looks = [(1, 0), (1, 0), (2, 0), (2, 0), (1, 0), (1, 0), (2, 0), (2, 0)];
        assert_eq!(told(&looks), [Nothing, NotReady, Nothing, NotReady, Nothing, Nothing, Nothing, NotReady]);
    }

    #[test]
    fn what_nobody_knows_is_told_quietly_and_its_end_too() {
        use News::{NotKnown, NotReady, Nothing, Ready};
        assert_eq!(told(&[(0, 8), (0, 8), (0, 8), (0, 0)]), [Nothing, NotKnown, Nothing, Ready]);
        assert_eq!(told(&[(1, 0), (1, 0), (0, 1), (0, 0)]), [Nothing, NotReady, Nothing, Ready]);
        assert!(NotKnown.attention() == Attention::Notice && NotReady.attention() == Attention::Page);
    }

    #[test]
    fn while_users_are_on_dr_nothing_is_ready_and_after_a_failback_it_is_again() {
        let Counts { not_ready, not_known } = Counts::OF_NOTHING;
        assert_eq!((not_ready, not_known), (0, 1));
        assert_eq!(told(&[(0, 0), (0, 1), (0, 1), (0, 0)])[3], News::Ready);
    }

    #[test]
    fn where_nobody_knows_what_was_found_before_what_is_wrong_is_told_once_more() {
        let found = |not_ready, not_known| news(Counts { not_ready, not_known }, Err("CloudWatch does not answer"));
        assert_eq!([found(1, 1), found(0, 1), found(0, 0)], [News::NotReady, News::NotKnown, News::Nothing]);
    }

    #[test]
    fn a_report_lists_what_is_not_ready_first_and_fits_an_event_whatever_aws_says() {
        let finding = |verdict, nth: usize| Finding {
            row: "database",
            about: format!("RDS instance {nth}"),
            verdict,
            seen: "x".repeat(100_000),
            must_be: "",
            how: "",
            remedy: "y".repeat(100_000),
        };
        let findings: Vec<_> =
            (0..50).map(|nth| finding(Verdict::NotKnown, nth)).chain([finding(Verdict::NotReady, 99)]).collect();
        let report = Report::of(Timestamp::UNIX_EPOCH, News::NotReady, &findings);
        assert_eq!((report.not_ready, report.not_known), (1, 50));
        assert_eq!(report.rows[0].about, "RDS instance 99");
        let written = serde_json::to_string(&report).unwrap();
        assert!(written.len() < 200_000, "{}", written.len());
        assert_eq!(serde_json::from_str::<Report>(&written).unwrap(), report);
    }
}
