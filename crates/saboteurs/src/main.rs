//! A Lambda of Holdfast with one rule broken on purpose, to show that the drill's checks notice. Never shipped.
//!
//! Started as `…/SABOTAGE/FUNCTION`, by a link of that name, it is that function with that sabotage.

mod bent;
mod standby;
mod steps;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use aws::beside::Beside;
use aws::rds::{ReplicaReader as _, ReplicaWriter as _};
use aws::route53::RecordReader as _;
use aws::sns::Topics;
use aws::{Session, cloudwatch, rds, route53, store, telemetry};
use bent::{Bent, BentAlarms, BentProber, BentReader, BentWriter, Sabotage};
use failover::outcome::{Kind, Outcome, Trigger};
use failover::plan::{Mode, PLAN_VARIABLE, Plan};
use failover::promotion::PromotionCall;
use failover::register::Register;
use failover::standby::wanted::{READINESS_VARIABLE, Wanted};
use failover::step::{STEPS_VARIABLE, Steps};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let called = std::env::args().next().unwrap_or_default();
    let called = Path::new(&called);
    let name = |path: Option<&Path>| Some(path?.file_name()?.to_str()?.to_owned());
    let sabotage = name(called.parent()).as_deref().and_then(Sabotage::named).ok_or("no such sabotage")?;
    let session = Session::load().await;
    match name(Some(called)).as_deref() {
        Some("alarm-handler") => alarm_handler(sabotage, &session).await,
        Some("replica-promoter") => replica_promoter(sabotage, &session).await,
        Some("fencer") => fencer(sabotage, &session).await,
        Some("preparer") => preparer(sabotage, &session).await,
        Some("readiness") => readiness(sabotage, &session).await,
        Some("notifier") => notifier(sabotage, &session).await,
        _ => Err("no such function".into()),
    }
}

fn plan(sabotage: Sabotage) -> Result<Plan, Error> {
    let mut plan = Plan::parse(&std::env::var(PLAN_VARIABLE).unwrap_or_default())?;
    match sabotage {
        Sabotage::AcceptsAnyLoss => plan.limits.lag_seconds_max = u32::MAX,
        Sabotage::AsksNobody => plan.mode = Mode::Automatic,
        Sabotage::BelievesLag => plan.heartbeats.clear(),
        _ => {}
    }
    Ok(plan)
}

fn reader(session: &Session, sabotage: Sabotage) -> BentReader {
    BentReader { honest: route53::Reader::new(session), sabotage, in_sync: AtomicBool::new(false) }
}

fn writer(session: &Session, sabotage: Sabotage) -> BentWriter {
    BentWriter { reader: route53::Reader::new(session), writer: route53::Writer::new(session), sabotage }
}

fn not_carried_out(error: &impl ToString) -> Diagnostic {
    Diagnostic { error_type: "ApprovalNotCarriedOut".to_owned(), error_message: error.to_string() }
}

async fn alarm_handler(sabotage: Sabotage, session: &Session) -> Result<(), Error> {
    use alarm_handler::event;
    use failover::signal::Signal;
    let plan = plan(sabotage)?;
    let calls = alarm_handler::handler::Calls {
        reader: reader(session, sabotage),
        writer: writer(session, sabotage),
        alarms: BentAlarms { honest: cloudwatch::Reader::new(session), sabotage, ringing_since: OnceLock::new() },
        prober: BentProber::default(),
        beside: Beside::new(store::Writer::new(session)),
    };
    let on_dr = AtomicBool::new(false);
    let has_run = &AtomicBool::new(false);
    let (plan, calls, on_dr) = (&plan, &calls, &on_dr);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let signal = event::parse(event.payload)?;
        let tick = matches!(signal, Signal::Tick);
        let nothing = || Ok::<_, Diagnostic>(Outcome::of(calls.reader.now(), Trigger::Tick, &[]));
        match sabotage {
            // What answers no probe would never be armed, so it lies from then on.
            Sabotage::IgnoresProbes if !calls.prober.lies() => {
                calls.prober.set_lies(bent::all_are_armed(plan, &calls.reader).await);
            }
            Sabotage::HearsAlarms if !calls.prober.lies() && bent::all_are_settled(plan, &calls.reader).await => {
                calls.alarms.ringing_since.get_or_init(|| calls.reader.now());
                calls.prober.set_lies(true);
            }
            Sabotage::LeavesDrift
                if bent::some_register(plan, &calls.reader, |register| register.pin().is_some()).await =>
            {
                return nothing();
            }
            Sabotage::StaysPaused
                if bent::some_register(plan, &calls.reader, |is| matches!(is, Register::Paused { .. })).await =>
            {
                return nothing();
            }
            Sabotage::IgnoresTicks if tick && bent::all_are_armed(plan, &calls.reader).await => return nothing(),
            Sabotage::GoesBack if tick && on_dr.load(Relaxed) && bent::went_back(plan, calls).await => {
                return nothing();
            }
            Sabotage::StartsAfresh if !has_run.swap(true, Relaxed) => bent::start_afresh(plan, calls).await,
            _ => {}
        }
        let outcome = Box::pin(calls.handle(plan, signal)).await.map_err(|error| not_carried_out(&error))?;
        on_dr.store(outcome.outcome == Kind::StaysOnDr, Relaxed);
        Ok(outcome)
    }))
    .await
}

