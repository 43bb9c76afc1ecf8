//! The account's quota of running instances: Auto Scaling may be allowed what EC2 then refuses to launch.
//!
//! Quotas count vCPUs of a whole account in a region, and so does the metric that is held against them: neither tells one workload from
//! another. So there is a gap between what is certainly too little and what is certainly enough, and in it nobody knows.

use super::{Judgement, Limits, Look, Row, Subject, not_ready, ready};

/// "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances" (AWS General Reference, "Amazon EC2 endpoints and quotas"): in vCPUs,
/// of a region. Other families and Spot Instances have quotas of their own.
pub const QUOTA: &str = "L-1216C47A";
/// The service whose quota it is.
pub const SERVICE: &str = "ec2";

/// What the account may run and runs, in vCPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// DR's region.
    pub dr_region: String,
    /// What the quota in DR allows.
    pub allowed: Look<u64>,
    /// The most that ran in the primary region in the last 24 hours; nothing if CloudWatch has no data.
    pub primary: Look<Option<u64>>,
    /// The same in DR.
    pub dr: Look<Option<u64>>,
}

impl Subject for Quota {
    const ROWS: &'static [Row<Self>] = &[Row {
        id: "quota",
        must_be: "DR's quota of On-Demand instances (vCPUs of standard families) holds quota_percent_min (100) percent of what the account ran \
                  in the primary region at most in the last 24 hours, beside what it ran in DR",
        how: "servicequotas GetServiceQuota ec2 L-1216C47A in DR, GetAWSDefaultServiceQuota where none was applied; cloudwatch, the metric \
              which that quota names (AWS/Usage ResourceCount), in both regions",
        otherwise: "let Holdfast read Service Quotas in DR and CloudWatch in both regions (docs/policies/readiness.json); if both regions' \
                    together are more than the quota, ask for one that holds them; while the primary region is silent this stays unknown",
        judge: holds,
    }];

    fn about(&self) -> String {
        format!("On-Demand instances in {}", self.dr_region)
    }
}

fn holds(it: &Quota, limits: &Limits) -> Judgement {
    let allowed = it.allowed.clone()?;
    let ran = |region: &str, ran: &Look<Option<u64>>| -> Look<u64> {
        ran.clone()?.ok_or_else(|| format!("CloudWatch has no ResourceCount of {region} in the last 24 hours"))
    };
    let primary = ran("the primary region", &it.primary)?;
    let dr = ran(&it.dr_region, &it.dr);
    let needed = primary.saturating_mul(limits.quota_percent_min).div_ceil(100);
    let seen = format!("DR may run {allowed} vCPUs, the account ran {primary} in the primary region at most");
    if allowed < needed {
        let enough = needed.saturating_add(dr.unwrap_or(0));
        return not_ready(
            seen,
            format!(
                "aws service-quotas request-service-quota-increase --region {} --service-code {SERVICE} --quota-code {QUOTA} --desired-value {enough}",
                it.dr_region
            ),
        );
    }
    let dr = dr?;
    let seen = format!("{seen}, and {dr} in DR");
    match allowed >= needed.saturating_add(dr) {
        true => ready(seen),
        false => Err(format!("{seen}: enough only if what runs there is the standby, which AWS does not tell")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{NotKnown, NotReady, Ready};
    use super::super::tests::{expect, expect_nothing_known, of_row};
    use super::*;

    fn quota(allowed: u64, primary: u64, dr: u64) -> Quota {
        let dr_region = "eu-central-1".to_owned();
        Quota { dr_region, allowed: Ok(allowed), primary: Ok(Some(primary)), dr: Ok(Some(dr)) }
    }

    #[test]
    fn a_quota_is_enough_or_too_little_for_certain_or_nobody_knows() {
        for (quota, verdict, words) in [
            (quota(31, 32, 0), NotReady, "DR may run 31 vCPUs, the account ran 32"),
            (quota(32, 32, 0), Ready, "and 0 in DR"),
            (quota(32, 32, 8), NotKnown, "only if what runs there is the standby"),
            (quota(39, 32, 8), NotKnown, ""),
            (quota(40, 32, 8), Ready, "the account ran 32 in the primary region at most, and 8 in DR"),
            // What is too little is so whatever DR runs.
            (Quota { dr: Ok(None), ..quota(31, 32, 0) }, NotReady, ""),
            (Quota { dr: Err("denied".to_owned()), ..quota(31, 32, 0) }, NotReady, ""),
        ] {
            expect(&quota, "quota", verdict, words);
        }
    }

    #[test]
    fn an_increase_is_asked_for_that_holds_both_regions() {
        let of = "aws service-quotas request-service-quota-increase --region eu-central-1 --service-code ec2 --quota-code L-1216C47A";
        assert_eq!(of_row(&quota(5, 32, 8), "quota").remedy, format!("{of} --desired-value 40"));
        let silent = Quota { dr: Ok(None), ..quota(5, 32, 0) };
        assert_eq!(of_row(&silent, "quota").remedy, format!("{of} --desired-value 32"));
    }

    #[test]
    fn a_part_of_the_primary_region_is_enough_where_people_say_so() {
        let limits = Limits { quota_percent_min: 25, ..Limits::default() };
        let verdict = |allowed| quota(allowed, 30, 4).judge(&limits).remove(0).verdict;
        assert_eq!([7, 8, 11, 12].map(verdict), [NotReady, NotKnown, NotKnown, Ready]);
    }

    #[test]
    fn what_nobody_says_of_a_quota_is_not_known() {
        let denied = || "denied".to_owned();
        expect_nothing_known(&Quota { allowed: Err(denied()), ..quota(0, 32, 8) });
        expect_nothing_known(&Quota { primary: Err(denied()), ..quota(64, 0, 8) });
        expect_nothing_known(&Quota { dr: Err(denied()), ..quota(64, 32, 0) });
        // No instance that counts ever ran, or CloudWatch lost it: no zero.
        expect_nothing_known(&Quota { primary: Ok(None), ..quota(64, 0, 8) });
        expect_nothing_known(&Quota { dr: Ok(None), ..quota(64, 32, 0) });
    }
}
