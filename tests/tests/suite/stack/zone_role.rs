//! The hosted zone may be another account's.

use std::time::Duration;

use drill::stage::PRIMARY;
use lab::journal::What;

use super::{deployed, until};

const ROLE: &str = "arn:aws:iam::210987654321:role/holdfast-zones";

#[tokio::test(flavor = "multi_thread")]
async fn every_call_about_zones_is_made_as_the_role_given_and_no_other_call() {
    let lab = deployed(&[("HostedZoneRoleArn", ROLE)], |yaml| yaml, None).await;
    for function in ["holdfast-alarm-handler", "holdfast-replica-promoter", "holdfast-fencer", "holdfast-preparer"] {
        let looks = |what: &What| match what {
            What::Call { caller, service, status: 200, .. } if caller == function && service == "route53" => Some(()),
            _ => None,
        };
        until(&lab, "a look at the zone", looks).await;
    }
    lab.clock.sleep(Duration::from_secs(60)).await;
    let mut assumed = 0;
    for entry in lab.journal.entries() {
        let What::Call { caller, role, region, service, action, resource, .. } = &entry.what else { continue };
        if action == "AssumeRole" {
            assert_eq!(resource, ROLE);
            assert_ne!(region, "us-east-1", "STS is asked in the own region, not in {PRIMARY} nor in us-east-1");
            assumed += 1;
        } else {
            assert_eq!(role.as_deref(), (service == "route53").then_some(ROLE), "{action} by {caller}");
        }
    }
    assert!((3..=6).contains(&assumed), "once a process, and not with every call: {assumed} times");
}
