//! What a person did by the command line, for everybody who should know.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Incident;
use crate::order::Order;

/// What somebody did, as the bus carries it to the notifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// What.
    pub deed: Deed,
    /// Who, and why: the caller's ARN, and the reason after a colon and a space, if there is one.
    pub by: String,
    /// The names or databases it is about, or the first of them.
    pub names: Vec<String>,
    /// How many more.
    #[serde(default)]
    pub names_unlisted: usize,
    /// When, by AWS's time.
    pub at: Timestamp,
}

/// How far a replica had come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// The replica.
    pub database: String,
    /// What it had executed: GTIDs, file and position of its source's binary log, or both.
    pub executed: String,
}

/// What a person may do that others should know of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Holdfast acts from now on.
    Armed,
    /// Holdfast does not act until somebody arms it.
    Disarmed,
    /// Holdfast does not act until then.
    Paused(Timestamp),
    /// Planned work on the primary until then.
    MaintenanceBegun(Timestamp),
    /// The planned work is over.
    MaintenanceEnded,
    /// An incident is no reason to fail over.
    Rejected(Incident),
    /// A failover that the latch had committed is taken back.
    Unlatched(Incident),
    /// How far the replicas had come when somebody asked for a failover, or approved one: they forget it once they are promoted.
    PositionsNoted {
        /// The failover.
        incident: Incident,
        /// What each said.
        noted: Vec<Noted>,
    },
    /// What was left to people is Holdfast's again.
    PinAgain,
    /// What was left to people is over: users belong where the records send them.
    Released,
    /// DNS moves by Holdfast alone.
    SwitchAdopted,
    /// DNS moves as the alarm rings.
    SwitchGivenBack,
    /// Replicas of DR's databases were made in the primary region.
    FailbackRebuilt,
    /// Users are about to be sent back to the primary.
    FailbackSwitching,
    /// Users are sent to the primary again.
    FailedBack,
    /// The old writers take connections again.
    FenceLifted,
}

impl Deed {
    /// What an order about registers is told as.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        match order {
            Order::Arm => Self::Armed,
            Order::Disarm { .. } => Self::Disarmed,
            Order::Pause { until, .. } => Self::Paused(*until),
            Order::Resume => Self::MaintenanceEnded,
            Order::Reject { incident } => Self::Rejected(incident.clone()),
            Order::PinAgain => Self::PinAgain,
            Order::Release { .. } => Self::Released,
        }
    }

    /// The incident that it is about, if it is about one.
    #[must_use]
    pub fn incident(&self) -> Option<&Incident> {
        match self {
            Self::Rejected(incident) | Self::Unlatched(incident) | Self::PositionsNoted { incident, .. } => {
                Some(incident)
            }
            _ => None,
        }
    }

    /// How far the replicas had come, if it tells that.
    #[must_use]
    pub fn noted(&self) -> &[Noted] {
        match self {
            Self::PositionsNoted { noted, .. } => noted,
            _ => &[],
        }
    }

    /// What was done, in a few words before "by".
    #[must_use]
    pub fn headline(&self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Disarmed => "DISARMED",
            Self::Paused(_) => "PAUSED",
            Self::MaintenanceBegun(_) => "maintenance begun",
            Self::MaintenanceEnded => "maintenance ended",
            Self::Rejected(_) => "incident REJECTED",
            Self::Unlatched(_) => "failover TAKEN BACK",
            Self::PositionsNoted { .. } => "replicas' positions noted",
            Self::PinAgain => "to be pinned again",
            Self::Released => "RELEASED from DR's pin",
            Self::SwitchAdopted => "switch adopted",
            Self::SwitchGivenBack => "switch given back",
            Self::FailbackRebuilt => "failback, replicas made",
            Self::FailbackSwitching => "FAILBACK under way",
            Self::FailedBack => "BACK on the primary",
            Self::FenceLifted => "fence lifted",
        }
    }

    /// What it means, and what happens next.
    pub(crate) fn in_words(&self) -> (String, &'static str) {
        let (means, next) = match self {
            Self::Armed => (
                "Holdfast acts on an outage from now on, as its mode says.",
                "An alarm soon after asks for an approval first (P08).",
            ),
            Self::Disarmed => (
                "Holdfast fails nothing over until somebody arms it.",
                "An outage meanwhile pages, and Holdfast does nothing else about it. To let it act again: holdfast arm.",
            ),
            Self::Paused(until) => {
                return (
                    format!("Holdfast does not act until {until}."),
                    "Then it arms itself. To end it now: holdfast arm.",
                );
            }
            Self::MaintenanceBegun(until) => {
                let means = format!("Planned work on the primary until {until}: Holdfast does not act.");
                return (means, "It ends by itself. To end it now: holdfast maintenance end.");
            }
            Self::MaintenanceEnded => ("Holdfast acts again.", "An alarm soon after asks for an approval first (P08)."),
            Self::Unlatched(incident) => {
                let means = format!(
                    "The failover of {incident} is committed no more. Users who are not pinned to DR go back to the primary."
                );
                return (means, "While the alarm rings Holdfast commits anew, unless something holds it.");
            }
            Self::PositionsNoted { incident, noted } => {
                let each: Vec<_> =
                    noted.iter().map(|it| format!("{} had executed {}", it.database, it.executed)).collect();
                return (
                    format!("Before the databases are promoted in {incident}: {}.", each.join("; ")),
                    "Keep this: what comes later in the old primary's binary log is in DR only if it arrived since.",
                );
            }
            Self::Rejected(incident) => {
                return (format!("{incident} is no reason to fail over."), "Holdfast acts on the next alarm.");
            }
            Self::PinAgain => (
                "Records that people kept changing back are to be pinned to DR again.",
                "The next tick, within a minute, points the PRIMARY records at DR.",
            ),
            Self::Released => (
                "Users belong where the records send them now. No record was changed.",
                "Nothing brings these names home any more, and no outage fails them over until they are armed.",
            ),
            Self::SwitchAdopted => (
                "DNS moves by Holdfast alone: Route 53 sends nobody to DR before Holdfast pins.",
                "Were Holdfast silent for five minutes, DNS would follow the outage (not with WithoutHoldfast=stay).",
            ),
            Self::SwitchGivenBack => (
                "Route 53 moves users as the alarm rings, whatever Holdfast decides.",
                "holdfast adopt puts the switch back.",
            ),
            Self::FailbackRebuilt => (
                "Replicas of DR's databases were made in the primary region. Users stay on DR.",
                "They must catch up before anybody can be sent back: holdfast failback catch-up.",
            ),
            Self::FailbackSwitching => (
                "The primary's databases were promoted, and users are about to be sent back. Nothing may write to DR any more.",
                "You are told when DNS answers with the primary again.",
            ),
            Self::FailedBack => (
                "DNS answers with the primary again.",
                "Names with databases are disarmed until DR is protected again: holdfast failback protect.",
            ),
            Self::FenceLifted => (
                "The old writers take connections again. Their data is that of before the failover.",
                "See that nothing writes there that belongs elsewhere.",
            ),
        };
        (means.to_owned(), next)
    }
}

