//! How far the replicas have come, put on record before they are promoted: a promotion makes them forget it, and it is where the lost writes begin.
//! No failover depends on it, or waits for it for more than ten seconds.

use std::time::Duration;

use aws::rebuild::Builder;
use failover::announcement::{Deed, Noted};
use failover::incident::Incident;
use failover::plan::ReplicaId;
use failover::position::{Engine, executed_by_replica};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::announce::announce;
use crate::cli;
use crate::database::{Access, Nobody, decide};
use crate::terminal::{DIM, Terminal, WARNING};
use crate::workload::Workload;

/// For everything together: a secret, RDS and the databases. An outage goes on meanwhile.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);

fn no_answer() -> String {
    format!("no answer within {} s", KNOWN_WITHIN.as_secs())
}

/// What the plan's databases said.
#[derive(Debug, Default)]
pub struct Positions(Vec<(ReplicaId, Result<String, String>)>);

impl Positions {
    /// Asks every database of the plan, all at once; says what they answer, or why that is not known.
    pub async fn ask(workload: &Workload, terminal: &Terminal, options: &cli::Access) -> Self {
        let replicas = &workload.plan.replicas;
        if replicas.is_empty() {
            return Self(Vec::new());
        }
        let late = Instant::now() + KNOWN_WITHIN;
        // Whatever is wrong with the credentials, no outage waits for it.
        let access = match timeout_at(late, Access::of(&workload.session, options)).await {
            Ok(Ok(Some(access))) => Ok(access),
            Ok(Ok(None)) => Err("nobody was asked: give --database-secret ARN, or HOLDFAST_DATABASE_USER".to_owned()),
            Ok(Err(failure)) => Err(failure.to_string()),
            Err(_) => Err(no_answer()),
        };
        match &access {
            Err(why) => {
                terminal
                    .say(format!("{DIM}how far the replicas have come before a promotion is not known; {why}{DIM:#}"));
                Self(replicas.iter().map(|id| (id.clone(), Err(why.clone()))).collect())
            }
            Ok(access) => Self::ask_until(workload, terminal, access, late).await,
        }
    }

    /// The same by whoever asks already.
    pub async fn ask_as(workload: &Workload, terminal: &Terminal, access: &Access) -> Self {
        Self::ask_until(workload, terminal, access, Instant::now() + KNOWN_WITHIN).await
    }

    async fn ask_until(workload: &Workload, terminal: &Terminal, access: &Access, late: Instant) -> Self {
        let asked = workload.plan.replicas.iter().map(|id| async {
            let said = timeout_at(late, executed(workload, access, id)).await;
            (id.clone(), said.unwrap_or_else(|_| Err(no_answer())))
        });
        let said = Self(join_all(asked).await);
        said.0.iter().for_each(|(id, said)| match said {
            Ok(executed) => terminal.say(format!("{id} has executed {executed}")),
            Err(why) => terminal.say(format!("{WARNING}how far {id} has come is not known{WARNING:#}: {why}")),
        });
        said
    }

    /// Puts what is known on the bus, and so into the incident's record.
    pub async fn announce(&self, workload: &Workload, terminal: &Terminal, incident: &Incident, by: &str) {
        let known = self.0.iter().filter_map(|(id, said)| Some((id.to_string(), said.as_ref().ok()?.clone())));
        let noted: Vec<_> = known.map(|(database, executed)| Noted { database, executed }).collect();
        if noted.is_empty() {
            return;
        }
        let names: Vec<_> = noted.iter().map(|noted| noted.database.clone()).collect();
        announce(workload, terminal, Deed::PositionsNoted { incident: incident.clone(), noted }, by, &names).await;
    }

    /// For machines.
    pub fn as_json(&self) -> Vec<Value> {
        let told = |(id, said): &(ReplicaId, Result<String, String>)| {
            let (executed, why) = (said.as_ref().ok(), said.as_ref().err());
            json!({"database": id.to_string(), "executed": executed, "not_known": why})
        };
        self.0.iter().map(told).collect()
    }
}

async fn executed(workload: &Workload, access: &Access, id: &ReplicaId) -> Result<String, String> {
    if matches!(id, ReplicaId::GlobalMember { .. }) {
        return Err("a global database's cluster has no position of its own".to_owned());
    }
    let replica = Builder::new(&workload.session).pattern(id).await.map_err(|error| error.to_string())?;
    let replica = replica.ok_or("RDS has no such database")?;
    if !matches!(Engine::of(&replica.engine.0, &replica.engine.1), Engine::Known(_)) {
        return Err(format!("Holdfast asks no database of {}", replica.engine.0));
    }
    let executed = decide(&mut access.client(&replica), &mut Nobody, executed_by_replica).await?;
    Ok(executed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and of its source's log "))
}
