//! The pin rules, P01–P14: whether a name's PRIMARY record is pinned to DR.
//!
//! The table below is read from the top; the first row whose condition holds decides. `P07` stands before `P06` so that a
//! malformed pair is reported before the outage rather than in it, and `P13` stands there a first time because the pin of
//! the first name is the commit point of all: an incident once begun is finished.

mod conditions;
mod facts;
mod fault;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::incident::{AlarmState, Approval, Incident};
use crate::latch;
use crate::listing::Unanswered;
use crate::observation::{Alarms, Attention, Changes, Fact, NameView, Probe, Probes};
use crate::plan::{Mode, Plan};
use crate::register::{ArmedBy, REPINS_MAX, Register, Spread};
use crate::rehearsal;
use crate::rule::Rule;
use conditions::Facts;
pub use fault::{Fault, fault};

/// How long whoever pinned may take to put the change's id on record before another does it, in seconds.
pub const RECORDING_SECONDS: u32 = 30;

/// A second more for so many names: of ten thousand, the batches that pin and those that record take a minute together at the
/// five requests a second that Route 53 takes.
const NAMES_RECORDED_A_SECOND: usize = 100;

/// All that is known when a pin is decided.
#[derive(Clone, Debug)]
pub struct Observation {
    /// AWS's own time.
    pub now: Timestamp,
    /// What the alarms say.
    pub alarms: Alarms,
    /// Whether the switch hears Holdfast's heartbeat, by the alarm that it goes by; none if there is no switch, or if that is not known.
    pub hold: Option<AlarmState>,
    /// The latch, as DR's store has it.
    pub latch: latch::Reading,
    /// Why the names are those that DR's store remembers, if Route 53's API did not tell them.
    pub remembered: Option<Unanswered>,
    /// What our own health requests found.
    pub probes: Probes,
    /// Every protected name.
    pub names: Vec<NameView>,
    /// The changes that carry pins not yet seen in sync.
    pub changes: Changes,
    /// An approval, if that is what woke us.
    pub approval: Option<Approval>,
    /// An alarm woke us that the plan does not name.
    pub foreign_alarm: bool,
}

impl Observation {
    /// The incidents that names are pinned for.
    #[must_use]
    pub fn committed(&self) -> BTreeSet<&Incident> {
        let pins = self.names.iter().filter_map(|name| match name.register() {
            Some(Register::Pinned { pin, .. }) => Some(&pin.incident),
            _ => None,
        });
        pins.collect()
    }
}

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

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The rule's id.
    pub rule: Rule,
    /// When it decides, in words.
    pub condition: &'static str,
    holds: fn(&Facts<'_>) -> bool,
    /// What it decides.
    pub verdict: Verdict,
    /// How loudly.
    pub attention: Attention,
    /// What happens next, in words.
    pub next: &'static str,
}

