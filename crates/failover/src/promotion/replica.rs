//! `R03`–`R09`: each database by itself, once the gate is open.

use jiff::Timestamp;

use super::evidence::Failover;
use super::loss::{LagBy, Loss, Outage};
use super::status::Allows;
use super::{
    Database, GlobalOperation, Instances, MULTI_AZ_CLUSTER, Page, PromotionCall, Quiet, ReplicaState, ReplicaView, Row,
    Source, after, decide, is_multi_az_cluster, row,
};
use crate::incident::{Approval, Incident};
use crate::observation::Fact;
use crate::plan::{Plan, ReplicaId};
use crate::register::Evidence;
use crate::rule::{Id, Rule};

/// How long a database may be on its way, in seconds. Promotion takes "several minutes or longer" (Aurora user guide,
/// cross-Region replication); after half an hour without writes people must look.
pub const PROMOTION_SECONDS_MAX: u32 = 1_800;

/// What to do about one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// It is an available writer.
    Done,
    /// It is on its way.
    Wait,
    /// Something is wrong; wait and say so.
    Trouble,
    /// A person must decide.
    Ask,
    /// Promote it.
    Promote,
}

/// A row about a replica.
pub type ReplicaRow = Row<ReplicaFacts, Verdict>;

/// The rules about one database. The last row always holds.
#[rustfmt::skip]
pub const REPLICA_TABLE: &[ReplicaRow] = &[
    row(Rule::R03.row('a'), "RDS knows no such database", |f| f.replica.state == ReplicaState::Missing,
        Verdict::Trouble, Page, "correct the plan's database name, or promote by hand what takes its place"),
    row(Rule::R03.row('b'), WRONG_LIST, |f| matches!(f.source(), Some(Source::MemberOf(_))),
        Verdict::Trouble, Page, "name the cluster under AuroraClusters instead, or promote by hand what takes the writes"),
    row(Rule::R03.row('c'), GLOBAL, |f| matches!(f.source(), Some(Source::Global(_))),
        Verdict::Trouble, Page, "fail the global database over by hand: aws rds failover-global-cluster --allow-data-loss; then name it in AuroraGlobalClusters"),
    row(Rule::R03.row('d'), NOT_IN_GLOBAL, |f| f.is_detached() && !f.is(Database::is_available_writer),
        Verdict::Trouble, Page, "correct AuroraGlobalClusters; if the cluster was taken out of it by hand and takes writes in the end, Holdfast asks you about it"),
    row(Rule::R06.row('a'), "RDS did not answer", |f| matches!(f.replica.state, ReplicaState::Unanswered(_)),
        Verdict::Trouble, Page, "Holdfast asks again within a minute"),
    row(Rule::R04.alone(), "a writer already, and on record: it was a replica in this failover, or a person vouches for it", |f| f.is(Database::is_available_writer) && f.is_on_record(),
        Verdict::Done, Quiet, "it takes writes"),
    row(Rule::R05.row('d'), "a switchover or another failover of its global database is under way, which Holdfast did not ask for", |f| f.is_operated_on_by_others(),
        Verdict::Wait, Page, "Holdfast waits for its end, and promotes the cluster then if it is no primary yet; see who began it (aws rds describe-global-clusters)"),
    row(Rule::R05.row('a'), "still on its way, more than 30 minutes after it might have been promoted", |f| f.is_on_its_way() && f.overdue_at.is_some_and(|at| at <= f.now),
        Verdict::Wait, Page, "Holdfast goes on looking every minute; if it was approved less than half an hour ago, wait; else see what RDS says of the database, and if it stays as it is, promote by hand what takes its place"),
    row(ON_ITS_WAY, "promoting, rebooting or otherwise on its way", ReplicaFacts::is_on_its_way,
        Verdict::Wait, Quiet, "Holdfast looks again within a minute"),
    row(Rule::R09.row('d'), "it takes writes, but somebody took it out of its global database", |f| f.is_detached() && f.is(Database::is_available_writer),
        Verdict::Ask, Page, "if that was a failover by hand (remove-from-global-cluster), approve it; if not, look at what it holds"),
    row(Rule::R09.row('a'), "it takes writes, but it was created after the pin, or RDS does not say when: it may not be the replica that was there", |f| f.is(Database::is_available_writer) && f.is_younger(),
        Verdict::Ask, Page, "look at what it holds: its data is of whatever it was restored from; approve it, or put in its place what you promote by hand"),
    row(Rule::R09.row('b'), "it takes writes, but nobody saw it as a replica in this failover", |f| f.is(Database::is_available_writer),
        Verdict::Ask, Page, "look at what it holds: if it was promoted long ago, or never was a replica, the primary's newer writes are not in it; approve it, or put in its place what you promote by hand"),
    row(Rule::R06.row('b'), "no replica, and in a status in which it takes no writes until a person sees to it", |f| f.is(Database::is_no_replica) && f.allows() != Some(Allows::Unknown),
        Verdict::Trouble, Page, "bring it to the status available, with a writer; there is nothing left to promote"),
    row(Rule::R06.row('c'), "in a status that this version of Holdfast does not know", |f| f.allows() == Some(Allows::Unknown),
        Verdict::Trouble, Page, "see what RDS says of it; Holdfast goes on once it is available"),
    row(Rule::R06.row('d'), "not in a state that RDS promotes", |f| !f.is(Database::is_available_replica) || f.call().is_none(),
        Verdict::Trouble, Page, "bring the database to the status available, with an instance; Holdfast then promotes it"),
    row(Rule::R07.row('a'), "promotion may lose more than the plan allows, or nobody knows how much", |f| f.loss_is_too_great() && !f.lifted(Rule::R07),
        Verdict::Ask, Page, "approve the loss, or promote nothing and bring the primary back; an approval is for every database of this incident"),
    row(Rule::R08.row('b'), "the replica is ready", |_| true,
        Verdict::Promote, Page, "RDS makes it a writer, which takes minutes"),
];

