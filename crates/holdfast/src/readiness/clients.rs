//! Who keeps talking to the primary after DNS has moved: whoever keeps a connection open asks no DNS.

use aws::CallError;
use failover::observation::NameView;
use failover::plan::Plan;
use failover::record::Target;
use failover::standby::places::region_of_application;

use super::{Around, Readiness};

/// A load balancer that PRIMARY records lead to, and the seconds for which it lets clients keep a connection, if there is a limit.
pub type KeepAlive = (String, Result<Option<u64>, CallError>);

/// The Application Load Balancers that PRIMARY records lead to while users are at the primary.
pub fn balancers(names: &[NameView]) -> Vec<String> {
    let mut found: Vec<_> = names.iter().flat_map(led_to).map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

fn led_to(view: &NameView) -> impl Iterator<Item = &str> {
    let apart = view.pairs.iter().flatten().filter(|pair| !pair.agrees());
    apart.filter_map(|pair| match &pair.primary().target {
        Target::Alias { name, .. } => region_of_application(name).map(|_| name.as_str()),
        Target::Values { .. } => None,
    })
}

impl Readiness {
    pub(super) fn judge_clients(&mut self, plan: &Plan, around: &Around) {
        for (balancer, seconds) in &around.keep_alives {
            let about = format!("load balancer {balancer}");
            let of_it = around.names.iter().filter(|view| led_to(view).any(|name| name == balancer));
            let ttl = of_it.map(|view| view.kept_seconds(around.now)).max().unwrap_or_default();
            let waits = u64::from(ttl) + u64::from(plan.limits.drain_seconds);
            match seconds {
                Ok(Some(seconds)) if *seconds > waits => self.advise(
                    about,
                    format!(
                        "lets clients keep a connection for {seconds} s, and the databases are promoted {waits} s after the pin is in \
                         sync: if the primary lives, who keeps a connection still writes to the old database"
                    ),
                    format!(
                        "aws elbv2 modify-load-balancer-attributes --attributes Key=client_keep_alive.seconds,Value={waits} \
                         --load-balancer-arn ITS_ARN, or fence the old database (docs/dns-clients.md)"
                    ),
                ),
                Ok(Some(_)) => {}
                Ok(None) => self.unknown(
                    about,
                    "is not in this account, is a Classic Load Balancer, or does not say for how long clients may keep a connection",
                    "ask its owners for client_keep_alive.seconds, or fence the old database (docs/dns-clients.md)",
                ),
                Err(error) => self.unknown(
                    about,
                    format!("does not say for how long clients may keep a connection: {error}"),
                    "the command line needs elasticloadbalancing:DescribeLoadBalancers and DescribeLoadBalancerAttributes",
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use failover::record::{RecordSet, Role};

    use super::super::tests::{judged_with, said, set};
    use super::*;

    const BALANCER: &str = "dualstack.shop-1.eu-west-1.elb.amazonaws.com.";

    fn view() -> NameView {
        let target = Target::Alias { zone: "Z2".to_owned(), name: BALANCER.to_owned(), evaluate_health: false };
        let primary = RecordSet { target, ..set("a.example.com", Role::Primary, Some("hc")) };
        let sets = [primary, set("a.example.com", Role::Secondary, None)];
        NameView::of_name("Z1", &"a.example.com".parse().unwrap(), &sets)
    }

    #[test]
    fn a_load_balancer_that_keeps_connections_longer_than_promotion_waits_is_told_and_one_that_says_nothing_too() {
        assert_eq!(balancers(&[view()]), [BALANCER]);
        let refused = || CallError::Unknown { call: "DescribeLoadBalancerAttributes", why: "it is down".to_owned() };
        for (seconds, words) in [
            (Ok(Some(3_600)), "keep a connection for 3600 s, and the databases are promoted 150 s after"),
            (Ok(None), "is not in this account"),
            (Err(refused()), "it is down"),
        ] {
            let readiness = judged_with(|around| {
                around.names = vec![view()];
                around.keep_alives = vec![(BALANCER.to_owned(), seconds)];
            });
            assert!(said(&readiness).contains(words), "{words} in {}", said(&readiness));
            assert!(readiness.promotion_seconds.is_some());
        }
        let readiness = judged_with(|around| {
            around.names = vec![view()];
            around.keep_alives = vec![(BALANCER.to_owned(), Ok(Some(150)))];
        });
        assert_eq!(said(&readiness), "");
    }
}