const fn row(
    rule: Rule,
    condition: &'static str,
    holds: fn(&Facts<'_>) -> bool,
    verdict: Verdict,
    attention: Attention,
    next: &'static str,
) -> Row {
    Row { rule, condition, holds, verdict, attention, next }
}

use Attention::{None as Quiet, Notice, Page};

/// The pin rules. The last row always holds.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row(Rule::P01, "the event is of an alarm that the plan does not name", |f| f.seen.foreign_alarm,
        Verdict::Nothing, Quiet, "nothing; check the event rule if this alarm was meant to fail over"),
    row(Rule::P02, "pinned, and the records agree", |f| f.pin().is_some() && f.view.agrees() && f.spread_on_record(),
        Verdict::Stay, Notice, "DNS stays on DR until an operator fails back"),
    row(Rule::P02, "pinned, but no change is on record that carries the pin", |f| f.pin().is_some() && f.view.agrees(),
        Verdict::Confirm, Notice, "the same pin is written again and its change put on record; promotion waits for that change"),
    row(Rule::P03, "pinned, but the SECONDARY record leads where users were before the pin, or to a new place in that AWS region", |f| f.view.swapped().is_some(),
        Verdict::LeaveSwapped, Page, "Holdfast sends nobody there, and promotes nothing meanwhile; point the SECONDARY record at DR, or release the name (holdfast release) if users belong where the records send them now"),
    row(Rule::P03, "pinned, and the SECONDARY record has been pointed at another place since", |f| f.dr_has_moved(),
        Verdict::Follow, Page, "the PRIMARY records follow: users are sent to that place; see that it is DR, and point the SECONDARY record at DR if it is not"),
    row(Rule::P03, "pinned, but somebody changed the records since", |f| f.pin().is_some_and(|pin| pin.repins < REPINS_MAX) && f.view.pairs.is_ok(),
        Verdict::Repin, Page, "the records are pinned again; stop whatever writes them (an infrastructure-as-code apply?)"),
    row(Rule::P03, "pinned, but somebody keeps changing the records back", |f| f.pin().is_some() && f.view.pairs.is_ok(),
        Verdict::Yield, Page, "Holdfast leaves the records to you; two sites may be taking writes, so decide where users belong now: holdfast pin-again, or holdfast release"),
    row(Rule::P07, "never armed, and cannot be: the records or the register are not as they must be", |f| f.never_armed() && f.fault.is_some(),
        Verdict::Refuse, Page, "an outage would fail nothing over until you have put it right; Holdfast then arms the name by itself once all is well, and in an outage you do (holdfast arm)"),
    row(Rule::P04, "disarmed, and the alarm says failover has started", |f| f.disarmed() && f.incident().is_some(),
        Verdict::Refuse, Page, "Holdfast will not act; fail over by hand or arm it"),
    row(Rule::P04, "never armed, all has been well for the settle time, and the pin is rehearsed with it", |f| f.settled() && f.rehearses(),
        Verdict::ArmRehearsing(ArmedBy::Settling), Notice, "from now on an outage fails over by itself"),
    row(Rule::P04, "never armed, and all has been well for the settle time", |f| f.settled(),
        Verdict::Arm(ArmedBy::Settling), Notice, "from now on an outage fails over by itself"),
    row(Rule::P04, "never armed, and cannot be: an alarm of the plan is not there, or has had no data for 10 minutes", |f| f.never_armed() && f.blind_since().is_some(),
        Verdict::Refuse, Page, "an outage would fail nothing over; deploy the detector, or correct the responder's FailoverAlarmName and DetectorRegion (holdfast status)"),
    row(Rule::P04, "never armed, and cannot be: the primary does not answer our own probe", |f| f.never_armed() && f.seen.probes.primary.is_down(),
        Verdict::Refuse, Page, "an outage would fail nothing over; let the primary answer at PrimaryProbeUrl, or take that out of the plan"),
    row(Rule::P04, "never armed, and our own probe cannot tell whether the primary is up", |f| f.never_armed() && f.seen.probes.primary.is_unclear(),
        Verdict::Refuse, Page, "Holdfast does not arm the name until PrimaryProbeUrl is one that the primary answers with 2xx or 3xx"),
    row(Rule::P04, "never armed, and CloudWatch cannot evaluate the alarm", |f| f.never_armed() && f.is_unevaluated(),
        Verdict::Refuse, Page, "Holdfast does not arm the name before; look at the alarm's reason in CloudWatch"),
    row(Rule::P04, "disarmed", |f| f.disarmed(),
        Verdict::Wait, Quiet, "a name never armed is armed once the alarm has been OK and the primary reachable for the settle time, and no name is in maintenance"),
    row(Rule::P05, "maintenance, and the alarm says failover has started", |f| f.paused(true) && f.incident().is_some(),
        Verdict::Hold, Notice, "Holdfast acts again when the maintenance ends"),
    row(Rule::P05, "maintenance", |f| f.paused(true),
        Verdict::Hold, Quiet, "Holdfast acts again when the maintenance ends"),
    row(Rule::P05, "the maintenance has ended", |f| f.paused(false),
        Verdict::Arm(ArmedBy::MaintenanceEnd), Notice, "from now on an outage fails over by itself"),
    row(Rule::P07, "the records or the register are not as they must be", |f| f.fault.is_some(),
        Verdict::Refuse, Page, "Holdfast will not touch this name until you have put it right"),
    row(Rule::P13, "other names of this workload are already pinned in this incident, or the latch is closed for it", |f| f.committed_elsewhere().is_some() && f.plan.mode != Mode::Shadow,
        Verdict::Pin, Page, "the databases are promoted once every name's pin is in sync"),
    row(Rule::P14, "all is well, and the pin has not been rehearsed for a day", |f| f.rehearsal_is_due(),
        Verdict::Rehearse, Quiet, "the PRIMARY records are written as they are, by a batch such as the pin's: an outage finds nothing that would refuse it"),
    row(Rule::P06, "nothing is known of the alarm: CloudWatch did not answer", |f| f.seen.alarms.is_none(),
        Verdict::Wait, Quiet, "Holdfast looks again within a minute"),
    row(Rule::P06, "a TTL of the records has changed", |f| f.incident().is_none() && f.ttl_has_changed(),
        Verdict::Remember, Quiet, "the longer TTL is put on record: resolvers may keep it for so long, and promotion waits for them"),
    row(Rule::P06, "armed, but an alarm of the plan is not there, or has had no data for 10 minutes", |f| f.incident().is_none() && f.blind_since().is_some(),
        Verdict::Refuse, Page, "an outage would fail nothing over; deploy the detector, or correct the responder's FailoverAlarmName and DetectorRegion (holdfast status)"),
    row(Rule::P07, "the alarm is quiet, but CloudWatch cannot evaluate it", |f| f.incident().is_none() && f.is_unevaluated(),
        Verdict::Refuse, Page, "no outage would be noticed: watch the primary yourself, and look at the alarm's reason in CloudWatch; holdfast failover does not need the alarm"),
    row(Rule::P07, "the alarm is quiet, but our own probe cannot tell whether the primary is up, so P09 would hold a failover", |f| f.incident().is_none() && f.seen.probes.primary.is_unclear(),
        Verdict::Refuse, Page, "mend PrimaryProbeUrl, or whatever refuses it, before it is needed"),
    row(Rule::P07, "the alarm is quiet, but the DR site does not answer our probe, so P10 would hold a failover", |f| f.incident().is_none() && f.seen.probes.dr.is_down(),
        Verdict::Refuse, Page, "bring the DR site up before it is needed, or correct DrProbeUrl"),
    row(Rule::P07, "armed, and something besides the failover health check decides where users go", |f| f.incident().is_none() && (!f.view.warnings.is_empty() || f.other_check().is_some()),
        Verdict::Warn, Page, "an outage fails over by itself all the same; put it right, so that nothing else moves users"),
    row(Rule::P07, "the alarm is quiet, but our own probe cannot tell whether the DR site is up, so nobody would notice if it were not", |f| f.incident().is_none() && f.seen.probes.dr.is_unclear(),
        Verdict::Nothing, Notice, "mend DrProbeUrl, or whatever refuses it; until then DR counts as up"),
    row(Rule::P07, "the alarm is quiet, but the primary does not answer our own probe, so the second signal would agree with any alarm", |f| f.incident().is_none() && f.seen.probes.primary.is_down(),
        Verdict::Nothing, Notice, "if the primary is up, let the DR region in through its firewall, or correct PrimaryProbeUrl"),
    row(Rule::P06, "the alarm does not say that failover has started", |f| f.incident().is_none(),
        Verdict::Nothing, Quiet, "Holdfast keeps watching"),
    row(Rule::P06, "the alarm has been in ALARM since before this name was failed back, or a person rejected the incident", |f| f.alarm_is_dismissed(),
        Verdict::Nothing, Quiet, "Holdfast acts on the next alarm"),
    row(Rule::P08, "the alarm came before this name was armed, within the settle time after it, or within the cool-down after a failback", |f| f.armed_too_recently() && !f.lifted(Rule::P08),
        Verdict::Ask, Page, "approve the failover if the primary is really down"),
    row(Rule::P09, "the primary answers our own probe from the DR region", |f| f.seen.probes.primary == Probe::Answers && !f.lifted(Rule::P09),
        Verdict::Hold, Page, "two signals must agree: find out why the health check fails; approve if users are really cut off"),
    row(Rule::P09, "our own probe cannot tell whether the primary is up", |f| f.seen.probes.primary.is_unclear() && !f.lifted(Rule::P09),
        Verdict::Hold, Page, "two signals must agree, and one says nothing: look at the primary yourself; approve if users are really cut off"),
    row(Rule::P10, "the DR site does not answer our probe, or says that it is unwell", |f| f.seen.probes.dr.is_down() && !f.lifted(Rule::P10),
        Verdict::Hold, Page, "bring the DR site up; users are not pinned to a dead site"),
    row(Rule::P11, "shadow mode", |f| f.plan.mode == Mode::Shadow,
        Verdict::WouldPin, Notice, "nothing was changed; in automatic mode the records would have been pinned to DR now"),
    row(Rule::P12, "approval mode, and nobody has approved this incident", |f| f.plan.mode == Mode::Approval && !f.lifted(Rule::P12),
        Verdict::Ask, Page, "approve the failover if the primary is really down"),
    row(Rule::P13, "failover has started, and nothing speaks against it", |_| true,
        Verdict::Pin, Page, "the databases are promoted once the pin is in sync and clients of the primary have drained"),
];

