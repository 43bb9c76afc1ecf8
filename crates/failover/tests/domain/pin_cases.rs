//! The cases of the pin rules: each row, and the nearest case on the other side of each boundary.

use crate::common::*;
use failover::incident::AlarmState::{Alarm, InsufficientData, Missing, Ok as Fine};
use failover::incident::{AlarmSighting, EvaluationTrouble};
use failover::observation::{ChangeStatus, NameView, Probe, Silence, Targets, TlsFault, Unsent};
use failover::pin::Verdict;
use failover::plan::Mode;
use failover::record::Target;
use failover::register::{ArmedBy, Memory, Pin, Reading, Register, Ttl};
use failover::rule::Rule;

/// What differs from [`Scene::outage`], and the row that decides: its rule, the beginning of its condition, its verdict.
pub type Case = (&'static str, fn(&mut Scene), Rule, &'static str, Verdict);

const ARM_SETTLED: Verdict = Verdict::ArmRehearsing(ArmedBy::Settling);
const ARM_ONLY: Verdict = Verdict::Arm(ArmedBy::Settling);
const ARM_AGAIN: Verdict = Verdict::Arm(ArmedBy::MaintenanceEnd);

const TOO_FEW: &str = "too few of DR's targets";
const TARGETS_UNKNOWN: &str = "it is not known whether enough of DR's targets";
const TOO_FEW_IN_PEACE: &str = "the alarm is quiet, but DR's targets are not known";
const NO_TARGETS_ALARM: &str = "the alarm is quiet, but the one that is to say whether DR's targets";
const STAY: &str = "pinned, and the records agree";
const NO_CHANGE: &str = "pinned, but no change is on record";
const CHANGED: &str = "pinned, but somebody changed the records";
const SWAPPED: &str = "pinned, but the SECONDARY record leads where users were";
const DR_MOVED: &str = "pinned, and the SECONDARY record has been pointed";
const KEEPS_CHANGING: &str = "pinned, but somebody keeps changing";
const DISARMED: &str = "disarmed";
const DISARMED_OUTAGE: &str = "disarmed, and the alarm";
const SETTLED: &str = "never armed, all has been well";
const SETTLED_ONLY: &str = "never armed, and all has been well";
const UNARMABLE: &str = "never armed, and cannot be: the records";
const UNARMABLE_ALARM: &str = "never armed, and cannot be: an alarm";
const UNARMABLE_PROBE: &str = "never armed, and cannot be: the primary";
const PAUSED: &str = "maintenance";
const PAUSED_OUTAGE: &str = "maintenance, and the alarm";
const MAINTAINED: &str = "the maintenance has ended";
const MALFORMED: &str = "the records or the register";
const SIBLING: &str = "other names of this workload";
const UNKNOWN: &str = "nothing is known of the alarm";
const TTL: &str = "a TTL of the records";
const BLIND: &str = "armed, but an alarm of the plan";
const AT_RISK: &str = "armed, and something besides";
const QUIET: &str = "the alarm does not say";
const REHEARSAL: &str = "every alarm is OK, and the pin has not been rehearsed";
const OLD: &str = "the alarm has been in ALARM since before";
const TOO_SOON: &str = "the alarm came before";
const ANSWERS: &str = "the primary answers";
const OUT_OF_TIME: &str = "the incident is older than HoldSecondsMax";
const DR_SILENT: &str = "the DR site does not answer";
const UNCLEAR: &str = "our own probe cannot tell whether the primary";
const UNCLEAR_UNARMED: &str = "never armed, and our own probe";
const UNCLEAR_IN_PEACE: &str = "the alarm is quiet, but our own probe cannot tell whether the primary";
const DR_SILENT_IN_PEACE: &str = "the alarm is quiet, but the DR site does not answer";
const DR_UNCLEAR_IN_PEACE: &str = "the alarm is quiet, but our own probe cannot tell whether the DR";
const SILENT_IN_PEACE: &str = "the alarm is quiet, but the primary does not answer";
const UNEVALUATED: &str = "the alarm is quiet, but CloudWatch cannot";
const UNEVALUATED_UNARMED: &str = "never armed, and CloudWatch cannot";
const SHADOW: &str = "shadow mode";
const UNAPPROVED: &str = "approval mode";
const PIN: &str = "failover has started";

/// A name that the switch holds, for so many seconds at most.
fn held_for(s: &mut Scene, hold_seconds_max: u32, primary: Probe) {
    s.plan.switch = Some("SW".to_owned());
    s.plan.limits.hold_seconds_max = hold_seconds_max;
    s.probes.primary = primary;
}

fn never_armed(s: &mut Scene, ok_since: i64) {
    s.view = view("app.example.com", PRIMARY, None);
    s.all_ok_since(ok_since);
}

/// The throw-away name of `holdfast drill`, pinned.
fn drilled() -> Register {
    let mut pin = pin(0, 0);
    pin.incident.alarm = "holdfast-drill".to_owned();
    Register::Pinned { pin, spread: in_sync(40) }
}

