//! What a step home goes by: the databases that take over, and what they say of themselves.

use std::collections::BTreeMap;

use aws::cloudwatch::{self, LagOf, LagReader as _};
use aws::rds::{self, ReplicaReader as _};
use aws::rebuild::{Builder, Pattern};
use aws::{CallError, Session};
use failover::failback::{self, Observation, Successor};
use failover::plan::ReplicaId;
use failover::position::{Engine, OldOnly, Proof, Side, old_only, proof_commands, prove};
use failover::promotion::{LagSample, ReplicaState};
use failover::rebuild::old_identifier;
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::{global, renamed};
use crate::cli::{Named, Successors};
use crate::database::{Access, decide, endpoint};
use crate::failure::Failure;
use crate::look::look;
use crate::workload::Workload;

/// How far back a lag sample may lie: CloudWatch has one a minute, some minutes late.
const LAG_LOOKBACK: SignedDuration = SignedDuration::from_mins(10);

/// The databases that take over, how they are asked, and what this run knows of them already.
#[derive(Debug)]
pub struct Way<'a> {
    pub named: &'a Successors,
    access: Option<Access>,
    /// Since when writes to DR are known to have stopped: a run that promotes trusts no sample from before it.
    pub stopped: Option<Timestamp>,
    /// What this run proved before it promoted; DR goes on, if only by what RDS itself writes.
    pub proved: BTreeMap<String, Proof>,
    /// What only the old primaries have; nobody asks that twice.
    old_only: BTreeMap<String, OldOnly>,
}

impl<'a> Way<'a> {
    pub async fn new(workload: &Workload, named: &'a Successors) -> Result<Self, Failure> {
        if let Some(why) = named.misplaced(workload.session.region()) {
            return Err(Failure::Usage(why));
        }
        let access = Access::of(&workload.session, &named.access).await?;
        Ok(Self { named, access, stopped: None, proved: BTreeMap::new(), old_only: BTreeMap::new() })
    }

    pub fn access(&self) -> Option<&Access> {
        self.access.as_ref()
    }

