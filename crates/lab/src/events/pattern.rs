//! Event patterns.

use quamina::Quamina;
use serde_json::Value;

use crate::wire::Refusal;

/// A compiled event pattern.
pub struct Pattern(Quamina<()>);

impl std::fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pattern")
    }
}

impl Pattern {
    /// Compiles a pattern; an operator the matcher does not know is refused by its name.
    pub fn compile(pattern: &Value) -> Result<Self, Refusal> {
        let invalid = |reason: &dyn std::fmt::Display| {
            Refusal::bad_request(
                "InvalidEventPatternException",
                format!("Event pattern is not valid. Reason: {reason}"),
            )
        };
        if pattern.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err(invalid(&"it must be an object with at least one field"));
        }
        let mut matcher = Quamina::new();
        matcher.add_pattern((), &pattern.to_string()).map_err(|error| invalid(&error))?;
        Ok(Self(matcher))
    }

    /// True if the event has every field the pattern names, with one of the values it lists.
    pub fn matches(&self, event: &Value) -> bool {
        // The only error is an event that is no JSON, which a `Value` cannot be.
        self.0.has_matches(event.to_string().as_bytes()).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> Value {
        json!({
            "source": "aws.cloudwatch",
            "detail-type": "CloudWatch Alarm State Change",
            "resources": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:one", "arn:other"],
            "detail": {"state": {"value": "ALARM"}, "count": 3, "open": true, "nothing": null, "price": 2.5},
        })
    }

    #[test]
    fn patterns_mean_what_eventbridge_documents() {
        let table = [
            (json!({"source": ["aws.cloudwatch"]}), true),
            (json!({"source": ["aws.rds"]}), false),
            (json!({"source": ["aws.rds", "aws.cloudwatch"]}), true),
            (json!({"source": ["aws.cloudwatch"], "detail-type": ["Other"]}), false),
            (json!({"detail": {"state": {"value": ["ALARM"]}}}), true),
            (json!({"detail": {"state": {"value": ["OK"]}}}), false),
            (json!({"resources": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:one"]}), true),
            (json!({"resources": ["arn:other", "arn:third"]}), true),
            (json!({"resources": ["arn:third"]}), false),
            (json!({"source": [{"prefix": "aws."}]}), true),
            (json!({"source": [{"prefix": "com."}]}), false),
            (json!({"source": [{"suffix": "watch"}]}), true),
            (json!({"source": [{"equals-ignore-case": "AWS.CloudWatch"}]}), true),
            (json!({"source": [{"wildcard": "aws.*watch"}]}), true),
            (json!({"source": [{"anything-but": ["aws.rds"]}]}), true),
            (json!({"source": [{"anything-but": ["aws.cloudwatch"]}]}), false),
            (json!({"detail": {"state": {"value": [{"anything-but": "OK"}]}}}), true),
            (json!({"detail": {"count": [{"anything-but": [1, 2]}]}}), true),
            (json!({"detail": {"absent": [{"anything-but": "x"}]}}), false),
            (json!({"detail": {"state": {"value": [{"exists": true}]}}}), true),
            (json!({"detail": {"error": [{"exists": false}]}}), true),
            (json!({"detail": {"count": [{"exists": false}]}}), false),
            (json!({"detail": {"count": [3]}}), true),
            (json!({"detail": {"count": ["3"]}}), false),
            (json!({"detail": {"count": [{"numeric": [">", 0, "<=", 3]}]}}), true),
            (json!({"detail": {"count": [{"numeric": [">", 3]}]}}), false),
            (json!({"detail": {"price": [{"numeric": ["=", 2.5]}]}}), true),
            (json!({"detail": {"open": [true]}}), true),
            (json!({"detail": {"nothing": [null]}}), true),
        ];
        for (pattern, expected) in table {
            assert_eq!(Pattern::compile(&pattern).unwrap().matches(&event()), expected, "{pattern}");
        }
    }

    #[test]
    fn what_the_matcher_does_not_know_is_refused_by_name() {
        let table = [
            (json!({"source": [{"sounds-like": "x"}]}), "sounds-like"),
            (json!({"$or": [{"source": ["x"]}, {"detail-type": ["y"]}]}), "source"),
            (json!({"source": "not a list"}), "source"),
            (json!({}), "at least one field"),
        ];
        for (pattern, named) in table {
            let refusal = Pattern::compile(&pattern).unwrap_err();
            assert!(refusal.message.contains(named), "{pattern}: {}", refusal.message);
        }
    }
}