#[rustfmt::skip]
const PINNED_CASES: &[Case] = &[
    ("an alarm that is not ours changes nothing, whatever else is so", |s| s.foreign_alarm = true, Rule::P01, "the event is of an alarm", Verdict::Nothing),
    ("a pin in sync is left alone", |s| s.register(&pinned(0, in_sync(40))), Rule::P02, STAY, Verdict::Stay),
    ("a pin whose change is pending is left alone", |s| { s.register(&pinned(0, change("C1"))); s.changes.insert("C1".into(), ChangeStatus::Pending); }, Rule::P02, STAY, Verdict::Stay),
    ("a pin whose change Route 53 could not be asked for is left alone", |s| s.register(&pinned(0, change("C1"))), Rule::P02, STAY, Verdict::Stay),
    ("a lost change is made again", |s| { s.register(&pinned(0, change("C1"))); s.changes.insert("C1".into(), ChangeStatus::Lost); }, Rule::P02, NO_CHANGE, Verdict::Confirm),
    ("another name's lost change is none of ours", |s| { s.register(&pinned(0, change("C1"))); s.changes.insert("C2".into(), ChangeStatus::Lost); }, Rule::P02, STAY, Verdict::Stay),
    ("whoever pinned has 29 s to record the change", |s| { s.register(&pinned(0, unrecorded(31))); }, Rule::P02, STAY, Verdict::Stay),
    ("after 30 s another records it", |s| { s.register(&pinned(0, unrecorded(30))); }, Rule::P02, NO_CHANGE, Verdict::Confirm),
    ("a failed-over name is left alone", |s| s.register(&failed_over(0)), Rule::P02, STAY, Verdict::Stay),
    ("a pin outlives the alarm", |s| { s.register(&pinned(0, in_sync(40))); s.all_ok_since(50); }, Rule::P02, STAY, Verdict::Stay),
    ("a pin outlives CloudWatch", |s| { s.register(&pinned(0, in_sync(40))); s.alarms = None; }, Rule::P02, STAY, Verdict::Stay),
    ("the first drift is undone", |s| s.drifted(&pinned(0, in_sync(40))), Rule::P03, CHANGED, Verdict::Repin),
    ("the second drift is undone", |s| s.drifted(&pinned(1, in_sync(40))), Rule::P03, CHANGED, Verdict::Repin),
    ("the third drift is left to people", |s| s.drifted(&pinned(2, in_sync(40))), Rule::P03, KEEPS_CHANGING, Verdict::Yield),
    ("drift after the failover is undone too", |s| s.drifted(&failed_over(1)), Rule::P03, CHANGED, Verdict::Repin),
    ("and a third time left to people", |s| s.drifted(&failed_over(2)), Rule::P03, KEEPS_CHANGING, Verdict::Yield),
    ("drift is undone when the alarm is long over", |s| { s.drifted(&failed_over(0)); s.all_ok_since(50); }, Rule::P03, CHANGED, Verdict::Repin),
    ("DR at a new address is followed", |s| s.moved(&known_dr(pinned(0, in_sync(40)), DR), DR, NEW_DR), Rule::P03, DR_MOVED, Verdict::Follow),
    ("and again however often the pin was undone", |s| s.moved(&known_dr(pinned(2, in_sync(40)), DR), DR, NEW_DR), Rule::P03, DR_MOVED, Verdict::Follow),
    ("and after the failover", |s| s.moved(&known_dr(failed_over(2), DR), DR, NEW_DR), Rule::P03, DR_MOVED, Verdict::Follow),
    ("a PRIMARY that others changed is undone, though DR has moved too", |s| s.moved(&known_dr(pinned(0, in_sync(40)), DR), PRIMARY, NEW_DR), Rule::P03, CHANGED, Verdict::Repin),
    ("and left to people the third time", |s| s.moved(&known_dr(pinned(2, in_sync(40)), DR), PRIMARY, NEW_DR), Rule::P03, KEEPS_CHANGING, Verdict::Yield),
    ("where nobody knows who changed what, the pin is made again", |s| s.moved(&pinned(0, in_sync(40)), DR, NEW_DR), Rule::P03, CHANGED, Verdict::Repin),
    ("roles swapped: nobody is sent to the old primary", |s| s.moved(&known_dr(pinned(0, in_sync(40)), DR), DR, PRIMARY), Rule::P03, SWAPPED, Verdict::LeaveSwapped),
    ("whatever an older register does not know", |s| s.moved(&pinned(0, in_sync(40)), DR, PRIMARY), Rule::P03, SWAPPED, Verdict::LeaveSwapped),
    ("after the failover neither", |s| s.moved(&failed_over(0), DR, PRIMARY), Rule::P03, SWAPPED, Verdict::LeaveSwapped),
    ("both on the old primary is no agreement", |s| s.moved(&known_dr(failed_over(0), DR), PRIMARY, PRIMARY), Rule::P03, SWAPPED, Verdict::LeaveSwapped),
    ("nor is the old primary among others", |s| s.view = pinned_to(&[DR], &[DR, PRIMARY]), Rule::P03, SWAPPED, Verdict::LeaveSwapped),
    ("nor both so", |s| s.view = pinned_to(&[DR, PRIMARY], &[DR, PRIMARY]), Rule::P03, SWAPPED, Verdict::LeaveSwapped),
    ("the old primary beside DR in the PRIMARY alone is undone", |s| s.view = pinned_to(&[DR, PRIMARY], &[DR]), Rule::P03, CHANGED, Verdict::Repin),
    ("a pinned name put back by hand is left alone after Holdfast yielded", |s| s.register(&pinned(2, in_sync(40))), Rule::P02, STAY, Verdict::Stay),
    ("a pinned name whose pair was taken apart is for people", |s| s.view = without(Half::Secondary, &pinned(0, in_sync(40))), Rule::P07, MALFORMED, Verdict::Refuse),
];

