//! Whether the switch holds DNS at the primary while Holdfast does not pin, and lets go where Holdfast is dead.

use aws::detector::{self, Check};
use aws::{CallError, Session};
use failover::hold::is_on_switch;
use failover::observation::NameView;
use failover::plan::{Mode, Plan, alarm_name, latch_alarm};
use failover::record::Pair;
use futures_util::future::join_all;

use super::records::records;
use super::{Readiness, Weight};

/// What is looked at of the switch.
#[derive(Debug)]
pub struct Switch {
    /// Its id.
    pub id: String,
    /// The switch itself.
    pub check: Looked,
    /// Each of its children, by id.
    pub children: Vec<(String, Looked)>,
}

type Looked = Result<Option<Check>, CallError>;

/// Looks at the plan's switch; none if it has none.
pub async fn look(session: &Session, plan: &Plan) -> Option<Switch> {
    let id = plan.switch.clone()?;
    let check = detector::check(session, &id).await;
    let counted =
        check.as_ref().ok().and_then(Option::as_ref).and_then(|check| check.counts.clone()).unwrap_or_default();
    let children = counted.children.into_iter().map(async |id| (id.clone(), detector::check(session, &id).await));
    Some(Switch { id, check, children: join_all(children).await })
}

/// What keeps the switch from its work, whatever stands on it.
pub fn unsound(plan: &Plan, switch: &Switch) -> Vec<String> {
    let mut readiness = Readiness::default();
    readiness.judge_itself(plan, switch);
    let in_words = |it: super::Shortcoming| format!("{} {}; {}", it.about, it.seen, it.remedy);
    readiness.shortcomings.into_iter().filter(|it| it.weight != Weight::Advises).map(in_words).collect()
}

/// How many of the switch's four children must be healthy: outage, hold, and the latch twice, so that the two never outvote it.
const HEALTHY_MIN: u32 = 3;
const CHILDREN: usize = 4;

/// The switch's children that follow this alarm.
fn following<'a>(switch: &'a Switch, alarm: &'a str) -> impl Iterator<Item = (&'a str, &'a Check)> {
    let known = |(id, check): &'a (String, Looked)| Some((id.as_str(), check.as_ref().ok()?.as_ref()?));
    let follows = move |(_, check): &(&str, &Check)| check.follows.as_ref().is_some_and(|it| it.alarm == alarm);
    switch.children.iter().filter_map(known).filter(follows)
}

impl Readiness {
    pub(super) fn judge_switch(&mut self, plan: &Plan, names: &[NameView], switch: &Switch) {
        self.judge_itself(plan, switch);
        let primaries = |on: bool| {
            let chosen = names.iter().filter(move |view| is_on_switch(plan, view) == on);
            chosen.flat_map(|view| view.pairs.iter().flatten()).map(Pair::primary)
        };
        if plan.latch.as_ref().is_some_and(|latch| latch.shown.is_none()) {
            let seen =
                "waits for Route 53's API where that is dark: nothing but the pin shows that users cannot return";
            self.advise("the promotion".to_owned(), seen, "PromoteBy=pin-or-dns, with DomainName");
        }
        let is_shadow = plan.mode == Mode::Shadow;
        self.report(
            records("PRIMARY", primaries(true)).filter(|_| is_shadow),
            "has the switch, and in shadow mode Holdfast pins nothing: in an outage nothing moves its users",
            "holdfast adopt --off gives it the alarm's own health check back; or deploy the responder with another Mode",
        );
        if let Some(about) = records("PRIMARY", primaries(false)).filter(|_| !is_shadow) {
            let seen =
                "does not have the switch: Route 53 moves its users as the alarm rings, whatever Holdfast decides";
            self.advise(about, seen, "holdfast adopt");
        }
    }

