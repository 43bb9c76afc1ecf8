//! What a register keeps from one state of a name to the next, so long as the name is not pinned.

use jiff::{SignedDuration, Timestamp};

use super::{ArmedBy, Register};

/// How late a change of a TTL may be noticed, and how long name servers may go on giving the old one out: the tick comes once
/// a minute, and a change is everywhere "generally within 60" seconds (Route 53, GetChange).
const NOTICED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// What is known of the time before. Whatever an older version did not write down is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// When the name was failed back, if it was: the cool-down counts from there, whoever arms it.
    pub failed_back: Option<Timestamp>,
    /// The longest TTL of the name's PRIMARY records.
    pub ttl: Option<Ttl>,
}

impl Register {
    /// Armed, and not rehearsed.
    #[must_use]
    pub fn armed(since: Timestamp, by: ArmedBy) -> Self {
        Self::Armed { since, by, rehearsed: None, memory: Memory::default() }
    }

    /// Does not act.
    #[must_use]
    pub fn disarmed(at: Timestamp, by: String) -> Self {
        Self::Disarmed { at, by, memory: Memory::default() }
    }

    /// Does not act for a while.
    #[must_use]
    pub fn paused(at: Timestamp, until: Timestamp, by: String) -> Self {
        Self::Paused { at, until, by, memory: Memory::default() }
    }

    /// The same, with this memory. What is pinned has none.
    #[must_use]
    pub fn remembering(mut self, known: Memory) -> Self {
        match &mut self {
            Self::Disarmed { memory, .. } | Self::Armed { memory, .. } | Self::Paused { memory, .. } => *memory = known,
            Self::Pinned { .. } | Self::FailedOver { .. } => {}
        }
        self
    }

    /// What is to be known of the time before; nothing of what is pinned.
    #[must_use]
    pub fn memory(&self) -> Memory {
        match self {
            Self::Disarmed { memory, .. } | Self::Armed { memory, .. } | Self::Paused { memory, .. } => memory.clone(),
            Self::Pinned { .. } | Self::FailedOver { .. } => Memory::default(),
        }
    }
}

/// A TTL, and the longer one that it replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ttl {
    /// What resolvers are given now, in seconds.
    pub seconds: u32,
    /// What they were given before, and when none of them has it any more.
    pub longer: Option<(u32, Timestamp)>,
}

impl Ttl {
    /// What is to be remembered where resolvers are given `seconds` now, if anything is to be put on record.
    #[must_use]
    pub fn seen(before: Option<Self>, seconds: u32, now: Timestamp) -> Option<Self> {
        let Some(before) = before else { return Some(Self { seconds, longer: None }) };
        let mut longer = before.longer.filter(|(_, until)| now < *until);
        if seconds < before.seconds {
            let gone = SignedDuration::from_secs(before.seconds.into()) + NOTICED_WITHIN;
            let until = now.checked_add(gone).unwrap_or(Timestamp::MAX);
            longer =
                Some(longer.map_or((before.seconds, until), |(known, at)| (known.max(before.seconds), at.max(until))));
        }
        let after = Self { seconds, longer };
        (after != before).then_some(after)
    }

    /// The longest TTL with which some resolver may still keep an answer.
    #[must_use]
    pub fn longest(&self, now: Timestamp) -> u32 {
        let longer = self.longer.filter(|(_, until)| now < *until).map(|(longer, _)| longer);
        self.seconds.max(longer.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    fn ttl(seconds: u32, longer: Option<(u32, i64)>) -> Ttl {
        Ttl { seconds, longer: longer.map(|(longer, until)| (longer, at(until))) }
    }

    #[test]
    fn a_ttl_that_was_lowered_counts_until_no_resolver_has_it_any_more() {
        for (story, before, seconds, after) in [
            ("the first is put on record", None, 60, Some(ttl(60, None))),
            ("the same is not written again", Some(ttl(60, None)), 60, None),
            ("a longer one counts at once", Some(ttl(60, None)), 3_600, Some(ttl(3_600, None))),
            ("a shorter one leaves the longer", Some(ttl(3_600, None)), 60, Some(ttl(60, Some((3_600, 3_900))))),
            ("which is not written again", Some(ttl(60, Some((3_600, 3_900)))), 60, None),
            (
                "lowered twice, the longer of them stays, for the later time",
                Some(ttl(3_600, Some((86_400, 90)))),
                60,
                Some(ttl(60, Some((86_400, 3_900)))),
            ),
            ("what is over is forgotten", Some(ttl(60, Some((3_600, 0)))), 60, Some(ttl(60, None))),
            ("and not a second before", Some(ttl(60, Some((3_600, 1)))), 60, None),
        ] {
            assert_eq!(Ttl::seen(before, seconds, at(0)), after, "{story}");
        }
    }

    #[test]
    fn of_two_ttls_the_longer_counts_while_it_lasts() {
        let lowered = ttl(60, Some((3_600, 100)));
        assert_eq!([lowered.longest(at(99)), lowered.longest(at(100))], [3_600, 60]);
        assert_eq!(ttl(7_200, Some((3_600, 100))).longest(at(0)), 7_200);
    }
}