#[rustfmt::skip]
const ARMING_CASES: &[Case] = &[
    ("a disarmed name is not failed over", |s| s.register(&disarmed()), Rule::P04, DISARMED_OUTAGE, Verdict::Refuse),
    ("nor one never armed", |s| s.view = view("app.example.com", PRIMARY, None), Rule::P04, DISARMED_OUTAGE, Verdict::Refuse),
    ("nor with an approval", |s| { s.register(&disarmed()); s.approval = Some(approval(0, &[Rule::P08, Rule::P09, Rule::P10])); }, Rule::P04, DISARMED_OUTAGE, Verdict::Refuse),
    ("nor after its sibling", |s| { s.register(&disarmed()); s.sibling(&pinned(0, in_sync(40))); }, Rule::P04, DISARMED_OUTAGE, Verdict::Refuse),
    ("without an outage a disarmed name is no matter", |s| { s.register(&disarmed()); s.all_ok_since(-90_000); }, Rule::P04, DISARMED, Verdict::Wait),
    ("a name never armed is armed when the settle time has passed", |s| never_armed(s, -840), Rule::P04, SETTLED, ARM_SETTLED),
    ("and not a second before", |s| never_armed(s, -839), Rule::P04, DISARMED, Verdict::Wait),
    ("one alarm is enough where the plan has one", |s| { never_armed(s, -900); s.plan.alarms.truncate(1); s.alarms(&[alarm(0, Fine, -900)]); }, Rule::P04, SETTLED, ARM_SETTLED),
    ("nor if one alarm is of unknown state, which is told", |s| { never_armed(s, -900); s.alarms(&[alarm(0, Fine, -900), alarm(1, InsufficientData, -540)]); }, Rule::P04, UNARMABLE_ALARM, Verdict::Refuse),
    ("but not of a new alarm", |s| { never_armed(s, -900); s.alarms(&[alarm(0, Fine, -900), alarm(1, InsufficientData, -539)]); }, Rule::P04, DISARMED, Verdict::Wait),
    ("nor if one alarm is not there, which is told", |s| { never_armed(s, -900); s.alarms(&[alarm(0, Fine, -900), alarm(1, Missing, 60)]); }, Rule::P04, UNARMABLE_ALARM, Verdict::Refuse),
    ("nor if one alarm is unheard of", |s| { never_armed(s, -900); s.alarms(&[alarm(0, Fine, -900)]); }, Rule::P04, DISARMED, Verdict::Wait),
    ("nor if CloudWatch does not answer", |s| { never_armed(s, -900); s.alarms = None; }, Rule::P04, DISARMED, Verdict::Wait),
    ("nor if the primary is silent, which is told", |s| { never_armed(s, -900); s.probes.primary = Probe::Silent(Silence::TimedOut); }, Rule::P04, UNARMABLE_PROBE, Verdict::Refuse),
    ("nor if it answers 503", |s| { never_armed(s, -900); s.probes.primary = Probe::Unwell(503); }, Rule::P04, UNARMABLE_PROBE, Verdict::Refuse),
    ("nor if a firewall refuses us, and that is told", |s| { never_armed(s, -900); s.probes.primary = Probe::Refused(403); }, Rule::P04, UNCLEAR_UNARMED, Verdict::Refuse),
    ("nor if its certificate is another's", |s| { never_armed(s, -900); s.probes.primary = Probe::TlsFailed(TlsFault::OtherName); }, Rule::P04, UNCLEAR_UNARMED, Verdict::Refuse),
    ("but what a person disarmed is not complained of", |s| { s.register(&disarmed()); s.all_ok_since(-900); s.probes.primary = Probe::Refused(403); }, Rule::P04, DISARMED, Verdict::Wait),
    ("nor if CloudWatch cannot evaluate it", |s| { never_armed(s, -900); s.evaluation_trouble(EvaluationTrouble::Error); }, Rule::P04, UNEVALUATED_UNARMED, Verdict::Refuse),
    ("in shadow mode nothing is rehearsed", |s| { never_armed(s, -900); s.plan.mode = Mode::Shadow; }, Rule::P04, SETTLED_ONLY, ARM_ONLY),
    ("nor where rehearsals are switched off", |s| { never_armed(s, -900); s.plan.rehearse = false; }, Rule::P04, SETTLED_ONLY, ARM_ONLY),
    ("but if it answers", |s| { never_armed(s, -900); s.probes.primary = Probe::Answers; }, Rule::P04, SETTLED, ARM_SETTLED),
    ("nor if the PRIMARY leads to DR already", |s| { never_armed(s, -900); s.view = view("app.example.com", DR, None); }, Rule::P07, UNARMABLE, Verdict::Refuse),
    ("nor if half its pair is missing", |s| { never_armed(s, -900); s.view = NameView { register: Reading::Absent, ..without(Half::Primary, &disarmed()) }; }, Rule::P07, UNARMABLE, Verdict::Refuse),
    ("and the cause is told in an outage too", |s| s.view = NameView { register: Reading::Absent, ..without(Half::Primary, &disarmed()) }, Rule::P07, UNARMABLE, Verdict::Refuse),
    ("what a person disarmed may be as it is", |s| { s.all_ok_since(-900); s.view = without(Half::Primary, &disarmed()); }, Rule::P04, DISARMED, Verdict::Wait),
    ("nor while another name is in maintenance", |s| { never_armed(s, -900); s.sibling(&paused(61)); }, Rule::P04, DISARMED, Verdict::Wait),
    ("what a person disarmed is never armed by itself", |s| { s.register(&disarmed()); s.all_ok_since(-90_000); }, Rule::P04, DISARMED, Verdict::Wait),
    ("in maintenance an outage is held", |s| s.register(&paused(61)), Rule::P05, PAUSED_OUTAGE, Verdict::Hold),
    ("and no approval lifts it", |s| { s.register(&paused(61)); s.approval = Some(approval(0, &[Rule::P08, Rule::P09, Rule::P10])); }, Rule::P05, PAUSED_OUTAGE, Verdict::Hold),
    ("in maintenance without an outage nothing is said", |s| { s.register(&paused(61)); s.all_ok_since(-900); }, Rule::P05, PAUSED, Verdict::Hold),
    ("a maintenance ends on the second", |s| s.register(&paused(60)), Rule::P05, MAINTAINED, ARM_AGAIN),
    ("a pair taken apart in maintenance is reported when it ends", |s| s.view = without(Half::Secondary, &paused(61)), Rule::P05, PAUSED_OUTAGE, Verdict::Hold),
    ("half a pair is refused", |s| s.view = without(Half::Primary, &armed(-7_200, ArmedBy::Operator)), Rule::P07, MALFORMED, Verdict::Refuse),
    ("and refused before an outage", |s| { s.view = without(Half::Secondary, &armed(-7_200, ArmedBy::Operator)); s.all_ok_since(-900); }, Rule::P07, MALFORMED, Verdict::Refuse),
    ("an unreadable register is refused", |s| s.view = unreadable("app.example.com", PRIMARY), Rule::P07, MALFORMED, Verdict::Refuse),
    ("an unreadable register is refused when the records are pinned", |s| s.view = unreadable("app.example.com", DR), Rule::P07, MALFORMED, Verdict::Refuse),
    ("an original that no register holds is refused before an outage", |s| { s.all_ok_since(-900); s.view = wide(4_000); }, Rule::P07, MALFORMED, Verdict::Refuse),
    ("a PRIMARY that was pointed at DR by hand is told at once", |s| { s.all_ok_since(-900); s.view = view("app.example.com", DR, Some(&armed(-7_200, ArmedBy::Operator))); }, Rule::P07, MALFORMED, Verdict::Refuse),
    ("and is never pinned", |s| s.view = view("app.example.com", DR, Some(&armed(-7_200, ArmedBy::Operator))), Rule::P07, MALFORMED, Verdict::Refuse),
    ("nor with its siblings", |s| { s.view = view("app.example.com", DR, Some(&armed(-7_200, ArmedBy::Operator))); s.sibling(&pinned(0, in_sync(40))); }, Rule::P07, MALFORMED, Verdict::Refuse),
    ("one that a register holds is not", |s| { s.all_ok_since(-900); s.view = wide(3_000); }, Rule::P06, QUIET, Verdict::Nothing),
];

