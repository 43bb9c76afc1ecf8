//! Whether the switch holds DNS at the primary while Holdfast does not pin, and lets go where Holdfast is dead.

use aws::detector::{self, Check};
use aws::{CallError, Session};
use failover::hold::is_on_switch;
use failover::observation::NameView;
use failover::plan::{Mode, Plan};
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
    let children = check.as_ref().ok().and_then(Option::as_ref).map(|check| check.any_of.clone()).unwrap_or_default();
    let children = children.into_iter().map(async |id| (id.clone(), detector::check(session, &id).await));
    Some(Switch { id, check, children: join_all(children).await })
}

/// What keeps the switch from its work, whatever stands on it.
pub fn unsound(plan: &Plan, switch: &Switch) -> Vec<String> {
    let mut readiness = Readiness::default();
    readiness.judge_itself(plan, switch);
    let in_words = |it: super::Shortcoming| format!("{} {}; {}", it.about, it.seen, it.remedy);
    readiness.shortcomings.into_iter().filter(|it| it.weight != Weight::Advises).map(in_words).collect()
}

fn hold<'a>(plan: &Plan, switch: &'a Switch) -> Option<(&'a str, &'a Check)> {
    let is_hold = |(id, _): &&(String, Looked)| Some(id) != plan.failover_health_check.as_ref();
    let (id, check) = switch.children.iter().find(is_hold)?;
    Some((id, check.as_ref().ok()?.as_ref()?))
}

impl Readiness {
    pub(super) fn judge_switch(&mut self, plan: &Plan, names: &[NameView], switch: &Switch) {
        self.judge_itself(plan, switch);
        let primaries = |on: bool| {
            let chosen = names.iter().filter(move |view| is_on_switch(plan, view) == on);
            chosen.flat_map(|view| view.pairs.iter().flatten()).map(Pair::primary)
        };
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

    /// Whether the switch is healthy while there is no outage or Holdfast holds, and only then.
    fn judge_itself(&mut self, plan: &Plan, switch: &Switch) {
        let about = format!("switch {}", switch.id);
        let own = plan.failover_health_check.as_deref().unwrap_or_default();
        let again = "deploy the responder again, with DnsMoves=by-holdfast and the detector's FailoverHealthCheckId";
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
        if check.any_of.len() != 2 || !check.any_of.iter().any(|child| child == own) {
            let seen = format!(
                "is not healthy by one of two, the failover check {own} and the hold: {}",
                if check.any_of.is_empty() { "it counts otherwise".to_owned() } else { check.any_of.join(", ") }
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
        match hold(plan, switch) {
            Some((id, hold)) => self.judge_hold(id, hold, again),
            None => self.unknown(about, "stands on a hold that cannot be looked at", again),
        }
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
    use aws::detector::{Evaluation, Follows, Settings};
    use failover::record::Role;

    use super::super::tests::{judged_by, only, plan, said, set};
    use super::*;

    fn plan_with_switch() -> Plan {
        Plan { switch: Some("sw".to_owned()), ..plan() }
    }

    fn hold_check() -> Check {
        let copy = Settings { metric: "Maximum of Hold".to_owned(), ..Settings::default() };
        let (now, evaluation) = (Some(copy.clone()), Evaluation::default());
        let follows = Some(Follows { alarm: "holdfast-hold-lapsed".to_owned(), copy, now, evaluation });
        Check { follows, without_data: Some("Unhealthy".to_owned()), ..Check::default() }
    }

    fn switch() -> Switch {
        let any_of = ["hc", "hold"].map(str::to_owned).to_vec();
        let children = vec![("hc".to_owned(), Ok(Some(Check::default()))), ("hold".to_owned(), Ok(Some(hold_check())))];
        Switch { id: "sw".to_owned(), check: Ok(Some(Check { any_of, ..Check::default() })), children }
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
        let cases: [(Bend, &str); 9] = [
            (|it| it.check = Ok(None), "switch sw does not exist"),
            (|it| it.check.as_mut().unwrap().as_mut().unwrap().disabled = true, "switch sw is disabled"),
            (|it| it.check.as_mut().unwrap().as_mut().unwrap().any_of.clear(), "it counts otherwise"),
            (|it| it.check.as_mut().unwrap().as_mut().unwrap().any_of[0] = "other".to_owned(), "other, hold"),
            (|it| it.children[1].1 = Ok(None), "cannot be looked at"),
            (|it| it.children[1].1.as_mut().unwrap().as_mut().unwrap().follows = None, "not Holdfast's heartbeat"),
            (
                |it| {
                    let hold = it.children[1].1.as_mut().unwrap().as_mut().unwrap();
                    hold.follows.as_mut().unwrap().now = None;
                },
                "its own copy of holdfast-hold-lapsed",
            ),
            (
                |it| {
                    let hold = it.children[1].1.as_mut().unwrap().as_mut().unwrap();
                    hold.without_data = Some("LastKnownStatus".to_owned());
                },
                "is LastKnownStatus while it hears no heartbeat",
            ),
            (|it| it.children[1].1.as_mut().unwrap().as_mut().unwrap().disabled = true, "always healthy"),
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
            let hold = it.children[1].1.as_mut().unwrap().as_mut().unwrap();
            hold.without_data = Some("Healthy".to_owned());
        };
        let readiness = judged(&plan_with_switch(), "sw", stays);
        assert!(only(&readiness).contains("WithoutHoldfast=stay"), "{readiness:?}");
        assert_eq!(readiness.shortcomings[0].weight, Weight::Advises);
        let mut bent = switch();
        stays(&mut bent);
        assert_eq!(unsound(&plan_with_switch(), &bent), [""; 0], "it may be adopted");
    }
}
