//! What must never be of a failover that is committed beside Route 53.

use failover::incident::Incident;
use failover::latch::Latch;
use failover::observation::Probes;
use failover::record::Role;
use failover::register::{ArmedBy, Reading, Register};
use jiff::{SignedDuration, Timestamp};

use super::{Watch, seconds};
use crate::property::Property;
use crate::route53::Route53;
use crate::switch::Checks;
use crate::watched::Watched;

/// An invocation goes by what it saw as it began, at most two minutes ago; name servers may have told it what they knew half a minute
/// before.
const SEEN: SignedDuration = SignedDuration::from_secs(150);

/// The latch as seen from outside.
#[derive(Debug, Default)]
pub(super) struct Latched {
    /// What it is committed for.
    pub incident: Option<Incident>,
    /// Since when every name server has shown it without a break.
    shown: Option<Timestamp>,
    /// Every name server has shown it.
    stands: bool,
}

/// A commit that was asked for, and what spoke against it then.
#[derive(Clone, Debug)]
pub struct AskedToLatch {
    incident: Option<Incident>,
    against: Option<String>,
}

impl Watched {
    /// True if nobody may move this name: neither armed nor pinned.
    pub(super) fn is_off(reading: &Reading) -> bool {
        match reading.register() {
            Some(register) => register.pin().is_none() && !matches!(register, Register::Armed { .. }),
            None => true,
        }
    }

    /// The name is held where it is for as long as the list and every name server say so.
    fn is_off_everywhere(&self, route53: &Route53) -> bool {
        let published = || route53.published(&self.zone).is_some_and(|records| Self::is_off(&self.reading(records)));
        Self::is_off(&self.reading(&route53.records(&self.zone))) && published()
    }

    fn note_whether_off(&mut self, now: Timestamp, route53: &Route53) {
        self.off_since = if self.is_off_everywhere(route53) { self.off_since.or(Some(now)) } else { None };
    }

    /// True if name servers ask the switch where to send this name's users.
    fn is_on_switch(&self, switch: Option<&String>, route53: &Route53) -> bool {
        let published = route53.published(&self.zone);
        let check = |kind: &str| published?.playing(&self.name, kind, Role::Primary)?.health_check.as_ref();
        switch.is_some() && self.primaries.iter().all(|primary| check(&primary.original.kind) == switch)
    }

    /// True if a name server that sends users to the SECONDARY records sends them to DR.
    fn has_dr_behind(&self, route53: &Route53) -> bool {
        let published = route53.published(&self.zone);
        self.primaries.iter().all(|primary| {
            let second = published.and_then(|it| it.playing(&self.name, &primary.original.kind, Role::Secondary));
            second.is_some_and(|second| primary.leads_to_dr(second))
        })
    }
}

impl Watch {
    /// What speaks against a commit that is asked for now.
    #[must_use]
    pub fn asked_to_latch(&self, now: Timestamp, saw: Probes, text: &str, route53: &Route53) -> AskedToLatch {
        let Ok(Latch { incident, .. }) = Latch::parse(text) else {
            return AskedToLatch { incident: None, against: Some(format!("{text} is no latch")) };
        };
        let against = self.against_latch(now, saw, &incident, route53);
        AskedToLatch { incident: Some(incident), against }
    }

    fn against_latch(&self, now: Timestamp, saw: Probes, incident: &Incident, route53: &Route53) -> Option<String> {
        if self.is_shadow() {
            return Some("shadow mode".to_owned());
        }
        if !self.rang.contains(incident) && incident.as_declared_alarm().is_none() {
            return Some(format!("no alarm of ours rang at {incident}"));
        }
        let is_begun = self.pins.keys().any(|(_, _, pinned_in)| pinned_in == incident);
        let on_switch = self.names.iter().filter(|name| name.is_on_switch(self.plan.switch.as_ref(), route53));
        let mut against = on_switch.map(|watched| {
            let is_off = watched.is_off_everywhere(route53);
            if let Some(since) = watched.off_since.filter(|since| is_off && now.duration_since(*since) > SEEN) {
                return Some(format!("{} is held since {since}", watched.name));
            }
            let Some(Register::Armed { since, by, .. }) = watched.register(&route53.records(&watched.zone)) else {
                return None;
            };
            if incident.began <= since && by == ArmedBy::Failback {
                return Some(format!("{} was failed back after {incident}", watched.name));
            }
            // What was armed while somebody looked was not armed for them.
            let is_new = now.duration_since(since) <= SEEN;
            let held_back = self.held_back(saw, since, by, incident).into_iter();
            let mut held_back =
                held_back.filter(|(is_so, rule, _)| *is_so && !is_begun && !is_new && !self.is_lifted(*rule, incident));
            held_back.next().map(|(_, rule, why)| format!("{}, despite {rule}: {why}", watched.name))
        });
        against.find_map(|against| against)
    }