    /// The database that was named for one of DR's.
    pub fn chosen(&self, of: &ReplicaId) -> Option<&'a Named> {
        self.named.of(of)
    }

    /// Asks every old primary and its database in DR what only the old one has. Whoever only looks goes on where one does not answer.
    pub async fn ask_losses(&mut self, workload: &Workload, only_looks: bool) -> Result<(), Failure> {
        if self.access.is_none() {
            return Ok(());
        }
        let Some(pinned_at) = failback::pinned_at(&look(workload).await?.names) else { return Ok(()) };
        let said = workload.plan.replicas.iter().map(async |of| {
            let said = match only_looks {
                true => self.losses_as_seen(workload, of, pinned_at).await?,
                false => self.losses(workload, of, pinned_at).await?,
            };
            Ok::<_, Failure>((of.name().to_owned(), said))
        });
        let said = try_join_all(said).await?;
        self.old_only.extend(said);
        Ok(())
    }

    /// What only the old primary of one of DR's databases has.
    pub async fn losses(&self, workload: &Workload, of: &ReplicaId, pinned_at: Timestamp) -> Result<OldOnly, Failure> {
        if is_global(of) {
            return Ok(OldOnly::NotAsked);
        }
        let (Some(access), Some(chosen)) = (&self.access, self.chosen(of)) else { return Ok(OldOnly::NotAsked) };
        let dr = Builder::new(&workload.session).pattern(of).await?;
        let (Some(dr), Some(old)) = (dr, old_primary(workload, of, chosen, pinned_at).await?) else {
            let why = format!("there is no database in {} that {of} replicated before", chosen.region);
            return Ok(OldOnly::NotKnown { why });
        };
        if !is_asked(access, &dr, &old) {
            return Ok(OldOnly::NotAsked);
        }
        Ok(decide(&mut access.client(&dr), &mut access.client(&old), old_only).await)
    }

    /// The same where nothing follows from it: that a region does not answer is told as what is not known.
    pub async fn losses_as_seen(
        &self,
        workload: &Workload,
        of: &ReplicaId,
        pinned_at: Timestamp,
    ) -> Result<OldOnly, Failure> {
        match self.losses(workload, of, pinned_at).await {
            Err(Failure::Aws(error)) => {
                let region = self.chosen(of).map_or("the primary region", |chosen| chosen.region.as_str());
                Ok(OldOnly::NotKnown { why: unseen(region, &error) })
            }
            losses => losses,
        }
    }

    /// Everything that a failback is decided by.
    pub async fn observe(&self, workload: &Workload) -> Result<Observation, Failure> {
        let Successors { successors, writes_stopped, loss_acknowledged, position_verified, .. } = self.named;
        let unknown = successors.iter().find(|one| !workload.plan.replicas.iter().any(|id| id.name() == one.dr));
        if let Some(Named { dr, .. }) = unknown {
            return Err(Failure::Usage(format!("--successor {dr}=…: the plan has no database {dr}")));
        }
        let seen = look(workload).await?;
        // All at once: of a region that is dark each would be waited for until it times out.
        let found = workload.plan.replicas.iter().map(async |of| {
            let successor = successor(workload, of, self.chosen(of), seen.now).await?;
            let proof = match self.prove(workload, &successor).await {
                Err(Failure::Aws(error)) => Proof::NotKnown { why: error.to_string() },
                proof => proof?,
            };
            let old_only = self.old_only.get(of.name()).cloned().unwrap_or(OldOnly::NotAsked);
            Ok::<_, Failure>(Successor { proof, old_only, ..successor })
        });
        let found = try_join_all(found).await?;
        Ok(Observation {
            now: seen.now,
            alarms: seen.alarms,
            probes: seen.probes,
            names: seen.names,
            successors: found,
            writes_stopped: writes_stopped.then_some(self.stopped.unwrap_or(seen.now - LAG_LOOKBACK)),
            loss_acknowledged: *loss_acknowledged,
            position_verified: *position_verified,
        })
    }

    /// Whether a successor has everything, by its own word and that of DR's database.
    pub async fn prove(&self, workload: &Workload, successor: &Successor) -> Result<Proof, Failure> {
        let of = &successor.of;
        if let Some(proved) = self.proved.get(of.name()) {
            return Ok(proved.clone());
        }
        if is_global(of) {
            return Ok(Proof::NotAsked);
        }
        let (Some(access), Some(chosen)) = (&self.access, self.chosen(of)) else { return Ok(Proof::NotAsked) };
        let is_up = |it: &failover::promotion::Database| it.is_available_replica() || it.is_available_writer();
        if !successor.state.database().is_some_and(is_up) {
            return Ok(Proof::Later);
        }
        let (dr, primary) = both(workload, of, chosen).await?;
        let (Some(dr), Some(primary)) = (dr, primary) else { return Ok(Proof::Later) };
        if !is_asked(access, &dr, &primary) {
            return Ok(Proof::NotAsked);
        }
        Ok(decide(&mut access.client(&dr), &mut access.client(&primary), |known| prove(known, Side::Dr)).await)
    }

    /// The commands by which a person proves that each successor which is there has everything.
    pub async fn positions(&self, workload: &Workload, seen: &Observation) -> Vec<String> {
        let mut lines = Vec::new();
        for successor in seen.successors.iter().filter(|one| matches!(one.state, ReplicaState::Present { .. })) {
            if is_global(&successor.of) {
                continue;
            }
            let Some(chosen) = self.chosen(&successor.of) else { continue };
            let (dr, primary) = match both(workload, &successor.of, chosen).await {
                Ok((Some(dr), Some(primary))) => (dr, primary),
                Ok(_) => continue,
                Err(error) => {
                    lines.push(format!("{}: {}", successor.of, unseen(&chosen.region, &error)));
                    continue;
                }
            };
            let engine = Engine::of(&dr.engine.0, &dr.engine.1);
            lines.push(format!("{}, then {} in {}:", successor.of, renamed(&successor.of, &chosen.id), chosen.region));
            let commands = proof_commands(engine, &endpoint(&dr), &endpoint(&primary));
            lines.extend(commands.into_iter().map(|line| format!("  {line}")));
        }
        lines
    }
}