/// All is well, in a minute of the hour at which this stack rehearses.
fn in_its_minute(s: &mut Scene) {
    s.all_ok_since(-90_000);
    let is_due = |s: &Scene| s.decide().row.id.rule == Rule::P14;
    s.now = (0..60).map(|minute| minute * 60).find(|now| is_due(&Scene { now: *now, ..s.clone() })).unwrap();
}

fn rehearsed(s: &mut Scene, seconds_before: i64) {
    in_its_minute(s);
    let rehearsed = Some(at(s.now - seconds_before));
    s.register(&rehearsed_at(-90_000, rehearsed));
}

#[rustfmt::skip]
const REHEARSAL_CASES: &[Case] = &[
    ("what was never rehearsed is, in the stack's minute", in_its_minute, Rule::P14, REHEARSAL, Verdict::Rehearse),
    ("and not in the next", |s| { in_its_minute(s); s.now += 60; }, Rule::P06, QUIET, Verdict::Nothing),
    ("but an hour later", |s| { in_its_minute(s); s.now += 3_600; }, Rule::P14, REHEARSAL, Verdict::Rehearse),
    ("a rehearsal holds for 23 hours and a half", |s| rehearsed(s, 84_599), Rule::P06, QUIET, Verdict::Nothing),
    ("and no longer", |s| rehearsed(s, 84_600), Rule::P14, REHEARSAL, Verdict::Rehearse),
    ("not while an alarm is of unknown state", |s| { in_its_minute(s); s.alarms(&[alarm(0, Fine, -900), alarm(1, InsufficientData, s.now - 599)]); }, Rule::P06, QUIET, Verdict::Nothing),
    ("nor unheard of", |s| { in_its_minute(s); s.alarms(&[alarm(0, Fine, -900)]); }, Rule::P06, QUIET, Verdict::Nothing),
    ("nor while CloudWatch does not answer", |s| { in_its_minute(s); s.alarms = None; }, Rule::P06, UNKNOWN, Verdict::Wait),
    ("nor while a name is pinned in an incident before it was armed", |s| { in_its_minute(s); s.now += 3_600; s.register(&armed(s.now - 60, ArmedBy::Operator)); s.sibling(&pinned(0, in_sync(40))); }, Rule::P06, QUIET, Verdict::Nothing),
    ("nor in a maintenance", |s| { in_its_minute(s); s.register(&paused(9_000)); }, Rule::P05, PAUSED, Verdict::Hold),
    ("nor while disarmed", |s| { in_its_minute(s); s.register(&disarmed()); }, Rule::P04, DISARMED, Verdict::Wait),
    ("nor in shadow mode", |s| { in_its_minute(s); s.plan.mode = Mode::Shadow; }, Rule::P06, QUIET, Verdict::Nothing),
    ("nor where it is switched off", |s| { in_its_minute(s); s.plan.rehearse = false; }, Rule::P06, QUIET, Verdict::Nothing),
    ("a pair taken apart is told and not rehearsed", |s| { in_its_minute(s); s.view = without(Half::Secondary, &armed(-7_200, ArmedBy::Operator)); }, Rule::P07, MALFORMED, Verdict::Refuse),
];

