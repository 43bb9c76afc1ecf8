//! The resources that steps around a failover are about, each looked at and changed by its own service in the DR region.

mod function;
mod group;
mod mapping;
mod rule;
mod service;

use std::collections::BTreeMap;

use failover::step::{Entry, Note, Seen, Setting, Target};
use serde_json::Value;

use crate::error::CallError;
use crate::session::Session;

/// Someone who can look at the resources of steps.
pub trait StepReader {
    /// What a step's resource is now, and what its tags say.
    async fn look(&self, entry: &Entry) -> Result<Seen, CallError>;
}

/// Someone who can change them.
pub trait StepWriter {
    /// Puts a record into the resource's tags.
    async fn note(&self, entry: &Entry, note: &Note) -> Result<(), CallError>;
    /// Takes the record off.
    async fn forget(&self, entry: &Entry) -> Result<(), CallError>;
    /// Makes the resource, which is `now`, be `to`; asks for nothing that does not differ.
    async fn set(&self, entry: &Entry, now: Setting, to: Setting) -> Result<(), CallError>;
    /// Calls the function, asynchronously: that it is taken says nothing of what it does.
    async fn call(&self, entry: &Entry, payload: &Value) -> Result<(), CallError>;
}

#[derive(Clone, Debug)]
struct Clients {
    groups: aws_sdk_autoscaling::Client,
    services: aws_sdk_ecs::Client,
    rules: aws_sdk_eventbridge::Client,
    functions: aws_sdk_lambda::Client,
}

impl Clients {
    fn new(session: &Session) -> Self {
        let groups = aws_sdk_autoscaling::config::Builder::from(session.config())
            .retry_partition(session.retries())
            .interceptor(session.clock().clone());
        let services = aws_sdk_ecs::config::Builder::from(session.config())
            .retry_partition(session.retries())
            .interceptor(session.clock().clone());
        let rules = aws_sdk_eventbridge::config::Builder::from(session.config())
            .retry_partition(session.retries())
            .interceptor(session.clock().clone());
        let functions = aws_sdk_lambda::config::Builder::from(session.config())
            .retry_partition(session.retries())
            .interceptor(session.clock().clone());
        Self {
            groups: aws_sdk_autoscaling::Client::from_conf(groups.build()),
            services: aws_sdk_ecs::Client::from_conf(services.build()),
            rules: aws_sdk_eventbridge::Client::from_conf(rules.build()),
            functions: aws_sdk_lambda::Client::from_conf(functions.build()),
        }
    }
}

/// Looks at the resources and holds nothing that can change them.
#[derive(Clone, Debug)]
pub struct Reader(Clients);

/// Changes the resources.
#[derive(Clone, Debug)]
pub struct Writer(Clients);

impl Reader {
    /// A reader with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self(Clients::new(session))
    }
}

impl Writer {
    /// A writer with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self(Clients::new(session))
    }
}

impl StepReader for Reader {
    async fn look(&self, entry: &Entry) -> Result<Seen, CallError> {
        let looked = match &entry.target {
            Target::Group { name, .. } => group::look(&self.0.groups, &entry.arn, name).await,
            Target::Service { cluster, .. } => service::look(&self.0.services, &entry.arn, cluster).await,
            Target::Rule { bus, name, .. } => rule::look(&self.0.rules, &entry.arn, bus.as_deref(), name).await,
            Target::Mapping { id, .. } => mapping::look(&self.0.functions, &entry.arn, id).await,
            Target::Function { .. } => function::look(&self.0.functions, &entry.arn).await,
        };
        match looked {
            Err(refused) if refused.is_refused_with("ResourceNotFoundException") => Ok(Seen::Missing),
            looked => looked,
        }
    }
}

impl StepWriter for Writer {
    async fn note(&self, entry: &Entry, note: &Note) -> Result<(), CallError> {
        let tags = note.tags();
        match &entry.target {
            Target::Group { name, .. } => group::tag(&self.0.groups, name, tags).await,
            Target::Service { .. } => service::tag(&self.0.services, &entry.arn, tags).await,
            Target::Rule { .. } => rule::tag(&self.0.rules, &entry.arn, tags).await,
            Target::Mapping { .. } | Target::Function { .. } => {
                function::tag(&self.0.functions, &entry.arn, tags).await
            }
        }
    }

    async fn forget(&self, entry: &Entry) -> Result<(), CallError> {
        match &entry.target {
            Target::Group { name, .. } => group::untag(&self.0.groups, name).await,
            Target::Service { .. } => service::untag(&self.0.services, &entry.arn).await,
            Target::Rule { .. } => rule::untag(&self.0.rules, &entry.arn).await,
            Target::Mapping { .. } | Target::Function { .. } => function::untag(&self.0.functions, &entry.arn).await,
        }
    }

    async fn set(&self, entry: &Entry, now: Setting, to: Setting) -> Result<(), CallError> {
        match (&entry.target, now, to) {
            (Target::Group { name, .. }, Setting::Sizes(now), Setting::Sizes(to)) => {
                group::resize(&self.0.groups, name, now, to).await
            }
            (Target::Service { cluster, .. }, _, Setting::Count(count)) => {
                service::resize(&self.0.services, &entry.arn, cluster, count).await
            }
            (Target::Rule { bus, name, .. }, _, Setting::On(on)) => {
                rule::switch(&self.0.rules, bus.as_deref(), name, on).await
            }
            (Target::Mapping { id, .. }, _, Setting::On(on)) => mapping::switch(&self.0.functions, id, on).await,
            // No look finds a resource to be what its kind cannot be.
            (
                Target::Group { .. }
                | Target::Service { .. }
                | Target::Rule { .. }
                | Target::Mapping { .. }
                | Target::Function { .. },
                ..,
            ) => Ok(()),
        }
    }

    async fn call(&self, entry: &Entry, payload: &Value) -> Result<(), CallError> {
        function::call(&self.0.functions, &entry.arn, payload).await
    }
}

/// Tags by key, of pairs in which AWS's types allow that either is missing.
fn by_key<'a>(pairs: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> BTreeMap<String, String> {
    pairs.filter_map(|(key, value)| Some((key?.to_owned(), value.unwrap_or_default().to_owned()))).collect()
}
