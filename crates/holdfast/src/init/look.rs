//! Looks at the account. Each look may fail by itself, and then what it is about is not known.

use aws::cloudwatch::{self, LagOf, LagReader as _};
use aws::probe::{HttpProber, Prober as _};
use aws::rds::{self, ReplicaReader as _};
use aws::survey::{self, Balancer, HealthCheck, Listed, Quota};
use aws::watch::{self, OwnAlarm};
use aws::{CallError, Session, operator, zone};
use failover::plan::{PLAN_VARIABLE, Plan, ReplicaId};
use failover::promotion::{LAG_LOOKBACK, ReplicaState, ReplicaView};
use futures_util::future::join_all;
use jiff::Timestamp;

use super::seen::{Deployed, Origin, Tried};
use crate::readiness::Zone;

/// What is looked at whatever a person answers.
#[derive(Debug)]
pub struct Around {
    /// See [`super::seen::Seen`], as for all of these.
    pub guards: Zone,
    pub checks: Result<Vec<HealthCheck>, CallError>,
    pub check_quota: Result<Quota, CallError>,
    pub record_quota: Result<Quota, CallError>,
    pub dr_databases: Result<Vec<Listed>, CallError>,
    pub dr_balancers: Result<Vec<Balancer>, CallError>,
    pub alarms: Result<Vec<OwnAlarm>, CallError>,
    pub deployed: Result<Option<Deployed>, CallError>,
}

/// Looks at all of it.
pub async fn around(session: &Session, region: &str, bus: &str, zone: &str) -> Around {
    Around {
        guards: Zone {
            id: zone.to_owned(),
            protections: zone::protections(session, zone).await,
            features: zone::features(session, zone).await,
        },
        checks: survey::health_checks(session).await,
        check_quota: survey::health_check_quota(session).await,
        record_quota: survey::record_quota(session, zone).await,
        dr_databases: survey::databases(session, region).await,
        dr_balancers: survey::balancers(session, region).await,
        alarms: watch::own_alarms(session, bus).await,
        deployed: deployed(session, bus).await,
    }
}

/// The stack of that bus, if there is one.
async fn deployed(session: &Session, bus: &str) -> Result<Option<Deployed>, CallError> {
    let function = format!("{bus}-alarm-handler");
    match operator::function_variable(session, &function, PLAN_VARIABLE).await {
        Ok(text) => {
            let plan = text.and_then(|text| Plan::parse(&text).ok());
            let deployed = plan.map(|plan| Deployed {
                health_check: plan.failover_health_check,
                switch: plan.switch,
                mode: Some(plan.mode),
                probes: [plan.probes.primary, plan.probes.dr],
            });
            Ok(Some(deployed.unwrap_or_default()))
        }
        Err(error) if error.is_refused_with("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

/// The databases that may be promoted, and those whose lag could not be looked at.
pub async fn replicas(
    session: &Session,
    ids: &[ReplicaId],
    now: Timestamp,
) -> (Vec<ReplicaView>, Vec<(ReplicaId, CallError)>) {
    let (databases, metrics) = (rds::Reader::new(session), cloudwatch::Reader::new(session));
    let each = ids.iter().map(async |id| {
        let state = databases.state(id).await;
        let state = state.unwrap_or_else(|error| ReplicaState::Unanswered(error.to_string()));
        let database = state.database();
        let lags = metrics.good_lags(LagOf::Rds { replica: id, database }, now - LAG_LOOKBACK, now).await;
        (ReplicaView { id: id.clone(), state, lags: Vec::new() }, lags)
    });
    let (mut views, mut unknown) = (Vec::new(), Vec::new());
    for (view, lags) in join_all(each).await {
        let id = view.id.clone();
        match lags {
            Ok(lags) => views.push(ReplicaView { lags, ..view }),
            Err(error) => {
                views.push(view);
                unknown.push((id, error));
            }
        }
    }
    (views, unknown)
}

/// Asks a site, if there is a URL.
pub async fn tried(url: Option<String>, from: Origin) -> Tried {
    let heard = HttpProber.probe(url.as_deref()).await;
    Tried { url, from, heard }
}