impl Announcement {
    /// Who did it, in one word: the last part of the caller's ARN.
    pub(crate) fn who(&self) -> &str {
        let caller = self.by.split(": ").next().unwrap_or_default();
        caller.rsplit('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;
    use crate::message::{Sender, of_announcement};

    fn told(deed: Deed, by: &str, names: &[&str]) -> (String, String) {
        let sender = Sender { bus: "shop".to_owned(), region: "eu-central-1".to_owned(), account: "1".to_owned() };
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let announcement = Announcement { deed, by: by.to_owned(), names, names_unlisted: 0, at: at(0) };
        let message = of_announcement(&announcement, &sender);
        (message.subject, message.body)
    }

    const KIM: &str = "arn:aws:sts::123456789012:assumed-role/ops/kim: new network";

    #[test]
    fn what_a_person_did_is_told_with_who_why_and_what_it_means() {
        let (subject, body) = told(Deed::Disarmed, KIM, &["a.example.com", "b.example.com"]);
        assert_eq!(subject, "Holdfast shop: DISARMED by kim: a.example.com and 1 more");
        for said in [
            "WHAT HAPPENED\n  Holdfast fails nothing over until somebody arms it.\n  By arn:aws:sts::",
            "ops/kim: new network",
            "holdfast arm",
            "a.example.com, b.example.com",
            "eu-central-1",
        ] {
            assert!(body.contains(said), "{said}: {body}");
        }
        assert_eq!(told(Deed::Armed, "kim", &["a.example.com"]).0, "Holdfast shop: armed by kim: a.example.com");
        assert_eq!(told(Deed::FenceLifted, "", &[]).0, "Holdfast shop: fence lifted by ");
        assert!(told(Deed::MaintenanceBegun(at(60)), KIM, &[]).1.contains("until 2026-01-01T12:01:00Z"));
        let noted = vec![Noted { database: "app-dr".to_owned(), executed: "0-1-77".to_owned() }];
        let deed = Deed::PositionsNoted { incident: Incident { alarm: "a".to_owned(), began: at(0) }, noted };
        assert!(deed.incident().is_some() && deed.noted().len() == 1 && Deed::Armed.noted().is_empty());
        let (subject, body) = told(deed, KIM, &["app-dr"]);
        assert_eq!(subject, "Holdfast shop: replicas' positions noted by kim: app-dr");
        assert!(body.contains("app-dr had executed 0-1-77"), "{body}");
    }

    #[test]
    fn every_order_about_registers_is_told_as_what_it_is() {
        let (by, until) = (String::new(), at(60));
        let incident = Incident { alarm: "a".to_owned(), began: at(0) };
        assert_eq!(Deed::Rejected(incident.clone()).incident(), Some(&incident));
        assert_eq!(Deed::Unlatched(incident.clone()).incident(), Some(&incident));
        assert_eq!(Deed::Armed.incident(), None);
        for (order, deed) in [
            (Order::Arm, Deed::Armed),
            (Order::Disarm { by: by.clone() }, Deed::Disarmed),
            (Order::Pause { until, by: by.clone() }, Deed::Paused(until)),
            (Order::Resume, Deed::MaintenanceEnded),
            (Order::Reject { incident: incident.clone() }, Deed::Rejected(incident)),
            (Order::PinAgain, Deed::PinAgain),
            (Order::Release { by }, Deed::Released),
        ] {
            assert_eq!(Deed::of(&order), deed);
        }
    }
}