/// RDS is at work on it, and that is what is waited for.
pub(super) const ON_ITS_WAY: Id = Rule::R05.row('b');
pub(super) const WRONG_LIST: &str = "an instance of a cluster, which is promoted as a whole or not at all";
pub(super) const GLOBAL: &str = "a cluster of a global database, but the plan names it as a cluster of its own";
pub(super) const NOT_IN_GLOBAL: &str = "not a cluster of the global database that the plan names";

/// What the conditions about a replica are written in.
#[derive(Debug)]
pub struct ReplicaFacts {
    now: Timestamp,
    replica: ReplicaView,
    failover: Failover,
    lag_seconds_max: u32,
    outage: Outage,
    has_heartbeat: bool,
    lag_by: LagBy,
    approval: Option<Approval>,
    /// By when it should have been promoted.
    overdue_at: Option<Timestamp>,
}

/// What the rules decided about one replica.
#[derive(Debug)]
pub struct ReplicaDecision {
    /// Which replica.
    pub id: ReplicaId,
    /// Which row decided.
    pub row: &'static ReplicaRow,
    /// A person approved what it may lose, and RDS promotes it later: nobody but the approval's own delivery remembers that.
    pub keeps_an_approval_waiting: bool,
    /// How it is to be promoted, if it is.
    pub call: Option<PromotionCall>,
    /// What must be on record before anything follows from this.
    pub to_record: Evidence,
    /// The incident in which it is to be promoted.
    pub incident: Option<Incident>,
    /// Since when it might have been promoted; if that takes too long, since when it does.
    pub since: Option<Timestamp>,
    /// What was seen.
    pub facts: Vec<Fact>,
}

/// Decides about one replica once the gate is open.
#[must_use]
pub fn decide_replica(
    plan: &Plan,
    now: Timestamp,
    failover: &Failover,
    replica: &ReplicaView,
    approval: Option<&Approval>,
) -> ReplicaDecision {
    let facts = ReplicaFacts {
        now,
        replica: replica.clone(),
        failover: failover.clone(),
        lag_seconds_max: plan.limits.lag_seconds_max,
        outage: Outage::of(plan, &failover.incident),
        has_heartbeat: plan.heartbeats.contains_key(&replica.id),
        lag_by: LagBy::of(plan, &replica.id, replica.state.database().map_or("", |database| &database.engine)),
        approval: approval.cloned(),
        overdue_at: failover.since.map(|at| after(at, PROMOTION_SECONDS_MAX.into())),
    };
    let row = decide(REPLICA_TABLE, &facts);
    let since = match (row.id.rule, row.attention) {
        (Rule::R05, Page) => facts.overdue_at,
        _ => failover.since,
    };
    let to_record = facts.to_record(row.verdict);
    let incident = Some(failover.incident.clone());
    let call = facts.call().filter(|_| row.verdict == Verdict::Promote);
    let keeps_an_approval_waiting = facts.lifted(Rule::R07) && facts.is_worked_on_as_a_replica();
    let facts = facts.in_words();
    ReplicaDecision { id: replica.id.clone(), row, keeps_an_approval_waiting, call, to_record, incident, since, facts }
}

