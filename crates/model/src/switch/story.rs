//! What happened around the switch, in words.

use super::checks::{Child, Point};
use super::hands::{Hand, Signal};
use super::people::{Command, Deed};
use super::world::World;
use super::{Asks, Step, Switched};
use crate::hands::Fate;
use crate::story::Told;

impl Told for Switched {
    fn tells(before: &World, step: &Step) -> String {
        Self::in_words(Some(before), step)
    }

    fn differs(before: &World, after: &World) -> Vec<String> {
        Self::changed(before, after)
    }
}

impl Switched {
    /// A step, for people; more of it where the state before it is known.
    pub fn in_words(before: Option<&World>, step: &Step) -> String {
        let handler = |place: usize| before.map(|world| &world.handlers[place]);
        let promoter = |place: usize| before.map(|world| &world.promoters[place]);
        match step {
            Step::Time => "two minutes pass".to_owned(),
            Step::Outage => "the primary goes down, and the alarm rings".to_owned(),
            Step::FalseAlarm => "the alarm rings, though the primary answers".to_owned(),
            Step::Recovery => "the primary is back, and the alarm says OK".to_owned(),
            Step::Dark => "Route 53's API answers nothing any more".to_owned(),
            Step::Light => "Route 53's API answers again".to_owned(),
            Step::Hears(point) => format!("CloudWatch hears of step {}: {}", point.of(), said(*point)),
            Step::Learns(server, child) => format!("name server {server} hears of {}", heard(*child)),
            Step::Arrives(server) => format!("name server {server} has the oldest change on its way"),
            Step::Promoted => "the promotion is complete".to_owned(),
            Step::Handler(place, signal, asks) => {
                let woken = if *signal == Signal::Tick { "the tick" } else { "an approval" };
                began("alarm-handler", *place, woken, *asks, handler(*place))
            }
            Step::Promoter(place, asks) => began("replica-promoter", *place, "the tick", *asks, promoter(*place)),
            Step::HandlerGoesOn(place, fate) => goes_on("alarm-handler", *place, *fate, handler(*place)),
            Step::PromoterGoesOn(place, fate) => goes_on("replica-promoter", *place, *fate, promoter(*place)),
            Step::Person(deed) => deed_in_words(*deed).to_owned(),
            Step::CommandGoesOn => match before.and_then(|world| world.command.as_ref()) {
                Some(Command::Unlatches(_) | Command::Lifts(..)) => {
                    "the command goes on: it lifts the latch".to_owned()
                }
                Some(Command::Asks(_)) => "the command goes on: it asks for the latch".to_owned(),
                Some(Command::Orders(_) | Command::Waits(..)) => "the command goes on: it writes".to_owned(),
                None => "the command goes on".to_owned(),
            },
            Step::CommandDies => "the command is interrupted".to_owned(),
        }
    }

    /// What differs that people can see.
    pub fn changed(before: &World, after: &World) -> Vec<String> {
        let mut lines = Vec::new();
        let stored = |world: &World| world.latch.as_ref().map_or_else(|| "open".to_owned(), |text| text.to_string());
        lines.extend((before.latch != after.latch).then(|| format!("store: {}", stored(after))));
        let register = |world: &World| {
            let each = world.records.views.iter().map(|view| {
                let register = view.register().map_or_else(|| "no register".to_owned(), ToString::to_string);
                let primary = world.records.primary(&view.name).map(|set| set.target.to_string());
                format!("{}: PRIMARY {}; {register}", view.name, primary.unwrap_or_default())
            });
            each.collect::<Vec<_>>().join("; ")
        };
        lines.extend((before.records != after.records).then(|| register(after)));
        lines.extend((before.database != after.database).then(|| format!("database d0: {:?}", after.database)));
        let points =
            after.said.difference(&before.said).map(|point| format!("told: step {}, {}", point.of(), said(*point)));
        lines.extend(points);
        if before.servers != after.servers {
            let shown = after.servers.each_ref().map(|server| {
                let [outage, hold, latch, again] = {
                    let it = server.children;
                    [it.outage, it.hold, it.latch, it.again].map(|is_healthy| if is_healthy { "+" } else { "-" })
                };
                format!("outage{outage} hold{hold} latch{latch} again{again}")
            });
            lines.push(format!("name servers: {}", shown.join(", ")));
        }
        lines
    }
}

fn said(point: Point) -> &'static str {
    match point {
        Point::Latch(_, true) => "latched",
        Point::Latch(_, false) => "not latched",
        Point::Hold(_, true) => "a heartbeat",
        Point::Hold(_, false) => "Holdfast lets go",
    }
}

fn heard(child: Option<Child>) -> &'static str {
    match child {
        None => "every child of the switch",
        Some(Child::Outage) => "the outage",
        Some(Child::Hold) => "the hold",
        Some(Child::Latch) => "the latch",
        Some(Child::Again) => "the latch, by its second check",
    }
}

fn began(function: &str, place: usize, woken: &str, asks: Asks, hand: Option<&Hand>) -> String {
    let first = match asks {
        Asks::Names => "has listed the records",
        Asks::Latch => "has read the latch",
        Asks::LatchInVain => "has asked for the latch in vain",
    };
    let died = hand.filter(|hand| **hand != Hand::Idle).map_or("", |_| "; the one under way there has died");
    format!("{function} {place}, woken by {woken}, {first}{died}")
}

fn goes_on(function: &str, place: usize, fate: Fate, hand: Option<&Hand>) -> String {
    let what = match hand {
        None => "goes on",
        Some(Hand::Idle) => "is done",
        Some(Hand::Began(..)) => "looks at the rest, and decides",
        Some(Hand::Commits(_)) => "closes the latch",
        Some(Hand::Writes(..)) => "submits a batch",
        Some(Hand::Records(..)) => "puts the change's id on record",
        Some(Hand::Shows(..) | Hand::ShowsNothing(..)) => "keeps in the latch what the name servers show",
        Some(Hand::Starts(_)) => "says that it promotes",
        Some(Hand::Opened(_)) => "looks at the database, and decides",
        Some(Hand::Keeps(..)) => "keeps in the latch what it knows",
        Some(Hand::Registers(..)) => "writes registers",
        Some(Hand::Promotes(_)) => "asks RDS to promote",
    };
    let how = match fate {
        Fate::Answered => "",
        Fate::Refused => ", and the store does not answer",
        Fate::Unanswered => ", which takes effect, and dies",
        Fate::Stale | Fate::Late => ", and something else comes of it",
    };
    format!("{function} {place} {what}{how}")
}

fn deed_in_words(deed: Deed) -> &'static str {
    match deed {
        Deed::Approve => "a person approves the incident",
        Deed::Unlatch => "a person asks to unlatch, and is let",
        Deed::FailBack => "a person asks to fail back, and is let",
        Deed::Disarm => "a person asks to disarm, and is let",
        Deed::Undo => "somebody rewrites the pinned PRIMARY record",
    }
}
