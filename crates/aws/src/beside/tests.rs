//! What name servers and the store may say, and what may be concluded from it. Compiled for tests alone, where `unwrap` is an assertion.

use std::cell::RefCell;
use std::net::SocketAddr;

use failover::plan::Pairs;
use failover::record::{RecordSet, Role, Routing};
use failover::register::{Reading, Register};

use super::*;

const ARMED: &str = "v=1 armed since=2026-01-01T10:00:00Z by=operator";
const DISARMED: &str = "v=1 disarmed at=2026-01-01T11:00:00Z by=kim";

/// What each of the name servers answers, and the store's listing.
struct World<F> {
    servers: u16,
    says: F,
    listing: RefCell<Option<String>>,
}

impl<F: Fn(u16, &Name) -> Result<Vec<String>, NotHeard>> World<F> {
    fn new(servers: u16, says: F) -> Self {
        Self { servers, says, listing: RefCell::default() }
    }
}

impl<F: Fn(u16, &Name) -> Result<Vec<String>, NotHeard>> NameServers for World<F> {
    async fn servers(&self, _: &Name) -> Result<Vec<Server>, ServersUnknown> {
        Ok((0..self.servers).map(|nth| SocketAddr::from(([192, 0, 2, 53], nth)).into()).collect())
    }

    async fn ask(&self, server: &Server, name: &Name, _: &str) -> Result<Vec<String>, NotHeard> {
        (self.says)(server.address.ok_or(NotHeard::NoAddress)?.port(), name)
    }
}

impl<F> StoreReader for World<F> {
    async fn read(&self, _: &str, _: Item) -> Result<Option<String>, CallError> {
        Ok(self.listing.borrow().clone())
    }
}

impl<F> StoreWriter for World<F> {
    async fn swap(&self, _: &str, _: Item, seen: Option<&str>, next: &str) -> Result<Swap, CallError> {
        assert_eq!(self.listing.borrow().as_deref(), seen);
        *self.listing.borrow_mut() = Some(next.to_owned());
        Ok(Swap::Done)
    }
}

fn plan() -> Plan {
    let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]}],"alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:started"],
        "latch":{"table":"t","pairs":"holdfast.example.com","margin_seconds":300},
        "limits":{"lag_seconds_max":60,"settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;
    Plan::parse(plan).unwrap()
}

/// The name, with both records of its pair or with one.
fn view(is_pair: bool) -> NameView {
    let name: Name = "app.example.com".parse().unwrap();
    let of = |role, value: &str| RecordSet {
        name: name.clone(),
        kind: "A".to_owned(),
        routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
        target: Target::Values { ttl_seconds: 60, values: vec![value.to_owned()] },
        health_check: Some("hc".to_owned()),
    };
    let sets = [of(Role::Primary, "192.0.2.1"), of(Role::Secondary, "198.51.100.1")];
    NameView::of_name("Z1", &name, if is_pair { &sets } else { &sets[..1] })
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + 3_600 * hour).unwrap()
}

