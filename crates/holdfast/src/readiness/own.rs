//! Whether Holdfast itself runs and is heard.

use aws::CallError;
use aws::watch::{Mute, OwnAlarm, Runs, Subscriptions};
use jiff::Timestamp;

use super::Readiness;

/// What is looked at of Holdfast itself.
#[derive(Debug)]
pub struct Own {
    /// Its own alarms.
    pub alarms: Result<Vec<OwnAlarm>, CallError>,
    /// The topics that those alarms tell, and who hears them.
    pub topics: Vec<(String, Result<Subscriptions, CallError>)>,
    /// Whatever mutes an alarm that Holdfast goes by or is watched by: the alarm, and the rule.
    pub mutes: Result<Vec<(String, Mute)>, CallError>,
    /// The functions that a tick wakes, and how each fared in the last [`super::LOOKBACK_MINUTES`] minutes.
    pub runs: Vec<(String, Result<Option<Runs>, CallError>)>,
    /// The latch's own alarm, while the latch is closed: it has to ring, and of the latch `status` tells.
    pub has_to_ring: Option<String>,
}

impl Readiness {
    pub(super) fn judge_own(&mut self, own: &Own) {
        match &own.alarms {
            Ok(alarms) => {
                for alarm in alarms.iter().filter(|alarm| alarm.rings && own.has_to_ring.as_ref() != Some(&alarm.name))
                {
                    let remedy = "docs/watching.md says what it means and what to do";
                    self.report(Some(format!("alarm {}", alarm.name)), "about Holdfast itself rings", remedy);
                }
            }
            Err(error) => self.unknown(
                "Holdfast's own alarms".to_owned(),
                format!("cannot be looked at: {error}"),
                "the command line needs cloudwatch:DescribeAlarms in this region",
            ),
        }
        match &own.mutes {
            Ok(mutes) => mutes.iter().for_each(|(alarm, mute)| self.judge_mute(alarm, mute)),
            Err(error) => self.unknown(
                "mute rules".to_owned(),
                format!("cannot be looked at, so a muted alarm is not known: {error}"),
                "the command line needs cloudwatch:ListAlarmMuteRules",
            ),
        }
        for (topic, subscriptions) in &own.topics {
            self.judge_topic(topic, subscriptions);
        }
        for (function, runs) in &own.runs {
            self.judge_runs(function, runs);
        }
    }

    /// Not who they are: AWS tells addresses to whoever may list them, and nobody needs them here.
    fn judge_topic(&mut self, topic: &str, subscriptions: &Result<Subscriptions, CallError>) {
        let about = format!("topic {}", topic.rsplit(':').next().unwrap_or_default());
        let remedy = format!(
            "follow the link in the mail \"AWS Notification - Subscription Confirmation\", or subscribe again: aws sns subscribe --topic-arn \
             {topic} --protocol email --notification-endpoint ADDRESS"
        );
        match subscriptions {
            Ok(Subscriptions { confirmed: 0, .. }) => {
                self.advise(
                    about,
                    "has no confirmed subscription: nobody hears what Holdfast's alarms tell it",
                    remedy,
                );
            }
            Ok(Subscriptions { pending: 0, .. }) => {}
            Ok(Subscriptions { pending, .. }) => {
                self.advise(
                    about,
                    format!("has {pending} subscriptions that nobody has confirmed: they hear nothing"),
                    remedy,
                );
            }
            Err(error) => self.unknown(
                about,
                format!("whether anybody hears it is not known: {error}"),
                "the command line needs sns:GetTopicAttributes",
            ),
        }
    }

    fn judge_mute(&mut self, alarm: &str, mute: &Mute) {
        let Mute { rule, is_active, expires } = mute;
        let when = if *is_active { "is muted" } else { "is to be muted" };
        let until = expires.as_ref().map_or(String::new(), |at: &Timestamp| format!(" until {at} at the latest"));
        self.report(
            Some(format!("alarm {alarm}")),
            format!("{when} by the rule {rule}{until}: its mail is held, a failover is not"),
            format!(
                "for planned work: holdfast maintenance begin; to be told again: aws cloudwatch delete-alarm-mute-rule \
                 --alarm-mute-rule-name {rule}"
            ),
        );
    }

