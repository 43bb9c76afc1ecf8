//! The one HTTP endpoint behind which every service of every region answers.
//!
//! SDKs reach it with `AWS_ENDPOINT_URL` alone: the service and the region come from the credential scope of the
//! request's signature, `Credential=KEY/DATE/REGION/SERVICE/aws4_request` (Signature Version 4).

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;

use crate::Lab;
use crate::api::{Call, Reply};
use crate::journal::What;
use crate::{cloudwatch, events, functions, rds, route53, sns, sqs, sts};

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
    let Some((key, region, service)) = credential_scope(&parts.headers) else {
        return plain(
            StatusCode::FORBIDDEN,
            "the lab tells services and regions apart by the request's signature (Signature Version 4); this request has none",
        );
    };
    let call = Call {
        caller: lab.functions.name_of_key(&key).unwrap_or(key),
        region,
        service,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    if lab.faults.is_down(&call.region) {
        return unanswered(&lab, &call).await;
    }
    let reply = route(&lab, &call).await;
    lab.record(What::Call {
        caller: call.caller,
        region: call.region,
        service: call.service,
        action: reply.action.clone(),
        resource: reply.resource.clone(),
        status: reply.status.as_u16(),
        error: reply.error.clone(),
    });
    respond(&lab, reply)
}

async fn route(lab: &Arc<Lab>, call: &Call) -> Reply {
    match call.service.as_str() {
        "route53" => route53::answer(lab, call).await,
        "monitoring" => cloudwatch::answer(lab, call).await,
        "events" => events::answer(lab, call).await,
        "lambda" => functions::answer(lab, call).await,
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

/// A region that is down answers nothing: the connection stays open until the caller gives up.
async fn unanswered(lab: &Lab, call: &Call) -> Response {
    lab.record(What::Call {
        caller: call.caller.clone(),
        region: call.region.clone(),
        service: call.service.clone(),
        action: "?".to_owned(),
        resource: String::new(),
        status: 0,
        error: None,
    });
    std::future::pending().await
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
