//! A register's text: `v=1 armed since=…`, written by `Display`, read by [`Register::parse`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{ArmedBy, Evidence, Memory, Pin, Register, RegisterError, Spread, Ttl};
use crate::plan::ReplicaId;
use crate::record::Target;

/// What stays as it is within a value; no quote, backslash, space, or delimiter of ours among it.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b':').remove(b'/').remove(b'@');

impl Register {
    /// Reads a register's text.
    ///
    /// # Errors
    /// If any of it is not understood.
    pub fn parse(text: &str) -> Result<Self, RegisterError> {
        let (state, fields) = Fields::of(text)?;
        match state {
            "disarmed" => {
                Ok(Self::Disarmed { at: fields.time("at")?, by: fields.text("by")?, memory: fields.memory()? })
            }
            "armed" => {
                let by = fields.text("by")?;
                let by = ArmedBy::NAMES.iter().find(|(_, name)| *name == by).ok_or_else(|| fields.error("by"))?.0;
                let rehearsed = fields.optional_time("rehearsed")?;
                Ok(Self::Armed { since: fields.time("since")?, by, rehearsed, memory: fields.memory()? })
            }
            "paused" => {
                let (at, until, by) = (fields.time("at")?, fields.time("until")?, fields.text("by")?);
                Ok(Self::Paused { at, until, by, memory: fields.memory()? })
            }
            "pinned" => Ok(Self::Pinned { pin: fields.pin("at")?, spread: fields.spread()? }),
            "failed-over" => Ok(Self::FailedOver { at: fields.time("at")?, pin: fields.pin("pinned")? }),
            _ => Err(RegisterError::Version(text.to_owned())),
        }
    }
}

impl ArmedBy {
    pub(super) const NAMES: [(Self, &'static str); 5] = [
        (Self::Settling, "settling"),
        (Self::Operator, "operator"),
        (Self::MaintenanceEnd, "maintenance-end"),
        (Self::Failback, "failback"),
        (Self::Rejection, "rejection"),
    ];
}

impl fmt::Display for ArmedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(by, _)| by == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disarmed { at, by, memory } => {
                write!(f, "v=1 disarmed at={at} by={}", encode(by))?;
                write_memory(f, memory)
            }
            Self::Armed { since, by, rehearsed, memory } => {
                write!(f, "v=1 armed since={since} by={by}")?;
                rehearsed.iter().try_for_each(|at| write!(f, " rehearsed={at}"))?;
                write_memory(f, memory)
            }
            Self::Paused { at, until, by, memory } => {
                write!(f, "v=1 paused at={at} until={until} by={}", encode(by))?;
                write_memory(f, memory)
            }
            Self::Pinned { pin, spread } => {
                write!(f, "v=1 pinned at={} ", pin.at)?;
                match spread {
                    Spread::Unrecorded { at } => write!(f, "written={at}")?,
                    Spread::Change { id } => write!(f, "change={}", encode(id))?,
                    Spread::InSync { at } => write!(f, "in-sync={at}")?,
                }
                write_pin(f, pin)
            }
            Self::FailedOver { at, pin } => {
                write!(f, "v=1 failed-over at={at} pinned={}", pin.at)?;
                write_pin(f, pin)
            }
        }
    }
}

fn write_memory(f: &mut fmt::Formatter<'_>, memory: &Memory) -> fmt::Result {
    if let Some(at) = memory.failed_back {
        write!(f, " failed-back={at}")?;
    }
    match &memory.ttl {
        Some(Ttl { seconds, longer: Some((longer, until)) }) => write!(f, " ttl={seconds},{longer},{until}"),
        Some(Ttl { seconds, longer: None }) => write!(f, " ttl={seconds}"),
        None => Ok(()),
    }
}

