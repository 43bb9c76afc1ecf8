//! The table of the steps' rules.

use super::decision::Facts;
use super::{Due, Forbidden, List, Seen, Stage, Tags, Target};
use crate::observation::Attention::{None as Quiet, Notice};
use crate::rule::{self, Rule, row};

/// What to do about one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing.
    Leave,
    /// Not yet.
    Wait,
    /// Something that only a person can put right.
    Trouble,
    /// Say what would be done.
    Would,
    /// Put on record what the resource is.
    Remember,
    /// Make it what it is to be.
    Change,
    /// Call the function, and put on record that it is called.
    Call,
    /// Put on record that it is what it is to be.
    Confirm,
    /// Put on record that it is left to whoever changed it.
    LeaveToThem,
    /// Put on record that it may be what it was before again, before it is made so: an outage that comes in between finds no change of
    /// somebody else's.
    Reopen,
    /// Make it what it was before.
    Undo,
    /// Take the record off, now that the resource is what it was.
    Forget,
    /// Take the record off; somebody else's change stays.
    ForgetTheirs,
    /// Take the record of a call off.
    ForgetCall,
}

impl Verdict {
    /// True for what is only right as long as all is well.
    #[must_use]
    pub fn takes_back(self) -> bool {
        matches!(self, Self::Reopen | Self::Undo | Self::Forget | Self::ForgetTheirs | Self::ForgetCall)
    }

    /// True if there is more to do for the step once it is done.
    #[must_use]
    pub fn goes_on(self) -> bool {
        matches!(self, Self::Remember | Self::Change | Self::Reopen | Self::Undo)
    }
}

