//! The message about a look at DR's half of the workload.

use super::{ALSO, FROM, HAPPENED, Message, NEXT, RUN, Section, Sender, WHY, sections, subject, text};
use crate::standby::Verdict;
use crate::standby::news::{News, Report, Told};

/// The message for a report that is news.
#[must_use]
pub fn of_readiness(report: &Report, sender: &Sender) -> Message {
    let report = &report.clone().bounded();
    let of = |verdict| report.rows.iter().filter(move |told| told.verdict == verdict);
    let first = match report.rows.first() {
        Some(told) => format!(": {}, {}", told.row, told.about),
        None => String::new(),
    };
    let seen = |told: &Told| format!("{}, {}: {}", told.row, told.about, told.seen);
    let unknown = |told: &Told| format!("not known: {} ({})", seen(told), told.remedy);
    let remedies = of(Verdict::NotReady).map(|told| format!("{}, {}: {}", told.row, told.about, told.remedy));
    let every_row = format!("to see every row: holdfast readiness --verbose{}", sender.options());
    let sections = sections([
        (HAPPENED, vec![sentence(report)]),
        (WHY, of(Verdict::NotReady).map(seen).collect()),
        (ALSO, of(Verdict::NotKnown).map(unknown).collect()),
        (NEXT, vec![next(report.readiness).to_owned()]),
        (RUN, remedies.chain([every_row]).collect()),
        (FROM, sender.in_words()),
    ]);
    of_sections(report, format!("{}{first}", headline(report.readiness)), sender, sections)
}

fn of_sections(report: &Report, headline: String, sender: &Sender, sections: Vec<Section>) -> Message {
    let from = sender.name();
    Message {
        subject: subject(&from, &headline),
        body: text(&sections),
        attention: report.attention,
        event: event(report.readiness).to_owned(),
        at: report.at,
        incident: None,
        subjects: report.rows.iter().map(|told| told.about.clone()).collect(),
        from,
        headline,
        decision: None,
        sections,
    }
}

fn headline(news: News) -> &'static str {
    match news {
        News::Nothing => "nothing new about DR",
        News::NotReady => "DR could NOT carry users",
        News::NotKnown => "nobody knows whether DR could carry users",
        News::Ready => "DR could carry users again",
    }
}

/// The message's word for filters.
fn event(news: News) -> &'static str {
    match news {
        News::Nothing => "Nothing",
        News::NotReady => "DrNotReady",
        News::NotKnown => "DrNotKnown",
        News::Ready => "DrReady",
    }
}

fn sentence(report: &Report) -> String {
    let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let (red, unknown) = (rows(report.not_ready), rows(report.not_known));
    match report.readiness {
        News::Nothing => "There is nothing new about DR's half of the workload.".to_owned(),
        News::NotReady => {
            format!(
                "Of what users would meet in DR, {red} not ready and {unknown} not known. More are red than you were told, by two looks."
            )
        }
        News::NotKnown => format!(
            "Of what users would meet in DR, {unknown} not known by two looks, and {red} not ready. Not known is never ready."
        ),
        News::Ready => "Every row about what users would meet in DR is ready again.".to_owned(),
    }
}

fn next(news: News) -> &'static str {
    match news {
        News::Nothing | News::Ready => "Holdfast looks again in an hour.",
        News::NotReady | News::NotKnown => {
            "Holdfast looks again in an hour and tells when every row is ready, or one more is not. It changes nothing by itself, and an outage \
             would be failed over all the same."
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::observation::Attention;

    fn told(row: &str, verdict: Verdict) -> Told {
        let [about, seen, remedy] =
            ["RDS instance orders-dr", "DR keeps no backups", "aws rds modify-db-instance"].map(str::to_owned);
        Told { row: row.to_owned(), about, verdict, seen, remedy }
    }

    fn message(readiness: News, rows: Vec<Told>) -> Message {
        let [bus, region, account] = ["holdfast", "eu-central-1", "123456789012"].map(str::to_owned);
        let count = |verdict| rows.iter().filter(|told| told.verdict == verdict).count() as u64;
        let (not_ready, not_known) = (count(Verdict::NotReady), count(Verdict::NotKnown));
        let (attention, at) = (readiness.attention(), Timestamp::UNIX_EPOCH);
        of_readiness(&Report { readiness, attention, at, not_ready, not_known, rows }, &Sender { bus, region, account })
    }

    #[test]
    fn a_red_row_is_named_in_the_subject_with_what_was_seen_and_the_command_that_puts_it_right() {
        let rows = vec![told("database-backups", Verdict::NotReady), told("targets", Verdict::NotKnown)];
        let message = message(News::NotReady, rows);
        assert!(message.subject.contains("DR could NOT carry users: database-backups, RDS"), "{}", message.subject);
        for words in [
            "1 row not ready and 1 row not known",
            "database-backups, RDS instance orders-dr: DR keeps no backups",
            "orders-dr: aws rds modify-db-instance",
            "not known: targets",
            "holdfast readiness --verbose",
        ] {
            assert!(message.body.contains(words), "{words}: {}", message.body);
        }
        assert_eq!((message.attention, message.event.as_str()), (Attention::Page, "DrNotReady"));
    }

    #[test]
    fn what_nobody_knows_and_that_all_is_ready_again_wake_nobody() {
        let unknown = message(News::NotKnown, vec![told("targets", Verdict::NotKnown)]);
        let ready = message(News::Ready, Vec::new());
        assert!([&unknown, &ready].iter().all(|message| message.attention == Attention::Notice));
        assert!(ready.subject.contains("DR could carry users again"), "{}", ready.subject);
        assert!(!unknown.body.contains("to put it right"), "{}", unknown.body);
    }
}
