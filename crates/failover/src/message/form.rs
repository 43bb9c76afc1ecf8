//! The same message for readers that are no people: chat's cards and pagers' alarms.

use serde_json::{Value, json};

use super::{ALSO, EVENT, FROM, HAPPENED, Message, NEXT, RUN, SUBJECT_CHARACTERS_MAX, USERS, WHY, text};
use crate::observation::Attention;

/// Slack's block of text ends at 3,000 characters.
const CARD_CHARACTERS_MAX: usize = 2_500;

/// An Opsgenie alert's description ends at 15,000 characters.
const ALARM_CHARACTERS_MAX: usize = 10_000;

impl Message {
    /// Attributes for subscriptions' filter policies: how loud it is, and what happened.
    #[must_use]
    pub fn attributes(&self) -> [(&'static str, &str); 2] {
        let attention = match self.attention {
            Attention::Page => "page",
            Attention::Notice | Attention::None => "notice",
        };
        [("attention", attention), ("outcome", &self.event)]
    }

    /// The message as Amazon Q Developer in chat applications shows it as a card, an incident's in one thread (its
    /// administrator guide, "Custom notifications", event schema).
    #[must_use]
    pub fn card(&self) -> String {
        let icon = if self.attention == Attention::Page { "\u{1f6a8}" } else { "\u{2139}\u{fe0f}" };
        let summary = &self.headline;
        let told =
            [USERS, HAPPENED, WHY, ALSO].map(|title| self.lines(title).map(plain).collect::<Vec<_>>().join("\n"));
        let description = told.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        let run = self.lines(RUN).flat_map(str::lines).map(|line| match line.split_once(": ") {
            Some((what, command)) => format!("{}: `{command}`", plain(what)),
            None => format!("`{line}`"),
        });
        let mut metadata = json!({
            "summary": summary,
            "eventType": self.event,
            "relatedResources": self.subjects,
            "additionalContext": {"attention": self.attributes()[0].1, "at": self.at},
        });
        if let Some(incident) = &self.incident {
            metadata["threadId"] = json!(incident);
        }
        let card = json!({
            "version": "1.0",
            "source": "custom",
            "content": {
                "textType": "client-markdown",
                "title": format!("{icon} {}", plain(summary)),
                "description": bounded(&description, CARD_CHARACTERS_MAX),
                "nextSteps": self.lines(NEXT).map(plain).chain(run).chain(self.lines(FROM).map(str::to_owned)).collect::<Vec<_>>(),
                "keywords": ["Holdfast", self.event],
            },
            "metadata": metadata,
        });
        card.to_string()
    }

    /// Subject and body of the message as CloudWatch would say it of an alarm, for pagers, which all understand that. The
    /// alarm is named after the incident, so that a pager opens one incident for it however often it is told; and what a person must
    /// decide or do is an alarm of its own: whoever acknowledged the pin, and went back to bed, is woken by it.
    #[must_use]
    pub fn alarm(&self, region: &str, account: &str) -> (String, String) {
        // What is not a CloudWatch alarm's: no ARN of one, no metric, none of its actions.
        let trigger = json!({
            "MetricName": self.event,
            "Namespace": "Holdfast",
            "StatisticType": "Statistic",
            "Statistic": "MAXIMUM",
            "Unit": Value::Null,
            "Dimensions": [],
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "notBreaching",
            "EvaluateLowSampleCountPercentile": "",
        });
        let decision = self.decision.as_ref().map(|headline| format!("{headline}, ")).unwrap_or_default();
        let incident = self.incident.as_ref().map(|incident| format!("{}: {decision}{incident}", self.from));
        let told: Vec<_> = self.sections.iter().filter(|section| section.title != EVENT).cloned().collect();
        let at = self.at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string();
        let body = json!({
            "AlarmName": incident.unwrap_or_else(|| self.subject.clone()),
            "AlarmDescription": bounded(&text(&told), ALARM_CHARACTERS_MAX),
            "AWSAccountId": account,
            "AlarmConfigurationUpdatedTimestamp": at,
            "NewStateValue": "ALARM",
            "NewStateReason": self.lines(HAPPENED).collect::<Vec<_>>().join(" "),
            "StateChangeTime": at,
            "Region": region,
            "AlarmArn": "",
            "OldStateValue": "OK",
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
            "Trigger": trigger,
        });
        // PagerDuty takes a subject that begins with the new state and a colon, and no other.
        (format!("ALARM: {}", self.subject).chars().take(SUBJECT_CHARACTERS_MAX).collect(), body.to_string())
    }

    fn lines(&self, title: &str) -> impl Iterator<Item = &str> {
        let section = self.sections.iter().filter(move |section| section.title == title);
        section.flat_map(|section| &section.lines).map(String::as_str)
    }
}

/// Text in which no character is markdown: a name such as `*.example.com` would make the rest of the line bold.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        plain.push(c);
        if matches!(c, '*' | '_' | '~' | '`') {
            plain.push('\u{200b}');
        }
    }
    plain
}

fn bounded(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}\u{2026}\nThe rest is in the mail.", &text[..end]),
    }
}