/// A row of the table.
pub type Row = rule::Row<fn(&Facts<'_>) -> bool, Verdict>;

/// The steps' rules. The last row always holds.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row(Rule::S01.row('a'), "there is no such resource", |f| *f.seen == Seen::Missing && f.list() != List::Neither,
        Verdict::Trouble, Notice, "name the one that is meant in Prepare or After and in StepResources, and deploy; a failover goes on without this step"),
    row(Rule::S01.row('b'), "AWS does not say what the resource is now", |f| matches!(f.seen, Seen::NotSeen(_)),
        Verdict::Wait, Quiet, "Holdfast asks again every minute; a failover goes on without this step"),
    row(Rule::S01.row('c'), "its tags holdfast:step and holdfast:stepped-in are no record of Holdfast's, so what it was before is not known", |f| matches!(f.tags(), Some(Tags::Unreadable(_))),
        Verdict::Trouble, Notice, "make the resource what it is to be, take these two tags off it, and Holdfast goes on"),
    row(Rule::S01.row('d'), "another Holdfast stack has changed it, by its tags", |f| f.is_of_another(),
        Verdict::Trouble, Notice, "name the resource in one stack only: in this one, or in that of the bus on record, which goes on with it; if that stack is gone, take the tags holdfast:step and holdfast:stepped-in off"),
    row(Rule::S01.row('e'), "it is in a state that no call could give back, such as a rule's that takes CloudTrail's read-only events too, or cannot be what it is to be, such as an ECS service that runs one task on each instance", |f| matches!(f.seen, Seen::Unfit(_)) && f.list() != List::Neither,
        Verdict::Trouble, Notice, "Holdfast leaves it alone: take it out of Prepare or After, or make a rule plainly ENABLED or DISABLED"),
    row(Rule::S02.row('a'), "it is not due, and the alarm that says whether the primary is down does not exist", |f| *f.due == Due::Undecided && f.moment.lacks_alarm,
        Verdict::Trouble, Notice, "nothing is prepared before a failover begins, and nothing is undone: make an alarm of that name, beside the one that starts a failover, that rings as long as the primary is down"),
    row(Rule::S02.row('b'), "it is not due, and it is not known that all is well either", |f| *f.due == Due::Undecided,
        Verdict::Leave, Quiet, "the resource stays as it is"),
    row(Rule::S03.row('a'), "shadow mode", |f| f.is_kept_by(Forbidden::Shadow),
        Verdict::Would, Notice, "nothing is changed; Mode=approval or automatic would have"),
    row(Rule::S03.row('b'), "no protected name is armed, and a maintenance is under way", |f| f.is_kept_by(Forbidden::Maintenance),
        Verdict::Would, Quiet, "nothing is changed before it ends"),
    row(Rule::S03.row('c'), "no protected name is armed", |f| f.is_kept_by(Forbidden::Disarmed),
        Verdict::Would, Quiet, "nothing is changed until one is armed; `holdfast arm` does it at once"),
    row(Rule::S03.row('d'), "no protected name is known to be armed, and some may be", |f| f.is_kept_by(Forbidden::NotKnown),
        Verdict::Would, Quiet, "nothing is changed; Holdfast asks again within a minute"),
    row(Rule::S04.row('a'), "somebody else changed it after Holdfast did", |f| f.is_due() && f.stage() == Some(Stage::Left),
        Verdict::Leave, Quiet, "it is left to them until all is well again"),
    row(Rule::S04.row('b'), "the function is called already", |f| f.is_due() && f.is_call() && f.stage() == Some(Stage::Set),
        Verdict::Leave, Quiet, "it is not called again in this incident"),
    row(Rule::S04.row('c'), "it is as it is to be", |f| f.is_due() && f.is_as_wanted() && f.stage() != Some(Stage::Begun),
        Verdict::Leave, Quiet, "it stays so"),
    row(Rule::S05.alone(), "it was as it is to be, and somebody else has changed it since", |f| f.is_due() && f.is_changed_by_others(),
        Verdict::LeaveToThem, Notice, "Holdfast leaves it to them; if it was a slip, make it what it is to be by hand"),
    row(Rule::S06.alone(), "what it is now is not on record yet", |f| f.is_due() && !f.has_begun(),
        Verdict::Remember, Quiet, "it is written to the resource's own tags, and then the resource is changed"),
    row(Rule::S07.row('a'), "it is on record, and the function is not known to be called", |f| f.is_due() && f.is_call(),
        Verdict::Call, Notice, "it is called, with a key by which it can tell a call that comes twice"),
    row(Rule::S07.row('b'), "it is on record, and not as it is to be", |f| f.is_due() && !f.is_as_wanted(),
        Verdict::Change, Quiet, "it is changed"),
    row(Rule::S08.row('a'), "the outage lasts, and DR is made ready", |f| f.is_due() && f.list() == List::Prepare,
        Verdict::Confirm, Notice, "it stays so while users are, or may soon be, on DR; once all is well again it is what it was before"),
    row(Rule::S08.row('b'), "every name is failed over", |f| f.is_due(),
        Verdict::Confirm, Notice, "it stays so while users are on DR; once all is well again it is what it was before"),
    row(Rule::S09.row('a'), "all is well, and Holdfast has changed nothing of it", |f| f.note().is_none(),
        Verdict::Leave, Quiet, "nothing is due"),
    row(Rule::S09.row('b'), "all is well, and a call cannot be taken back", |f| f.is_call(),
        Verdict::ForgetCall, Quiet, "its record is taken off; in another incident it is called again"),
    row(Rule::S09.row('c'), "all is well, it still is what Holdfast made of it, and its record does not say that it is being undone", |f| f.is_to_undo() && f.stage() != Some(Stage::Begun),
        Verdict::Reopen, Quiet, "that is put on record, so that an outage that begins now raises it again; then it is made what it was before"),
    row(Rule::S09.row('d'), "all is well, and it still is what Holdfast made of it", |f| f.is_to_undo(),
        Verdict::Undo, Quiet, "it is made what it was before, and then the record is taken off"),
    row(Rule::S09.row('e'), "all is well, and it is neither what Holdfast made of it nor what it was before", |f| !f.is_as_before(),
        Verdict::ForgetTheirs, Notice, "somebody else's change stays; only Holdfast's record is taken off"),
    row(Rule::S09.row('f'), "all is well, and it is what it was before", |_| true,
        Verdict::Forget, Notice, "Holdfast's record is taken off"),
];

impl Facts<'_> {
    fn is_call(&self) -> bool {
        matches!(self.entry.target, Target::Function { .. })
    }

    fn list(&self) -> List {
        self.entry.list
    }
}
