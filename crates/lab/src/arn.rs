//! Amazon Resource Names of the lab's one account.

use crate::ACCOUNT;

/// The parts of an ARN that tell one thing in the lab from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// Service: `lambda`, `events`, …
    pub service: &'a str,
    /// Region; empty for global things.
    pub region: &'a str,
    /// Everything after the account, with its type if the service has one: `function:name`, `event-bus/name`, …
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart; `None` if it is none, or of another account.
    pub fn parse(arn: &'a str) -> Option<Self> {
        let parts: [&str; 6] = arn.splitn(6, ':').collect::<Vec<_>>().try_into().ok()?;
        let ["arn", "aws", service, region, account, resource] = parts else { return None };
        (account == ACCOUNT).then_some(Self { service, region, resource })
    }

    /// The part of the resource after its type (`function:`, `event-bus/`), if it is of that type.
    pub fn named(&self, kind: &str) -> Option<&'a str> {
        self.resource.strip_prefix(kind)
    }
}

/// Writes an ARN.
pub fn arn(service: &str, region: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{region}:{ACCOUNT}:{resource}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_comes_apart_as_it_was_put_together() {
        let text = arn("lambda", "us-west-2", "function:notifier");
        let parsed = Arn::parse(&text).unwrap();
        assert_eq!(parsed, Arn { service: "lambda", region: "us-west-2", resource: "function:notifier" });
        assert_eq!(parsed.named("function:"), Some("notifier"));
        assert_eq!(Arn::parse("arn:aws:lambda:us-west-2:999999999999:function:notifier"), None);
        assert_eq!(Arn::parse("notifier"), None);
    }
}