    /// The store took the commit.
    pub fn latched(&mut self, now: Timestamp, asked: &AskedToLatch) {
        if let Some(what) = &asked.against {
            self.accuse(now, Property::LatchedUndecided, what.clone());
        }
        self.latched.incident.clone_from(&asked.incident);
    }

    /// A person lifted the latch.
    pub fn lifted(&mut self) {
        self.latched = Latched::default();
    }

    /// True if a failover is committed for this incident, in which every other name follows.
    pub(super) fn is_latched_for(&self, incident: &Incident) -> bool {
        self.latched.incident.as_ref() == Some(incident)
    }

    /// True if any user may be sent to the primary now, whatever the records say of a pin.
    pub(super) fn may_be_led_home(
        watched: &Watched,
        switch: Option<&String>,
        route53: &Route53,
        shows: &[Checks],
    ) -> bool {
        let is_away = !shows.is_empty()
            && shows.iter().all(|checks| !checks.is_primary())
            && watched.is_on_switch(switch, route53)
            && watched.has_dr_behind(route53);
        let is_pinned = watched.primaries.iter().all(|primary| primary.is_published_on_dr(route53, &watched.zone));
        !is_away && !is_pinned
    }

    /// Name servers show this from now on.
    pub(super) fn switch_shows(&mut self, now: Timestamp, route53: &Route53, shows: &[Checks]) {
        self.names.iter_mut().for_each(|watched| watched.note_whether_off(now, route53));
        if !shows.is_empty() && shows.iter().all(|checks| checks.is_latched() && !checks.is_primary()) {
            self.latched.shown = self.latched.shown.or(Some(now));
            self.latched.stands = true;
            return;
        }
        self.latched.shown = None;
        let switch = self.plan.switch.as_ref();
        let is_led_home = |watched: &&Watched| {
            watched.is_on_switch(switch, route53) && Self::may_be_led_home(watched, switch, route53, shows)
        };
        let back = self.names.iter().find(is_led_home).map(|watched| watched.name.to_string());
        if let Some(name) = back.filter(|_| self.latched.stands) {
            self.accuse(now, Property::LatchedWentBack, format!("{name} leads back to the primary: {shows:?}"));
        }
    }

    /// Why the latch does not keep this name's clients from the primary for good by now; nothing if it does.
    pub(super) fn not_by_latch(&self, now: Timestamp, watched: &Watched, route53: &Route53) -> Option<String> {
        let Watched { name, .. } = watched;
        let shown = self.plan.latch.as_ref().and_then(|latch| latch.shown.as_ref());
        let Some((shown, since)) = shown.zip(self.latched.shown) else {
            return Some("not every name server shows the latch".to_owned());
        };
        if !watched.is_on_switch(self.plan.switch.as_ref(), route53) || !watched.has_dr_behind(route53) {
            return Some(format!("the latch does not move {name} to DR"));
        }
        let waits = seconds(self.plan.limits.drain_seconds + shown.margin_seconds);
        let is_pinned =
            watched.register(&route53.records(&watched.zone)).is_some_and(|register| register.pin().is_some());
        watched.primaries.iter().find_map(|primary| {
            let ttl = seconds(primary.published_ttl_seconds(route53, &watched.zone));
            // Where a person undid a pin after its clients had gone, the latch goes on where the pin left off.
            let led_until = primary.led_until.unwrap_or(since);
            let until = if is_pinned { led_until + waits } else { (since + ttl + waits).max(led_until) };
            (now < until).then(|| format!("{name} {} waits for the latch until {until}", primary.original.kind))
        })
    }
}