    /// Whether the switch is healthy while nothing is committed, and there is no outage or Holdfast holds; and only then.
    fn judge_itself(&mut self, plan: &Plan, switch: &Switch) {
        let about = format!("switch {}", switch.id);
        let own = plan.failover_health_check.as_deref().unwrap_or_default();
        let again = "deploy template.yaml again, with DnsMoves=by-holdfast (and, where detector.yaml has the alarms, with its FailoverHealthCheckId)";
        let check = match &switch.check {
            Ok(Some(check)) => check,
            Ok(None) => return self.report(Some(about), "does not exist: what stands on it is no longer moved", again),
            Err(error) => {
                let remedy = "the command line needs route53:GetHealthCheck";
                return self.unknown(about, format!("cannot be looked at: {error}"), remedy);
            }
        };
        let enable = format!("aws route53 update-health-check --no-disabled --health-check-id {}", switch.id);
        let disabled = "is disabled: were Holdfast dead, nothing would move users in an outage";
        self.report(check.disabled.then(|| about.clone()), disabled, enable);
        let counted = check.counts.clone().unwrap_or_default();
        let is_sound = counted.healthy_min == HEALTHY_MIN && counted.children.len() == CHILDREN;
        if !is_sound || !counted.children.iter().any(|child| child == own) {
            let seen = format!(
                "is not healthy by three of four, the failover check {own}, the hold and the latch twice: {}",
                match &check.counts {
                    None => "it counts otherwise".to_owned(),
                    Some(counted) => format!("by {} of {}", counted.healthy_min, counted.children.join(", ")),
                }
            );
            return self.report(Some(about), seen, again);
        }
        let is_disabled = |(id, check): &(String, Looked)| {
            id == own && check.as_ref().is_ok_and(|check| check.as_ref().is_some_and(|check| check.disabled))
        };
        self.report(
            switch.children.iter().any(is_disabled).then(|| format!("health check {own}")),
            "is disabled: no outage is noticed",
            format!("aws route53 update-health-check --no-disabled --health-check-id {own}"),
        );
        let hold_alarm = plan.hold_alarm.as_deref().and_then(alarm_name).unwrap_or_default();
        match following(switch, hold_alarm).next() {
            Some((id, hold)) => self.judge_hold(id, hold, again),
            None => self.unknown(about.clone(), "stands on a hold that cannot be looked at", again),
        }
        let latch_alarm = latch_alarm(hold_alarm);
        let latches: Vec<_> = following(switch, &latch_alarm).collect();
        if latches.len() != CHILDREN - 2 {
            self.unknown(about, "does not stand on two latch checks, or they cannot be looked at", again);
        }
        latches.into_iter().for_each(|(id, latch)| self.judge_latch(id, latch, again));
    }

    fn judge_latch(&mut self, id: &str, latch: &Check, again: &str) {
        let about = || Some(format!("latch {id}"));
        let is_copied = latch.follows.as_ref().is_some_and(|follows| follows.now.as_ref() == Some(&follows.copy));
        let copied = "goes by its own copy of its alarm, which says something else now or is gone";
        self.report(about().filter(|_| !is_copied), copied, again);
        let enable = format!("aws route53 update-health-check --no-disabled --health-check-id {id}");
        let disabled = "is disabled, and so always healthy: a committed failover would not hold users on DR";
        self.report(about().filter(|_| latch.disabled), disabled, enable);
        let kept = latch.without_data.as_deref() == Some("LastKnownStatus");
        self.report(about().filter(|_| !kept), "forgets a committed failover while CloudWatch has no data", again);
    }

