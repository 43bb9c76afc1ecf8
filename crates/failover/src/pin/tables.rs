//! The tables of the pin rules: a small one for each state that a name can be in. The first row whose condition holds decides. The last row
//! decides where none holds, whatever its own condition says (`rule::first`): a new row goes above it.

use std::collections::BTreeMap;

use super::Verdict;
use super::conditions::Facts;
use crate::observation::Attention::{None as Quiet, Notice, Page};
use crate::observation::{Probe, Targets};
use crate::plan::Mode;
use crate::register::{ArmedBy, REPINS_MAX, Reading, Register};
use crate::rule::{self, Id, Rule, row};

/// A row of the tables.
pub type Row = rule::Row<fn(&Facts<'_>) -> bool, Verdict>;

/// What the heartbeat stops by, so that DNS follows the outage (`hold`).
pub(crate) const HELD_TOO_LONG: Id = Rule::P09.row('c');

const DEPLOY_THE_ALARM: &str = "an outage would fail nothing over; deploy the stack that has the alarm, or correct FailoverAlarmName and DetectorRegion (holdfast status)";
const APPROVE_IF_DOWN: &str = "approve the failover if the primary is really down";

/// The table for the state that a name is in.
pub(super) fn of(facts: &Facts<'_>) -> &'static [Row] {
    if facts.seen.foreign_alarm {
        return FOREIGN_ALARM;
    }
    match &facts.view.register {
        Reading::Absent => NEVER_ARMED,
        Reading::Unreadable(_) => UNREADABLE,
        Reading::Known { register, .. } => match register {
            Register::Disarmed { .. } => DISARMED,
            Register::Paused { .. } => PAUSED,
            Register::Pinned { .. } | Register::FailedOver { .. } => ON_DR,
            Register::Armed { .. } if facts.incident().is_some() => ARMED_IN_OUTAGE,
            Register::Armed { .. } => ARMED_IN_PEACE,
        },
    }
}

/// Every row of every table, by its id.
#[must_use]
pub fn rows() -> BTreeMap<Id, &'static Row> {
    let tables = [FOREIGN_ALARM, NEVER_ARMED, UNREADABLE, DISARMED, PAUSED, ON_DR, ARMED_IN_PEACE, ARMED_IN_OUTAGE];
    tables.into_iter().flatten().map(|row| (row.id, row)).collect()
}

#[rustfmt::skip]
const DISARMED_OUTAGE: Row = row(Rule::P04.row('a'), "disarmed, and the alarm says failover has started", |f| f.incident().is_some(),
        Verdict::Refuse, Page, "Holdfast will not act; fail over by hand or arm it");

#[rustfmt::skip]
const WAITS: Row = row(Rule::P04.row('h'), "disarmed", |_| true,
        Verdict::Wait, Quiet, "what a person or a failback disarmed stays so until `holdfast arm`; a name never armed is armed once the alarm has been OK and the primary reachable for the settle time, and no name is in maintenance");

#[rustfmt::skip]
const MALFORMED: Row = row(Rule::P07.row('b'), "the records or the register are not as they must be", |f| f.fault.is_some(),
        Verdict::Refuse, Page, "Holdfast will not touch this name until you have put it right");

/// An alarm woke us that the plan does not name.
#[rustfmt::skip]
const FOREIGN_ALARM: &[Row] = &[
    row(Rule::P01.alone(), "the event is of an alarm that the plan does not name", |_| true,
        Verdict::Nothing, Quiet, "nothing; check the event rule if this alarm was meant to fail over"),
];

/// The register is there, and is not understood.
#[rustfmt::skip]
const UNREADABLE: &[Row] = &[
    MALFORMED,
];

/// There is no register yet. What keeps the name from being armed is told before an outage needs it.
#[rustfmt::skip]
const NEVER_ARMED: &[Row] = &[
    row(Rule::P07.row('a'), "never armed, and cannot be: the records or the register are not as they must be", |f| f.fault.is_some(),
        Verdict::Refuse, Page, "an outage would fail nothing over until you have put it right; Holdfast then arms the name by itself once all is well, and in an outage you do (holdfast arm)"),
    DISARMED_OUTAGE,
    row(Rule::P04.row('b'), "never armed, all has been well for the settle time, and the pin is rehearsed with it", |f| f.settled() && f.rehearses(),
        Verdict::ArmRehearsing(ArmedBy::Settling), Notice, "from now on an outage fails over by itself"),
    row(Rule::P04.row('c'), "never armed, and all has been well for the settle time", |f| f.settled(),
        Verdict::Arm(ArmedBy::Settling), Notice, "from now on an outage fails over by itself"),
    row(Rule::P04.row('d'), "never armed, and cannot be: an alarm of the plan is not there, or has had no data for 10 minutes", |f| f.blind_since().is_some(),
        Verdict::Refuse, Page, DEPLOY_THE_ALARM),
    row(Rule::P04.row('e'), "never armed, and cannot be: the primary does not answer our own probe", |f| f.seen.probes.primary.is_down(),
        Verdict::Refuse, Page, "an outage would fail nothing over; let the primary answer at PrimaryProbeUrl, or take that out of the plan"),
    row(Rule::P04.row('f'), "never armed, and our own probe cannot tell whether the primary is up", |f| f.seen.probes.primary.is_unclear(),
        Verdict::Refuse, Page, "Holdfast does not arm the name until PrimaryProbeUrl is one that the primary answers with 2xx or 3xx"),
    row(Rule::P04.row('g'), "never armed, and CloudWatch cannot evaluate the alarm", |f| f.is_unevaluated(),
        Verdict::Refuse, Page, "Holdfast does not arm the name before; look at the alarm's reason in CloudWatch"),
    WAITS,
];

/// A person switched the name off.
#[rustfmt::skip]
const DISARMED: &[Row] = &[
    DISARMED_OUTAGE,
    WAITS,
];

/// Maintenance.
#[rustfmt::skip]
const PAUSED: &[Row] = &[
    row(Rule::P05.row('a'), "maintenance, and the alarm says failover has started", |f| f.is_paused() && f.incident().is_some(),
        Verdict::Hold, Notice, "Holdfast acts again when the maintenance ends"),
    row(Rule::P05.row('b'), "maintenance", |f| f.is_paused(),
        Verdict::Hold, Quiet, "Holdfast acts again when the maintenance ends"),
    row(Rule::P05.row('c'), "the maintenance has ended", |_| true,
        Verdict::Arm(ArmedBy::MaintenanceEnd), Notice, "from now on an outage fails over by itself"),
];

/// Pinned, or failed over.
#[rustfmt::skip]
const ON_DR: &[Row] = &[
    row(Rule::P02.row('a'), "pinned, and the records agree", |f| f.view.agrees() && f.spread_on_record(),
        Verdict::Stay, Notice, "DNS stays on DR until an operator fails back"),
    row(Rule::P02.row('b'), "pinned, but no change is on record that carries the pin", |f| f.view.agrees(),
        Verdict::Confirm, Notice, "the same pin is written again and its change put on record; promotion waits for that change"),
    row(Rule::P03.row('a'), "pinned, but the SECONDARY record leads where users were before the pin, or to a new place in that AWS region", |f| f.view.swapped().is_some(),
        Verdict::LeaveSwapped, Page, "Holdfast sends nobody there, and promotes nothing meanwhile; point the SECONDARY record at DR, or release the name (holdfast release) if users belong where the records send them now"),
    row(Rule::P03.row('b'), "pinned, and the SECONDARY record has been pointed at another place since", |f| f.dr_has_moved(),
        Verdict::Follow, Page, "the PRIMARY records follow: users are sent to that place; see that it is DR, and point the SECONDARY record at DR if it is not"),
    row(Rule::P03.row('c'), "pinned, but somebody changed the records since", |f| f.pin().is_some_and(|pin| pin.repins < REPINS_MAX) && f.view.pairs.is_ok(),
        Verdict::Repin, Page, "the records are pinned again; stop whatever writes them (an infrastructure-as-code apply?)"),
    row(Rule::P03.row('d'), "pinned, but somebody keeps changing the records back", |f| f.view.pairs.is_ok(),
        Verdict::Yield, Page, "Holdfast leaves the records to you; two sites may be taking writes, so decide where users belong now: holdfast pin-again, or holdfast release"),
    MALFORMED,
];

/// Armed, and no alarm is known to ring: what would stand in the way of a failover is told.
#[rustfmt::skip]
const ARMED_IN_PEACE: &[Row] = &[
    MALFORMED,
    row(Rule::P14.alone(), "every alarm is OK, and the pin has not been rehearsed for a day", |f| f.rehearsal_is_due(),
        Verdict::Rehearse, Quiet, "the PRIMARY records are written as they are, by a batch such as the pin's: an outage finds nothing that would refuse it"),
    row(Rule::P06.row('a'), "nothing is known of the alarm: CloudWatch did not answer", |f| f.seen.alarms.is_none(),
        Verdict::Wait, Quiet, "Holdfast looks again within a minute"),
    row(Rule::P06.row('b'), "a TTL of the records has changed", |f| f.ttl_has_changed(),
        Verdict::Remember, Quiet, "the longer TTL is put on record: resolvers may keep it for so long, and promotion waits for them"),
    row(Rule::P06.row('c'), "armed, but an alarm of the plan is not there, or has had no data for 10 minutes", |f| f.blind_since().is_some(),
        Verdict::Refuse, Page, DEPLOY_THE_ALARM),
    row(Rule::P07.row('c'), "the alarm is quiet, but CloudWatch cannot evaluate it", |f| f.is_unevaluated(),
        Verdict::Refuse, Page, "no outage would be noticed: watch the primary yourself, and look at the alarm's reason in CloudWatch; holdfast failover does not need the alarm"),
    row(Rule::P07.row('d'), "the alarm is quiet, but our own probe cannot tell whether the primary is up, so P09 would hold a failover", |f| f.seen.probes.primary.is_unclear(),
        Verdict::Refuse, Page, "mend PrimaryProbeUrl, or whatever refuses it, before it is needed"),
    row(Rule::P07.row('e'), "the alarm is quiet, but the DR site does not answer our probe, so P10 would hold a failover", |f| f.seen.probes.dr.is_down(),
        Verdict::Refuse, Page, "bring the DR site up before it is needed, or correct DrProbeUrl"),
    row(Rule::P07.row('i'), "the alarm is quiet, but the one that is to say whether DR's targets are healthy is not there or cannot be evaluated, so P15 would hold a failover", |f| f.seen.probes.targets.would_hold(true),
        Verdict::Refuse, Page, "make that alarm in the DR region, or correct DrHealthyAlarmName"),
    row(Rule::P07.row('j'), "the alarm is quiet, but DR's targets are not known to be healthy and no step would raise DR, so P15 would hold a failover", |f| f.seen.probes.targets.would_hold(f.plan.prepares),
        Verdict::Refuse, Page, "bring DR's targets up before they are needed, let Prepare raise them, or correct the alarm that DrHealthyAlarmName names"),
    row(Rule::P07.row('f'), "armed, and something besides the failover health check decides where users go", |f| !f.view.warnings.is_empty() || f.warns_of_other_check(),
        Verdict::Warn, Page, "an outage fails over by itself all the same; put it right, so that nothing else moves users"),
    row(Rule::P07.row('g'), "the alarm is quiet, but our own probe cannot tell whether the DR site is up, so nobody would notice if it were not", |f| f.seen.probes.dr.is_unclear(),
        Verdict::Nothing, Notice, "mend DrProbeUrl, or whatever refuses it; until then DR counts as up"),
    row(Rule::P07.row('h'), "the alarm is quiet, but the primary does not answer our own probe, so the second signal would agree with any alarm", |f| f.seen.probes.primary.is_down(),
        Verdict::Nothing, Notice, "if the primary is up, let the DR region in through its firewall, or correct PrimaryProbeUrl"),
    row(Rule::P06.row('d'), "the alarm does not say that failover has started", |_| true,
        Verdict::Nothing, Quiet, "Holdfast keeps watching"),
];

/// Armed, and in an incident. The pin of the first name is the commit point of all: an incident once begun is finished.
#[rustfmt::skip]
const ARMED_IN_OUTAGE: &[Row] = &[
    MALFORMED,
    row(Rule::P13.row('a'), "other names of this workload are already pinned in this incident, or the latch is closed for it", |f| f.committed_elsewhere().is_some() && f.plan.mode != Mode::Shadow,
        Verdict::Pin, Page, "the databases are promoted once every name's pin is in sync, or every name server shows the latch closed"),
    row(Rule::P06.row('e'), "the alarm has been in ALARM since before this name was failed back, or a person rejected the incident", |f| f.alarm_is_dismissed(),
        Verdict::Nothing, Quiet, "Holdfast acts on the next alarm"),
    row(Rule::P08.alone(), "the alarm came before this name was armed, within the settle time after it, or within the cool-down after a failback", |f| f.armed_too_recently() && !f.lifted(Rule::P08),
        Verdict::Ask, Page, APPROVE_IF_DOWN),
    row(HELD_TOO_LONG, "the incident is older than HoldSecondsMax, and the primary still answers our own probe, or it cannot be told whether it does", |f| f.disagrees() && f.let_go_at().is_some_and(|at| at <= f.seen.now),
        Verdict::Hold, Page, "Holdfast pins nothing and does not keep users at the primary any more: within five minutes the switch sends them to DR, whose databases only read; approve the failover, or find out why the health check fails"),
    row(Rule::P09.row('a'), "the primary answers our own probe from the DR region", |f| f.seen.probes.primary == Probe::Answers && !f.lifted(Rule::P09),
        Verdict::Hold, Page, "two signals must agree: find out why the health check fails; approve if users are really cut off"),
    row(Rule::P09.row('b'), "our own probe cannot tell whether the primary is up", |f| f.seen.probes.primary.is_unclear() && !f.lifted(Rule::P09),
        Verdict::Hold, Page, "two signals must agree, and one says nothing: look at the primary yourself; approve if users are really cut off"),
    row(Rule::P10.alone(), "the DR site does not answer our probe, or says that it is unwell", |f| f.seen.probes.dr.is_down() && !f.lifted(Rule::P10),
        Verdict::Hold, Page, "bring the DR site up; users are not pinned to a dead site"),
    row(Rule::P15.row('a'), "too few of DR's targets are healthy", |f| f.seen.probes.targets == Targets::TooFew && !f.lifted(Rule::P15),
        Verdict::Hold, Page, "Holdfast pins as soon as the alarm on them says OK; bring them up, or approve if DR can carry users all the same"),
    row(Rule::P15.row('b'), "it is not known whether enough of DR's targets are healthy", |f| f.seen.probes.targets.is_unclear() && !f.lifted(Rule::P15),
        Verdict::Hold, Page, "Holdfast pins as soon as the alarm on them says OK; look at DR's target groups yourself, and approve if they are well"),
    row(Rule::P11.alone(), "shadow mode", |f| f.plan.mode == Mode::Shadow,
        Verdict::WouldPin, Notice, "nothing was changed; in automatic mode the records would have been pinned to DR now"),
    row(Rule::P12.alone(), "approval mode, and nobody has approved this incident", |f| f.plan.mode == Mode::Approval && !f.lifted(Rule::P12),
        Verdict::Ask, Page, APPROVE_IF_DOWN),
    row(Rule::P13.row('b'), "failover has started, and nothing speaks against it", |_| true,
        Verdict::Pin, Page, "the databases are promoted once every name server answers with DR (by the pin, or by the latch) and clients of the primary have drained"),
];
