//! Whether the primary is down, as the DR region can tell without any control plane: by what the zone's name servers say of Route 53's
//! own checkers, and by two requests of ours.
//!
//! A failover pair of TXT records stands on the endpoint's health check. Its PRIMARY says `up`, its SECONDARY `down`, so whoever asks the
//! zone's name servers hears the global checkers' verdict. That is data plane from end to end: us-east-1 may be dark.

use std::fmt;

use crate::probe::Probe;

/// What the pair's PRIMARY says.
const UP: &str = "up";
/// What its SECONDARY says.
const DOWN: &str = "down";

/// So many name servers must say `down`: one near location with an old view of the check must not be believed for ever. A zone that has
/// fewer servers needs all of them.
const SERVERS_NEEDED: usize = 3;
/// Never fewer, however few there are.
const SERVERS_LEAST: usize = 2;

/// What one name server says of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Route 53's checkers find it healthy.
    Up,
    /// They find it unhealthy.
    Down,
    /// Something that is not ours: no record, another text, several.
    Other(String),
    /// Nothing that counts as an answer, and why.
    NotHeard(String),
}

impl Said {
    /// What the TXT records of an authoritative answer say.
    #[must_use]
    pub fn by(records: &[String]) -> Self {
        match records {
            [one] if one == UP => Self::Up,
            [one] if one == DOWN => Self::Down,
            [] => Self::Other("no record".to_owned()),
            others => Self::Other(others.join(", ")),
        }
    }
}

/// All that the observer sees in one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// What each of the zone's name servers says; nothing if nobody knows which they are.
    pub servers: Vec<Said>,
    /// What the primary says to our own request.
    pub primary: Probe,
    /// What somebody else says who has nothing to do with the primary: without an answer, no request leaves here.
    pub reference: Probe,
}

/// What follows for the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is up.
    Up,
    /// It is down.
    Down,
    /// Nobody can tell. Absence is never evidence.
    NotKnown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::NotKnown => "not known",
        })
    }
}

/// A verdict, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What is published.
    pub verdict: Verdict,
    /// Whether an outage could be told from a request that never left; if not for minutes, people must know.
    pub could_tell: bool,
    /// Why, in words.
    pub because: String,
}

/// What a look says. The primary is down only if enough name servers say so, all that were heard agree, and its own silence is not ours.
#[must_use]
pub fn judge(seen: &Sighting) -> Judgement {
    let heard = Heard::of(&seen.servers);
    let (verdict, because) = match heard.together() {
        (Verdict::Down, told) => of_probes(seen, &told),
        settled => settled,
    };
    let obstacle = match verdict {
        // What would keep the next outage from being told is told in peace.
        Verdict::Up if heard.count() < heard.needed() => Some(heard.too_few()),
        Verdict::Up if seen.primary != Probe::NotAsked && !is_answered(seen.reference) => {
            Some(format!("the reference is not answered ({})", seen.reference))
        }
        _ => None,
    };
    let could_tell = verdict != Verdict::NotKnown && obstacle.is_none();
    let because = match obstacle {
        Some(obstacle) => format!("{because}; but an outage could not be told: {obstacle}"),
        None => because,
    };
    Judgement { verdict, could_tell, because }
}

/// What the name servers say together.
struct Heard<'a> {
    all: usize,
    ups: usize,
    downs: usize,
    other: Option<&'a str>,
    why_not: Option<&'a str>,
}

impl<'a> Heard<'a> {
    fn of(servers: &'a [Said]) -> Self {
        let count = |wanted: &Said| servers.iter().filter(|said| *said == wanted).count();
        let other = servers.iter().find_map(|said| match said {
            Said::Other(text) => Some(text.as_str()),
            _ => None,
        });
        let why_not = servers.iter().find_map(|said| match said {
            Said::NotHeard(why) => Some(why.as_str()),
            _ => None,
        });
        Self { all: servers.len(), ups: count(&Said::Up), downs: count(&Said::Down), other, why_not }
    }

    fn count(&self) -> usize {
        self.ups + self.downs
    }

