//! What is remembered of the records for when Route 53's API does not answer.

use crate::common::*;
use failover::listing::Listing;
use failover::observation::NameView;
use failover::register::ArmedBy;

fn names() -> Vec<NameView> {
    let armed = armed(-7_200, ArmedBy::Operator);
    vec![
        view("app.example.com", PRIMARY, Some(&armed)),
        view("*.example.com", PRIMARY, None),
        view("b.example.com", DR, Some(&pinned(1, change("C1")))),
    ]
}

#[test]
fn names_are_remembered_as_they_were_seen() {
    let listing = Listing::of(&names(), at(0)).unwrap();
    let text = serde_json::to_string(&listing).unwrap();
    let read: Listing = serde_json::from_str(&text).unwrap();
    assert_eq!(read.views(), names());
}

#[test]
fn half_a_pair_and_an_unreadable_register_are_not_remembered_as_if_they_were_known() {
    let half = NameView::of_name("Z1", &app(), &a_pair(&app(), PRIMARY)[..1]);
    assert_eq!(Listing::of(&[half], at(0)), None);
    assert_eq!(Listing::of(&[unreadable("app.example.com", PRIMARY)], at(0)), None);
    assert_eq!(Listing::of(&[], at(0)), None, "nothing listed is not nothing protected");
}

#[test]
fn nothing_is_decided_by_what_was_seen_a_day_ago() {
    let listing = Listing::of(&names(), at(0)).unwrap();
    assert!(listing.is_good(at(86_399)) && !listing.is_good(at(86_400)));
}

#[test]
fn it_is_written_again_when_something_changed_or_it_has_come_of_age() {
    let of = |names: &[NameView], seconds| Listing::of(names, at(seconds)).unwrap();
    let known = of(&names(), 0);
    assert!(of(&names(), 3_599).is_told_by(&known, 3_600));
    assert!(!of(&names(), 3_600).is_told_by(&known, 3_600));
    assert!(!of(&names(), 300).is_told_by(&known, 300), "so that looks in peace can go by it");
    assert!(!of(&names()[..2], 60).is_told_by(&known, 3_600));
}

#[test]
fn name_servers_tell_a_register_by_its_text() {
    let known = names().remove(0);
    let text = armed(-60, ArmedBy::Operator).to_string();
    assert_eq!(known.with_register(Some(&text)).register(), Some(&armed(-60, ArmedBy::Operator)));
    assert_eq!(known.with_register(None).register(), None);
    let odd = known.with_register(Some("v=9 asleep"));
    assert!(odd.register().is_none() && odd.register != known.with_register(None).register);
}

#[test]
fn a_listing_of_other_names_than_the_plans_is_not_decided_by() {
    let armed = armed(-7_200, ArmedBy::Operator);
    let of = |names: &[&str]| {
        let views: Vec<_> = names.iter().map(|name| view(name, PRIMARY, Some(&armed))).collect();
        Listing::of(&views, at(0)).unwrap().is_of(&plan())
    };
    assert!(of(&["app.example.com", "api.example.com"]));
    assert!(!of(&["app.example.com"]), "a name came since");
    assert!(!of(&["app.example.com", "api.example.com", "b.example.com"]), "one went since");
}

#[test]
fn a_register_that_says_pinned_is_younger_than_the_records_that_are_remembered() {
    let remembered = view("app.example.com", PRIMARY, Some(&armed(-7_200, ArmedBy::Operator)));
    let text = pinned(0, change("C1")).to_string();
    let name = remembered.with_register(Some(&text));
    assert!(name.pin().is_some() && name.agrees(), "record and register are written in one batch");
    let changed = view("app.example.com", PRIMARY, Some(&pinned(0, change("C1"))));
    assert!(!changed.with_register(Some(&text)).agrees(), "what was listed after the pin is as it was listed");
}

#[test]
fn all_is_quiet_while_name_servers_answer_with_the_registers_that_were_listed_and_none_says_pinned() {
    let armed_at = |seconds| armed(seconds, ArmedBy::Operator).to_string();
    let names = [
        view("app.example.com", PRIMARY, Some(&armed(-7_200, ArmedBy::Operator))),
        view("*.example.com", PRIMARY, None),
    ];
    let listing = Listing::of(&names, at(0)).unwrap();
    let heard = |app: Option<&str>, any: Option<&str>| {
        let [first, second] = &names;
        listing.is_quiet(&[first.with_register(app), second.with_register(any)])
    };
    let pin = pinned(0, change("C1")).to_string();
    assert!(heard(Some(&armed_at(-7_200)), None));
    for (app, any, why) in [
        (Some(armed_at(-60)), None, "it was armed anew"),
        (None, None, "its register is gone"),
        (Some(armed_at(-7_200)), Some(armed_at(-60)), "a register is new"),
        (Some("v=9 asleep".to_owned()), None, "nobody can read it"),
        (Some(armed_at(-7_200)), Some("v=9 asleep".to_owned()), "nobody can read the new one"),
        (Some(pin), None, "it is pinned"),
    ] {
        assert!(!heard(app.as_deref(), any.as_deref()), "{why}");
    }
    assert!(!listing.is_quiet(&names[..1]), "a name is missing");
    let pinned = Listing::of(&[view("b.example.com", DR, Some(&pinned(1, change("C1"))))], at(0)).unwrap();
    assert!(!pinned.is_quiet(&pinned.views()), "nothing is quiet while a name is pinned");
}

#[test]
fn a_look_in_peace_goes_by_a_listing_as_young_as_the_plan_wants_it() {
    let listing = Listing::of(&names(), at(0)).unwrap();
    assert!(listing.is_younger(300, at(299)) && !listing.is_younger(300, at(300)));
}