#[rustfmt::skip]
const OUTAGE_CASES: &[Case] = &[
    ("a sibling's pin takes this name along", |s| { s.sibling(&pinned(0, in_sync(40))); s.all_ok_since(50); }, Rule::P13, SIBLING, Verdict::Pin),
    ("though CloudWatch is silent", |s| { s.sibling(&pinned(0, in_sync(40))); s.alarms = None; }, Rule::P13, SIBLING, Verdict::Pin),
    ("but a drill's takes none along", |s| { s.sibling(&drilled()); s.all_ok_since(50); }, Rule::P06, QUIET, Verdict::Nothing),
    ("though approval mode came since", |s| { s.sibling(&pinned(0, in_sync(40))); s.plan.mode = Mode::Approval; }, Rule::P13, SIBLING, Verdict::Pin),
    ("though this name was armed a second before the alarm", |s| { s.sibling(&pinned(0, in_sync(40))); s.register(&armed(-1, ArmedBy::Failback)); }, Rule::P13, SIBLING, Verdict::Pin),
    ("but not if it was armed with the alarm: it was failed back", |s| { s.sibling(&pinned(0, in_sync(40))); s.register(&armed(0, ArmedBy::Failback)); }, Rule::P06, OLD, Verdict::Nothing),
    ("but not if it was armed during the incident", |s| { s.sibling(&pinned(0, in_sync(40))); s.register(&armed(50, ArmedBy::Settling)); s.all_ok_since(55); }, Rule::P06, QUIET, Verdict::Nothing),
    ("but not in shadow mode", |s| { s.sibling(&pinned(0, in_sync(40))); s.plan.mode = Mode::Shadow; }, Rule::P11, SHADOW, Verdict::WouldPin),
    ("a sibling that has failed over is of a closed incident", |s| { s.sibling(&failed_over(0)); s.all_ok_since(50); }, Rule::P06, QUIET, Verdict::Nothing),
    ("an armed sibling says nothing", |s| { s.sibling(&armed(-7_200, ArmedBy::Operator)); s.all_ok_since(50); }, Rule::P06, QUIET, Verdict::Nothing),
    ("without CloudWatch and without an event nothing is known", |s| s.alarms = None, Rule::P06, UNKNOWN, Verdict::Wait),
    ("and an approval does not replace the alarm", |s| { s.alarms = None; s.approval = Some(approval(0, &[])); }, Rule::P06, UNKNOWN, Verdict::Wait),
    ("an alarm that is OK starts nothing", |s| s.all_ok_since(50), Rule::P06, QUIET, Verdict::Nothing),
    ("an alarm without data starts nothing", |s| s.alarms(&[alarm(0, InsufficientData, 0)]), Rule::P06, QUIET, Verdict::Nothing),
    ("for ten minutes", |s| s.alarms(&[alarm(0, InsufficientData, -539)]), Rule::P06, QUIET, Verdict::Nothing),
    ("then it guards nothing, which is told", |s| s.alarms(&[alarm(0, InsufficientData, -540)]), Rule::P06, BLIND, Verdict::Refuse),
    ("an alarm that is gone guards nothing", |s| s.alarms(&[alarm(0, Missing, 60), alarm(1, Fine, -900)]), Rule::P06, BLIND, Verdict::Refuse),
    ("but the other one that rings counts", |s| s.alarms(&[alarm(0, Alarm, 0), alarm(1, Missing, 60)]), Rule::P13, PIN, Verdict::Pin),
    ("a PRIMARY record with another health check than the plan's is told in peace", |s| { s.all_ok_since(-900); s.plan.failover_health_check = Some("hc-2".to_owned()); }, Rule::P07, AT_RISK, Verdict::Warn),
    ("one with the switch is not", |s| { s.all_ok_since(-900); s.plan.failover_health_check = Some("hc-2".to_owned()); s.plan.switch = Some("hc-1".to_owned()); }, Rule::P06, QUIET, Verdict::Nothing),
    ("one with the plan's is not", |s| { s.all_ok_since(-900); s.plan.failover_health_check = Some("hc-1".to_owned()); }, Rule::P06, QUIET, Verdict::Nothing),
    ("an alias with target health is told in peace", |s| { s.all_ok_since(-900); s.view = risky(); }, Rule::P07, AT_RISK, Verdict::Warn),
    ("and pinned in an outage", |s| s.view = risky(), Rule::P13, PIN, Verdict::Pin),
    ("and armed when it has settled", |s| { s.all_ok_since(-900); s.view = NameView { register: Reading::Absent, ..risky() }; }, Rule::P04, SETTLED, ARM_SETTLED),
    ("a TTL that became shorter is put on record", |s| { s.all_ok_since(-900); s.register(&with_ttl(61)); }, Rule::P06, TTL, Verdict::Remember),
    ("one that has not changed is not", |s| { s.all_ok_since(-900); s.register(&with_ttl(60)); }, Rule::P06, QUIET, Verdict::Nothing),
    ("nor one that no register knows, which a rehearsal puts there", |s| { s.all_ok_since(-900); s.register(&Register::armed(at(-7_200), ArmedBy::Operator)); }, Rule::P06, QUIET, Verdict::Nothing),
    ("unless there is none", |s| { s.all_ok_since(-900); s.plan.rehearse = false; s.register(&Register::armed(at(-7_200), ArmedBy::Operator)); }, Rule::P06, TTL, Verdict::Remember),
    ("nor in shadow mode", |s| { s.all_ok_since(-900); s.register(&with_ttl(61)); s.plan.mode = Mode::Shadow; }, Rule::P06, QUIET, Verdict::Nothing),
    ("nor in an outage", |s| s.register(&with_ttl(61)), Rule::P13, PIN, Verdict::Pin),
    ("no alarm starts nothing", |s| s.alarms(&[]), Rule::P06, QUIET, Verdict::Nothing),
    ("nor does one that CloudWatch cannot evaluate", |s| s.evaluation_trouble(EvaluationTrouble::Failure), Rule::P07, UNEVALUATED, Verdict::Refuse),
    ("whatever is wrong with it", |s| s.evaluation_trouble(EvaluationTrouble::Error), Rule::P07, UNEVALUATED, Verdict::Refuse),
    ("but some missing data is only a fact", |s| s.evaluation_trouble(EvaluationTrouble::PartialData), Rule::P06, QUIET, Verdict::Nothing),
    ("an alarm that rang and can no longer be evaluated has rung", |s| { let ringing = AlarmSighting { trouble: Some(EvaluationTrouble::Failure), ..alarm(0, Alarm, 0) }; s.alarms(&[ringing]); }, Rule::P13, PIN, Verdict::Pin),
    ("an event of the outage before a failback starts nothing", |s| s.register(&armed(0, ArmedBy::Failback)), Rule::P06, OLD, Verdict::Nothing),
    ("nor does an incident that a person rejected", |s| s.register(&armed(60, ArmedBy::Rejection)), Rule::P06, OLD, Verdict::Nothing),
    ("and soon after a rejection a person decides", |s| { s.register(&armed(-899, ArmedBy::Rejection)); }, Rule::P08, TOO_SOON, Verdict::Ask),
    ("later Holdfast acts again", |s| { s.register(&armed(-900, ArmedBy::Rejection)); }, Rule::P13, PIN, Verdict::Pin),
    ("however old it is", |s| { s.register(&armed(50_000, ArmedBy::Failback)); s.now = 90_000; }, Rule::P06, OLD, Verdict::Nothing),
    ("and with an approval nothing either", |s| { s.register(&armed(0, ArmedBy::Failback)); s.approval = Some(approval(0, &[Rule::P08])); }, Rule::P06, OLD, Verdict::Nothing),
    ("a name that a person armed while the alarm rang needs approval", |s| s.register(&armed(50, ArmedBy::Operator)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("and so does one armed in the second it began to ring", |s| s.register(&armed(0, ArmedBy::Operator)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("and one whose maintenance ended then", |s| s.register(&armed(50, ArmedBy::MaintenanceEnd)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("and one that settled just before the event overtook CloudWatch", |s| s.register(&armed(50, ArmedBy::Settling)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("and approved it is pinned", |s| { s.register(&armed(50, ArmedBy::MaintenanceEnd)); s.approval = Some(approval(0, &[Rule::P08])); }, Rule::P13, PIN, Verdict::Pin),
    ("an alarm a second after the failback needs approval", |s| s.register(&armed(-1, ArmedBy::Failback)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("an alarm within the cool-down needs approval", |s| s.register(&armed(-3_599, ArmedBy::Failback)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("after the cool-down it does not", |s| s.register(&armed(-3_600, ArmedBy::Failback)), Rule::P13, PIN, Verdict::Pin),
    ("the cool-down holds whoever arms the name after a failback", |s| s.register(&failed_back(-3_599)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("and not longer", |s| s.register(&failed_back(-3_600)), Rule::P13, PIN, Verdict::Pin),
    ("a cool-down shorter than the settle time does not shorten that", |s| { s.plan.limits.cooldown_seconds = 0; s.register(&armed(-899, ArmedBy::Failback)); }, Rule::P08, TOO_SOON, Verdict::Ask),
    ("an alarm within the settle time needs approval", |s| s.register(&armed(-899, ArmedBy::Operator)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("whatever armed the name", |s| s.register(&armed(-899, ArmedBy::MaintenanceEnd)), Rule::P08, TOO_SOON, Verdict::Ask),
    ("after the settle time it does not", |s| s.register(&armed(-900, ArmedBy::Settling)), Rule::P13, PIN, Verdict::Pin),
    ("waiting does not make an early alarm a late one", |s| { s.register(&armed(-899, ArmedBy::Operator)); s.now = 9_000; }, Rule::P08, TOO_SOON, Verdict::Ask),
    ("P08 is lifted by an approval that names it", |s| { s.register(&armed(-899, ArmedBy::Operator)); s.approval = Some(approval(0, &[Rule::P08])); }, Rule::P13, PIN, Verdict::Pin),
    ("but not by one that names another rule", |s| { s.register(&armed(-899, ArmedBy::Operator)); s.approval = Some(approval(0, &[Rule::P09])); }, Rule::P08, TOO_SOON, Verdict::Ask),
    ("nor by one for another incident", |s| { s.register(&armed(-899, ArmedBy::Operator)); s.approval = Some(approval(1, &[Rule::P08])); }, Rule::P08, TOO_SOON, Verdict::Ask),
    ("of two alarms the one before arming does not count", |s| { s.register(&armed(-3_000, ArmedBy::Operator)); s.alarms(&[alarm(1, Alarm, -3_000), alarm(0, Alarm, 0)]); }, Rule::P13, PIN, Verdict::Pin),
    ("of two alarms after arming the older is the incident", |s| { s.register(&armed(-1_000, ArmedBy::Operator)); s.alarms(&[alarm(0, Alarm, 0), alarm(1, Alarm, -200)]); }, Rule::P08, TOO_SOON, Verdict::Ask),
    ("a primary that answers holds the failover", |s| s.probes.primary = Probe::Answers, Rule::P09, ANSWERS, Verdict::Hold),
    ("a primary that is silent does not", |s| s.probes.primary = Probe::Silent(Silence::TimedOut), Rule::P13, PIN, Verdict::Pin),
    ("nor one that says 500", |s| s.probes.primary = Probe::Unwell(500), Rule::P13, PIN, Verdict::Pin),
    ("it does so until HoldSecondsMax has run out", |s| held_for(s, 59, Probe::Answers), Rule::P09, OUT_OF_TIME, Verdict::Hold),
    ("and not a second before", |s| held_for(s, 61, Probe::Answers), Rule::P09, ANSWERS, Verdict::Hold),
    ("what cannot be told runs out too", |s| held_for(s, 60, Probe::Refused(403)), Rule::P09, OUT_OF_TIME, Verdict::Hold),
    ("an approval lifts it as before", |s| { held_for(s, 59, Probe::Answers); s.approval = Some(approval(0, &[Rule::P09])); }, Rule::P13, PIN, Verdict::Pin),
    ("without a switch nothing is let go of", |s| { held_for(s, 59, Probe::Answers); s.plan.switch = None; }, Rule::P09, ANSWERS, Verdict::Hold),
    ("a primary that is silent is none of it", |s| held_for(s, 59, Probe::Silent(Silence::TimedOut)), Rule::P13, PIN, Verdict::Pin),
    ("a primary that refuses us may be up", |s| s.probes.primary = Probe::Refused(403), Rule::P09, UNCLEAR, Verdict::Hold),
    ("so may one whose certificate is another's", |s| s.probes.primary = Probe::TlsFailed(TlsFault::OtherName), Rule::P09, UNCLEAR, Verdict::Hold),
    ("so may one that talks something else", |s| s.probes.primary = Probe::NotHttp, Rule::P09, UNCLEAR, Verdict::Hold),
    ("so may one that was never asked", |s| s.probes.primary = Probe::NotSent(Unsent::NameNotResolved), Rule::P09, UNCLEAR, Verdict::Hold),
    ("P09 is lifted there too", |s| { s.probes.primary = Probe::Refused(403); s.approval = Some(approval(0, &[Rule::P09])); }, Rule::P13, PIN, Verdict::Pin),
    ("before an outage it is told", |s| { s.all_ok_since(-900); s.probes.primary = Probe::Refused(403); }, Rule::P07, UNCLEAR_IN_PEACE, Verdict::Refuse),
    ("but not in maintenance", |s| { s.register(&paused(61)); s.all_ok_since(-900); s.probes.primary = Probe::Refused(403); }, Rule::P05, PAUSED, Verdict::Hold),
    ("nor once pinned", |s| { s.register(&pinned(0, in_sync(40))); s.probes.primary = Probe::Refused(403); }, Rule::P02, STAY, Verdict::Stay),
    ("a silent primary whose alarm is quiet is told", |s| { s.all_ok_since(-900); s.probes.primary = Probe::Silent(Silence::TimedOut); }, Rule::P07, SILENT_IN_PEACE, Verdict::Nothing),
    ("a DR site that says 503 holds the failover", |s| s.probes.dr = Probe::Unwell(503), Rule::P10, DR_SILENT, Verdict::Hold),
    ("one that refuses us does not", |s| s.probes.dr = Probe::Refused(401), Rule::P13, PIN, Verdict::Pin),
    ("nor one whose certificate is another's", |s| s.probes.dr = Probe::TlsFailed(TlsFault::OtherName), Rule::P13, PIN, Verdict::Pin),
    ("nor one that was never asked", |s| s.probes.dr = Probe::NotSent(Unsent::NoRoute), Rule::P13, PIN, Verdict::Pin),
    ("but before an outage it is told", |s| { s.all_ok_since(-900); s.probes.dr = Probe::Refused(401); }, Rule::P07, DR_UNCLEAR_IN_PEACE, Verdict::Nothing),
    ("a silent DR site is told before an outage", |s| { s.all_ok_since(-900); s.probes.dr = Probe::Silent(Silence::ConnectionRefused); }, Rule::P07, DR_SILENT_IN_PEACE, Verdict::Refuse),
    ("P09 is lifted by an approval that names it", |s| { s.probes.primary = Probe::Answers; s.approval = Some(approval(0, &[Rule::P09])); }, Rule::P13, PIN, Verdict::Pin),
    ("but not by one that names none", |s| { s.probes.primary = Probe::Answers; s.approval = Some(approval(0, &[])); }, Rule::P09, ANSWERS, Verdict::Hold),
    ("a DR site that is silent holds the failover", |s| s.probes.dr = Probe::Silent(Silence::TimedOut), Rule::P10, DR_SILENT, Verdict::Hold),
    ("one that answers does not", |s| s.probes.dr = Probe::Answers, Rule::P13, PIN, Verdict::Pin),
    ("P10 is lifted by an approval that names it", |s| { s.probes.dr = Probe::Silent(Silence::TimedOut); s.approval = Some(approval(0, &[Rule::P10])); }, Rule::P13, PIN, Verdict::Pin),
    ("but not by one that names P09", |s| { s.probes.dr = Probe::Silent(Silence::TimedOut); s.approval = Some(approval(0, &[Rule::P09])); }, Rule::P10, DR_SILENT, Verdict::Hold),
    ("too few healthy targets hold the failover", |s| s.probes.targets = Targets::TooFew, Rule::P15, TOO_FEW, Verdict::Hold),
    ("enough do not", |s| s.probes.targets = Targets::Healthy, Rule::P13, PIN, Verdict::Pin),
    ("whatever steps there are", |s| { s.plan.prepares = true; s.probes.targets = Targets::TooFew; }, Rule::P15, TOO_FEW, Verdict::Hold),
    ("that nobody knows of any holds it too", |s| s.probes.targets = Targets::NoData, Rule::P15, TARGETS_UNKNOWN, Verdict::Hold),
    ("as where CloudWatch does not answer", |s| s.probes.targets = Targets::NotAnswered, Rule::P15, TARGETS_UNKNOWN, Verdict::Hold),
    ("or has no such alarm", |s| s.probes.targets = Targets::NoAlarm, Rule::P15, TARGETS_UNKNOWN, Verdict::Hold),
    ("or cannot evaluate it", |s| s.probes.targets = Targets::Unevaluated, Rule::P15, TARGETS_UNKNOWN, Verdict::Hold),
    ("P15 is lifted by an approval that names it", |s| { s.probes.targets = Targets::TooFew; s.approval = Some(approval(0, &[Rule::P15])); }, Rule::P13, PIN, Verdict::Pin),
    ("where nobody knows too", |s| { s.probes.targets = Targets::NoData; s.approval = Some(approval(0, &[Rule::P15])); }, Rule::P13, PIN, Verdict::Pin),
    ("but not by one that names P10", |s| { s.probes.targets = Targets::TooFew; s.approval = Some(approval(0, &[Rule::P10])); }, Rule::P15, TOO_FEW, Verdict::Hold),
    ("a DR site that is silent is told first", |s| { s.probes.dr = Probe::Silent(Silence::TimedOut); s.probes.targets = Targets::TooFew; }, Rule::P10, DR_SILENT, Verdict::Hold),
    ("a failover once begun waits for no target", |s| { s.sibling(&pinned(0, in_sync(40))); s.probes.targets = Targets::TooFew; }, Rule::P13, SIBLING, Verdict::Pin),
    ("nor does a pin that stands", |s| { s.register(&pinned(0, in_sync(40))); s.probes.targets = Targets::TooFew; }, Rule::P02, STAY, Verdict::Stay),
    ("before an outage too few are told", |s| { s.all_ok_since(-900); s.probes.targets = Targets::TooFew; }, Rule::P07, TOO_FEW_IN_PEACE, Verdict::Refuse),
    ("and that there is no data", |s| { s.all_ok_since(-900); s.probes.targets = Targets::NoData; }, Rule::P07, TOO_FEW_IN_PEACE, Verdict::Refuse),
    ("but not where steps may raise DR", |s| { s.all_ok_since(-900); s.plan.prepares = true; s.probes.targets = Targets::TooFew; }, Rule::P06, QUIET, Verdict::Nothing),
    ("an alarm that is not there is told whatever steps there are", |s| { s.all_ok_since(-900); s.plan.prepares = true; s.probes.targets = Targets::NoAlarm; }, Rule::P07, NO_TARGETS_ALARM, Verdict::Refuse),
    ("so is one that cannot be evaluated", |s| { s.all_ok_since(-900); s.probes.targets = Targets::Unevaluated; }, Rule::P07, NO_TARGETS_ALARM, Verdict::Refuse),
    ("that CloudWatch is silent now says nothing of an outage", |s| { s.all_ok_since(-900); s.probes.targets = Targets::NotAnswered; }, Rule::P06, QUIET, Verdict::Nothing),
    ("shadow mode says what would have been", |s| s.plan.mode = Mode::Shadow, Rule::P11, SHADOW, Verdict::WouldPin),
    ("and no approval makes it act", |s| { s.plan.mode = Mode::Shadow; s.approval = Some(approval(0, &[Rule::P12])); }, Rule::P11, SHADOW, Verdict::WouldPin),
    ("approval mode asks", |s| s.plan.mode = Mode::Approval, Rule::P12, UNAPPROVED, Verdict::Ask),
    ("and pins once approved", |s| { s.plan.mode = Mode::Approval; s.approval = Some(approval(0, &[])); }, Rule::P13, PIN, Verdict::Pin),
    ("an approval of yesterday's incident approves nothing", |s| { s.plan.mode = Mode::Approval; s.approval = Some(approval(-86_400, &[])); }, Rule::P12, UNAPPROVED, Verdict::Ask),
    ("an approval in maintenance's place lifts the rest only together", |s| { s.register(&armed(-899, ArmedBy::Operator)); s.probes.primary = Probe::Answers; s.approval = Some(approval(0, &[Rule::P08])); }, Rule::P09, ANSWERS, Verdict::Hold),
    ("an outage with nothing against it is pinned", |_| {}, Rule::P13, PIN, Verdict::Pin),
];

const NEW_DR: &str = "198.51.100.9";

/// The register as Holdfast writes it, knowing where it pointed the PRIMARY records.
fn known_dr(register: Register, dr: &str) -> Register {
    let known = |pin| Pin { dr: [("A".to_owned(), values(60, &[dr]).digest("A"))].into(), ..pin };
    match register {
        Register::Pinned { pin, spread } => Register::Pinned { pin: known(pin), spread },
        Register::FailedOver { at, pin } => Register::FailedOver { at, pin: known(pin) },
        other => other,
    }
}

/// A pinned name with these addresses.
fn pinned_to(primary: &[&str], secondary: &[&str]) -> NameView {
    let mut sets = pair(&app(), "A", values(60, primary), values(60, secondary));
    sets.push(pinned(0, in_sync(40)).record_set(&app()).unwrap());
    NameView::of_name("Z1", &app(), &sets)
}

/// An armed name whose aliases go by their targets' health.
fn risky() -> NameView {
    let mut sets = pair(&app(), "A", alias("p.elb"), alias("d.elb"));
    sets.push(with_ttl(60).record_set(&app()).unwrap());
    NameView::of_name("Z1", &app(), &sets)
}

fn with_ttl(seconds: u32) -> Register {
    let ttl = Some(Ttl { seconds, longer: None });
    armed(-7_200, ArmedBy::Operator).remembering(Memory { ttl, ..Memory::default() })
}

/// Armed two hours ago by a person, after a failback.
fn failed_back(at_second: i64) -> Register {
    let memory = Memory { failed_back: Some(at(at_second)), ..Memory::default() };
    armed(-1_000, ArmedBy::Operator).remembering(memory)
}

enum Half {
    Primary,
    Secondary,
}

/// The name without one record of its pair.
fn without(half: Half, register: &Register) -> NameView {
    let mut sets = a_pair(&app(), DR);
    sets.remove(match half {
        Half::Primary => 0,
        Half::Secondary => 1,
    });
    sets.push(register.record_set(&app()).unwrap());
    NameView::of_name("Z1", &app(), &sets)
}

/// An armed name whose PRIMARY has many values.
pub fn wide(characters: usize) -> NameView {
    let many = (0..characters.div_ceil(250)).map(|nth| "x".repeat((characters - 250 * nth).min(250))).collect();
    let mut sets = pair(&app(), "A", Target::Values { ttl_seconds: 60, values: many }, values(60, &[DR]));
    sets.push(armed(-7_200, ArmedBy::Operator).record_set(&app()).unwrap());
    NameView::of_name("Z1", &app(), &sets)
}

pub fn cases() -> impl Iterator<Item = &'static Case> {
    PINNED_CASES.iter().chain(ARMING_CASES).chain(REHEARSAL_CASES).chain(OUTAGE_CASES)
}
