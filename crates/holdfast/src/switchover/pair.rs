//! A replica in DR, the database that it replicates, and what both say of themselves.

use aws::rds::ReplicaReader as _;
use aws::rebuild::{Builder, Pattern};
use failover::plan::{ReplicaId, arn_database};
use failover::position::{
    Engine, Mark, OldOnly, Proof, Side, Written, mark, old_only, prove, uncommitted, written_since,
};
use failover::promotion::{ReplicaState, Source};
use failover::switchover::{Look, Loss, Standing, loss};
use jiff::Timestamp;

use crate::database::{Access, Client, decide};
use crate::failure::Failure;
use crate::workload::Workload;

/// A database of the plan, and where its data comes from.
pub(super) struct Pair {
    pub id: ReplicaId,
    replica: Pattern,
    /// Nothing once RDS does not say any more what it replicated.
    source: Option<Primary>,
    /// The end of the source's log at which the replica had everything.
    mark: Option<Mark>,
    /// How many transactions since then were told.
    told: u64,
    /// Until when nothing had been written since then: a fence that comes with the pin lets nobody ask any more.
    still_at: Option<Timestamp>,
}

struct Primary {
    name: String,
    database: Pattern,
}

/// Every database of the plan, with its source. Refuses what nobody here can ask for a position.
pub(super) async fn every(workload: &Workload) -> Result<Vec<Pair>, Failure> {
    let mut pairs = Vec::new();
    for id in &workload.plan.replicas {
        if let ReplicaId::GlobalMember { global, .. } = id {
            return Err(Failure::Refused(format!(
                "nothing was changed: Aurora moves global database {global} without loss itself, and takes writes to DR before users are there: stop writes, \
                 `aws rds switchover-global-cluster` in the primary's region, then holdfast failover --despite P09, and approve R09"
            )));
        }
        let Some(replica) = Builder::new(&workload.session).pattern(id).await? else {
            return Err(Failure::Refused(format!("nothing was changed: {id} does not exist")));
        };
        if !matches!(Engine::of(&replica.engine.0, &replica.engine.1), Engine::Known(_)) {
            return Err(Failure::Refused(format!(
                "nothing was changed: Holdfast asks no database of {} for its position ({id}): stop writes, compare positions yourself \
                 (docs/operating.md#a-planned-switchover), then holdfast failover --despite P09",
                replica.engine.0
            )));
        }
        let source = match workload.databases.state(id).await? {
            ReplicaState::Present(database) => match &database.source {
                Source::ReplicaOf(arn) => source(workload, arn).await?,
                _ => None,
            },
            ReplicaState::Missing | ReplicaState::Unanswered(_) => None,
        };
        pairs.push(Pair { id: id.clone(), replica, source, mark: None, told: 0, still_at: None });
    }
    Ok(pairs)
}

/// What a replica in another region replicates RDS tells by its ARN.
async fn source(workload: &Workload, arn: &str) -> Result<Option<Primary>, Failure> {
    let Some((region, id)) = arn_database(arn) else { return Ok(None) };
    let database = Builder::new(&workload.session.in_region(region)).pattern(&id).await?;
    Ok(database.map(|database| Primary { name: format!("{id} in {region}"), database }))
}

impl Pair {
    pub fn source_name(&self) -> &str {
        self.source.as_ref().map_or("a primary that RDS does not name", |source| &source.name)
    }

    fn source(&self, access: &Access) -> Result<Client, String> {
        let unnamed = || format!("RDS does not say what {} replicates, or that is gone", self.id);
        self.source.as_ref().map(|source| access.client(&source.database)).ok_or_else(unnamed)
    }

