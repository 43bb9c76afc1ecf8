//! The switch: what CloudWatch hears of the hold and the latch, what the four checks make of it, and what each name server shows.

use std::collections::BTreeMap;

use aws::telemetry::Metric;
use failover::latch::Pairs;
use jiff::{SignedDuration, Timestamp};

/// How many name servers a zone has.
pub const SERVERS: usize = 4;

/// Five minutes without a heartbeat, and the one in which CloudWatch looks.
const HOLD: i64 = 360;
/// Each of the two latch checks reads the alarm for itself.
const AGAIN: SignedDuration = SignedDuration::from_secs(7);
/// How long a server may answer as it did before its newest word.
const STALE_SECONDS_MAX: i64 = 60;

/// One of the switch's children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Child {
    Outage,
    Hold,
    Latch,
    Again,
}

/// Which of the children are healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// No outage.
    pub outage: bool,
    /// Holdfast holds.
    pub hold: bool,
    /// Nothing is committed.
    pub latch: bool,
    /// The same, by the second check.
    pub again: bool,
}

impl Checks {
    /// All of them.
    pub const WELL: Self = Self { outage: true, hold: true, latch: true, again: true };

    /// The switch is healthy while three of its four children are.
    #[must_use]
    pub fn is_primary(self) -> bool {
        [self.outage, self.hold, self.latch, self.again].into_iter().filter(|is_healthy| *is_healthy).count() >= 3
    }

    /// True if both latch checks say that a failover is committed.
    #[must_use]
    pub fn is_latched(self) -> bool {
        !self.latch && !self.again
    }

    fn of(&mut self, child: Child) -> &mut bool {
        match child {
            Child::Outage => &mut self.outage,
            Child::Hold => &mut self.hold,
            Child::Latch => &mut self.latch,
            Child::Again => &mut self.again,
        }
    }
}

/// A name server, or rather all that answer by its address.
#[derive(Clone, Debug)]
pub struct Server {
    /// What it shows.
    pub shows: Checks,
    /// What it showed until when.
    before: Option<(Timestamp, Checks)>,
    /// How long a check's new status takes to reach it.
    pub lag: SignedDuration,
    /// Whether it answers nothing.
    pub is_silent: bool,
    due: Vec<(Timestamp, Child, bool)>,
}

impl Server {
    fn hears(&mut self, at: Timestamp, child: Child, is_healthy: bool) {
        let earlier = self.due.iter().filter(|(_, of, _)| *of == child).map(|(due, ..)| *due).max();
        let again = if child == Child::Again { AGAIN } else { SignedDuration::ZERO };
        let at = at + self.lag + again;
        self.due.push((earlier.map_or(at, |earlier| earlier.max(at)), child, is_healthy));
    }

    fn go_on(&mut self, now: Timestamp) {
        let was = self.shows;
        let (mut due, later): (Vec<_>, Vec<_>) = self.due.drain(..).partition(|(at, ..)| *at <= now);
        self.due = later;
        // A stable sort: of two words for one moment the later said holds.
        due.sort_by_key(|(at, ..)| *at);
        due.into_iter().for_each(|(_, child, is_healthy)| *self.shows.of(child) = is_healthy);
        if was != self.shows {
            self.before = Some((now, was));
        }
    }

    /// What it answers by, or did a moment ago.
    #[must_use]
    pub fn answers_by(&self, now: Timestamp, is_stale: bool) -> Checks {
        match self.before {
            Some((until, before)) if is_stale && now.duration_since(until).as_secs() < STALE_SECONDS_MAX => before,
            _ => self.shows,
        }
    }
}