    fn needed(&self) -> usize {
        SERVERS_NEEDED.min(self.all).max(SERVERS_LEAST)
    }

    fn too_few(&self) -> String {
        let why = self.why_not.or(self.other).unwrap_or("no more are known");
        format!("{} of {} name servers were heard, and {} are needed: {why}", self.count(), self.all, self.needed())
    }

    fn together(&self) -> (Verdict, String) {
        let Self { all, ups, downs, .. } = self;
        match self.other {
            _ if self.count() >= SERVERS_LEAST && *ups > 0 => {
                (Verdict::Up, format!("{ups} of {all} name servers say `{UP}`"))
            }
            Some(text) => (Verdict::NotKnown, format!("a name server answers what is not Holdfast's: {text}")),
            None if self.count() < self.needed() => (Verdict::NotKnown, self.too_few()),
            None => (Verdict::Down, format!("{downs} of {all} name servers say `{DOWN}`, and none `{UP}`")),
        }
    }
}

/// What our own requests say where the name servers say `down`.
fn of_probes(seen: &Sighting, told: &str) -> (Verdict, String) {
    let Sighting { primary, reference, .. } = *seen;
    match primary {
        Probe::NotAsked => (Verdict::Down, format!("{told}; the primary has no probe of ours")),
        // An answer of whatever kind shows that the request left.
        Probe::Unwell(_) => (Verdict::Down, format!("{told}; the primary is {primary}")),
        Probe::Silent(_) if is_answered(reference) => {
            (Verdict::Down, format!("{told}; the primary is {primary}, and the reference is answered"))
        }
        Probe::Silent(_) | Probe::NotSent(_) => (
            Verdict::NotKnown,
            format!(
                "{told}, but our own request may never have left: the primary is {primary}, the reference {reference}"
            ),
        ),
        Probe::Answers | Probe::Refused(_) | Probe::TlsFailed(_) | Probe::NotHttp => {
            (Verdict::NotKnown, format!("{told}, but the primary is there for Holdfast's own probe: {primary}"))
        }
    }
}