impl ReplicaFacts {
    fn source(&self) -> Option<&Source> {
        self.replica.state.database().map(|database| &database.source)
    }

    fn allows(&self) -> Option<Allows> {
        self.replica.state.database().map(Database::allows)
    }

    fn is(&self, so: impl Fn(&Database) -> bool) -> bool {
        self.replica.state.database().is_some_and(so)
    }

    fn call(&self) -> Option<PromotionCall> {
        PromotionCall::of(&self.replica.id, self.replica.state.database()?)
    }

    fn is_detached(&self) -> bool {
        matches!(self.source(), Some(Source::NotInGlobal(_)))
    }

    fn is_operated_on_by_others(&self) -> bool {
        self.is(|database| matches!(database.operation(), Some(GlobalOperation::Other(_))))
    }

    /// Without the time of its creation nobody knows that it was there.
    fn is_younger(&self) -> bool {
        self.is(|database| database.created.is_none() || database.created > Some(self.failover.pinned_at))
    }

    fn was_replica(&self) -> bool {
        // Of what was taken out of its global database it is not known that it has what the secondary had.
        self.failover.evidence.saw(&self.replica.id) && !self.is_younger() && !self.is_detached()
    }

    fn is_on_record(&self) -> bool {
        self.was_replica() || self.failover.evidence.vouches_for(&self.replica.id) || self.lifted(Rule::R09)
    }

    /// In a status that passes by itself; or promoted, and its instances still reboot.
    fn is_on_its_way(&self) -> bool {
        let is_so = |database: &Database| match database.allows() {
            Allows::Waiting => true,
            Allows::Promotion | Allows::WorkOnly => {
                let is_failed_over =
                    database.is_replica() && database.operation() == Some(&GlobalOperation::FailoverHere);
                is_failed_over || database.is_no_replica() && database.instances < Instances::Writer
            }
            Allows::NothingUntilMended | Allows::Unknown => false,
        };
        self.is(is_so) || self.is_worked_on_as_a_replica()
    }

    /// Not promoted yet, whatever was asked: RDS refuses a promotion in such a status.
    fn is_worked_on_as_a_replica(&self) -> bool {
        self.is(|database| database.is_replica() && database.allows() == Allows::WorkOnly)
    }

    fn loss(&self) -> Option<Loss> {
        Loss::of(self.lag_by, &self.replica.lags, &self.outage)
    }

    fn loss_is_too_great(&self) -> bool {
        self.loss().is_none_or(|loss| loss.seconds > u64::from(self.lag_seconds_max))
    }

    fn lifted(&self, rule: Rule) -> bool {
        self.approval.as_ref().is_some_and(|approval| approval.lifts(rule, &self.failover.incident))
    }

    /// Before a promotion that there was a replica; and a person's word for a writer, since no approval is remembered.
    fn to_record(&self, verdict: Verdict) -> Evidence {
        let (id, known) = (&self.replica.id, &self.failover.evidence);
        match verdict {
            Verdict::Promote if !known.saw(id) => Evidence::replica(id.clone()),
            Verdict::Done if !self.was_replica() && !known.vouches_for(id) => Evidence::accepted(id.clone()),
            _ => Evidence::default(),
        }
    }

