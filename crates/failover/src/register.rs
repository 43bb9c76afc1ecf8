//! The register: one TXT record a protected name, which says what state the name is in.
//!
//! Its text is versioned (`v=1 armed since=…`) and carries the time at which the state began, so that a batch which arrives late does not
//! match a state that came back. What cannot be read is an error, never a guess.

mod evidence;
mod memory;
mod pin;
mod reading;
pub(crate) mod text;

use jiff::Timestamp;

pub use evidence::Evidence;

use crate::name::Name;
use crate::record::{RecordSet, Routing, Target};
pub use memory::{Memory, Ttl};
pub use pin::Pin;
pub use reading::Reading;

/// The TTL of a register's TXT record, in seconds.
pub const REGISTER_TTL_SECONDS: u32 = 60;

/// A TXT value is strings of at most 255 characters, 4,000 together (Route 53 developer guide, "TXT record type").
const STRING_BYTES_MAX: usize = 255;
const VALUE_BYTES_MAX: usize = 4_000;

/// How many times Holdfast pins again, within an incident, what someone undid.
pub const REPINS_MAX: u8 = 2;

/// The state of one protected name. Absence of the record means never armed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Register {
    /// A person switched Holdfast off for this name.
    Disarmed {
        /// When.
        at: Timestamp,
        /// Who.
        by: String,
        /// What is to be known of the time before.
        memory: Memory,
    },
    /// Will act.
    Armed {
        /// Since when.
        since: Timestamp,
        /// What armed it.
        by: ArmedBy,
        /// When Route 53 last took a batch of the pin's shape, if it ever did.
        rehearsed: Option<Timestamp>,
        /// What is to be known of the time before.
        memory: Memory,
    },
    /// Maintenance: nothing acts until it ends by itself.
    Paused {
        /// When it began.
        at: Timestamp,
        /// When it ends.
        until: Timestamp,
        /// Who began it.
        by: String,
        /// What is to be known of the time before.
        memory: Memory,
    },
    /// Committed to DR; databases not all promoted yet.
    Pinned {
        /// What was committed.
        pin: Pin,
        /// How far the pin has spread.
        spread: Spread,
    },
    /// Committed to DR, and every database is promoted.
    FailedOver {
        /// When the last database was seen promoted.
        at: Timestamp,
        /// What was committed.
        pin: Pin,
    },
}

/// What armed a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ArmedBy {
    /// The tick, after the settle time.
    Settling,
    /// A person.
    Operator,
    /// The end of a maintenance.
    MaintenanceEnd,
    /// A failback; the cool-down runs.
    Failback,
    /// A person's rejection of the incident that was under way.
    Rejection,
}

/// How far a pin has spread over Route 53's name servers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Spread {
    /// Written; the id of the change is not on record yet.
    Unrecorded {
        /// When it was written, which tells one writing from the next.
        at: Timestamp,
    },
    /// The change that carries the pin, to be asked for.
    Change {
        /// Change id, without `/change/`.
        id: String,
    },
    /// Every name server answers with DR.
    InSync {
        /// When that was seen.
        at: Timestamp,
    },
}

impl Spread {
    /// True unless the change that carries the pin is yet to be put on record.
    #[must_use]
    pub fn is_on_record(&self) -> bool {
        !matches!(self, Self::Unrecorded { .. })
    }
}

/// Why a register cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RegisterError {
    /// Not one TXT value, or not simple routing.
    #[error("the register of {0} is not one simple TXT value; remove what was added to it by hand")]
    Shape(Name),
    /// A newer Holdfast wrote it, or someone else did.
    #[error("the register says {0:?}, which this version of Holdfast does not know; deploy the version that wrote it")]
    Version(String),
    /// A field is missing or unreadable.
    #[error("the register's field {field} is missing or unreadable in {text:?}; restore the record from its history")]
    Field {
        /// Which field.
        field: &'static str,
        /// The whole text.
        text: String,
    },
    /// The originals do not fit into one TXT value.
    #[error(
        "what the PRIMARY records of {0} say does not fit into a register ({VALUE_BYTES_MAX} characters); protect fewer values"
    )]
    TooLong(Name),
    /// The register's own name would be longer than DNS allows.
    #[error("{0} is so long that its register cannot be named; protect a name of at most 243 characters")]
    NameTooLong(Name),
}

impl Register {
    /// The commitment, if there is one.
    #[must_use]
    pub fn pin(&self) -> Option<&Pin> {
        match self {
            Self::Pinned { pin, .. } | Self::FailedOver { pin, .. } => Some(pin),
            Self::Disarmed { .. } | Self::Armed { .. } | Self::Paused { .. } => None,
        }
    }