async fn replica_promoter(sabotage: Sabotage, session: &Session) -> Result<(), Error> {
    use replica_promoter::event;
    let plan = plan(sabotage)?;
    let calls = replica_promoter::handler::Calls {
        records: reader(session, sabotage),
        registers: writer(session, sabotage),
        replicas: rds::Reader::new(session),
        promoter: rds::Writer::new(session),
        lag: Bent { honest: cloudwatch::Reader::new(session), sabotage },
        beside: Beside::new(store::Writer::new(session)),
    };
    let (plan, calls) = (&plan, &calls);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let signal = match event::parse(event.payload)? {
            event::Signal::Tick { .. } | event::Signal::Pinned if sabotage == Sabotage::LeavesItToTicks => {
                event::Signal::Hint
            }
            signal => signal,
        };
        if sabotage == Sabotage::PromotesAtOnce && bent::all_are_armed(plan, &calls.records).await {
            for replica in &plan.replicas {
                let state = calls.replicas.state(replica).await.ok();
                let call = state.as_ref().and_then(|state| PromotionCall::of(replica, state.database()?));
                if let Some(call) = call {
                    // RDS refuses the second time.
                    let _ = calls.promoter.promote(&call).await;
                }
            }
        }
        Box::pin(calls.handle(plan, signal)).await.map_err(|error| not_carried_out(&error))
    }))
    .await
}

async fn fencer(sabotage: Sabotage, session: &Session) -> Result<(), Error> {
    let plan = plan(sabotage)?;
    let primary = plan.fence.as_ref().map_or_else(|| session.clone(), |fence| session.in_region(&fence.region));
    let calls = fencer::handler::Calls {
        records: route53::Reader::new(session),
        writers: rds::Reader::new(&primary),
        fence: Bent { honest: rds::Writer::new(&primary), sabotage },
    };
    let (plan, calls) = (&plan, &calls);
    run(service_fn(move |_: LambdaEvent<Value>| async move { Ok::<_, Diagnostic>(Box::pin(calls.handle(plan)).await) }))
        .await
}

async fn preparer(sabotage: Sabotage, session: &Session) -> Result<(), Error> {
    let plan = plan(sabotage)?;
    let wanted = Steps::parse(&std::env::var(STEPS_VARIABLE).unwrap_or_default())?;
    let calls = preparer::handler::Calls {
        records: route53::Reader::new(session),
        alarms: cloudwatch::Reader::new(session),
        beside: Beside::new(store::Reader::new(session)),
        looks: aws::steps::Reader::new(session),
        acts: Bent { honest: aws::steps::Writer::new(session), sabotage },
    };
    let (plan, wanted, calls) = (&plan, &wanted, &calls);
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        Ok::<_, Diagnostic>(Box::pin(calls.handle(plan, wanted)).await)
    }))
    .await
}

async fn readiness(sabotage: Sabotage, session: &Session) -> Result<(), Error> {
    let plan = plan(sabotage)?;
    let wanted = Wanted::parse(&std::env::var(READINESS_VARIABLE).unwrap_or_default())?;
    let standby = Bent { honest: aws::standby::Reader::new(session), sabotage };
    let calls = readiness::handler::Calls { records: route53::Reader::new(session), standby };
    let (plan, wanted, calls) = (&plan, &wanted, &calls);
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        Box::pin(calls.handle(plan, wanted)).await.map_err(Diagnostic::from)
    }))
    .await
}

async fn notifier(sabotage: Sabotage, session: &Session) -> Result<(), Error> {
    use notifier::{event, handler};
    let settings = handler::Settings::from_environment(|name| std::env::var(name).ok())?;
    let topic = Bent { honest: Topics::new(session, settings.topics.clone()), sabotage };
    let (topic, settings) = (&topic, &settings);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        Box::pin(handler::handle(topic, &settings.sender, event::parse(event.payload)?)).await
    }))
    .await
}