/// True of a global database's, which comes home by Aurora's own switchover: nobody is asked for positions.
fn is_global(of: &ReplicaId) -> bool {
    matches!(of, ReplicaId::GlobalMember { .. })
}

/// True of two that speak MySQL's protocol, and for which there are users.
fn is_asked(access: &Access, dr: &Pattern, primary: &Pattern) -> bool {
    matches!(Engine::of(&dr.engine.0, &dr.engine.1), Engine::Known(_)) && access.knows(dr) && access.knows(primary)
}

/// A database in DR and the one that takes over from it, as far as they are there.
async fn both(
    workload: &Workload,
    of: &ReplicaId,
    chosen: &Named,
) -> Result<(Option<Pattern>, Option<Pattern>), CallError> {
    let target = Builder::new(&workload.session.in_region(&chosen.region));
    let primary = target.pattern(&renamed(of, &chosen.id)).await?;
    Ok((Builder::new(&workload.session).pattern(of).await?, primary))
}

/// The old primary of a database in DR: renamed by a rebuild, or still under the name that the successor is to have.
pub async fn old_primary(
    workload: &Workload,
    of: &ReplicaId,
    chosen: &Named,
    pinned_at: Timestamp,
) -> Result<Option<Pattern>, CallError> {
    let session = workload.session.in_region(&chosen.region);
    let target = Builder::new(&session);
    if let Some(old) = target.pattern(&renamed(of, &old_identifier(&chosen.id, pinned_at))).await? {
        return Ok(Some(old));
    }
    let id = renamed(of, &chosen.id);
    let created = rds::Reader::new(&session).created(&id).await?;
    match created.is_some_and(|created| created <= pinned_at) {
        true => target.pattern(&id).await,
        false => Ok(None),
    }
}

/// Why nothing is known of a database of the primary's region. It may be dark still, and whatever else can be seen is of use then.
pub fn unseen(region: &str, error: &CallError) -> String {
    format!("{region} cannot be seen from here: {error}; run this again once it answers")
}

/// What RDS and CloudWatch say of a successor.
pub async fn successor(
    workload: &Workload,
    of: &ReplicaId,
    named: Option<&Named>,
    now: Timestamp,
) -> Result<Successor, Failure> {
    let (proof, old_only) = (Proof::NotAsked, OldOnly::NotAsked);
    let Some((region, id)) = place(workload, of, named).await? else {
        let (of, state) = (of.clone(), ReplicaState::Missing);
        return Ok(Successor { of, named: None, state, created: None, lags: Vec::new(), proof, old_only });
    };
    let of_its = |state, created, lags| {
        let named = Some(format!("{id} in {region}"));
        Successor { of: of.clone(), named, state, created, lags, proof, old_only }
    };
    Ok(match told(&workload.session.in_region(&region), &id, now).await {
        Ok((state, created, lags)) => of_its(state, created, lags),
        Err(error) => of_its(ReplicaState::Unanswered(error.to_string()), None, Vec::new()),
    })
}

/// Its state, when it was created, and its good lag samples.
async fn told(
    session: &Session,
    id: &ReplicaId,
    now: Timestamp,
) -> Result<(ReplicaState, Option<Timestamp>, Vec<LagSample>), CallError> {
    let databases = rds::Reader::new(session);
    let state = databases.state(id).await?;
    let of_id = LagOf::Rds { replica: id, database: state.database() };
    let lags = cloudwatch::Reader::new(session).good_lags(of_id, now - LAG_LOOKBACK, now).await?;
    let created = databases.created(id).await?;
    Ok((state, created, lags))
}

/// Where a successor is, and what it is called there; a global database says so itself.
async fn place(
    workload: &Workload,
    of: &ReplicaId,
    named: Option<&Named>,
) -> Result<Option<(String, ReplicaId)>, Failure> {
    match of {
        ReplicaId::GlobalMember { global, .. } => {
            Ok(global::home(workload, global, named).await?.map(|home| (home.region, home.id)))
        }
        ReplicaId::AuroraCluster(_) | ReplicaId::RdsInstance(_) => {
            Ok(named.map(|named| (named.region.clone(), renamed(of, &named.id))))
        }
    }
}