fn write_pin(f: &mut fmt::Formatter<'_>, pin: &Pin) -> fmt::Result {
    write!(f, " incident={} repins={} original=", encode(&pin.incident.to_string()), pin.repins)?;
    for (nth, (kind, target)) in pin.original.iter().enumerate() {
        let separator = if nth == 0 { "" } else { ";" };
        match target {
            Target::Values { ttl_seconds, values } => {
                write!(f, "{separator}{},values,{ttl_seconds}", encode(kind))?;
                values.iter().try_for_each(|value| write!(f, ",{}", encode(value)))?;
            }
            Target::Alias { zone, name, evaluate_health } => {
                write!(f, "{separator}{},alias,{},{},{evaluate_health}", encode(kind), encode(zone), encode(name))?;
            }
        }
    }
    write_evidence(f, &pin.evidence)?;
    for (nth, (kind, digest)) in pin.dr.iter().enumerate() {
        write!(f, "{}{},{digest}", if nth == 0 { " dr=" } else { ";" }, encode(kind))?;
    }
    for (nth, digest) in pin.home.iter().enumerate() {
        write!(f, "{}{digest}", if nth == 0 { " home=" } else { "," })?;
    }
    pin.ttl_seconds.map_or(Ok(()), |seconds| write!(f, " ttl={seconds}"))
}

pub(crate) fn write_evidence(f: &mut fmt::Formatter<'_>, evidence: &Evidence) -> fmt::Result {
    write_databases(f, REPLICAS, &evidence.replicas)?;
    write_databases(f, ACCEPTED, &evidence.accepted)
}

/// A field that is left out where there is nothing to say, so that a register without databases reads as it always did.
fn write_databases(f: &mut fmt::Formatter<'_>, field: &str, databases: &BTreeSet<ReplicaId>) -> fmt::Result {
    for (nth, database) in databases.iter().enumerate() {
        let separator = if nth == 0 { format!(" {field}=") } else { ",".to_owned() };
        match database {
            ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
                write!(f, "{separator}{CLUSTER}:{}", encode(id))?
            }
            ReplicaId::RdsInstance(id) => write!(f, "{separator}{INSTANCE}:{}", encode(id))?,
        }
    }
    Ok(())
}

/// The fields of [`Evidence`], and how a database is told from one of the other kind; as in RDS's ARNs.
const REPLICAS: &str = "replicas";
const ACCEPTED: &str = "accepted";
const CLUSTER: &str = "cluster";
const INSTANCE: &str = "db";

