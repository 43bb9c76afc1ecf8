//! What the pin rules may decide, which is what a change is made from.

use crate::register::ArmedBy;

/// What to do about one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// All is as it should be.
    Nothing,
    /// Not yet.
    Wait,
    /// On DR, where it stays.
    Stay,
    /// Arm the name.
    Arm(ArmedBy),
    /// Arm the name, with a batch that rehearses its pin.
    ArmRehearsing(ArmedBy),
    /// Rehearse the pin of an armed name.
    Rehearse,
    /// Make the same pin once more, since no change is on record that carries it.
    Confirm,
    /// Put on record what must be known when the name is pinned.
    Remember,
    /// All would go as it must, and something else is not as it should be.
    Warn,
    /// DR's own address has changed: point the PRIMARY records at the new one.
    Follow,
    /// What is written down as DR is where users were before: leave it to people.
    LeaveSwapped,
    /// Say what would have happened.
    WouldPin,
    /// The conditions do not allow it now.
    Hold,
    /// Something is wrong that only a person can put right.
    Refuse,
    /// A person must decide.
    Ask,
    /// A person keeps undoing the pin: leave it to them.
    Yield,
    /// Pin again what someone undid.
    Repin,
    /// Pin.
    Pin,
}