    /// Whether both can be asked all that will be asked of them; how far the replica is now, in words.
    pub async fn reachable(&self, access: &Access) -> Result<String, String> {
        let (mut source, mut replica) = (self.source(access)?, access.client(&self.replica));
        let mark = decide(&mut replica, &mut source, |known| mark(known, Side::Primary)).await?;
        let mut look = self.look_since(access, &mark).await?;
        // What users do now they may do now.
        (look.written, look.uncommitted) = match (look.written, look.uncommitted) {
            (Written::Transactions { .. }, Ok(_)) => (Written::Nothing, Ok(0)),
            (written, uncommitted) => (written, uncommitted.map(|_| 0)),
        };
        match look.standing() {
            Standing::Complete { .. } => Ok("level by position".to_owned()),
            Standing::Written(said) | Standing::CatchingUp(said) => Ok(said),
            Standing::NotKnown(why) => Err(why),
        }
    }

    /// Notes where the source's log ends now.
    pub async fn mark(&mut self, access: &Access) -> Result<(), String> {
        let (mut source, mut replica) = (self.source(access)?, access.client(&self.replica));
        self.mark = Some(decide(&mut replica, &mut source, |known| mark(known, Side::Primary)).await?);
        Ok(())
    }

    /// The same in a run that goes on where another ended, if the replica has everything now; else why that is not so, or not known.
    pub async fn mark_again(&mut self, access: &Access) -> Result<(), String> {
        self.mark(access).await?;
        let why = match self.look(access).await.standing() {
            Standing::Complete { .. } => return Ok(()),
            Standing::Written(why) | Standing::CatchingUp(why) | Standing::NotKnown(why) => why,
        };
        self.mark = None;
        Err(why)
    }

    /// What was written since the mark, and whether the replica has everything.
    pub async fn look(&self, access: &Access) -> Look {
        let not_known =
            |why: String| Look { written: Written::NotKnown { why }, uncommitted: Ok(0), proof: Proof::Later };
        match &self.mark {
            Some(mark) => self.look_since(access, mark).await.unwrap_or_else(not_known),
            None => not_known(format!("nobody noted where {} stood", self.source_name())),
        }
    }

    async fn look_since(&self, access: &Access, mark: &Mark) -> Result<Look, String> {
        let (mut source, mut replica) = (self.source(access)?, access.client(&self.replica));
        let proof = decide(&mut replica, &mut source, |known| prove(known, Side::Primary)).await;
        let uncommitted = decide(&mut replica, &mut source, |known| uncommitted(known, Side::Primary)).await;
        let written = decide(&mut replica, &mut source, |known| written_since(known, Side::Primary, mark)).await;
        Ok(Look { written, uncommitted, proof })
    }

    async fn written(&self, access: &Access) -> Option<Written> {
        let (mark, mut source) = (self.mark.as_ref()?, self.source(access).ok()?);
        Some(
            decide(&mut access.client(&self.replica), &mut source, |known| written_since(known, Side::Primary, mark))
                .await,
        )
    }

    /// What was written since the replica had everything and has not been told yet, in words.
    pub async fn late(&mut self, access: &Access, now: Timestamp) -> Option<String> {
        match self.written(access).await? {
            Written::Transactions { count, changed } => {
                let is_news = count > std::mem::replace(&mut self.told, count);
                let changed: Vec<_> = changed.into_iter().collect();
                is_news.then(|| format!("{count} transactions since ({})", changed.join(", ")))
            }
            Written::Nothing => {
                self.still_at = Some(now);
                None
            }
            Written::NotKnown { .. } => None,
        }
    }

    /// What only the source has, once the replica is promoted.
    pub async fn loss(&self, access: &Access) -> Loss {
        let old_only = match self.source(access) {
            Ok(mut source) => decide(&mut access.client(&self.replica), &mut source, old_only).await,
            Err(why) => OldOnly::NotKnown { why },
        };
        match (loss(self.written(access).await.as_ref(), &old_only), self.still_at) {
            (Loss::NotKnown(why), Some(at)) => Loss::NotKnown(format!(
                "{why}; it had everything that was written until {at}; if a fence has cut the old primary off, nobody has written since"
            )),
            (loss, _) => loss,
        }
    }
}
