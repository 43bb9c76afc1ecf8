//! Which Holdfast speaks, in each form of a message.

use crate::common::*;
use failover::message::{self, Sender};
use failover::observation::Attention;
use failover::outcome::{Finding, Kind, Outcome, Trigger};
use failover::rule::Rule;

/// One account may have thirty, and whoever is woken has a shell with some region of its own.
#[test]
fn a_message_says_which_holdfast_speaks_and_its_commands_lead_there() {
    let shop = Sender { bus: "shop".to_owned(), ..sender() };
    let asks = Finding { despite: [Rule::R07].into(), ..finding(Kind::ApprovalNeeded, Attention::Page, "a") };
    let message = message::of_outcome(&Outcome::of(at(0), Trigger::Tick, &[asks]), &shop);
    assert!(message.subject.starts_with("Holdfast shop: your APPROVAL is needed"), "{}", message.subject);
    for said in [
        "--despite R07 --region eu-central-1 --bus shop --reason WHY",
        "aws events put-events --region eu-central-1 --entries",
        "FROM\n  Holdfast shop in eu-central-1, account 123456789012\n  https://eu-central-1.console.aws.amazon.com/",
        "dashboard/shop-eu-central-1\n",
    ] {
        assert!(message.body.contains(said), "{said}: {}", message.body);
    }
    let (subject, alarm) = message.alarm("eu-central-1", "123456789012");
    assert!(subject.starts_with("ALARM: Holdfast shop: "), "{subject}");
    let alarm: serde_json::Value = serde_json::from_str(&alarm).unwrap();
    assert!(alarm["AlarmName"].as_str().unwrap().starts_with("Holdfast shop: "), "two stacks' incidents are two");
    let card: serde_json::Value = serde_json::from_str(&message.card()).unwrap();
    assert!(card["content"]["nextSteps"].to_string().contains("Holdfast shop in eu-central-1"), "{card}");
}
