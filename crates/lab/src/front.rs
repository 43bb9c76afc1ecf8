//! The one HTTP endpoint behind which every service of every region answers.
//!
//! SDKs reach it with `AWS_ENDPOINT_URL` alone: the service and the region come from the credential scope of the
//! request's signature, `Credential=KEY/DATE/REGION/SERVICE/aws4_request` (Signature Version 4).

mod permissions;
mod protocol;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use hyper::body::Frame;
use tokio::net::TcpListener;

use crate::Lab;
use crate::api::{Call, Reply};
use crate::fault::{CallEffect, Effect, Loss, Site};
use crate::functions::Process;
use crate::journal::What;
use crate::{
    acm, autoscaling, cloudwatch, codepipeline, control, dynamodb, ecs, elb, events, functions, kms, logs, rds,
    route53, secretsmanager, servicequotas, sns, sqs, ssm, sts,
};

const BODY_BYTES_MAX: usize = 6 * 1024 * 1024;

pub(crate) async fn serve(lab: Arc<Lab>, listener: TcpListener) {
    let router = Router::new().fallback(answer).with_state(lab);
    if let Err(error) = axum::serve(listener, router).await {
        eprintln!("lab: the AWS endpoint stopped: {error}");
    }
}

async fn answer(State(lab): State<Arc<Lab>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the lab takes bodies of at most 6 MiB");
    };
    if parts.uri.path() == control::PATH {
        let (status, answer) = control::answer(&lab, &body);
        return plain(status, &answer.to_string());
    }
    let Some((key, region, service)) = credential_scope(&parts.headers) else {
        return plain(
            StatusCode::FORBIDDEN,
            "the lab tells services and regions apart by the request's signature (Signature Version 4); this request has none",
        );
    };
    let (key, role) = match lab.sts.session(&key) {
        Some(session) => (session.key, Some(session.role)),
        None => (key, None),
    };
    let process = lab.functions.process_of_key(&key);
    let call = Call {
        caller: process.as_ref().map_or_else(|| key.clone(), |process| process.function.clone()),
        key,
        role,
        region,
        service,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    let action = protocol::action(&call);
    let site = Site {
        caller: &call.caller,
        caller_region: process.as_ref().map(|process| process.region.as_str()),
        region: &call.region,
        service: &call.service,
        action: &action,
        nth: 0,
    };
    let Some(effect) = lab.faults.befall_call(site) else {
        let reply = carry_out(&lab, &call, &action).await;
        return respond(&lab, reply);
    };
    lab.record(What::Fault { what: format!("{} {action} by {}: {effect}", call.service, call.caller) });
    suffer(&lab, &call, &action, process, effect).await
}

/// Carries a call out, if its caller may make it, and records it.
async fn carry_out(lab: &Arc<Lab>, call: &Call, action: &str) -> Reply {
    let reply = match permissions::authorise(lab, call, action) {
        Ok(()) => route(lab, call).await,
        Err(refusal) => protocol::refuse(call, action, refusal),
    };
    record(lab, call, &reply.action, Some(&reply));
    reply
}

/// Records a call with the service's reply, or without one if it never got there.
fn record(lab: &Lab, call: &Call, action: &str, reply: Option<&Reply>) {
    lab.record(What::Call {
        caller: call.caller.clone(),
        role: call.role.clone(),
        region: call.region.clone(),
        service: call.service.clone(),
        action: action.to_owned(),
        resource: reply.map(|reply| reply.resource.clone()).unwrap_or_default(),
        status: reply.map_or(0, |reply| reply.status.as_u16()),
        error: reply.and_then(|reply| reply.error.clone()),
    });
}

/// Lets a call go wrong in the way decided for it.
async fn suffer(lab: &Arc<Lab>, call: &Call, action: &str, process: Option<Process>, effect: CallEffect) -> Response {
    let (loss, effect) = match effect {
        CallEffect::Refuse(refusal) => {
            let reply = protocol::refuse(call, action, refusal);
            record(lab, call, action, Some(&reply));
            return respond(lab, reply);
        }
        CallEffect::Slow(by) => {
            lab.clock.sleep(by).await;
            let reply = carry_out(lab, call, action).await;
            return respond(lab, reply);
        }
        CallEffect::Lose(loss, effect) => (loss, effect),
    };
    match effect {
        Effect::With => drop(carry_out(lab, call, action).await),
        Effect::Without => record(lab, call, action, None),
    }
    match loss {
        Loss::Cut => return Response::new(Body::new(CutBody)),
        Loss::Kill => process.iter().for_each(Process::crash),
        Loss::NoAnswer => {}
    }
    // The connection stays open until the caller gives up, or is dead.
    std::future::pending().await
}

/// A body that breaks off, and the connection with it.
struct CutBody;

impl HttpBody for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}

async fn route(lab: &Arc<Lab>, call: &Call) -> Reply {
    match call.service.as_str() {
        "acm" => acm::answer(lab, call).await,
        "autoscaling" => autoscaling::answer(lab, call).await,
        "ecs" => ecs::answer(lab, call).await,
        "kms" => kms::answer(lab, call).await,
        "secretsmanager" => secretsmanager::answer(lab, call).await,
        "servicequotas" => servicequotas::answer(lab, call).await,
        "ssm" => ssm::answer(lab, call).await,
        "codepipeline" => codepipeline::answer(lab, call).await,
        "route53" => route53::answer(lab, call).await,
        "monitoring" => cloudwatch::answer(lab, call).await,
        "dynamodb" => dynamodb::answer(lab, call).await,
        "elasticloadbalancing" => elb::answer(lab, call).await,
        "events" => events::answer(lab, call).await,
        "lambda" => functions::answer(lab, call).await,
        "logs" => logs::answer(lab, call).await,
        "rds" => rds::answer(lab, call).await,
        "sns" => sns::answer(lab, call).await,
        "sqs" => sqs::answer(lab, call).await,
        "sts" => sts::answer(lab, call).await,
        other => Reply {
            action: "?".to_owned(),
            resource: String::new(),
            status: StatusCode::NOT_IMPLEMENTED,
            content_type: "text/plain",
            headers: Vec::new(),
            body: format!("the lab has no service {other}").into_bytes(),
            error: Some("NotImplemented".to_owned()),
        },
    }
}

fn credential_scope(headers: &axum::http::HeaderMap) -> Option<(String, String, String)> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let credential = authorization.split("Credential=").nth(1)?.split(',').next()?;
    let mut parts = credential.split('/');
    let (key, _date) = (parts.next()?, parts.next()?);
    Some((key.to_owned(), parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn respond(lab: &Lab, reply: Reply) -> Response {
    // RFC 9110, section 6.6.1; every AWS answer carries it, and it is how callers learn the lab's time.
    let date =
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&lab.clock.now()).unwrap_or_default();
    let mut response = Response::builder()
        .status(reply.status)
        .header(header::CONTENT_TYPE, reply.content_type)
        .header(header::DATE, date);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap_or_else(|error| {
        plain(StatusCode::INTERNAL_SERVER_ERROR, &format!("the lab made a bad answer: {error}"))
    })
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response
}
