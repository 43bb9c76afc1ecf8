//! Alarm mute rules: windows in which alarms take no actions, whatever their state does.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// "A minimum of 1 minute (PT1M) and maximum of 15 days (P15D)" (PutAlarmMuteRule, Duration).
const DURATION_MIN: SignedDuration = SignedDuration::from_mins(1);
const DURATION_MAX: SignedDuration = SignedDuration::from_hours(15 * 24);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// When a rule mutes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Schedule {
    Once(Timestamp),
    Recurring(Cron),
}

/// Minutes, hours, days of the month, months and days of the week (0 is Sunday) at which a window opens.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cron([Vec<i8>; 5]);

/// What a rule is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Scheduled,
    Active,
    Expired,
}

/// A mute rule as it is kept.
#[derive(Clone, Debug)]
pub(super) struct MuteRule {
    pub name: String,
    pub description: Option<String>,
    /// As they were given.
    pub expression: String,
    pub duration_text: String,
    pub timezone: Option<String>,
    pub schedule: Schedule,
    pub duration: SignedDuration,
    pub alarms: Vec<String>,
    pub start: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    pub updated: Timestamp,
}

impl MuteRule {
    pub(super) fn status(&self, now: Timestamp) -> Status {
        let is_over = match &self.schedule {
            Schedule::Once(opens) => now >= *opens + self.duration,
            Schedule::Recurring(_) => false,
        };
        if is_over || self.expires.is_some_and(|expires| now >= expires) {
            Status::Expired
        } else if self.start.is_none_or(|start| now >= start) && self.is_open(now) {
            Status::Active
        } else {
            Status::Scheduled
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.schedule {
            Schedule::Once(_) => "ONE_TIME",
            Schedule::Recurring(_) => "RECURRING",
        }
    }

    fn is_open(&self, now: Timestamp) -> bool {
        match &self.schedule {
            Schedule::Once(opens) => (*opens..*opens + self.duration).contains(&now),
            Schedule::Recurring(cron) => {
                let minutes = (0..).map(|back| now - MINUTE * back);
                let mut minutes = minutes.take_while(|at| now.duration_since(*at) < self.duration);
                minutes.any(|at| cron.opens_in(TimeZone::UTC.to_datetime(at)))
            }
        }
    }
}

impl Schedule {
    /// Reads `at(yyyy-MM-ddThh:mm)` or `cron(Minutes Hours Day-of-month Month Day-of-week)`.
    pub(super) fn parse(expression: &str) -> Result<Self, String> {
        let inner = |kind: &str| expression.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(moment) = inner("at") {
            let moment: DateTime =
                moment.parse().map_err(|_| format!("{moment} is not of the form yyyy-MM-ddThh:mm"))?;
            let moment = TimeZone::UTC.to_timestamp(moment).map_err(|error| error.to_string())?;
            return Ok(Self::Once(moment));
        }
        let fields = inner("cron").ok_or("it is neither at(…) nor cron(…)")?;
        Cron::parse(fields).map(Self::Recurring)
    }
}

/// Reads an ISO 8601 duration such as `PT4H` or `P2DT12H`.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    // jiff reads `2h` too, which AWS's format is not.
    let span = text.parse::<Span>().ok().filter(|_| text.starts_with('P'));
    let span = span.ok_or_else(|| format!("{text} is no ISO 8601 duration"))?;
    let seconds = i64::from(span.get_days()) * 86_400
        + i64::from(span.get_hours()) * 3_600
        + span.get_minutes() * 60
        + span.get_seconds();
    let duration = SignedDuration::from_secs(seconds);
    let is_allowed =
        (DURATION_MIN..=DURATION_MAX).contains(&duration) && span.get_months() == 0 && span.get_years() == 0;
    if is_allowed { Ok(duration) } else { Err(format!("{text} is not between PT1M and P15D")) }
}

