//! What `init` says comes next.

use super::*;

#[test]
fn every_next_step_is_of_this_workload_and_what_is_deployed_begins_in_shadow() {
    let next = |seen: &Seen, bus: &str| {
        let mut wishes = Wishes { names: vec![name("api.example.net")], ..Wishes::default() };
        wishes.bus = bus.to_owned();
        let plan = parameters::plan(seen, &wishes).unwrap();
        propose(seen, &wishes, &plan, &[], None, Vec::new())
    };
    let mode = |proposal: &Proposal| proposal.parameters.iter().find(|one| one.name == "Mode").unwrap().value.clone();
    let shop = next(&seen(), "shop");
    for step in shop.next.iter().filter(|step| step.starts_with("holdfast ")) {
        assert!(step.contains("--region eu-central-1 --bus shop"), "{step}");
    }
    let at = |wanted: &str| shop.next.iter().position(|step| step.contains(wanted));
    assert!(at("change Mode to approval or automatic").unwrap() < at("holdfast adopt").unwrap(), "{:?}", shop.next);
    assert_eq!(mode(&shop).as_deref(), Some("shadow"));
    let deployed = |mode| Seen { deployed: Ok(Some(Deployed { mode, ..Deployed::default() })), ..seen() };
    let acting = next(&deployed(Some(Mode::Automatic)), "holdfast");
    assert_eq!(mode(&acting).as_deref(), Some("automatic"), "it would fail nothing over any more");
    let steps = acting.next.join("\n");
    assert!(!steps.contains("--bus") && !steps.contains("change Mode"), "{steps}");
    assert_eq!(mode(&next(&deployed(None), "holdfast")), None, "its plan cannot be read: what it has is not known");
    assert_eq!(mode(&next(&Seen { deployed: Err(refused()), ..seen() }, "holdfast")), None);
}
