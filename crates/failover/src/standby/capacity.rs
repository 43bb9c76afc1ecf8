//! Auto Scaling behind DR's load balancer: whether as many instances can be there as the users of the primary need.

use super::{Judgement, Limits, Look, Row, Subject, not_ready, of_all, ready, told};

/// The processes without which a group grows no more, or its instances get no users ("Suspend and resume Amazon EC2 Auto Scaling processes").
const GROWS_BY: [&str; 3] = ["Launch", "AlarmNotification", "AddToLoadBalancer"];

/// What stands behind an entrance.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// What the SECONDARY records say.
    pub target: String,
    /// The groups in DR.
    pub dr: Look<Vec<Group>>,
    /// The most healthy instances that the primary's groups had in the last 24 hours.
    pub primary_most: Look<u64>,
}

/// An Auto Scaling group. What AWS leaves out is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The most instances that it may have.
    pub max: Option<i32>,
    /// How many it has that are in service and healthy.
    pub in_service: usize,
    /// Its processes that somebody suspended.
    pub suspended: Vec<String>,
    /// The newest of its activities; nothing if Auto Scaling remembers none.
    pub last_activity: Look<Option<Activity>>,
}

/// What a group did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// AWS's word for how it ended.
    pub status: Option<String>,
    /// What AWS says about it.
    pub message: String,
}

impl Capacity {
    /// True unless no instances are known to stand there: of a workload without any what is about them would be noise.
    #[must_use]
    pub fn may_be_of_instances(&self) -> bool {
        self.dr.as_ref().map_or(true, |groups| !groups.is_empty())
    }

    fn groups(&self) -> Look<&[Group]> {
        match self.dr.as_ref().map_err(Clone::clone)?.as_slice() {
            [] => Err("no Auto Scaling group in DR is attached to its target groups, and Holdfast looks at nothing else (ECS, addresses)".to_owned()),
            groups => Ok(groups),
        }
    }

    fn primary_most(&self) -> Look<u64> {
        self.primary_most
            .clone()
            .map_err(|why| format!("what the primary needed in the last 24 hours is not known: {why}"))
    }
}

const READ_BOTH: &str = "let Holdfast read Auto Scaling and CloudWatch in both regions (docs/policies/readiness.json); while the primary region is \
                         silent this stays unknown";

impl Subject for Capacity {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            id: "capacity-most",
            must_be: "DR's groups may grow to as many instances as were healthy in the primary region at most in the last 24 hours",
            how: "autoscaling DescribeAutoScalingGroups in both regions; cloudwatch AWS/ApplicationELB HealthyHostCount in the primary's",
            otherwise: READ_BOTH,
            judge: |it, _| most(it),
        },
        Row {
            id: "capacity-now",
            must_be: "DR has capacity_percent_min (25) percent of that in service now, and one instance at least",
            how: "autoscaling DescribeAutoScalingGroups in both regions; cloudwatch AWS/ApplicationELB HealthyHostCount in the primary's",
            otherwise: READ_BOTH,
            judge: now,
        },
        Row {
            id: "capacity-grows",
            must_be: "nobody suspended Launch, AlarmNotification or AddToLoadBalancer of DR's groups",
            how: "autoscaling DescribeAutoScalingGroups in DR",
            otherwise: "let Holdfast read Auto Scaling in DR (docs/policies/readiness.json)",
            judge: |it, _| grows(it),
        },
        Row {
            id: "launches",
            must_be: "the last thing that each of DR's groups did succeeded: its launch template and image are there",
            how: "autoscaling DescribeScalingActivities in DR, which remembers six weeks",
            otherwise: "let each group launch an instance now and then: aws autoscaling start-instance-refresh --auto-scaling-group-name …",
            judge: |it, _| launches(it),
        },
    ];

    fn about(&self) -> String {
        format!("instances behind {}", self.target)
    }
}

fn most(it: &Capacity) -> Judgement {
    let groups = it.groups()?;
    let mut most = 0;
    for group in groups {
        most += u64::try_from(*told(group.max.as_ref(), "how far a group may grow")?).unwrap_or_default();
    }
    let wanted = it.primary_most()?;
    let seen = format!("DR may grow to {most}, the primary had {wanted}");
    match most < wanted {
        true => not_ready(
            seen,
            format!(
                "aws autoscaling update-auto-scaling-group --auto-scaling-group-name {} --max-size {wanted}",
                groups[0].name
            ),
        ),
        false => ready(seen),
    }
}

fn now(it: &Capacity, limits: &Limits) -> Judgement {
    let groups = it.groups()?;
    let have: usize = groups.iter().map(|group| group.in_service).sum();
    let remedy = |wanted: u64| {
        format!(
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name {} --min-size {wanted}",
            groups[0].name
        )
    };
    if have == 0 {
        return not_ready("DR has no instance in service", remedy(1));
    }
    let primary = it.primary_most()?;
    let wanted = (primary * limits.capacity_percent_min).div_ceil(100);
    let seen = format!("DR has {have} in service, the primary had {primary}; {wanted} must be there at once");
    match (have as u64) < wanted {
        true => not_ready(seen, remedy(wanted)),
        false => ready(seen),
    }
}

