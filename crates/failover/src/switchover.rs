//! A planned switchover: when a replica provably has everything, and what is only in the old primary afterwards.

use crate::position::{OldOnly, Position, Proof, Written};

/// A primary and its replica, some seconds after a mark was made in the primary's log.
#[derive(Clone, Debug)]
pub struct Look {
    /// What the primary committed since the mark.
    pub written: Written,
    /// How many transactions there have changed rows and may still be committed.
    pub uncommitted: Result<u64, String>,
    /// Whether the replica has all that the primary has. It was asked before `written` was, so that nothing lies between.
    pub proof: Proof,
}

/// What a look comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was written since the mark, and the replica has everything.
    Complete {
        /// Up to there.
        at: Position,
    },
    /// Somebody still writes.
    Written(String),
    /// The replica has not come to the primary's position.
    CatchingUp(String),
    /// It is not known; waiting does not help.
    NotKnown(String),
}

impl Look {
    /// Decides what it comes to.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (&self.written, &self.uncommitted, &self.proof) {
            (Written::NotKnown { why }, ..) | (_, Err(why), _) | (.., Proof::NotKnown { why }) => {
                Standing::NotKnown(why.clone())
            }
            (Written::Transactions { count, changed }, ..) => {
                let changed: Vec<_> = changed.iter().map(String::as_str).collect();
                Standing::Written(format!("{count} transactions were committed ({})", changed.join(", ")))
            }
            (_, Ok(count @ 1..), _) => {
                Standing::Written(format!("{count} transactions have changed rows and are not committed yet"))
            }
            (.., Proof::Behind { at, missing }) => {
                let missing = missing.map_or(String::new(), |missing| format!(", {missing} transactions to go"));
                Standing::CatchingUp(format!("the replica has not come to {at}{missing}"))
            }
            (.., Proof::Everything { at }) => Standing::Complete { at: at.clone() },
            (.., Proof::NotAsked | Proof::Later) => Standing::NotKnown("nobody asked the replica".to_owned()),
        }
    }
}

/// What of users' data is in the old primary alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    Nothing,
    /// Transactions: how many, where they have numbers, and what is known of them.
    Transactions(Option<u64>, String),
    /// It is not known.
    NotKnown(String),
}

/// What is lost, by what the old primary committed since the mark at which the replica had everything, and by what the two hold against each
/// other. Without a mark (an interrupted run made it) only the latter says so.
#[must_use]
pub fn loss(since_mark: Option<&Written>, old_only: &OldOnly) -> Loss {
    match (since_mark, old_only) {
        // What the old primary has alone then is nobody's data.
        (Some(Written::Nothing), _) | (_, OldOnly::Nothing) => Loss::Nothing,
        (Some(Written::Transactions { changed, .. }), OldOnly::Transactions { count, .. }) => {
            let changed: Vec<_> = changed.iter().map(String::as_str).collect();
            Loss::Transactions(*count, changed.join(", "))
        }
        (_, OldOnly::Transactions { count, .. }) => {
            Loss::Transactions(*count, "the server's own writes, and a heartbeat's, among them".to_owned())
        }
        (_, OldOnly::NotKnown { why }) => Loss::NotKnown(why.clone()),
        (_, OldOnly::NotAsked) => Loss::NotKnown("nobody asked the two".to_owned()),
    }
}