impl Cron {
    fn parse(text: &str) -> Result<Self, String> {
        const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
        const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err("a cron expression has five fields".to_owned());
        };
        Ok(Self([
            field(minutes, (0, 59), &[])?,
            field(hours, (0, 23), &[])?,
            field(days, (1, 31), &[])?,
            field(months, (1, 12), &MONTHS)?,
            field(weekdays, (0, 6), &DAYS)?,
        ]))
    }

    fn opens_in(&self, minute: DateTime) -> bool {
        let weekday = Weekday::to_sunday_zero_offset(minute.weekday());
        let now = [minute.minute(), minute.hour(), minute.day(), minute.month(), weekday];
        self.0.iter().zip(now).all(|(allowed, value)| allowed.contains(&value))
    }
}

/// "The characters *, -, and , are supported in all fields. English names can be used for the month … and day of week".
fn field(text: &str, (least, most): (i8, i8), names: &[&str]) -> Result<Vec<i8>, String> {
    let value = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = named.and_then(|at| i8::try_from(at).ok()).map(|at| at + least);
        let value = named.or_else(|| text.parse().ok()).filter(|value| (least..=most).contains(value));
        value.ok_or_else(|| format!("{text} is not between {least} and {most}"))
    };
    let mut values = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            _ if part == "*" => values.extend(least..=most),
            Some((from, to)) => values.extend(value(from)?..=value(to)?),
            None => values.push(value(part)?),
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(expression: &str, lasts: &str) -> MuteRule {
        MuteRule {
            name: "r".to_owned(),
            description: None,
            expression: expression.to_owned(),
            duration_text: lasts.to_owned(),
            timezone: None,
            schedule: Schedule::parse(expression).unwrap(),
            duration: duration(lasts).unwrap(),
            alarms: Vec::new(),
            start: None,
            expires: None,
            updated: Timestamp::UNIX_EPOCH,
        }
    }

    fn status(rule: &MuteRule, at: &str) -> Status {
        rule.status(at.parse().unwrap())
    }

    #[test]
    fn a_window_opens_at_its_time_and_closes_after_its_duration() {
        let once = rule("at(2026-01-04T10:00)", "PT2H");
        assert_eq!(status(&once, "2026-01-04T09:59:59Z"), Status::Scheduled);
        assert_eq!(status(&once, "2026-01-04T10:00:00Z"), Status::Active);
        assert_eq!(status(&once, "2026-01-04T12:00:00Z"), Status::Expired);
        let sundays = rule("cron(30 22 * * SUN)", "P1DT1H");
        assert_eq!(status(&sundays, "2026-01-04T22:29:00Z"), Status::Scheduled, "it is a Sunday");
        assert_eq!(status(&sundays, "2026-01-04T22:30:00Z"), Status::Active);
        assert_eq!(status(&sundays, "2026-01-05T23:29:59Z"), Status::Active);
        assert_eq!(status(&sundays, "2026-01-05T23:30:00Z"), Status::Scheduled);
        let bounded = MuteRule {
            start: Some("2026-01-04T11:00:00Z".parse().unwrap()),
            expires: Some("2026-01-04T11:30:00Z".parse().unwrap()),
            ..rule("cron(0 10-11 * JAN,FEB *)", "PT3H")
        };
        assert_eq!(status(&bounded, "2026-01-04T10:30:00Z"), Status::Scheduled);
        assert_eq!(status(&bounded, "2026-01-04T11:29:00Z"), Status::Active);
        assert_eq!(status(&bounded, "2026-01-04T11:30:00Z"), Status::Expired);
    }

    #[test]
    fn what_is_no_schedule_or_duration_is_refused() {
        for expression in ["rate(1 day)", "at(noon)", "cron(0 2 * *)", "cron(60 2 * * *)", "cron(0 2 * * FUN)"] {
            assert!(Schedule::parse(expression).is_err(), "{expression}");
        }
        for lasts in ["PT30S", "P16D", "P1M", "2h", ""] {
            assert!(duration(lasts).is_err(), "{lasts}");
        }
        assert_eq!(duration("P2DT12H").unwrap(), SignedDuration::from_hours(60));
    }
}