    fn judge_hold(&mut self, id: &str, hold: &Check, again: &str) {
        let about = || Some(format!("hold {id}"));
        let Some(follows) = &hold.follows else {
            return self.report(about(), "follows no alarm: it is not Holdfast's heartbeat", again);
        };
        let is_copied = follows.now.as_ref() == Some(&follows.copy);
        self.report(
            about().filter(|_| !is_copied),
            format!("goes by its own copy of {}, which says something else now or is gone", follows.alarm),
            again,
        );
        let enable = format!("aws route53 update-health-check --no-disabled --health-check-id {id}");
        let disabled = "is disabled, and so always healthy: were Holdfast dead, nothing would move users in an outage";
        self.report(about().filter(|_| hold.disabled), disabled, enable);
        match hold.without_data.as_deref() {
            Some("Unhealthy") => {}
            Some("Healthy") => self.advise(
                format!("hold {id}"),
                "keeps users at the primary even if Holdfast is dead: then nothing moves them in an outage",
                "that is WithoutHoldfast=stay; follow-the-outage is the other way",
            ),
            other => self.report(
                about(),
                format!("is {} while it hears no heartbeat: a dead Holdfast may hold", other.unwrap_or("as it was")),
                again,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws::detector::{Counted, Evaluation, Follows, Settings};
    use failover::record::Role;

    use super::super::tests::{judged_by, only, plan, said, set};
    use super::*;

    fn plan_with_switch() -> Plan {
        let hold_alarm = Some("arn:aws:cloudwatch:eu-central-1:1:alarm:holdfast-hold-lapsed".to_owned());
        Plan { switch: Some("sw".to_owned()), hold_alarm, ..plan() }
    }

    fn follower(alarm: &str, without_data: &str) -> Looked {
        let copy = Settings { metric: "Maximum".to_owned(), ..Settings::default() };
        let (now, evaluation) = (Some(copy.clone()), Evaluation::default());
        let follows = Some(Follows { alarm: alarm.to_owned(), copy, now, evaluation });
        Ok(Some(Check { follows, without_data: Some(without_data.to_owned()), ..Check::default() }))
    }

    /// One of the children, as it was looked at.
    fn child(switch: &mut Switch, nth: usize) -> &mut Check {
        switch.children[nth].1.as_mut().unwrap().as_mut().unwrap()
    }

    fn counted(switch: &mut Switch) -> &mut Counted {
        switch.check.as_mut().unwrap().as_mut().unwrap().counts.as_mut().unwrap()
    }

    fn switch() -> Switch {
        let ids = ["hc", "hold", "latch", "again"].map(str::to_owned);
        let counts = Some(Counted { children: ids.to_vec(), healthy_min: 3 });
        let latch = || follower("holdfast-latched", "LastKnownStatus");
        let checks = [Ok(Some(Check::default())), follower("holdfast-hold-lapsed", "Unhealthy"), latch(), latch()];
        let check = Ok(Some(Check { counts, ..Check::default() }));
        Switch { id: "sw".to_owned(), check, children: ids.into_iter().zip(checks).collect() }
    }

    fn names(check: &str) -> Vec<NameView> {
        let view = |name: &str| {
            let sets = [set(name, Role::Primary, Some(check)), set(name, Role::Secondary, None)];
            NameView::of_name("Z1", &name.parse().unwrap(), &sets)
        };
        ["a.example.com", "b.example.com"].map(view).to_vec()
    }

    fn judged(plan: &Plan, check: &str, change: impl FnOnce(&mut Switch)) -> Readiness {
        let mut switch = switch();
        change(&mut switch);
        judged_by(plan, |around| (around.names, around.switch) = (names(check), Some(switch)))
    }

    #[test]
    fn a_switch_that_stands_on_outage_and_hold_is_in_order_and_so_are_the_records_on_it() {
        assert_eq!(said(&judged(&plan_with_switch(), "sw", |_| {})), "");
        assert_eq!(unsound(&plan_with_switch(), &switch()), [""; 0]);
    }

    #[test]
    fn whatever_keeps_the_switch_from_holding_or_from_letting_go_is_said() {
        type Bend = fn(&mut Switch);
        let cases: [(Bend, &str); 14] = [
            (|it| it.check = Ok(None), "switch sw does not exist"),
            (|it| it.check.as_mut().unwrap().as_mut().unwrap().disabled = true, "switch sw is disabled"),
            (|it| it.check.as_mut().unwrap().as_mut().unwrap().counts = None, "it counts otherwise"),
            (|it| counted(it).healthy_min = 1, "by 1 of hc, hold, latch, again"),
            (|it| drop(counted(it).children.pop()), "by 3 of hc, hold, latch"),
            (|it| counted(it).children[0] = "other".to_owned(), "other, hold"),
            (|it| it.children[1].1 = Ok(None), "a hold that cannot be looked at"),
            (|it| child(it, 1).follows = None, "a hold that cannot be looked at"),
            (|it| child(it, 1).follows.as_mut().unwrap().now = None, "its own copy of holdfast-hold-lapsed"),
            (|it| child(it, 1).without_data = Some("LastKnownStatus".to_owned()), "is LastKnownStatus while it hears"),
            (|it| child(it, 1).disabled = true, "always healthy"),
            (|it| it.children[3].1 = Ok(None), "does not stand on two latch checks"),
            (|it| child(it, 2).disabled = true, "would not hold users on DR"),
            (|it| child(it, 3).without_data = Some("Healthy".to_owned()), "forgets a committed failover"),
        ];
        for (bend, words) in cases {
            let told = only(&judged(&plan_with_switch(), "sw", bend));
            assert!(told.contains(words), "{words} in {told}");
            let mut bent = switch();
            bend(&mut bent);
            assert!(!unsound(&plan_with_switch(), &bent).is_empty(), "{words}");
        }
    }

    #[test]
    fn records_that_the_switch_does_not_move_or_moves_nowhere_are_told() {
        let not_adopted = judged(&plan_with_switch(), "hc", |_| {});
        assert!(
            only(&not_adopted).contains("a.example.com A and of 1 more names does not have the switch"),
            "{not_adopted:?}"
        );
        assert_eq!(not_adopted.shortcomings[0].weight, Weight::Advises);
        let shadow = Plan { mode: Mode::Shadow, ..plan_with_switch() };
        assert!(only(&judged(&shadow, "sw", |_| {})).contains("nothing moves its users"));
        assert_eq!(said(&judged(&shadow, "hc", |_| {})), "", "shadow leaves PRIMARY's own check alone");
    }

    #[test]
    fn a_hold_that_outlives_holdfast_is_somebodys_choice_and_named() {
        let stays = |it: &mut Switch| {
            child(it, 1).without_data = Some("Healthy".to_owned());
        };
        let readiness = judged(&plan_with_switch(), "sw", stays);
        assert!(only(&readiness).contains("WithoutHoldfast=stay"), "{readiness:?}");
        assert_eq!(readiness.shortcomings[0].weight, Weight::Advises);
        let mut bent = switch();
        stays(&mut bent);
        assert_eq!(unsound(&plan_with_switch(), &bent), [""; 0], "it may be adopted");
    }
}