    fn in_words(&self) -> Vec<Fact> {
        let about = self.replica.id.to_string();
        let mut facts = vec![Fact::new(about.clone(), state_in_words(&self.replica.state))];
        if self.is(|database| is_multi_az_cluster(&self.replica.id, &database.engine)) {
            facts.push(Fact::new("a Multi-AZ DB cluster", MULTI_AZ_CLUSTER));
        }
        if self.is(|database| !database.is_no_replica() && !database.is_being_worked_on())
            || !self.replica.lags.is_empty()
        {
            facts.extend(self.lag_in_words(&about));
        }
        if self.is(Database::is_available_writer) {
            facts.push(Fact::new(format!("{about} in this failover"), self.record_in_words()));
        }
        facts.extend(self.approval.as_ref().map(Approval::as_fact));
        facts
    }

    fn lag_in_words(&self, about: &str) -> Vec<Fact> {
        let about = format!("{} of {about}", what_tells_lag(self.has_heartbeat));
        let Some(Loss { seconds, sample }) = self.loss() else {
            return vec![Fact::new(about, "no good sample: nobody knows how much would be lost")];
        };
        let Outage { earliest, latest } = self.outage;
        let most = self.lag_seconds_max;
        let outage = if earliest == latest {
            format!("the failover was declared at {latest}")
        } else {
            format!("the outage began between {earliest} and {latest}")
        };
        // The outage's own silence looks like that of a replica which had stopped before it.
        let most_seconds = u64::try_from(latest.duration_since(sample.applied_until()).as_secs()).unwrap_or_default();
        let is_by_position = matches!(self.lag_by, LagBy::Position { .. }) && most_seconds > seconds;
        let lost = match self.has_heartbeat {
            false if is_by_position => {
                format!(
                    "{seconds} s of writes or more, and up to {most_seconds} s if the replica had stopped before the outage,"
                )
            }
            true if most_seconds <= seconds => format!("at most {seconds} s of writes"),
            true => format!(
                "{seconds} s of writes if the replica ran until the outage, and up to {most_seconds} s if it had stopped before,"
            ),
            false => format!("{seconds} s of writes or more"),
        };
        let until = match self.lag_by {
            LagBy::Received => format!("probably complete until {}", sample.probably_complete_until()),
            LagBy::Position { .. } => format!("complete until {}", sample.applied_until()),
        };
        let said = format!(
            "{} s at {}, so replication was {until}; {outage}; {lost} may be lost, {most} s are allowed",
            sample.seconds, sample.at,
        );
        let uncounted = match self.replica.id {
            ReplicaId::GlobalMember { .. } => UNCOUNTED_GLOBAL,
            ReplicaId::AuroraCluster(_) | ReplicaId::RdsInstance(_) => UNCOUNTED,
        };
        let uncounted = (!self.has_heartbeat).then(|| Fact::new("what lag does not count", uncounted));
        std::iter::once(Fact::new(about, said)).chain(uncounted).collect()
    }

    fn record_in_words(&self) -> &'static str {
        match (self.was_replica(), self.failover.evidence.vouches_for(&self.replica.id)) {
            (true, _) => "seen as a replica, and promoted since",
            (false, true) => "a person vouched for it",
            (false, false) => "nothing on record",
        }
    }
}

/// Measured on MySQL and MariaDB: with a slow link lag says 0 while minutes of writes wait in it, and after a silent cut it
/// says 0 until the replica notices, after `slave_net_timeout`.
const UNCOUNTED: &str = "writes that the primary had not sent: with a slow link, and for a minute or two before a cut is noticed, more may be lost than this says; a heartbeat would count it (docs/operating.md, \"Heartbeats\")";

/// AWS documents the metric, not what it says while its primary cannot be reached.
const UNCOUNTED_GLOBAL: &str = "AWS does not document what a global database's lag says while the primary cannot be reached: more may be lost than this says; a heartbeat would count it (docs/operating.md, \"Heartbeats\")";

/// What the facts call that by which Holdfast judges how far behind a database is.
pub(super) fn what_tells_lag(has_heartbeat: bool) -> &'static str {
    if has_heartbeat { "heartbeat" } else { "lag" }
}

pub(super) fn state_in_words(state: &ReplicaState) -> String {
    match state {
        ReplicaState::Missing => "not found".to_owned(),
        ReplicaState::Unanswered(why) => format!("RDS did not answer: {why}"),
        ReplicaState::Present(Database { status, source, created, .. }) => {
            let created = created.map(|at| format!(", created {at}")).unwrap_or_default();
            format!("{status}, {source}{created}")
        }
    }
}