/// What a rule decided about one name.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The protected name.
    pub name: crate::name::Name,
    /// Which row decided.
    pub row: &'static Row,
    /// The incident it belongs to, if there is one.
    pub incident: Option<Incident>,
    /// Since when the name has been in the state it is in: pinned, failed over, or in an incident.
    pub since: Option<Timestamp>,
    /// What one approval would have to lift: the deciding rule, and each after it that would stand in the way next.
    pub despite: BTreeSet<Rule>,
    /// What it saw.
    pub facts: Vec<Fact>,
}

/// Decides about one of the observation's names.
#[must_use]
pub fn decide(plan: &Plan, seen: &Observation, view: &NameView) -> Decision {
    decide_among(plan, seen, view, &seen.committed())
}

/// As [`decide`], for who decides about many names and asks once which incidents are [`Observation::committed`].
#[must_use]
pub fn decide_among(plan: &Plan, seen: &Observation, view: &NameView, committed: &BTreeSet<&Incident>) -> Decision {
    let fault = fault(plan, view).map(|fault| fault.to_string());
    let facts = Facts { plan, seen, view, committed, fault: fault.as_deref(), approval: seen.approval.as_ref() };
    let last = TABLE.len() - 1;
    let row = TABLE[..last].iter().find(|row| (row.holds)(&facts)).unwrap_or(&TABLE[last]);
    let incident = facts.incident();
    let since = match view.register() {
        // Written when the drift was first seen: see `change::write`.
        Some(Register::Pinned { spread: Spread::Unrecorded { at }, .. }) if row.leaves_drift() => Some(*at),
        Some(Register::Pinned { .. }) if row.leaves_drift() => Some(seen.now),
        Some(Register::Pinned { pin, .. }) => Some(pin.at),
        Some(Register::FailedOver { at, .. }) => Some(*at),
        Some(register) if row.verdict == Verdict::Rehearse => rehearsal::due_since(plan, &view.zone, register),
        None if row.arms_settled() => facts.settled_at(),
        // What begins within an incident is told at once, and not when the incident is due again.
        Some(Register::Armed { since, .. }) if incident.is_some() => incident.as_ref().map(|it| it.began.max(*since)),
        _ => incident.as_ref().map(|incident| incident.began).or_else(|| facts.blind_since().flatten()),
    };
    let despite = if row.rule.is_liftable() { facts.in_the_way() } else { BTreeSet::new() };
    Decision { name: view.name.clone(), row, incident, since, despite, facts: facts.in_words() }
}

impl Row {
    fn arms_settled(&self) -> bool {
        matches!(self.verdict, Verdict::Arm(ArmedBy::Settling) | Verdict::ArmRehearsing(ArmedBy::Settling))
    }

    /// True if this row leaves a pinned name's records as they are though they do not agree.
    fn leaves_drift(&self) -> bool {
        matches!(self.verdict, Verdict::Yield | Verdict::LeaveSwapped | Verdict::Refuse)
    }
}