/// The `key=value` fields of a register's text.
pub(crate) struct Fields<'a> {
    text: &'a str,
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Fields<'a> {
    /// The state that a text names, and its fields.
    pub(crate) fn of(text: &'a str) -> Result<(&'a str, Self), RegisterError> {
        match text.split(' ').collect::<Vec<_>>().as_slice() {
            ["v=1", state, fields @ ..] => Ok((state, Self::read(text, fields)?)),
            _ => Err(RegisterError::Version(text.to_owned())),
        }
    }

    fn read(text: &'a str, fields: &[&'a str]) -> Result<Self, RegisterError> {
        let mut values = BTreeMap::new();
        for field in fields {
            let (key, value) = field.split_once('=').ok_or_else(|| RegisterError::Version(text.to_owned()))?;
            if values.insert(key, value).is_some() {
                return Err(RegisterError::Version(text.to_owned()));
            }
        }
        Ok(Self { text, values })
    }

    pub(crate) fn error(&self, field: &'static str) -> RegisterError {
        RegisterError::Field { field, text: self.text.to_owned() }
    }

    fn raw(&self, field: &'static str) -> Result<&'a str, RegisterError> {
        self.values.get(field).copied().ok_or_else(|| self.error(field))
    }

    pub(crate) fn text(&self, field: &'static str) -> Result<String, RegisterError> {
        decode(self.raw(field)?).ok_or_else(|| self.error(field))
    }

    pub(crate) fn time(&self, field: &'static str) -> Result<Timestamp, RegisterError> {
        self.raw(field)?.parse().map_err(|_| self.error(field))
    }

    pub(crate) fn optional_time(&self, field: &'static str) -> Result<Option<Timestamp>, RegisterError> {
        self.values.contains_key(field).then(|| self.time(field)).transpose()
    }

    pub(crate) fn evidence(&self) -> Result<Evidence, RegisterError> {
        Ok(Evidence { replicas: self.databases(REPLICAS)?, accepted: self.databases(ACCEPTED)? })
    }

    fn pin(&self, at: &'static str) -> Result<Pin, RegisterError> {
        Ok(Pin {
            at: self.time(at)?,
            incident: self.text("incident")?.parse().map_err(|_| self.error("incident"))?,
            repins: self.raw("repins")?.parse().map_err(|_| self.error("repins"))?,
            original: self.original().ok_or_else(|| self.error("original"))?,
            evidence: self.evidence()?,
            dr: self.optional("dr", ";", |entry| {
                let (kind, digest) = entry.split_once(',')?;
                Some((decode(kind)?, digest.parse().ok()?))
            })?,
            home: self.optional("home", ",", |digest| digest.parse().ok())?,
            ttl_seconds: self.optional::<_, Vec<_>>("ttl", ",", |seconds| seconds.parse().ok())?.pop(),
        })
    }

    /// Absent from registers that a Holdfast wrote which did not know the field: then nothing is known of any database.
    fn databases(&self, field: &'static str) -> Result<BTreeSet<ReplicaId>, RegisterError> {
        let Some(text) = self.values.get(field) else { return Ok(BTreeSet::new()) };
        let database = |entry: &str| {
            let (kind, id) = entry.split_once(':')?;
            let id = decode(id)?;
            match kind {
                CLUSTER => Some(ReplicaId::AuroraCluster(id)),
                INSTANCE => Some(ReplicaId::RdsInstance(id)),
                _ => None,
            }
        };
        text.split(',').map(database).collect::<Option<_>>().ok_or_else(|| self.error(field))
    }

    /// The entries of a field that older versions did not write.
    fn optional<T, C: FromIterator<T> + Default>(
        &self,
        field: &'static str,
        separator: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<C, RegisterError> {
        let Some(raw) = self.values.get(field) else { return Ok(C::default()) };
        raw.split(separator).map(read).collect::<Option<C>>().ok_or_else(|| self.error(field))
    }

    fn memory(&self) -> Result<Memory, RegisterError> {
        let failed_back = self.optional_time("failed-back")?;
        let ttl = |raw: &&str| match raw.split(',').collect::<Vec<_>>().as_slice() {
            [seconds] => Some(Ttl { seconds: seconds.parse().ok()?, longer: None }),
            [seconds, longer, until] => {
                Some(Ttl { seconds: seconds.parse().ok()?, longer: Some((longer.parse().ok()?, until.parse().ok()?)) })
            }
            _ => None,
        };
        let ttl = self.values.get("ttl").map(|raw| ttl(raw).ok_or_else(|| self.error("ttl"))).transpose()?;
        Ok(Memory { failed_back, ttl })
    }

    fn original(&self) -> Option<BTreeMap<String, Target>> {
        let mut original = BTreeMap::new();
        for entry in self.raw("original").ok()?.split(';') {
            let atoms = entry.split(',').map(decode).collect::<Option<Vec<_>>>()?;
            let (kind, target) = match atoms.as_slice() {
                [kind, form, ttl, values @ ..] if form == "values" && !values.is_empty() => {
                    (kind, Target::Values { ttl_seconds: ttl.parse().ok()?, values: values.to_vec() })
                }
                [kind, form, zone, name, evaluate] if form == "alias" => {
                    let evaluate_health = evaluate.parse().ok()?;
                    (kind, Target::Alias { zone: zone.clone(), name: name.clone(), evaluate_health })
                }
                _ => return None,
            };
            if original.insert(kind.clone(), target).is_some() {
                return None;
            }
        }
        Some(original)
    }

    fn spread(&self) -> Result<Spread, RegisterError> {
        let given = |field: &str| self.values.contains_key(field);
        match (given("written"), given("change"), given("in-sync")) {
            (true, false, false) => Ok(Spread::Unrecorded { at: self.time("written")? }),
            (false, true, false) => Ok(Spread::Change { id: self.text("change")? }),
            (false, false, true) => Ok(Spread::InSync { at: self.time("in-sync")? }),
            _ => Err(self.error("change")),
        }
    }
}

/// How many characters it takes in a register.
pub(crate) fn length(text: &str) -> usize {
    utf8_percent_encode(text, PLAIN).map(str::len).sum()
}

pub(crate) fn encode(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, PLAIN)
}

fn decode(text: &str) -> Option<String> {
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}
