//! What a drill makes: one throw-away name, a failover pair of documentation addresses, and whatever register the rules give it.

use aws::CallError;
use aws::route53::{HealthCheckWriter, RecordWriter, Writer};
use failover::change::{Batch, Change, Write};
use failover::name::{DRILL_LABEL, Name, NameError};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::Register;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// When the drill began, so that a leftover says how old it is.
const BEGAN: &str = "%Y%m%dt%H%M%Sz";

/// Addresses for documentation (RFC 5737): they lead nowhere.
pub const PRIMARY: &str = "192.0.2.1";
pub const DR: &str = "198.51.100.1";
/// Short, since a drill waits until clients have drained. There are none.
const TTL_SECONDS: u32 = 10;

/// A throw-away name in a zone.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Hosted zone id.
    pub zone: String,
    /// The name.
    pub name: Name,
    /// The health check that its PRIMARY record refers to: that of production's, which is not changed by it.
    pub check: String,
}

impl Canary {
    /// A name for a drill that begins now; `nonce` tells it from another that begins in the same second.
    pub fn new(zone: &str, domain: &str, check: &str, now: Timestamp, nonce: u32) -> Result<Self, NameError> {
        let domain = domain.trim_end_matches('.');
        let name = format!("{DRILL_LABEL}{}-{nonce:08x}.{domain}", now.strftime(BEGAN)).parse()?;
        Ok(Self { zone: zone.to_owned(), name, check: check.to_owned() })
    }

    /// Its failover pair.
    pub fn records(&self) -> [RecordSet; 2] {
        let record = |role, health_check, value: &str| RecordSet {
            name: self.name.clone(),
            kind: "A".to_owned(),
            routing: Routing::Failover { role, set_identifier: identifier(role) },
            target: Target::Values { ttl_seconds: TTL_SECONDS, values: vec![value.to_owned()] },
            health_check,
        };
        [record(Role::Primary, Some(self.check.clone()), PRIMARY), record(Role::Secondary, None, DR)]
    }

    /// True if the batch writes this name and its register, and nothing else.
    fn is_whole_of(&self, batch: &Batch) -> bool {
        let own = [self.name.clone(), self.name.register()];
        let is_own = |change: &Change| match change {
            Change::Delete(set) | Change::Create(set) => own.contains(&set.name),
        };
        batch.zone == self.zone && batch.changes().all(is_own)
    }

    /// The batch that makes the pair; Route 53 refuses it whole if the name has any of it already.
    pub fn creation(&self, now: Timestamp) -> Batch {
        batch(&self.zone, &self.name, self.records().map(Change::Create).to_vec(), now)
    }
}

/// The batch that removes what was seen of a drill, exactly so, or nothing.
pub fn deletion(zone: &str, name: &Name, seen: Vec<RecordSet>, now: Timestamp) -> Batch {
    batch(zone, name, seen.into_iter().map(Change::Delete).collect(), now)
}

/// The register is a form that every write has; of these nothing is written but the changes.
fn batch(zone: &str, name: &Name, changes: Vec<Change>, now: Timestamp) -> Batch {
    let register = Register::disarmed(now, String::new());
    Batch {
        zone: zone.to_owned(),
        writes: vec![Write { zone: zone.to_owned(), name: name.clone(), register, changes }],
    }
}

fn identifier(role: Role) -> String {
    format!("holdfast-drill-{}", role.to_string().to_lowercase())
}

/// When the drill began whose name this is, in the zone of this domain; none if it is no drill's.
pub fn began(name: &Name, domain: &str) -> Option<Timestamp> {
    let label = name.as_str().strip_suffix(&domain.trim_end_matches('.').to_lowercase())?.strip_suffix('.')?;
    let (began, nonce) = label.strip_prefix(DRILL_LABEL)?.split_once('-')?;
    u32::from_str_radix(nonce, 16).ok()?;
    let civil = DateTime::strptime(BEGAN, began).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The drill's name that a record is of: the name itself, or its register's.
pub fn concerned(set: &RecordSet) -> Name {
    set.name.protected_by_register().unwrap_or_else(|| set.name.clone())
}

/// True if a drill of this name, or the rules in it, made the record: whatever people put beside it is theirs.
pub fn is_ours(set: &RecordSet, name: &Name) -> bool {
    let own = [Role::Primary, Role::Secondary];
    let is_half = own.iter().any(
        |role| matches!(&set.routing, Routing::Failover { role: of, set_identifier } if of == role && *set_identifier == identifier(*role)),
    );
    let is_pair = set.name == *name && set.kind == "A" && is_half;
    let says_a_state =
        matches!(&set.target, Target::Values { values, .. } if values.iter().all(|it| it.starts_with("\"v=1 ")));
    is_pair || (set.name == name.register() && set.kind == "TXT" && says_a_state)
}

/// Writes one drill's name and its register, and can write nothing else.
#[derive(Debug)]
pub struct Confined<'a> {
    canary: &'a Canary,
    writer: Writer,
}