/// The switch and all around it.
#[derive(Clone, Debug)]
pub struct Switch {
    /// The TXT pairs that show it.
    pub pairs: Pairs,
    /// The zones' name servers.
    pub servers: [Server; SERVERS],
    /// How late CloudWatch hears a metric; `None` loses it.
    pub delay: Option<SignedDuration>,
    /// Metrics on their way: when they arrive, for which minute, what.
    on_the_way: Vec<(Timestamp, i64, Metric)>,
    /// By minute, the greatest that was heard.
    latch: BTreeMap<i64, bool>,
    /// The newest minute with a heartbeat.
    held: i64,
    checks: Checks,
    /// When the checks began to send users to DR.
    pub moved: Vec<Timestamp>,
    /// When metrics were lost.
    pub lost: Vec<Timestamp>,
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

impl Switch {
    /// In peace.
    #[must_use]
    pub fn new(pairs: Pairs, now: Timestamp) -> Self {
        let server = |lag| Server {
            shows: Checks::WELL,
            before: None,
            lag: SignedDuration::from_secs(lag),
            is_silent: false,
            due: Vec::new(),
        };
        Self {
            pairs,
            servers: [5, 10, 20, 30].map(server),
            delay: Some(SignedDuration::from_secs(15)),
            on_the_way: Vec::new(),
            latch: BTreeMap::from([(minute(now), false)]),
            held: minute(now),
            checks: Checks::WELL,
            moved: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// A function said this now, of the time `at`.
    pub fn hear(&mut self, now: Timestamp, at: Timestamp, metric: Metric) {
        match self.delay {
            Some(delay) => self.on_the_way.push((now + delay, minute(at), metric)),
            None => self.lost.push(now),
        }
    }

    /// What every server shows.
    #[must_use]
    pub fn shows(&self) -> [Checks; SERVERS] {
        self.servers.each_ref().map(|server| server.shows)
    }

    /// Whether the hold's alarm is quiet.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.checks.hold
    }

    fn lapses(&self) -> Timestamp {
        Timestamp::from_second(self.held * 60 + HOLD).unwrap_or(Timestamp::MAX)
    }

    /// When something changes next, if that is not after `until`.
    #[must_use]
    pub fn next_event(&self, until: Timestamp) -> Option<Timestamp> {
        let words = self.on_the_way.iter().map(|(at, ..)| *at);
        let due = self.servers.iter().flat_map(|server| server.due.iter().map(|(at, ..)| *at));
        let lapses = self.checks.hold.then(|| self.lapses());
        words.chain(due).chain(lapses).filter(|at| *at <= until).min()
    }

    /// All that is due by now: CloudWatch hears, the checks judge, the servers learn.
    pub fn go_on(&mut self, now: Timestamp, is_outage: bool) {
        let (heard, later): (Vec<_>, Vec<_>) = self.on_the_way.drain(..).partition(|(at, ..)| *at <= now);
        self.on_the_way = later;
        for (_, minute, Metric { name, value, .. }) in heard {
            match name {
                "Latch" => *self.latch.entry(minute).or_default() |= value >= 1.0,
                "Hold" if value >= 1.0 => self.held = self.held.max(minute),
                _ => {}
            }
        }
        // One period, Maximum, missing data ignored: the newest minute that has any decides.
        let is_open = !self.latch.range(..=minute(now)).next_back().is_some_and(|(_, is_closed)| *is_closed);
        let checks = Checks { outage: !is_outage, hold: now < self.lapses(), latch: is_open, again: is_open };
        if self.checks.is_primary() && !checks.is_primary() {
            self.moved.push(now);
        }
        for child in [Child::Outage, Child::Hold, Child::Latch, Child::Again] {
            let is_healthy = *checks.clone().of(child);
            if *self.checks.of(child) != is_healthy {
                *self.checks.of(child) = is_healthy;
                self.servers.iter_mut().for_each(|server| server.hears(now, child, is_healthy));
            }
        }
        self.servers.iter_mut().for_each(|server| server.go_on(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn said(switch: &mut Switch, seconds: i64, name: &'static str, value: f64) {
        switch.hear(at(seconds), at(seconds), Metric { name, unit: "Count", value });
    }

    fn run(switch: &mut Switch, until: i64, is_outage: bool) {
        while let Some(next) = switch.next_event(at(until)) {
            switch.go_on(next, is_outage);
        }
        switch.go_on(at(until), is_outage);
    }

    #[test]
    fn what_is_committed_outvotes_a_primary_that_is_back_and_an_outage_alone_nobody_that_is_held() {
        for (outage, hold, latch, is_primary) in [
            (false, true, true, true),
            (true, false, true, true),
            (true, true, false, false),
            (false, true, false, false),
            (false, false, true, false),
        ] {
            assert_eq!(Checks { outage, hold, latch, again: latch }.is_primary(), is_primary);
        }
    }

    #[test]
    fn servers_learn_of_the_latch_one_after_the_other_and_a_late_zero_takes_nothing_back() {
        let mut switch = Switch::new(Pairs::of(&"example.com".parse().unwrap()).unwrap(), at(0));
        said(&mut switch, 60, "Hold", 1.0);
        said(&mut switch, 70, "Latch", 1.0);
        run(&mut switch, 97, true);
        assert_eq!(switch.shows().map(Checks::is_latched), [true, false, false, false]);
        switch.hear(at(100), at(62), Metric { name: "Latch", unit: "Count", value: 0.0 });
        run(&mut switch, 300, false);
        assert_eq!(switch.shows().map(Checks::is_latched), [true; 4]);
        assert_eq!(switch.shows().map(Checks::is_primary), [false; 4]);
    }

    #[test]
    fn an_outage_moves_users_only_once_nothing_was_heard_of_holdfast_for_five_minutes() {
        let mut switch = Switch::new(Pairs::of(&"example.com".parse().unwrap()).unwrap(), at(0));
        said(&mut switch, 60, "Hold", 1.0);
        run(&mut switch, 400, true);
        assert_eq!(switch.shows().map(Checks::is_primary), [true; 4]);
        run(&mut switch, 500, true);
        assert_eq!(switch.shows().map(Checks::is_primary), [false; 4]);
    }
}
