//! What is wrong with what replicas hear of their sources. Only databases that are real hear of it (`crate::servers`); regions that
//! are down or cut apart befall simulated ones too.

use super::{Faults, pair};

/// What is wrong with replication between two regions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFault {
    /// It carries no more than so much, in a second of lab time.
    pub bytes_per_second: Option<u32>,
    /// It carries nothing, and nobody is told.
    pub is_silent: bool,
    /// Who connects is sent away.
    pub is_refused: bool,
}

impl LinkFault {
    pub(super) fn in_words(self) -> String {
        let slow = self.bytes_per_second.map(|rate| format!("replication at {rate} bytes a second"));
        let silent = self.is_silent.then(|| "replication is silent".to_owned());
        let refused = self.is_refused.then(|| "replication is refused".to_owned());
        let words: Vec<_> = slow.into_iter().chain(silent).chain(refused).collect();
        words.join(", ")
    }
}

impl Faults {
    /// Puts replication between two regions in a state; the default is a whole one.
    pub fn set_link(&self, one: &str, other: &str, fault: LinkFault) {
        self.change(|state| {
            match fault == LinkFault::default() {
                true => state.links.remove(&pair(one, other)),
                false => state.links.insert(pair(one, other), fault),
            };
            true
        });
    }

    /// Resets every connection of replication between two regions, once.
    pub fn cut_link(&self, one: &str, other: &str) {
        self.change(|state| {
            *state.cuts.entry(pair(one, other)).or_default() += 1;
            true
        });
    }

    pub(crate) fn of_link(&self, one: &str, other: &str) -> Option<LinkFault> {
        self.state().links.get(&pair(one, other)).copied()
    }

    /// How often it was cut so far.
    pub(crate) fn link_cuts(&self, one: &str, other: &str) -> u64 {
        self.state().cuts.get(&pair(one, other)).copied().unwrap_or_default()
    }

    /// Waits until it is cut once more.
    pub(crate) async fn until_link_cut(&self, one: &str, other: &str, cuts: u64) {
        self.until(|| self.link_cuts(one, other) > cuts).await;
    }
}
