//! One list of the record types that Holdfast pins: in the code, in the roles of its functions and in the policies of people.

use std::collections::BTreeSet;

use failover::record::PINNED_TYPES;

const TEMPLATE: &str = include_str!("../../../../template.yaml");
const OPERATOR: &str = include_str!("../../../../docs/policies/operator.json");

/// The condition of a policy that says which types of records may be written.
const CONDITION: &str = "route53:ChangeResourceRecordSetsRecordTypes";

/// The lists that a text gives after the condition.
fn lists(text: &str) -> Vec<BTreeSet<&str>> {
    let after = text.split(CONDITION).skip(1);
    let list = after.filter_map(|rest| rest.split_once('[')?.1.split_once(']'));
    list.map(|(list, _)| list.split(',').map(|kind| kind.trim().trim_matches('"')).collect()).collect()
}

#[test]
fn whoever_may_pin_may_write_the_pinned_types_and_the_register_and_no_other() {
    let register = BTreeSet::from(["TXT"]);
    let all: BTreeSet<_> = PINNED_TYPES.into_iter().chain(["TXT"]).collect();
    for (text, where_) in [(TEMPLATE, "template.yaml"), (OPERATOR, "operator.json")] {
        let found = lists(text);
        assert!(found.contains(&all), "{where_}: {found:?}");
        assert!(found.iter().all(|list| *list == all || *list == register), "{where_}: {found:?}");
    }
}
