//! TROUBLESHOOTING.md has a heading for each message and alarm that a person can receive.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use drill::lambdas::repository;
use lab::template;

fn read(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).expect("it is there")
}

/// The texts that the arms of a match in a source say, between two marks of it.
fn said_in(file: &str, begin: &str, end: &str) -> Vec<String> {
    let text = read(file);
    let (_, rest) = text.split_once(begin).expect("the match begins");
    let (body, _) = rest.split_once(end).expect("the match ends");
    body.split("=> \"").skip(1).filter_map(|arm| Some(arm.split_once('"')?.0.to_owned())).collect()
}

/// What a look without news would say.
const NEVER_SENT: &str = "nothing new about DR";

#[test]
fn every_message_and_alarm_has_its_heading() {
    let page = read("TROUBLESHOOTING.md");
    let is_heading = |said: &str| page.lines().any(|line| line.strip_prefix("### ") == Some(said));
    let messages = said_in("crates/failover/src/message/words.rs", "fn cause_and_act", "fn is_late_in_peace");
    let deeds = said_in("crates/failover/src/announcement.rs", "fn headline", "fn in_words");
    let looks = said_in("crates/failover/src/message/readiness.rs", "fn headline", "fn event");
    assert!(looks.len() > 2, "the source is written otherwise now: {looks:?}");
    assert!(messages.len() > 30 && deeds.len() > 10, "the sources are written otherwise now: {messages:?} {deeds:?}");
    for said in messages.iter().chain(looks.iter().filter(|said| *said != NEVER_SENT)) {
        assert!(is_heading(said), "no heading for {said:?}");
    }
    let is_row = |said: &str| page.lines().any(|line| line.split('|').nth(1).is_some_and(|cell| cell.contains(said)));
    for said in &deeds {
        assert!(is_row(said), "no row for {said:?}");
    }
    for file in ["template.yaml", "detector.yaml"] {
        let text = template::parse(&read(file)).expect("it is a template");
        let resources = text["Resources"].as_object().expect("it has resources");
        for (id, alarm) in resources.iter().filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm") {
            let name = alarm["Properties"]["AlarmName"].to_string();
            let (_, rest) = name.split_once('}').expect("its name begins with a parameter");
            let suffix: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            assert!(suffix.len() > 4 && page.contains(suffix.trim_end_matches('-')), "{file}: {id}: {suffix}");
        }
    }
}
