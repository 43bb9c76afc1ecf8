//! IAM: who may do what. A principal without a policy is an administrator; whoever has one may do what it allows and nothing
//! else. Policies are identity-based; policies of resources (a bus, a queue, a function) are not evaluated in the lab.

mod pattern;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ACCOUNT;

pub use self::policy::{BadPolicy, Decision, Grant, Granted, Policy, Request};

/// The service's state; IAM is global.
#[derive(Debug, Default)]
pub struct Iam(Mutex<BTreeMap<String, Principal>>);

/// Somebody with a policy.
#[derive(Clone, Debug, Default)]
pub struct Principal {
    /// What it may do now.
    pub policy: Arc<Policy>,
    /// What it asked for so far and was allowed.
    pub asked: BTreeSet<Request>,
    /// What it asked for so far and was not allowed.
    pub denied: BTreeSet<Request>,
}

impl Iam {
    /// Gives a principal a policy in place of the one it had: a function or a role by name, anyone else by access key.
    pub fn attach(&self, principal: &str, policy: Policy) {
        self.principals().entry(principal.to_owned()).or_default().policy = Arc::new(policy);
    }

    /// Everyone with a policy, and what they asked for.
    pub fn everyone(&self) -> BTreeMap<String, Principal> {
        self.principals().clone()
    }

    /// What a principal may do; nothing for administrators.
    pub fn policy(&self, principal: &str) -> Option<Arc<Policy>> {
        self.principals().get(principal).map(|known| known.policy.clone())
    }

    /// Lets a principal ask for something; the refusal in AWS's words if it may not.
    pub(crate) fn allow(&self, principal: &str, request: Request) -> Result<(), String> {
        let mut principals = self.principals();
        let Some(known) = principals.get_mut(principal) else { return Ok(()) };
        let why = match known.policy.decide(&request) {
            Decision::Allowed => {
                known.asked.insert(request);
                return Ok(());
            }
            Decision::Denied => "with an explicit deny in an identity-based policy".to_owned(),
            Decision::NotAllowed => format!("because no identity-based policy allows the {} action", request.action),
        };
        let message = format!(
            "{principal} is not authorized to perform: {} on resource: {} {why}",
            request.action, request.resource
        );
        known.denied.insert(request);
        Err(message)
    }

    fn principals(&self) -> MutexGuard<'_, BTreeMap<String, Principal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ARN of a role's name.
pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}