    /// The TXT record set that says this of `name`.
    ///
    /// # Errors
    /// If it does not fit into a TXT value, or the name leaves no room for the register's.
    pub fn record_set(&self, name: &Name) -> Result<RecordSet, RegisterError> {
        let register_name = name.register();
        if register_name.as_str().parse::<Name>().is_err() {
            return Err(RegisterError::NameTooLong(name.clone()));
        }
        let value = quote(&self.to_string());
        if value.len() > VALUE_BYTES_MAX {
            return Err(RegisterError::TooLong(name.clone()));
        }
        Ok(RecordSet {
            name: register_name,
            kind: "TXT".to_owned(),
            routing: Routing::Simple,
            target: Target::Values { ttl_seconds: REGISTER_TTL_SECONDS, values: vec![value] },
            health_check: None,
        })
    }
}

/// The text as a TXT value: quoted strings of at most 255 characters. The text is plain ASCII without quote or
/// backslash, since everything else is percent-encoded, so it may be cut anywhere.
fn quote(text: &str) -> String {
    let strings: Vec<_> = text.as_bytes().chunks(STRING_BYTES_MAX).map(String::from_utf8_lossy).collect();
    format!("\"{}\"", strings.join("\" \""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{alias, app, at, values};
    use crate::incident::Incident;
    use crate::plan::ReplicaId;
    use crate::record::Digest;

    /// A register as an older version wrote it is one without what came since.
    fn memory() -> Memory {
        let ttl = Some(Ttl { seconds: 60, longer: Some((86_400, at(-60))) });
        Memory { failed_back: Some(at(-600)), ttl }
    }

    fn pin() -> Pin {
        let original = [
            ("A".to_owned(), values(60, &["192.0.2.1", "192.0.2.2"])),
            ("AAAA".to_owned(), alias("\\052.p.elb, \"odd\"; 100% ü")),
        ];
        let incident = Incident { alarm: "failover, started".to_owned(), began: at(-60) };
        Pin {
            repins: 1,
            home: [Digest::of("192.0.2.1"), Digest::of("192.0.2.2")].into(),
            dr: [("A".to_owned(), Digest::of("x")), ("AAAA".to_owned(), Digest::of("y"))].into(),
            ttl_seconds: Some(3_600),
            ..Pin::new(at(0), incident, original.into())
        }
    }

    fn with_evidence() -> Pin {
        let cluster = |id: &str| ReplicaId::AuroraCluster(id.to_owned());
        let instance = |id: &str| ReplicaId::RdsInstance(id.to_owned());
        let evidence = Evidence {
            replicas: [cluster("app-dr"), instance("app-dr"), instance("odd, =;\" name")].into(),
            accepted: [instance("orders-dr")].into(),
        };
        Pin { evidence, ..pin() }
    }

    fn all_states() -> Vec<Register> {
        let pinned = |spread| Register::Pinned { pin: pin(), spread };
        let mut states = vec![
            Register::disarmed(at(1), "Kim, on call".to_owned()),
            Register::paused(at(1), at(2), "arn:aws:iam::1:user/kim".to_owned()),
            pinned(Spread::Unrecorded { at: at(3) }),
            pinned(Spread::Change { id: "C1".to_owned() }),
            pinned(Spread::InSync { at: at(4) }),
            Register::FailedOver { at: at(5), pin: pin() },
            Register::FailedOver { at: at(5), pin: with_evidence() },
            Register::Pinned { pin: with_evidence(), spread: Spread::InSync { at: at(4) } },
        ];
        states.extend(ArmedBy::NAMES.map(|(by, _)| Register::armed(at(6), by)));
        states.push(Register::Armed { since: at(6), by: ArmedBy::Settling, rehearsed: Some(at(7)), memory: memory() });
        let remembering: Vec<_> = states.iter().map(|state| state.clone().remembering(memory())).collect();
        states.extend(remembering);
        states.push(Register::FailedOver { at: at(5), pin: Pin::new(at(0), pin().incident, pin().original) });
        states
    }

    #[test]
    fn every_state_survives_being_written_to_route_53_and_read_back() {
        for register in all_states() {
            let set = register.record_set(&app()).unwrap();
            let reading = Reading::of_name(&app(), std::slice::from_ref(&set));
            assert_eq!(reading, Reading::Known { set, register });
        }
    }

    #[test]
    fn what_older_versions_wrote_is_read_as_not_knowing_the_rest() {
        let armed = Register::parse("v=1 armed since=2026-01-01T12:00:00Z by=settling");
        assert_eq!(armed, Ok(Register::armed(at(0), ArmedBy::Settling)));
        let pinned = "v=1 pinned at=2026-01-01T12:00:00Z change=C1 incident=a%402026-01-01T11:59:00Z repins=1 original=A,values,60,192.0.2.1";
        let Ok(Register::Pinned { pin, .. }) = Register::parse(pinned) else { panic!("it is not read") };
        assert_eq!((pin.home.len(), pin.dr.len(), pin.ttl_seconds, pin.drain_ttl_seconds()), (0, 0, None, 60));
    }

    /// `written/VERSION.txt` has every form that a released version writes, for ever: docs/deploying.md promises to read them. A new form belongs to a
    /// new version, and `HOLDFAST_WRITE_PAGES=1 cargo test -p failover registers` writes that one's file.
    #[test]
    fn registers_of_every_released_version_are_read_and_this_versions_are_on_record() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/register/written");
        let of_this = folder.join(concat!(env!("CARGO_PKG_VERSION"), ".txt"));
        let forms: String = all_states().iter().map(|register| format!("{register}\n")).collect();
        if std::env::var_os("HOLDFAST_WRITE_PAGES").is_some() {
            std::fs::write(&of_this, &forms).unwrap();
        }
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for line in text.lines() {
                let read = Register::parse(line).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(read.to_string(), line, "nothing of it is lost");
            }
        }
        assert!(
            std::fs::read_to_string(of_this).unwrap_or_default() == forms,
            "this version writes other forms:\n{forms}"
        );
    }

    #[test]
    fn a_further_field_of_a_newer_version_is_passed_over() {
        let armed = Register::parse("v=1 armed since=2026-01-01T12:00:00Z by=settling mood=good");
        assert_eq!(armed, Ok(Register::armed(at(0), ArmedBy::Settling)));
    }

    #[test]
    fn a_long_text_is_cut_into_strings_that_txt_allows() {
        let many: Vec<_> = (0..60).map(|n| format!("198.51.100.{n}")).collect();
        let target = Target::Values { ttl_seconds: 60, values: many };
        let long = Pin { original: [("A".to_owned(), target)].into(), ..pin() };
        let register = Register::FailedOver { at: at(0), pin: long };
        let set = register.record_set(&app()).unwrap();
        let Target::Values { values, .. } = &set.target else { panic!("a TXT record has values") };
        assert!(values[0].split("\" \"").count() > 2);
        assert!(values[0].split("\" \"").all(|s| s.trim_matches('"').len() <= STRING_BYTES_MAX));
        assert_eq!(Reading::of_name(&app(), &[set]).register(), Some(&register));
    }

    #[test]
    fn originals_that_do_not_fit_are_refused_rather_than_cut() {
        let many: Vec<_> = (0..400).map(|n| format!("203.0.113.{n}")).collect();
        let target = Target::Values { ttl_seconds: 60, values: many };
        let huge = Pin { original: [("A".to_owned(), target)].into(), ..pin() };
        let register = Register::Pinned { pin: huge, spread: Spread::InSync { at: at(0) } };
        assert_eq!(register.record_set(&app()), Err(RegisterError::TooLong(app())));
    }

    #[test]
    fn what_is_not_understood_is_never_guessed() {
        for bad in [
            "",
            "hello",
            "v=2 armed since=2026-01-01T12:00:00Z by=operator",
            "v=1 asleep",
            "v=1 armed since=yesterday by=operator",
            "v=1 armed since=2026-01-01T12:00:00Z by=magic",
            "v=1 armed since=2026-01-01T12:00:00Z by=operator rehearsed=often",
            "v=1 armed since=2026-01-01T12:00:00Z since=2026-01-01T12:00:00Z by=operator",
            "v=1 pinned at=2026-01-01T12:00:00Z incident=a@2026-01-01T12:00:00Z repins=0 original=A,values,60,192.0.2.1",
            "v=1 pinned at=2026-01-01T12:00:00Z change=C1 incident=a@2026-01-01T12:00:00Z repins=0 original=A,values,60",
            "v=1 pinned at=2026-01-01T12:00:00Z change=C1 incident=a@2026-01-01T12:00:00Z repins=0 original=A,other,Z9,p.elb,true",
            "v=1 failed-over at=2026-01-01T12:00:00Z pinned=2026-01-01T12:00:00Z incident=a@2026-01-01T12:00:00Z repins=0 original=A,values,60,192.0.2.1 replicas=app-dr",
            "v=1 failed-over at=2026-01-01T12:00:00Z pinned=2026-01-01T12:00:00Z incident=a@2026-01-01T12:00:00Z repins=0 original=A,values,60,192.0.2.1 replicas=",
        ] {
            assert!(Register::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_register_of_before_there_was_evidence_has_none() {
        let text = "v=1 pinned at=2026-01-01T12:00:00Z in-sync=2026-01-01T12:01:00Z incident=a@2026-01-01T12:00:00Z repins=0 original=A,values,60,192.0.2.1";
        let register = Register::parse(text).unwrap();
        assert!(register.pin().unwrap().evidence.is_empty());
        assert_eq!(register.to_string(), text);
    }

    #[test]
    fn a_register_that_someone_added_a_value_to_is_unreadable() {
        let mut set = Register::armed(at(0), ArmedBy::Operator).record_set(&app()).unwrap();
        if let Target::Values { values, .. } = &mut set.target {
            values.push("\"note to self\"".to_owned());
        }
        assert_eq!(Reading::of_name(&app(), &[set]), Reading::Unreadable(RegisterError::Shape(app())));
    }
}