#[tokio::test]
async fn a_register_is_known_where_enough_name_servers_tell_the_same_of_it() {
    let armed = Some(Reading::of_text(&view(true).name, Some(ARMED)));
    let text = |text: &str| Ok(vec![text.to_owned()]);
    type Case = (&'static str, Vec<Result<Vec<String>, NotHeard>>, Option<Reading>);
    let cases: [Case; 8] = [
        ("all tell it", vec![text(ARMED), text(ARMED), text(ARMED)], armed.clone()),
        ("one of four is silent", vec![text(ARMED), text(ARMED), Err(NotHeard::Silent), text(ARMED)], armed),
        ("two of four are", vec![text(ARMED), Err(NotHeard::Silent), Err(NotHeard::Silent), text(ARMED)], None),
        ("one of two is", vec![text(ARMED), Err(NotHeard::Silent)], None),
        ("there is one alone", vec![text(ARMED)], None),
        ("one is behind", vec![text(DISARMED), text(ARMED), text(DISARMED)], None),
        ("a value was added to it", vec![Ok(vec![ARMED.to_owned(), "note".to_owned()]); 3], None),
        ("there is none", vec![Ok(Vec::new()); 3], Some(Reading::Absent)),
    ];
    for (story, answers, known) in cases {
        let world =
            World::new(u16::try_from(answers.len()).unwrap(), |nth, _: &Name| answers[usize::from(nth)].clone());
        let heard = with_registers(&world, &[view(true)]).await;
        assert_eq!(heard.ok().map(|mut views| views.remove(0).register), known, "{story}");
    }
}

#[tokio::test]
async fn a_day_after_the_last_good_look_nothing_is_decided_by_it() {
    let world = World::new(3, |_, _: &Name| Ok(vec![ARMED.to_owned()]));
    assert!(remembered(&plan(), &world, || at(0)).await.unwrap_err().contains("no listing"));
    remember(&plan(), &world, &[view(true)], at(0)).await;
    let known = remembered(&plan(), &world, || at(23)).await.unwrap();
    assert!(matches!(known[0].register(), Some(Register::Armed { .. })), "by what name servers answer now");
    assert!(remembered(&plan(), &world, || at(25)).await.unwrap_err().contains("more than a day ago"));
}

#[tokio::test]
async fn what_cannot_be_decided_about_takes_the_place_of_what_was_remembered() {
    let world = World::new(3, |_, _: &Name| Ok(Vec::new()));
    remember(&plan(), &world, &[view(true)], at(0)).await;
    remember(&plan(), &world, &[view(false)], at(1)).await;
    assert!(remembered(&plan(), &world, || at(1)).await.unwrap_err().contains(UNDECIDABLE));
}

#[tokio::test]
async fn the_latch_shows_open_only_if_every_name_server_says_all_of_it() {
    let pairs = Pairs::of(&"holdfast.example.com".parse().unwrap()).unwrap();
    let shown = Shown { pairs: pairs.clone(), margin_seconds: 300 };
    let open = |name: &Name| if *name == pairs.switch { "primary" } else { "open" };
    let other = |name: &Name| if *name == pairs.switch { "dr" } else { "committed" };
    let all = World::new(3, |_, name: &Name| Ok(vec![open(name).to_owned()]));
    assert!(shows_open(&shown, &all).await);
    for odd in [&pairs.latch, &pairs.again, &pairs.switch] {
        let says = |nth, name: &Name| if nth == 2 && name == odd { other(name) } else { open(name) }.to_owned();
        assert!(!shows_open(&shown, &World::new(3, |nth, name: &Name| Ok(vec![says(nth, name)]))).await, "{odd}");
        let is_silent = |nth, name: &Name| nth == 2 && name == odd;
        let silent = World::new(3, |nth, name: &Name| match is_silent(nth, name) {
            true => Err(NotHeard::Silent),
            false => Ok(vec![open(name).to_owned()]),
        });
        assert!(!shows_open(&shown, &silent).await, "silence about {odd} is no word of it");
    }
    assert!(!shows_open(&shown, &World::new(0, |_, _: &Name| Err(NotHeard::Silent))).await, "nobody was asked");
}

#[tokio::test]
async fn an_alias_leads_nowhere_only_if_each_of_its_own_servers_says_so() {
    let home = Target::Alias { name: "lb.example.net".to_owned(), zone: "Z2".to_owned(), evaluate_health: true };
    let none = World::new(3, |_, _: &Name| Ok(Vec::new()));
    assert_eq!(home_values(&none, "AAAA", &home).await, Ok(Vec::new()));
    let silent = World::new(3, |nth, _: &Name| if nth == 2 { Err(NotHeard::Silent) } else { Ok(Vec::new()) });
    assert!(home_values(&silent, "AAAA", &home).await.is_err(), "silence is no word of it");
    let one =
        World::new(3, |nth, _: &Name| if nth == 2 { Err(NotHeard::Silent) } else { Ok(vec!["192.0.2.1".to_owned()]) });
    assert_eq!(home_values(&one, "A", &home).await, Ok(vec!["192.0.2.1".to_owned(); 2]));
    assert!(home_values(&World::new(0, |_, _: &Name| Ok(Vec::new())), "A", &home).await.is_err(), "nobody was asked");
}
