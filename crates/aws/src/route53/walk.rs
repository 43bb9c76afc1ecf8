//! The way through a zone's listing: past what nobody asked for, and never back.

use std::collections::{BTreeSet, HashSet};

use aws_sdk_route53::types::RrType;
use failover::name::Name;
use failover::plan::Names;
use failover::record::RecordSet;

use crate::error::CallError;

/// Where a page of a listing starts, in Route 53's own words: what is spelt anew may be another place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Start {
    pub(super) at: Option<String>,
    pub(super) kind: Option<RrType>,
    pub(super) identifier: Option<String>,
}

impl Start {
    fn at(name: &Name) -> Self {
        Self { at: Some(name.as_str().to_owned()), ..Self::default() }
    }

    /// The name that it starts at, if it can be read.
    fn name(&self) -> Option<Name> {
        self.at.as_deref()?.parse().ok()
    }

    /// The same, if it is known where it sorts.
    fn plain_name(&self) -> Option<Name> {
        self.name().filter(Name::is_plain)
    }
}

/// One page of a listing, and where Route 53 says that the next one starts.
pub(super) type Page = (Vec<RecordSet>, Option<Start>);

/// Record sets of a zone: all of them, or at least those of the listed names and their registers. Of each name that is among
/// them, all are.
///
/// Pages are disjoint, since each starts where Route 53 says that the one before it ends, or later; so there are at most as
/// many as a listing of the whole zone has.
pub(super) async fn walk(
    names: &Names,
    page: impl AsyncFn(&Start) -> Result<Page, CallError>,
) -> Result<Vec<RecordSet>, CallError> {
    let mut wanted = match names {
        Names::Listed(names) => Some(Wanted::new(names)),
        Names::EveryPair => None,
    };
    let mut start = wanted.as_ref().and_then(Wanted::first).as_ref().map(Start::at).unwrap_or_default();
    let (mut found, mut asked) = (Vec::new(), HashSet::new());
    // Order is known of plain names only: how escaped characters sort is not documented.
    let mut furthest: Option<Name> = None;
    loop {
        let (sets, next) = page(&start).await?;
        found.extend(sets);
        asked.insert(start);
        let Some(next) = next else { return Ok(found) };
        let plain = next.plain_name();
        if asked.contains(&next) || plain.as_ref().is_some_and(|name| furthest.as_ref().is_some_and(|last| name < last))
        {
            return Err(backwards(&next));
        }
        let go_on = match &mut wanted {
            None => Some(next.clone()),
            Some(wanted) => wanted.go_on(next.clone()),
        };
        if go_on.as_ref() != Some(&next) {
            // Of the name at the page's end the rest is never read.
            let at_end = next.name();
            found.retain(|set| Some(&set.name) != at_end.as_ref());
        }
        let Some(go_on) = go_on else { return Ok(found) };
        start = go_on;
        furthest = start.plain_name().or(furthest);
    }
}

fn backwards(next: &Start) -> CallError {
    let at = next.at.as_deref().unwrap_or_default();
    let why = format!("the listing goes backwards, to {at}, so that it might never end");
    CallError::Unknown { call: "ListResourceRecordSets", why }
}

/// The names that a listing must still meet.
struct Wanted {
    /// Where each name is to be looked for, and the name. A plain name is looked for where it sorts, and one with escaped
    /// characters in the whole domain of its plain ancestor, since where it sorts is not documented.
    names: BTreeSet<(Name, Name)>,
}

impl Wanted {
    fn new(names: &[Name]) -> Self {
        let names = names.iter().flat_map(|name| [name.clone(), name.register()]);
        Self { names: names.map(|name| (name.plain_ancestor(), name)).collect() }
    }

    fn first(&self) -> Option<Name> {
        self.names.first().map(|(from, _)| from.clone())
    }

