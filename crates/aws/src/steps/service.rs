//! ECS services.

use std::collections::BTreeMap;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{SchedulingStrategy, Service, ServiceField, Tag};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use failover::step::{Seen, Setting, TAGS, Tags};
use serde_json::Value;

use super::by_key;
use crate::error::CallError;

/// Count and tags come in one answer. A service that was deleted is told as inactive for a while.
pub(super) async fn look(client: &Client, arn: &str, cluster: &str) -> Result<Seen, CallError> {
    const CALL: &str = "DescribeServices";
    let call = client.describe_services().cluster(cluster).services(arn).include(ServiceField::Tags);
    let answer = call.customize().interceptor(CountsAreTold).send().await.map_err(|error| CallError::of(CALL, error));
    let answer = match answer {
        Err(refused) if refused.is_refused_with("ClusterNotFoundException") => return Ok(Seen::Missing),
        answer => answer?,
    };
    let lacks = |why: &str| CallError::Unanswered { call: CALL, why: why.to_owned() };
    let Some(service) = answer.services().iter().find(|service| service.service_arn() == Some(arn)) else {
        // "For a list of common causes, see API failure reasons": MISSING is what is not there.
        let is_missing = answer.failures().iter().any(|failure| failure.reason() == Some("MISSING"));
        return if is_missing { Ok(Seen::Missing) } else { Err(lacks("the answer lacks the service")) };
    };
    match service.status() {
        Some("ACTIVE") if service.scheduling_strategy() == Some(&SchedulingStrategy::Daemon) => {
            Ok(Seen::Unfit("DAEMON, one task on each instance".to_owned()))
        }
        Some("ACTIVE") => there(service).ok_or_else(|| lacks("the answer lacks the desired count")),
        Some(_) => Ok(Seen::Missing),
        None => Err(lacks("the answer lacks the service's status")),
    }
}

fn there(service: &Service) -> Option<Seen> {
    let tags = by_key(service.tags().iter().map(|tag| (tag.key(), tag.value())));
    let count = u32::try_from(service.desired_count()).ok()?;
    let detail = format!("{} running", service.running_count());
    Some(Seen::There { setting: Setting::Count(count), detail, tags: Tags::read(&tags) })
}

/// The SDK reads a count that AWS leaves out as 0, and a step would put that on record as what there was. So such an answer is none.
#[derive(Debug)]
struct CountsAreTold;

impl Intercept for CountsAreTold {
    fn name(&self) -> &'static str {
        "CountsAreTold"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // What is refused, or is no answer of ECS, is told as that.
        if context.output_or_error().is_err() {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(context.response().body().bytes().unwrap_or_default())?;
        let mut services = body["services"].as_array().into_iter().flatten();
        match services.any(|service| !service["desiredCount"].is_number() || !service["runningCount"].is_number()) {
            true => Err("AWS does not say how many tasks of the service there are to be, or are".into()),
            false => Ok(()),
        }
    }
}

pub(super) async fn resize(client: &Client, arn: &str, cluster: &str, count: u32) -> Result<(), CallError> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let call = client.update_service().cluster(cluster).service(arn).desired_count(count);
    call.send().await.map(drop).map_err(|error| CallError::of("UpdateService", error))
}

pub(super) async fn tag(client: &Client, arn: &str, tags: BTreeMap<String, String>) -> Result<(), CallError> {
    let tags = tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let call = client.tag_resource().resource_arn(arn).set_tags(Some(tags.collect()));
    call.send().await.map(drop).map_err(|error| CallError::of("TagResource", error))
}

pub(super) async fn untag(client: &Client, arn: &str) -> Result<(), CallError> {
    let keys = TAGS.iter().map(|key| (*key).to_owned()).collect();
    let call = client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
    call.send().await.map(drop).map_err(|error| CallError::of("UntagResource", error))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::session::Session;
    use crate::steps::Clients;

    const ARN: &str = "arn:aws:ecs:eu-central-1:123456789012:service/main/shop";

    /// What is seen of the service where ECS answers so about its counts.
    async fn seen(counts: &str) -> Result<Seen, CallError> {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let session = Session::with_server(server.local_addr().unwrap());
        let body = format!(r#"{{"services":[{{"serviceArn":"{ARN}","status":"ACTIVE"{counts}}}],"failures":[]}}"#);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = server.accept().await {
                let _ = stream.read(&mut [0; 16_384]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        look(&Clients::new(&session).services, ARN, "main").await
    }

    #[tokio::test]
    async fn a_count_that_aws_leaves_out_is_not_known_and_no_zero() {
        let none = seen(r#","desiredCount":0,"runningCount":0"#).await.unwrap();
        assert!(matches!(none, Seen::There { setting: Setting::Count(0), .. }), "{none:?}");
        for counts in ["", r#","runningCount":2"#, r#","desiredCount":null,"runningCount":2"#, r#","desiredCount":2"#] {
            let error = seen(counts).await.unwrap_err();
            assert!(matches!(error, CallError::Unanswered { .. }), "{error:?}");
            assert!(error.to_string().contains("how many tasks"), "{error}");
        }
    }
}
