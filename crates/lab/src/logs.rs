//! CloudWatch Logs: what functions print, a group a function.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Lab;
use crate::api::{Call, Reply};
use crate::arn::arn;
use crate::journal::What;
use crate::message::Message;
use crate::wire::Refusal;
use crate::wire::json::{JSON_1_1, action, input, reply};

/// "The maximum number of events to return. The default is 10,000 events" (FilterLogEvents).
const EVENTS_MAX: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FilterLogEvents {
    log_group_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    limit: Option<usize>,
    next_token: Option<String>,
}

/// Answers one API call.
pub async fn answer(lab: &Arc<Lab>, call: &Call) -> Reply {
    let action = action(call);
    let outcome = match action {
        "FilterLogEvents" => input(call).and_then(|input| filter(lab, &call.region, input)),
        other => Err(Refusal::unsupported(format!("the CloudWatch Logs action {other}"))),
    };
    reply(JSON_1_1, action, outcome)
}

fn filter(lab: &Lab, region: &str, input: FilterLogEvents) -> Result<(String, Value), Refusal> {
    let group = input.log_group_name;
    let function = group.strip_prefix("/aws/lambda/").unwrap_or_default();
    if !lab.has(&arn("lambda", region, &format!("function:{function}"))) {
        let message = "The specified log group does not exist.";
        return Err(Refusal::bad_request("ResourceNotFoundException", message));
    }
    let phrases = phrases(&input.filter_pattern.unwrap_or_default())?;
    // Log events' times are whole milliseconds.
    let times = input.start_time.unwrap_or(i64::MIN)..=input.end_time.unwrap_or(i64::MAX);
    // A token is how many events came before the page.
    let skipped = input
        .next_token
        .map_or(Ok(0), |token| token.parse())
        .map_err(|_| Refusal::bad_request("InvalidParameterException", "The specified nextToken is invalid."))?;
    let most = input.limit.unwrap_or(EVENTS_MAX).min(EVENTS_MAX);
    let entries = lab.journal.entries();
    let mut found = entries.iter().filter_map(|entry| match &entry.what {
        What::Log { function: of, line } if of == function && times.contains(&entry.at.as_millisecond()) => {
            phrases.iter().all(|phrase| line.contains(phrase)).then_some((entry.at.as_millisecond(), line))
        }
        _ => None,
    });
    let mut found = found.by_ref().skip(skipped).peekable();
    let event = |(at, line): (i64, &String)| json!({"timestamp": at, "ingestionTime": at, "message": line, "logStreamName": "lab", "eventId": at.to_string()});
    let events: Vec<Value> = found.by_ref().take(most).map(event).collect();
    let next = found.peek().map(|_| (skipped + most).to_string());
    let mut answer = json!({"events": events, "searchedLogStreams": []});
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok((group, answer))
}

/// Keeps a line that a function printed, and extracts the metrics in it ("Specification: Embedded metric format").
pub(crate) fn keep(lab: &Arc<Lab>, region: &str, function: &str, line: String) {
    if let Ok(root) = serde_json::from_str::<Value>(&line) {
        root["_aws"]["CloudWatchMetrics"]
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|it| extract(lab, region, &root, it));
    }
    lab.record(What::Log { function: function.to_owned(), line });
}

/// Where CloudWatch takes no metrics, what a log says of them is lost.
fn extract(lab: &Arc<Lab>, region: &str, root: &Value, directive: &Value) {
    if lab.faults.is_silent(region) {
        return;
    }
    let namespace = directive["Namespace"].as_str().unwrap_or_default();
    let at = root["_aws"]["Timestamp"].as_i64().and_then(|at| Timestamp::from_millisecond(at).ok());
    let names = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    for set in directive["Dimensions"].as_array().into_iter().flatten().map(names) {
        let dimensions: Vec<_> = set.iter().filter_map(|name| Some((name.as_str(), root[name].as_str()?))).collect();
        for metric in directive["Metrics"].as_array().into_iter().flatten().filter_map(|it| it["Name"].as_str()) {
            if let (Some(value), Some(at)) = (root[metric].as_f64(), at)
                && !lab.faults.is_lost(metric)
            {
                lab.carry(Message::Datum { region, namespace, metric, dimensions: &dimensions, value, at });
            }
        }
    }
}

/// "To match exact phrases … enclose them in double quotation marks"; several must all match (CloudWatch Logs user guide,
/// "Filter pattern syntax"). Everything else a pattern may be is refused.
fn phrases(pattern: &str) -> Result<Vec<String>, Refusal> {
    let mut parts = pattern.split('"');
    let mut phrases = Vec::new();
    while let Some(between) = parts.next() {
        if !between.trim().is_empty() {
            return Err(Refusal::unsupported(format!("the filter pattern {pattern}: only phrases in quotes")));
        }
        phrases.extend(parts.next().map(str::to_owned));
    }
    Ok(phrases)
}

#[cfg(test)]
mod tests {
    use super::phrases;

    #[test]
    fn a_pattern_is_phrases_in_quotes_or_nothing() {
        assert_eq!(phrases("").unwrap(), Vec::<String>::new());
        assert_eq!(phrases(r#""a b" "c""#).unwrap(), ["a b", "c"]);
        for other in ["ERROR", r"{ $.level = 1 }", r#"-"a""#] {
            assert_eq!(phrases(other).unwrap_err().code, "NotImplemented", "{other}");
        }
    }
}