/// True if an answer in HTTP came back, of whatever kind.
fn is_answered(probe: Probe) -> bool {
    matches!(probe, Probe::Answers | Probe::Unwell(_) | Probe::Refused(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{Silence, TlsFault, Unsent};

    const SILENT: Probe = Probe::Silent(Silence::TimedOut);

    /// One letter a server: u up, d down, o something else, - not heard.
    fn servers(letters: &str) -> Vec<Said> {
        let said = |letter| match letter {
            'u' => Said::Up,
            'd' => Said::Down,
            'o' => Said::Other("v=spf1".to_owned()),
            _ => Said::NotHeard("no answer".to_owned()),
        };
        letters.chars().map(said).collect()
    }

    fn verdict(letters: &str, primary: Probe, reference: Probe) -> (Verdict, bool) {
        let judged = judge(&Sighting { servers: servers(letters), primary, reference });
        (judged.verdict, judged.could_tell)
    }

    #[test]
    fn down_takes_three_name_servers_of_one_mind_and_up_takes_one_of_two() {
        use Verdict::{Down, NotKnown, Up};
        for (letters, expected) in [
            ("uuuu", Up),
            ("dddd", Down),
            ("ddd-", Down),
            ("dd--", NotKnown),
            ("d---", NotKnown),
            ("----", NotKnown),
            ("dddu", Up),
            ("uu--", Up),
            ("ud--", Up),
            ("u---", NotKnown),
            ("dddo", NotKnown),
            ("oooo", NotKnown),
            ("oouu", Up),
            ("ooou", NotKnown),
            ("uuuo", Up),
            // A zone of another kind than Route 53's, which has four.
            ("uu", Up),
            ("u", NotKnown),
            ("ddd", Down),
            ("dd-", NotKnown),
            ("dd", Down),
            ("d-", NotKnown),
            ("d", NotKnown),
            ("", NotKnown),
        ] {
            assert_eq!(verdict(letters, SILENT, Probe::Answers).0, expected, "{letters}");
            assert_eq!(verdict(letters, Probe::NotAsked, Probe::NotAsked).0, expected, "{letters}, no probe");
        }
    }

    #[test]
    fn down_takes_the_primary_s_own_silence_too_and_a_request_that_left() {
        use Verdict::{Down, NotKnown};
        let nowhere = Probe::NotSent(Unsent::NoRoute);
        for (primary, reference, expected) in [
            (SILENT, Probe::Answers, Down),
            (SILENT, Probe::Refused(403), Down),
            (SILENT, Probe::Unwell(503), Down),
            (SILENT, SILENT, NotKnown),
            (SILENT, nowhere, NotKnown),
            (SILENT, Probe::NotAsked, NotKnown),
            (SILENT, Probe::TlsFailed(TlsFault::UnknownIssuer), NotKnown),
            (SILENT, Probe::NotHttp, NotKnown),
            (Probe::Unwell(503), Probe::Answers, Down),
            (Probe::Unwell(503), SILENT, Down),
            (Probe::Answers, Probe::Answers, NotKnown),
            (Probe::Refused(403), Probe::Answers, NotKnown),
            (Probe::TlsFailed(TlsFault::Expired), Probe::Answers, NotKnown),
            (Probe::NotHttp, Probe::Answers, NotKnown),
            (nowhere, Probe::Answers, NotKnown),
            (Probe::NotAsked, Probe::NotAsked, Down),
        ] {
            let known = expected != NotKnown;
            assert_eq!(verdict("dddd", primary, reference), (expected, known), "{primary}, reference {reference}");
        }
    }

    #[test]
    fn in_peace_name_servers_too_few_to_tell_an_outage_are_told() {
        for (letters, could_tell) in [("uuuu", true), ("uuu-", true), ("uuud", true), ("uu--", false), ("uuoo", false)]
        {
            assert_eq!(verdict(letters, Probe::Answers, Probe::Answers), (Verdict::Up, could_tell), "{letters}");
        }
        assert_eq!(verdict("u---", Probe::Answers, Probe::Answers), (Verdict::NotKnown, false));
    }

    /// A function in a network from which nothing leaves but DNS would see every outage as its own silence.
    #[test]
    fn in_peace_a_reference_that_never_answers_is_told_and_the_primary_is_up_all_the_same() {
        assert_eq!(verdict("uuuu", Probe::Answers, Probe::Answers), (Verdict::Up, true));
        assert_eq!(verdict("uuuu", Probe::Answers, SILENT), (Verdict::Up, false));
        assert_eq!(verdict("uuuu", Probe::NotAsked, SILENT), (Verdict::Up, true), "nobody needs it");
        let judged = judge(&Sighting { servers: servers("uuuu"), primary: SILENT, reference: SILENT });
        assert!(judged.because.contains("the reference is not answered (silent: no answer in time)"), "{judged:?}");
    }

    #[test]
    fn why_it_is_not_known_is_said() {
        for (letters, primary, words) in [
            ("dd--", SILENT, "2 of 4 name servers were heard, and 3 are needed: no answer"),
            ("", SILENT, "0 of 0 name servers were heard, and 2 are needed: no more are known"),
            ("dodd", SILENT, "what is not Holdfast's: v=spf1"),
            ("dddd", Probe::Answers, "the primary is there for Holdfast's own probe: answers"),
            ("dddd", SILENT, "may never have left: the primary is silent: no answer in time, the reference not asked"),
        ] {
            let judged = judge(&Sighting { servers: servers(letters), primary, reference: Probe::NotAsked });
            assert!(judged.because.contains(words), "{letters}: {}", judged.because);
        }
    }

    #[test]
    fn what_the_record_says_is_read_to_the_letter() {
        let said = |records: &[&str]| Said::by(&records.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!((said(&["up"]), said(&["down"])), (Said::Up, Said::Down));
        for other in [&["Up"][..], &["up", "down"], &["up", "up"], &[], &["up "]] {
            assert!(matches!(said(other), Said::Other(_)), "{other:?}");
        }
    }
}