    /// Where to go on once the listing has come to `reached`; nowhere if it has passed every name. Nothing is known of what
    /// lies before or after an escaped name, or one that cannot be read: there it goes on page by page.
    fn go_on(&mut self, reached: Start) -> Option<Start> {
        let Some(at) = reached.plain_name() else { return Some(reached) };
        self.names.retain(|(from, name)| if from == name { *name >= at } else { *from >= at || at.is_within(from) });
        let from = self.first()?;
        if from > at { Some(Start::at(&from)) } else { Some(reached) }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use failover::record::{Routing, Target};

    use super::*;

    const PAGE: usize = 300;

    /// The two orders that Route 53 may have for what it writes as `\043`: as it is written, or by the octet that it means.
    #[derive(Clone, Copy, Debug)]
    enum Order {
        Written,
        Meant,
    }

    impl Order {
        fn key(self, name: &Name) -> Vec<u8> {
            let labels = name.as_str().rsplit('.').map(|label| match self {
                Self::Written => label.as_bytes().to_vec(),
                Self::Meant => meant(label),
            });
            labels.flat_map(|label| label.into_iter().chain([b'.'])).collect()
        }
    }

    fn meant(label: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut rest = label;
        while let Some(first) = rest.bytes().next() {
            let taken = if first == b'\\' { 4 } else { 1 };
            octets.push(if taken == 4 { u8::from_str_radix(&rest[1..4], 8).unwrap() } else { first });
            rest = &rest[taken..];
        }
        octets
    }

    struct Zone {
        order: Order,
        sets: Vec<RecordSet>,
        starts: RefCell<Vec<Start>>,
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    impl Zone {
        fn new(order: Order, names: impl IntoIterator<Item = String>) -> Self {
            let target = Target::Values { ttl_seconds: 60, values: Vec::new() };
            let set = |text: String| RecordSet {
                name: name(&text),
                kind: "A".to_owned(),
                routing: Routing::Simple,
                target: target.clone(),
                health_check: None,
            };
            let mut sets: Vec<_> = names.into_iter().map(set).collect();
            sets.sort_by_key(|set| order.key(&set.name));
            Self { order, sets, starts: RefCell::default() }
        }

        async fn page(&self, start: &Start) -> Result<Page, CallError> {
            self.starts.borrow_mut().push(start.clone());
            let from = start.name().map(|name| self.order.key(&name)).unwrap_or_default();
            // A set's identifier is its place in the zone: a page may end between two sets of one name.
            let first = start.identifier.as_ref().map_or_else(
                || self.sets.partition_point(|set| self.order.key(&set.name) < from),
                |place| place.parse().unwrap(),
            );
            let end = self.sets.len().min(first + PAGE);
            let next = self.sets.get(end).map(|set| Start {
                kind: Some(RrType::A),
                identifier: Some(end.to_string()),
                ..Start::at(&set.name)
            });
            Ok((self.sets[first..end].to_vec(), next))
        }

        /// Walks; every wanted name must be found, in no more calls than promised, none of them for what was asked before.
        async fn finds(&self, wanted: &[&str]) -> usize {
            let names = wanted.iter().map(|text| name(text)).collect();
            let found = walk(&Names::Listed(names), async |start| self.page(start).await).await.unwrap();
            for text in wanted {
                assert!(found.iter().any(|set| set.name == name(text)), "{text} in {:?} order", self.order);
            }
            let starts = self.starts.borrow();
            let keys: Vec<_> = starts.iter().map(|start| start.name().map(|name| self.order.key(&name))).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "{starts:?}");
            assert!(starts.len() <= self.sets.len().div_ceil(PAGE), "{} calls in {:?} order", starts.len(), self.order);
            starts.len()
        }
    }

    fn many(count: usize, of: impl Fn(usize) -> String) -> Vec<String> {
        (0..count).map(of).collect()
    }

    #[tokio::test]
    async fn a_name_with_escaped_characters_at_a_pages_edge_ends_and_loses_nothing_in_either_order() {
        for order in [Order::Written, Order::Meant] {
            let beside = |nth| format!("b{nth:03}.example.net");
            let zone = many(298, beside)
                .into_iter()
                .chain(["app.example.net", "app.example.net", r"\176old.example.net"].map(str::to_owned));
            Zone::new(order, zone).finds(&["app.example.net"]).await;

            let hashes = |nth| format!(r"\043{nth:03}.example.net");
            let zone = many(320, hashes)
                .into_iter()
                .chain(["example.net", "example.net", "1app.example.net"].map(str::to_owned));
            Zone::new(order, zone).finds(&["example.net", "1app.example.net"]).await;
        }
    }

    #[tokio::test]
    async fn wildcards_and_other_escaped_names_are_found_wherever_they_sort() {
        let zone = || {
            let plain = many(700, |nth| format!("{nth:03}.shop.example.com"));
            let escaped = many(700, |nth| format!(r"\{:03o}{nth:03}.shop.example.com", [35, 42, 64, 126][nth % 4]));
            let beside = many(900, |nth| format!("x{nth:03}.example.com"));
            let wanted = [
                "*.shop.example.com",
                "zz.shop.example.com",
                r"a\100b.shop.example.com",
                "y.example.com",
                "*.z.example.com",
            ];
            plain.into_iter().chain(escaped).chain(beside).chain(wanted.map(str::to_owned))
        };
        for order in [Order::Written, Order::Meant] {
            for wanted in [
                &["*.shop.example.com"][..],
                &["zz.shop.example.com", "y.example.com"],
                &[r"a\100b.shop.example.com", "*.z.example.com", "*.shop.example.com"],
                &["x000.example.com", "y.example.com", "*.z.example.com"],
            ] {
                Zone::new(order, zone()).finds(wanted).await;
            }
        }
    }

    #[tokio::test]
    async fn a_listing_skips_to_the_next_wanted_name_and_ends_after_the_last() {
        let zone = Zone::new(Order::Written, many(3_000, |nth| format!("n{nth:04}.example.com")));
        assert_eq!(zone.finds(&["n0000.example.com", "n2500.example.com"]).await, 2);
        let zone = Zone::new(Order::Written, many(3_000, |nth| format!("n{nth:04}.example.com")));
        let every_pair = walk(&Names::EveryPair, async |start| zone.page(start).await).await.unwrap();
        assert_eq!((every_pair.len(), zone.starts.borrow().len()), (3_000, 10));
    }

    #[tokio::test]
    async fn of_a_name_at_a_pages_end_there_is_all_or_nothing() {
        for (wanted, calls, of_m, of_z) in [
            (&["c000.example.com"][..], 1, 0, 0),
            (&["c000.example.com", "z.example.com"], 2, 0, 1),
            (&["c000.example.com", "m.example.com"], 2, 3, 1),
        ] {
            let before = many(PAGE - 1, |nth| format!("c{nth:03}.example.com"));
            let cut = ["m.example.com", "m.example.com", "m.example.com", "z.example.com"].map(str::to_owned);
            let zone = Zone::new(Order::Written, before.into_iter().chain(cut));
            let names = wanted.iter().map(|text| name(text)).collect();
            let found = walk(&Names::Listed(names), async |start| zone.page(start).await).await.unwrap();
            let count = |of: &str| found.iter().filter(|set| set.name == name(of)).count();
            let seen = (zone.starts.borrow().len(), count("m.example.com"), count("z.example.com"));
            assert_eq!(seen, (calls, of_m, of_z), "{wanted:?}");
        }
    }

    #[tokio::test]
    async fn a_listing_goes_on_where_route_53_says_though_the_name_there_cannot_be_read() {
        let edge = || Start { at: Some("a..example.com.".to_owned()), kind: Some(RrType::Cname), identifier: None };
        assert_eq!(edge().name(), None);
        let zone = Zone::new(Order::Written, ["z.example.com".to_owned()]);
        let page = async |start: &Start| match start {
            start if *start == edge() => Ok((zone.sets.clone(), None)),
            _ => Ok((Vec::new(), Some(edge()))),
        };
        for names in [Names::EveryPair, Names::Listed(vec![name("b.example.com"), name("z.example.com")])] {
            assert_eq!(walk(&names, page).await.unwrap(), zone.sets);
        }
    }

    #[tokio::test]
    async fn a_listing_that_goes_backwards_ends_in_an_error() {
        let named = |text: &str| Start::at(&name(text));
        for (wanted, nexts) in [
            (Names::EveryPair, ["m.example.com", "b.example.com"]),
            (Names::EveryPair, ["m.example.com", "m.example.com"]),
            (Names::EveryPair, [r"\043.example.com", r"\043.example.com"]),
            (Names::Listed(vec![name("a.example.com"), name("z.example.com")]), ["b.example.com", "c.example.com"]),
        ] {
            let calls = RefCell::new(0);
            let page = async |_: &Start| {
                let nth = *calls.borrow();
                *calls.borrow_mut() += 1;
                Ok((Vec::new(), Some(named(nexts[nth % 2]))))
            };
            let error = walk(&wanted, page).await.unwrap_err().to_string();
            assert!(error.contains("backwards"), "{error}");
            assert!(*calls.borrow() <= 3, "{} calls", calls.borrow());
        }
    }
}
