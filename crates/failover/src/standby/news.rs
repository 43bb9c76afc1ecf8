//! What of a look is news.
//!
//! Nobody remembers what was told: what each look found is a metric, and from the last of them it is worked out afresh what people know by now.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Finding, Verdict, counts};
use crate::fact::Attention;

/// How far back looks are asked for. What has lasted for longer is known by the looks since.
pub const LOOKBACK: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Looks that are closer together are one, the last: the first was killed before it told anything, and Lambda tries again within minutes. Or it
/// told all the same, and the same is told twice.
const APART_MIN: SignedDuration = SignedDuration::from_mins(20);

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
    const OF_NOTHING: Self = Self { not_ready: 0, not_known: 1 };

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

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// So many rows that were not as they must be.
    Rows(Counts),
    /// Users were on DR: nothing stood by, so no row was judged.
    OnDr,
}

impl Found {
    /// As metrics and messages say it.
    #[must_use]
    pub fn counts(self) -> Counts {
        match self {
            Self::Rows(counts) => counts,
            Self::OnDr => Counts::OF_NOTHING,
        }
    }
}

/// An earlier look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// When it was.
    pub at: Timestamp,
    /// What it found.
    pub found: Found,
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
pub fn news(at: Timestamp, now: Counts, before: Result<&[Past], &str>) -> News {
    let Ok(before) = before else {
        return match now {
            Counts { not_ready: 1.., .. } => News::NotReady,
            Counts { not_known: 1.., .. } => News::NotKnown,
            Counts { .. } => News::Nothing,
        };
    };
    let looks = apart(Past { at, found: Found::Rows(now) }, before);
    let mut known = Known { rows: Counts::default(), on_dr: looks.first() == Some(&Found::OnDr) };
    let mut news = News::Nothing;
    for pair in looks.windows(2) {
        news = tell(&mut known, pair[0], pair[1]);
    }
    news
}

/// What each look found, the oldest first; of looks that are closer together than [`APART_MIN`], the last.
fn apart(now: Past, before: &[Past]) -> Vec<Found> {
    let mut next = now.at;
    let mut looks = vec![now.found];
    for past in before.iter().rev() {
        if next.duration_since(past.at) >= APART_MIN {
            looks.push(past.found);
            next = past.at;
        }
    }
    looks.reverse();
    looks
}

/// What people know by what they were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    /// Of so many rows they know that they are not as they must be.
    rows: Counts,
    /// Users were on DR, and nobody was told since that DR stands by again.
    on_dr: bool,
}

/// What a look told, after the one before it.
fn tell(known: &mut Known, last: Found, now: Found) -> News {
    let Found::Rows(now) = now else {
        *known = Known { rows: Counts::default(), on_dr: true };
        return News::Nothing;
    };
    if now.is_clear() {
        let was = std::mem::take(known);
        return if was == Known::default() { News::Nothing } else { News::Ready };
    }
    let last = match last {
        Found::Rows(counts) => counts,
        Found::OnDr => Counts::default(),
    };
    let seen_twice = |of: fn(&Counts) -> u64| of(&last).min(of(&now));
    let news = if seen_twice(|it| it.not_ready) > known.rows.not_ready {
        News::NotReady
    } else if seen_twice(|it| it.not_known) > known.rows.not_known {
        News::NotKnown
    } else {
        News::Nothing
    };
    // Fewer, by two looks, are as many as people know of from then on, so that one more is told again.
    let by_now = |told: u64, of: fn(&Counts) -> u64| told.max(seen_twice(of)).min(of(&last).max(of(&now)));
    known.rows = Counts {
        not_ready: by_now(known.rows.not_ready, |it| it.not_ready),
        not_known: by_now(known.rows.not_known, |it| it.not_known),
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
        let Counts { not_ready, not_known } = Found::OnDr.counts();
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

    fn rows(not_ready: u64, not_known: u64) -> Found {
        Found::Rows(Counts { not_ready, not_known })
    }

    fn minute(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    /// What each of the looks tells, one after the other; on DR none tells anything.
    fn told_at(looks: &[(i64, Found)]) -> Vec<News> {
        let looks: Vec<_> = looks.iter().map(|&(at, found)| Past { at: minute(at), found }).collect();
        let one = |(nth, look): (usize, &Past)| match look.found {
            Found::Rows(counts) => news(look.at, counts, Ok(&looks[..nth])),
            Found::OnDr => News::Nothing,
        };
        looks.iter().enumerate().map(one).collect()
    }

    /// The same, of a look an hour.
    fn told_of(looks: &[Found]) -> Vec<News> {
        let each: Vec<_> = (0_i64..).map(|hour| 60 * hour).zip(looks.iter().copied()).collect();
        told_at(&each)
    }

    fn told(looks: &[(u64, u64)]) -> Vec<News> {
        let looks: Vec<_> = looks.iter().map(|&(not_ready, not_known)| rows(not_ready, not_known)).collect();
        told_of(&looks)
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
        assert_eq!((Found::OnDr.counts().not_ready, Found::OnDr.counts().not_known), (0, 1));
        for on_dr in [&[Found::OnDr][..], &[Found::OnDr; 3]] {
            assert_eq!(told_of(&[on_dr, &[rows(0, 0)]].concat()).last(), Some(&News::Ready));
            let before = [&[rows(0, 0)], on_dr, &[rows(0, 1), rows(0, 0)]].concat();
            assert_eq!(told_of(&before).last(), Some(&News::Ready));
        }
    }

    #[test]
    fn what_is_wrong_after_a_failback_is_told_though_it_was_told_before_the_outage_and_be_it_one_row() {
        use News::{NotKnown, NotReady, Nothing};
        for (wrong, news) in [(rows(0, 1), NotKnown), (rows(1, 0), NotReady)] {
            let looks = [wrong, wrong, Found::OnDr, Found::OnDr, wrong, wrong, wrong];
            assert_eq!(told_of(&looks), [Nothing, news, Nothing, Nothing, Nothing, news, Nothing]);
        }
    }

    #[test]
    fn a_look_that_was_killed_before_it_told_anything_is_no_look_of_its_own_for_the_one_that_tries_again() {
        use News::{NotReady, Nothing};
        let (well, red) = (rows(0, 0), rows(1, 0));
        // The one of minute 120 was killed; the retry tells.
        let looks = [(0, well), (60, red), (120, red), (123, red), (180, red)];
        assert_eq!(told_at(&looks)[3..], [NotReady, Nothing]);
        // The first that saw it was killed: its retry is the first of two.
        let looks = [(0, well), (60, red), (63, red), (120, red), (180, red)];
        assert_eq!(told_at(&looks)[2..], [Nothing, NotReady, Nothing]);
    }

    #[test]
    fn where_nobody_knows_what_was_found_before_what_is_wrong_is_told_once_more() {
        let found =
            |not_ready, not_known| news(minute(0), Counts { not_ready, not_known }, Err("CloudWatch does not answer"));
        assert_eq!([found(1, 1), found(0, 1), found(0, 0)], [News::NotReady, News::NotKnown, News::Nothing]);
    }

    #[test]
    fn a_report_lists_what_is_not_ready_first_and_fits_an_event_whatever_aws_says() {
        let finding = |verdict, nth: usize| Finding {
            row: "database",
            about: format!("RDS instance {nth}"),
            verdict,
            seen: "x".repeat(100_000),
            must_be: String::new(),
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
