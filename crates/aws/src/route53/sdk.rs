//! Record sets as the SDK has them, and as the rules do.

use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover, RrType,
};
use failover::change;
use failover::name::Name;
use failover::record::{RecordSet, Role, Routing, Target};

use crate::error::CallError;

fn parse_name(name: &str) -> Result<Name, CallError> {
    name.parse().map_err(|error: failover::name::NameError| CallError::Unknown {
        call: "ListResourceRecordSets",
        why: error.to_string(),
    })
}

/// The sets whose names can be read. No plan can name another, and none keeps anybody from seeing the rest of the zone.
pub(super) fn readable(sets: &[ResourceRecordSet]) -> Vec<RecordSet> {
    let read = |set: &ResourceRecordSet| {
        from_sdk(set).inspect_err(|error| tracing::warn!(name = set.name(), %error, "left alone")).ok()
    };
    sets.iter().filter_map(read).collect()
}

fn from_sdk(set: &ResourceRecordSet) -> Result<RecordSet, CallError> {
    let failover = |role, id: &str| Routing::Failover { role, set_identifier: id.to_owned() };
    let routing = match (set.failover(), set.set_identifier()) {
        // What a traffic policy made is the policy's to change (ResourceRecordSet, TrafficPolicyInstanceId).
        _ if set.traffic_policy_instance_id().is_some() => Routing::Other,
        (Some(ResourceRecordSetFailover::Primary), Some(id)) => failover(Role::Primary, id),
        (Some(ResourceRecordSetFailover::Secondary), Some(id)) => failover(Role::Secondary, id),
        (None, None) => Routing::Simple,
        _ => Routing::Other,
    };
    let target = match set.alias_target() {
        Some(alias) => Target::Alias {
            zone: alias.hosted_zone_id().to_owned(),
            name: alias.dns_name().to_owned(),
            evaluate_health: alias.evaluate_target_health(),
        },
        None => Target::Values {
            ttl_seconds: set.ttl().and_then(|ttl| u32::try_from(ttl).ok()).unwrap_or_default(),
            values: set.resource_records().iter().map(|record| record.value().to_owned()).collect(),
        },
    };
    Ok(RecordSet {
        name: parse_name(set.name())?,
        kind: set.r#type().as_str().to_owned(),
        routing,
        target,
        health_check: set.health_check_id().map(str::to_owned),
    })
}

pub(super) fn to_sdk(change: &change::Change) -> Result<Change, aws_sdk_route53::error::BuildError> {
    let (action, set) = match change {
        change::Change::Delete(set) => (ChangeAction::Delete, set),
        change::Change::Create(set) => (ChangeAction::Create, set),
    };
    let mut builder = ResourceRecordSet::builder()
        .name(set.name.as_str())
        .r#type(RrType::from(set.kind.as_str()))
        .set_health_check_id(set.health_check.clone());
    if let Routing::Failover { role, set_identifier } = &set.routing {
        let role = match role {
            Role::Primary => ResourceRecordSetFailover::Primary,
            Role::Secondary => ResourceRecordSetFailover::Secondary,
        };
        builder = builder.failover(role).set_identifier(set_identifier);
    }
    builder = match &set.target {
        Target::Values { ttl_seconds, values } => {
            let records = values.iter().map(|value| ResourceRecord::builder().value(value).build());
            builder.ttl(i64::from(*ttl_seconds)).set_resource_records(Some(records.collect::<Result<_, _>>()?))
        }
        Target::Alias { zone, name, evaluate_health } => builder.alias_target(
            AliasTarget::builder()
                .hosted_zone_id(zone)
                .dns_name(name)
                .evaluate_target_health(*evaluate_health)
                .build()?,
        ),
    };
    Change::builder().action(action).resource_record_set(builder.build()?).build()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn targets() -> impl Strategy<Value = Target> {
        // "TTL … Minimum value of 0. Maximum value of 2147483647" (ResourceRecordSet).
        let values = (0..=2_147_483_647_u32, prop::collection::vec(any::<String>(), 1..20))
            .prop_map(|(ttl_seconds, values)| Target::Values { ttl_seconds, values });
        let aliases = (any::<String>(), any::<String>(), any::<bool>())
            .prop_map(|(zone, name, evaluate_health)| Target::Alias { zone, name, evaluate_health });
        prop_oneof![values, aliases]
    }

    proptest! {
        #[test]
        fn every_record_set_that_route_53_may_hold_survives_the_way_through_the_sdk(
            labels in prop::collection::vec("[^.]{1,12}", 1..6),
            kind in prop::sample::select(RrType::values()),
            role in prop::sample::select(vec![None, Some(Role::Primary), Some(Role::Secondary)]),
            set_identifier in any::<String>(),
            target in targets(),
            health_check in any::<Option<String>>(),
        ) {
            let Ok(name) = labels.join(".").parse() else { return Ok(()) };
            let routing = role.map_or(Routing::Simple, |role| Routing::Failover { role, set_identifier });
            let set = RecordSet { name, kind: kind.to_owned(), routing, target, health_check };
            let sent = to_sdk(&change::Change::Delete(set.clone())).unwrap();
            prop_assert_eq!(from_sdk(sent.resource_record_set().unwrap()), Ok(set));
        }
    }

    #[test]
    fn a_name_that_cannot_be_read_hides_no_other() {
        let set = |name: &str| {
            let record = ResourceRecord::builder().value("192.0.2.1").build().unwrap();
            ResourceRecordSet::builder().name(name).r#type(RrType::A).ttl(60).resource_records(record).build().unwrap()
        };
        let seen = readable(&[set("a..example.com."), set("app.example.com."), set("bad\\9x.example.com.")]);
        let names: Vec<_> = seen.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn other_routing_is_never_taken_for_a_simple_record_or_half_of_a_pair() {
        let record = ResourceRecord::builder().value("192.0.2.1").build().unwrap();
        let record = ResourceRecordSet::builder().name("a.b").r#type(RrType::A).ttl(60).resource_records(record);
        let half = record.clone().set_identifier("p").failover(ResourceRecordSetFailover::Primary);
        for other in [
            record.clone().set_identifier("w").weight(1),
            record.clone().traffic_policy_instance_id("policy"),
            half.clone().traffic_policy_instance_id("policy"),
            half.failover(ResourceRecordSetFailover::from("TERTIARY")),
        ] {
            assert_eq!(from_sdk(&other.build().unwrap()).unwrap().routing, Routing::Other);
        }
    }
}
