//! Listings of a zone's record sets: their order, and where a page starts.

use super::batch::Records;
use super::name::DnsName;
use super::record::{Key, Kind, RecordSet};

/// In which order names with escapes are listed; AWS's pages contradict each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// As the characters themselves sort: `*` before `a`.
    #[default]
    Plain,
    /// As what Route 53 writes sorts: `\\052` after digits and before `a`.
    AsWritten,
}

impl Listing {
    fn compare(self, one: &DnsName, other: &DnsName) -> std::cmp::Ordering {
        match self {
            Self::Plain => one.cmp(other),
            Self::AsWritten => one.reversed_as_written().cmp(&other.reversed_as_written()),
        }
    }
}

/// One page of a zone's records, and the key the next page starts with.
pub(super) fn page(
    records: &Records,
    listing: Listing,
    start: Option<&Start>,
    items_max: usize,
) -> (Vec<RecordSet>, Option<Key>) {
    if listing == Listing::Plain {
        return page_of(records.values(), listing, start, items_max);
    }
    let mut sorted: Vec<_> = records.values().collect();
    sorted.sort_by_cached_key(|set| (set.key.name.reversed_as_written(), set.key.kind, set.key.set_identifier.clone()));
    page_of(sorted.into_iter(), listing, start, items_max)
}

fn page_of<'r>(
    sets: impl Iterator<Item = &'r RecordSet>,
    listing: Listing,
    start: Option<&Start>,
    items_max: usize,
) -> (Vec<RecordSet>, Option<Key>) {
    let mut listed = sets.filter(|set| start.is_none_or(|start| start.reached_by(listing, &set.key)));
    let page = listed.by_ref().take(items_max).cloned().collect();
    (page, listed.next().map(|set| set.key.clone()))
}

/// Where a listing of records starts.
#[derive(Clone, Debug)]
pub struct Start {
    /// The least name.
    pub name: DnsName,
    /// The least type of that name.
    pub kind: Option<Kind>,
    /// The least set identifier of that name and type.
    pub identifier: Option<String>,
}

impl Start {
    fn reached_by(&self, listing: Listing, key: &Key) -> bool {
        let start = (self.kind, self.identifier.as_ref());
        let rest = (self.kind.map(|_| key.kind), self.identifier.as_ref().and(key.set_identifier.as_ref()));
        listing.compare(&self.name, &key.name).then_with(|| start.cmp(&rest)).is_le()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route53::{Routing, Target};

    fn zone(names: &[&str]) -> Records {
        let sets = names.iter().map(|name| {
            let key = Key { name: DnsName::parse(name).unwrap(), kind: Kind::A, set_identifier: None };
            let target = Target::Values { ttl: 60, values: vec!["192.0.2.1".to_owned()] };
            RecordSet { key, routing: Routing::Simple, health_check: None, target, traffic_policy_instance: None }
        });
        sets.map(|set| (set.key.clone(), set)).collect()
    }

    fn listed_in(listing: Listing, records: &Records) -> Vec<String> {
        let (mut seen, mut start) = (Vec::new(), None);
        loop {
            let (page, next) = page(records, listing, start.as_ref(), 2);
            seen.extend(page.iter().map(|set| set.key.name.bare()));
            let Some(key) = next else { return seen };
            start = Some(Start { name: key.name, kind: Some(key.kind), identifier: key.set_identifier });
        }
    }

    #[test]
    fn names_with_escapes_are_listed_in_either_order_and_each_once() {
        let records = zone(&["b.example.com", "0.example.com", "*.example.com", "~.example.com", "a.example.com"]);
        let (star, tilde) = (r"\052.example.com", r"\176.example.com");
        let (zero, a, b) = ("0.example.com", "a.example.com", "b.example.com");
        assert_eq!(listed_in(Listing::Plain, &records), [star, zero, a, b, tilde]);
        assert_eq!(listed_in(Listing::AsWritten, &records), [zero, star, tilde, a, b]);
    }
}