impl<'a> Confined<'a> {
    pub fn new(canary: &'a Canary, writer: Writer) -> Self {
        Self { canary, writer }
    }
}

impl RecordWriter for Confined<'_> {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
        match self.canary.is_whole_of(batch) {
            true => self.writer.submit(batch).await,
            false => Err(CallError::NeverSent {
                call: "ChangeResourceRecordSets",
                why: format!("a drill writes {} and its register, and nothing else", self.canary.name),
            }),
        }
    }
}

impl HealthCheckWriter for Confined<'_> {
    async fn set_disabled(&self, _: &str, _: bool) -> Result<(), CallError> {
        let why = "a drill changes no health check".to_owned();
        Err(CallError::NeverSent { call: "UpdateHealthCheck", why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary() -> Canary {
        Canary::new("Z1", "Example.com.", "hc", "2026-11-30T01:26:50Z".parse().unwrap(), 31).unwrap()
    }

    #[test]
    fn a_drills_name_says_when_it_began_and_no_other_name_is_taken_for_one() {
        let canary = canary();
        assert_eq!(canary.name.as_str(), "holdfast-drill-20261130t012650z-0000001f.example.com");
        assert!(canary.name.is_drills());
        assert_eq!(began(&canary.name, "example.com."), Some("2026-11-30T01:26:50Z".parse().unwrap()));
        for other in [
            "holdfast-drill-app.example.com",
            "holdfast-drill-20261130t012650z.example.com",
            "holdfast-drill-20261130t012650z-app.example.com",
            "holdfast-drill-20261130t012650z-1f.shop.example.com",
            "x.holdfast-drill-20261130t012650z-1f.example.com",
            "holdfast-drill-20261130t012650z-1f.example.org",
            "app.example.com",
        ] {
            assert_eq!(began(&other.parse().unwrap(), "example.com"), None, "{other}");
        }
    }

    #[test]
    fn a_drills_writer_takes_its_own_name_and_no_other() {
        let canary = canary();
        let now = Timestamp::UNIX_EPOCH;
        assert!(canary.is_whole_of(&canary.creation(now)));
        let elsewhere = Batch { zone: "Z2".to_owned(), ..canary.creation(now) };
        let production: Name = "app.example.com".parse().unwrap();
        let another = Canary { name: production.clone(), ..canary.clone() };
        let mut both = canary.creation(now);
        both.writes.extend(another.creation(now).writes);
        let register = Register::disarmed(now, String::new()).record_set(&production).unwrap();
        for batch in [elsewhere, another.creation(now), both, deletion("Z1", &canary.name, vec![register], now)] {
            assert!(!canary.is_whole_of(&batch), "{batch:?}");
        }
    }

    #[test]
    fn what_people_put_beside_a_drills_records_is_theirs() {
        let canary = canary();
        let [primary, secondary] = canary.records();
        let register = Register::disarmed(Timestamp::UNIX_EPOCH, String::new()).record_set(&canary.name).unwrap();
        let made = [primary.clone(), secondary, register.clone()];
        assert!(made.iter().all(|set| is_ours(set, &canary.name) && concerned(set) == canary.name));
        let note = Target::Values { ttl_seconds: 60, values: vec!["\"note\"".to_owned()] };
        let beside = [
            RecordSet { routing: Routing::Simple, ..primary.clone() },
            RecordSet { kind: "AAAA".to_owned(), ..primary.clone() },
            RecordSet { name: "app.example.com".parse().unwrap(), ..primary },
            RecordSet { target: note, ..register },
        ];
        assert!(beside.iter().all(|set| !is_ours(set, &canary.name)));
    }
}
