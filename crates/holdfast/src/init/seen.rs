//! What was seen of an account.

use aws::CallError;
use aws::survey::{Balancer, HealthCheck, HostedZone, Listed, Quota};
use aws::watch::OwnAlarm;
use failover::name::Name;
use failover::observation::Probe;
use failover::plan::{Mode, ReplicaId};
use failover::promotion::ReplicaView;
use failover::record::RecordSet;
use jiff::Timestamp;

use super::second::Second;
use crate::readiness::{KeepAlive, Zone};

/// What was seen, and what could not be: a failed look is no empty answer.
#[derive(Debug)]
pub struct Seen {
    /// The DR region.
    pub dr_region: String,
    /// The primary region, and how it is known.
    pub primary: Option<(String, String)>,
    /// The hosted zone.
    pub zone: HostedZone,
    /// Its record sets.
    pub sets: Vec<RecordSet>,
    /// What it does to whoever changes it.
    pub guards: Zone,
    /// The second zone, if there is to be one.
    pub second: Option<Second>,
    /// The account's other public zones, which nobody looked at.
    pub other_zones: Vec<HostedZone>,
    /// The account's health checks.
    pub checks: Result<Vec<HealthCheck>, CallError>,
    /// How many of them there may be.
    pub check_quota: Result<Quota, CallError>,
    /// How many record sets the zone may have.
    pub record_quota: Result<Quota, CallError>,
    /// Databases in DR.
    pub dr_databases: Result<Vec<Listed>, CallError>,
    /// Databases in the primary region, if that is known.
    pub primary_databases: Option<Result<Vec<Listed>, CallError>>,
    /// What may be promoted, and its lag.
    pub replicas: Vec<ReplicaView>,
    /// Those of them whose lag could not be looked at.
    pub lag_unknown: Vec<(ReplicaId, CallError)>,
    /// DR's load balancers.
    pub dr_balancers: Result<Vec<Balancer>, CallError>,
    /// For how long the primary's load balancers let clients keep a connection.
    pub keep_alives: Vec<KeepAlive>,
    /// Alarms in DR that bear the stack's name.
    pub alarms: Result<Vec<OwnAlarm>, CallError>,
    /// The stack that is there already, if one is.
    pub deployed: Result<Option<Deployed>, CallError>,
    /// When, by AWS's time.
    pub now: Timestamp,
}

/// A stack of that bus, deployed before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    /// The failover health check of its plan.
    pub health_check: Option<String>,
    /// Its switch.
    pub switch: Option<String>,
    /// Its mode; none if its plan cannot be read.
    pub mode: Option<Mode>,
    /// By which URL it asks each site.
    pub probes: [Option<String>; 2],
}

impl Seen {
    /// The failover health check, once there is one.
    #[must_use]
    pub fn health_check(&self) -> Option<&str> {
        self.deployed.as_ref().ok()?.as_ref()?.health_check.as_deref()
    }
}

/// What is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The names to protect.
    pub names: Vec<Name>,
    /// Whether these are all names of the zone that have pairs.
    pub every_pair: bool,
    /// Name of the bus.
    pub bus: String,
    /// Who is told.
    pub email: Option<String>,
    /// A probe of each site, and what was heard.
    pub probes: [Tried; 2],
}

/// A probe URL, and what was heard from here when it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// The URL; none where none is known.
    pub url: Option<String>,
    /// Whose it is.
    pub from: Origin,
    /// What was heard.
    pub heard: Probe,
}

/// How a probe URL is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// It was derived from the endpoint and the records.
    #[default]
    Records,
    /// The stack that is there asks it.
    Stack,
    /// A person gave it.
    Person,
}

impl Tried {
    /// The URL that is to be set: a person's and the stack's whatever it said, one of ours if it answered.
    #[must_use]
    pub fn to_set(&self) -> Option<&str> {
        let is_good = self.from != Origin::Records || self.heard == Probe::Answers;
        self.url.as_deref().filter(|_| is_good)
    }
}

#[cfg(test)]
mod tests {
    use failover::observation::Silence;

    use super::*;

    #[test]
    fn a_url_that_somebody_chose_stands_whatever_it_says_and_one_of_ours_once_it_answers() {
        let set = |from, heard| Tried { url: Some("https://p/".to_owned()), from, heard }.to_set().is_some();
        for from in [Origin::Stack, Origin::Person] {
            assert!(set(from, Probe::Silent(Silence::TimedOut)) && set(from, Probe::Answers), "{from:?}");
        }
        assert!(!set(Origin::Records, Probe::Silent(Silence::TimedOut)) && set(Origin::Records, Probe::Answers));
    }
}