    fn judge_runs(&mut self, function: &str, runs: &Result<Option<Runs>, CallError>) {
        let about = Some(format!("function {function}"));
        let minutes = super::LOOKBACK_MINUTES;
        match runs {
            Ok(None | Some(Runs { invocations: 0, .. })) => self.report(
                about,
                format!("has not run in the last {minutes} minutes, though a tick wakes it every minute"),
                "is the tick's rule disabled, or the function's reserved concurrency 0? aws lambda get-function-concurrency",
            ),
            Ok(Some(Runs { invocations, errors })) if errors >= invocations => self.report(
                about,
                format!("failed in each of its {invocations} runs of the last {minutes} minutes: it does not start, or cannot do its work"),
                format!("aws logs tail /aws/lambda/{function} --since 15m; was it built for the stack's Architecture?"),
            ),
            Ok(Some(_)) => {}
            Err(error) => self.unknown(
                format!("function {function}"),
                format!("whether it runs is not known: {error}"),
                "the command line needs cloudwatch:GetMetricData",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{judged_with, only, own, said};
    use super::*;

    fn with(change: impl FnOnce(&mut Own)) -> Readiness {
        let mut it = own();
        change(&mut it);
        judged_with(|around| around.own = it)
    }

    fn ringing(name: &str) -> OwnAlarm {
        OwnAlarm { name: name.to_owned(), rings: true, topics: Vec::new() }
    }

    #[test]
    fn a_topic_that_nobody_hears_is_told_and_keeps_nothing_from_failing_over() {
        let heard = |subscriptions: Result<Subscriptions, CallError>| {
            with(|own| own.topics = vec![("arn:aws:sns:eu-central-1:123456789012:operators".to_owned(), subscriptions)])
        };
        let nobody = heard(Ok(Subscriptions { confirmed: 0, pending: 1 }));
        let told = only(&nobody);
        assert!(
            told.contains("topic operators has no confirmed subscription") && told.contains("follow the link"),
            "{told}"
        );
        assert!(nobody.promotion_seconds.is_some(), "users are failed over all the same");
        let some = heard(Ok(Subscriptions { confirmed: 1, pending: 2 }));
        assert!(only(&some).contains("has 2 subscriptions that nobody has confirmed"));
        assert!(some.promotion_seconds.is_some(), "whoever is there hears it");
        assert_eq!(said(&heard(Ok(Subscriptions { confirmed: 1, pending: 0 }))), "");
        let silent = CallError::Unanswered { call: "GetTopicAttributes", why: "no answer came in time".to_owned() };
        assert!(only(&heard(Err(silent))).contains("whether anybody hears it is not known"));
    }

    fn runs(invocations: u64, errors: u64) -> Readiness {
        with(|own| own.runs[0].1 = Ok(Some(Runs { invocations, errors })))
    }

    #[test]
    fn a_function_that_never_gets_to_its_end_is_no_readiness() {
        for (readiness, words) in [
            (runs(15, 15), "failed in each of its 15 runs"),
            (runs(0, 0), "has not run in the last"),
            (with(|own| own.runs[0].1 = Ok(None)), "has not run in the last"),
            (
                with(|own| own.alarms = Ok(vec![ringing("holdfast-dead-letters")])),
                "holdfast-dead-letters about Holdfast itself rings",
            ),
        ] {
            assert!(only(&readiness).contains(words), "{words} in {}", only(&readiness));
            assert_eq!(readiness.promotion_seconds, None, "{words}");
        }
        assert_eq!(said(&runs(15, 14)), "", "one run of many that succeeds has done what a tick does");
    }

    #[test]
    fn the_alarm_of_a_closed_latch_is_no_news() {
        let ringing = |has_to_ring: Option<&str>| {
            with(|own| {
                own.alarms = Ok(vec![self::ringing("holdfast-latched")]);
                own.has_to_ring = has_to_ring.map(str::to_owned);
            })
        };
        assert_eq!(said(&ringing(Some("holdfast-latched"))), "");
        assert!(only(&ringing(None)).contains("holdfast-latched about Holdfast itself rings"));
    }

    #[test]
    fn a_muted_alarm_is_no_maintenance_and_is_said() {
        let until = Some("2026-01-04T00:00:00Z".parse().unwrap());
        for (is_active, words) in
            [(true, "alarm started is muted by the rule sunday until 2026-01-04"), (false, "is to be muted")]
        {
            let mute = Mute { rule: "sunday".to_owned(), is_active, expires: until };
            let readiness = with(|own| own.mutes = Ok(vec![("started".to_owned(), mute)]));
            let told = only(&readiness);
            assert!(
                told.contains(words) && told.contains("a failover is not") && told.contains("maintenance begin"),
                "{told}"
            );
        }
    }

    #[test]
    fn what_cannot_be_asked_of_holdfast_itself_is_not_known() {
        let refused = || CallError::Refused { call: "X", code: "NotImplemented".to_owned(), message: String::new() };
        let readiness = with(|own| {
            (own.alarms, own.mutes) = (Err(refused()), Err(refused()));
            own.runs[0].1 = Err(refused());
        });
        assert_eq!(readiness.shortcomings.len(), 3);
        assert!(readiness.shortcomings.iter().all(|it| it.weight == super::super::Weight::Unknown), "{readiness:?}");
        assert!(readiness.promotion_seconds.is_some());
    }
}