fn grows(it: &Capacity) -> Judgement {
    of_all(it.groups()?.iter().map(|group| {
        let suspended: Vec<_> =
            GROWS_BY.into_iter().filter(|process| group.suspended.iter().any(|it| it == process)).collect();
        match suspended.as_slice() {
            [] => ready(format!("nothing of {} is suspended", group.name)),
            suspended => not_ready(
                format!("{} of {} is suspended", suspended.join(" and "), group.name),
                format!(
                    "aws autoscaling resume-processes --auto-scaling-group-name {} --scaling-processes {}",
                    group.name,
                    suspended.join(" ")
                ),
            ),
        }
    }))
}

fn launches(it: &Capacity) -> Judgement {
    of_all(it.groups()?.iter().map(|group| {
        let last = group.last_activity.as_ref().map_err(Clone::clone)?;
        let last = last.as_ref().ok_or_else(|| format!("{} has launched nothing for six weeks", group.name))?;
        match told(last.status.as_ref(), "how a group's last activity ended")?.as_str() {
            "Successful" => ready(format!("the last of {} succeeded", group.name)),
            "Failed" => not_ready(
                format!("the last of {} failed: {}", group.name, last.message),
                format!(
                    "correct what it launches; aws autoscaling describe-scaling-activities --auto-scaling-group-name {}",
                    group.name
                ),
            ),
            status => Err(format!("the last activity of {} is {status}", group.name)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{NotKnown, NotReady, Ready};
    use super::super::tests::{expect, expect_nothing_known};
    use super::*;

    fn group() -> Group {
        let last = Activity { status: Some("Successful".to_owned()), message: String::new() };
        Group {
            name: "shop-dr".to_owned(),
            max: Some(8),
            in_service: 2,
            suspended: Vec::new(),
            last_activity: Ok(Some(last)),
        }
    }

    fn capacity(primary_most: u64, change: impl FnOnce(&mut Group)) -> Capacity {
        let mut group = group();
        change(&mut group);
        Capacity { target: "shop-dr".to_owned(), dr: Ok(vec![group]), primary_most: Ok(primary_most) }
    }

    fn ended(status: Option<&str>) -> Look<Option<Activity>> {
        Ok(Some(Activity { status: status.map(str::to_owned), message: "The image id does not exist".to_owned() }))
    }

    #[test]
    #[rustfmt::skip]
    fn capacity_is_judged_by_what_the_primary_needed() {
        for (row, capacity, verdict, words) in [
            ("capacity-most", capacity(8, |_| {}), Ready, "may grow to 8"),
            ("capacity-most", capacity(9, |_| {}), NotReady, "the primary had 9"),
            ("capacity-now", capacity(8, |_| {}), Ready, "2 in service"),
            ("capacity-now", capacity(9, |_| {}), NotReady, "3 must be there"),
            ("capacity-now", capacity(0, |it| it.in_service = 0), NotReady, "no instance in service"),
            ("capacity-grows", capacity(8, |_| {}), Ready, ""),
            ("capacity-grows", capacity(8, |it| it.suspended = vec!["AZRebalance".to_owned()]), Ready, ""),
            ("capacity-grows", capacity(8, |it| it.suspended = vec!["Launch".to_owned()]), NotReady, "Launch of shop-dr"),
            ("launches", capacity(8, |_| {}), Ready, ""),
            ("launches", capacity(8, |it| it.last_activity = ended(Some("Failed"))), NotReady, "image id does not exist"),
        ] {
            expect(&capacity, row, verdict, words);
        }
    }

    #[test]
    fn what_is_about_instances_is_left_out_only_where_none_are_known_to_be() {
        let capacity = |dr| Capacity { dr, ..capacity(8, |_| {}) };
        assert!(capacity(Ok(vec![group()])).may_be_of_instances());
        assert!(!capacity(Ok(Vec::new())).may_be_of_instances());
        assert!(capacity(Err("denied".to_owned())).may_be_of_instances());
    }

    #[test]
    fn what_nobody_says_of_capacity_is_not_known() {
        let denied = || "denied".to_owned();
        for (row, capacity) in [
            ("capacity-most", capacity(8, |it| it.max = None)),
            ("capacity-most", Capacity { primary_most: Err(denied()), ..capacity(0, |_| {}) }),
            ("capacity-now", Capacity { primary_most: Err(denied()), ..capacity(0, |_| {}) }),
            ("launches", capacity(8, |it| it.last_activity = Err(denied()))),
            ("launches", capacity(8, |it| it.last_activity = Ok(None))),
            ("launches", capacity(8, |it| it.last_activity = ended(Some("InProgress")))),
            ("launches", capacity(8, |it| it.last_activity = ended(None))),
        ] {
            expect(&capacity, row, NotKnown, "");
        }
        expect_nothing_known(&Capacity { dr: Err(denied()), ..capacity(8, |_| {}) });
        expect_nothing_known(&Capacity { dr: Ok(Vec::new()), ..capacity(8, |_| {}) });
    }
}
