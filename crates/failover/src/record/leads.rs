//! Where a target leads in the end: through aliases and CNAMEs to records of its own zone, to addresses and names in one spelling.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{ALIAS_TTL_SECONDS, PINNED_TYPES, RecordSet, Routing, Target, zone_id};
use crate::name::Name;

/// How many aliases are followed one after the other. Where more are, it is not known where they lead.
pub const ALIAS_CHAIN_MAX: usize = 8;

/// How many are followed in all, where policies choose among several.
const ALIASES_MAX: usize = 100;

/// Where a target leads in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leads {
    /// The addresses and names there, and the names on the way.
    to: BTreeSet<String>,
    /// How long resolvers may keep the answer; nothing if that is not known.
    ttl_seconds: Option<u32>,
}

impl Leads {
    /// Follows the target of a record of type `kind` in `zone`. `sets` are the zone's, as far as its aliases lead.
    #[must_use]
    pub fn of(zone: &str, kind: &str, target: &Target, sets: &[RecordSet]) -> Self {
        let mut follower = Follower { zone, sets, to: BTreeSet::new(), aliases_left: ALIASES_MAX };
        let ttl_seconds = follower.follow(kind, target, true, ALIAS_CHAIN_MAX);
        Self { to: follower.to, ttl_seconds }
    }

    /// How long resolvers may keep the answer, in seconds; nothing if that is not known.
    #[must_use]
    pub fn ttl_seconds(&self) -> Option<u32> {
        self.ttl_seconds
    }

    /// An address or name that both lead to.
    #[must_use]
    pub fn meets<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        self.to.intersection(&other.to).next().map(String::as_str)
    }

    /// The addresses and names.
    pub fn to(&self) -> impl Iterator<Item = &str> {
        self.to.iter().map(String::as_str)
    }
}

struct Follower<'a> {
    zone: &'a str,
    sets: &'a [RecordSet],
    to: BTreeSet<String>,
    aliases_left: usize,
}

impl Follower<'_> {
    /// Notes where `target` leads, if Route 53 is certain to answer with it; the longest TTL of what it may answer with.
    fn follow(&mut self, kind: &str, target: &Target, certain: bool, chain_left: usize) -> Option<u32> {
        let (alias_zone, alias) = match target {
            Target::Values { ttl_seconds, values } => {
                self.to.extend(values.iter().filter(|_| certain).map(|value| destination(kind, value)));
                for host in values.iter().filter(|_| kind == "CNAME").filter_map(|value| value.parse::<Name>().ok()) {
                    self.follow_host(&host, certain, chain_left);
                }
                // A CNAME's own: once that has run out, resolvers ask for it anew, whatever else they keep.
                return Some(*ttl_seconds);
            }
            Target::Alias { zone, name, .. } => (zone, name),
        };
        if certain {
            self.to.insert(host(alias));
        }
        if zone_id(alias_zone) != zone_id(self.zone) {
            return Some(ALIAS_TTL_SECONDS);
        }
        let (alias, chain_left) = (alias.parse::<Name>().ok()?, chain_left.checked_sub(1)?);
        self.aliases_left = self.aliases_left.checked_sub(1)?;
        let sets = self.sets;
        let found = sets.iter().filter(|set| set.name == alias && set.kind == kind);
        // Of what a policy chooses among, nothing but the longest TTL is known.
        let ttls =
            found.map(|set| self.follow(kind, &set.target, certain && set.routing == Routing::Simple, chain_left));
        ttls.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Notes where what a CNAME names leads. It may be another zone's, and then nothing of it is known here.
    fn follow_host(&mut self, host: &Name, certain: bool, chain_left: usize) {
        let sets = self.sets;
        for set in sets.iter().filter(|set| set.name == *host && PINNED_TYPES.contains(&set.kind.as_str())) {
            let (Some(chain_left), Some(aliases_left)) = (chain_left.checked_sub(1), self.aliases_left.checked_sub(1))
            else {
                return;
            };
            self.aliases_left = aliases_left;
            self.follow(&set.kind, &set.target, certain && set.routing == Routing::Simple, chain_left);
        }
    }
}

/// The record sets of the zone that aliases among `own` lead through, and no others. `of` gives a name's.
pub(crate) fn alias_tree<'a>(
    zone: &str,
    own: impl Iterator<Item = &'a RecordSet>,
    of: impl Fn(&Name) -> Vec<&'a RecordSet>,
) -> Vec<RecordSet> {
    let mut tree: Vec<&RecordSet> = Vec::new();
    let mut seen: Vec<Name> = Vec::new();
    let mut level: Vec<&RecordSet> = own.collect();
    for _ in 0..ALIAS_CHAIN_MAX {
        let mut targets: Vec<Name> = level.iter().flat_map(|set| own_zone_targets(zone, set)).collect();
        targets.retain(|name| !seen.contains(name));
        targets.sort();
        targets.dedup();
        if targets.is_empty() {
            break;
        }
        level = targets.iter().flat_map(&of).collect();
        seen.extend(targets);
        tree.extend(&level);
    }
    tree.into_iter().cloned().collect()
}

/// The names of `zone` that must be looked at as well, once `names` have been, to know where their aliases lead.
#[must_use]
pub fn alias_targets(zone: &str, names: &[Name], sets: &[RecordSet]) -> Vec<Name> {
    let looked_at: BTreeSet<&Name> = names.iter().collect();
    let own = sets.iter().filter(|set| looked_at.contains(&set.name));
    let targets: BTreeSet<Name> = own.flat_map(|set| own_zone_targets(zone, set)).collect();
    targets.into_iter().filter(|target| !looked_at.contains(target)).collect()
}

/// The names that a record leads to and that may be of its own zone: the target of an alias, and hosts in a CNAME with the same
/// last two labels; the zone's own name is not known here, and to look for a name that is not there costs one request.
fn own_zone_targets(zone: &str, set: &RecordSet) -> Vec<Name> {
    match &set.target {
        Target::Alias { zone: alias_zone, name, .. } if zone_id(alias_zone) == zone_id(zone) => {
            name.parse().into_iter().collect()
        }
        Target::Values { values, .. } if set.kind == "CNAME" => {
            let hosts = values.iter().filter_map(|value| value.parse::<Name>().ok());
            hosts.filter(|host| last_labels(host) == last_labels(&set.name)).collect()
        }
        _ => Vec::new(),
    }
}

fn last_labels(name: &Name) -> Vec<&str> {
    name.as_str().trim_end_matches('.').rsplit('.').take(2).collect()
}

/// A value of a record of type `kind`, in one spelling.
pub(crate) fn destination(kind: &str, value: &str) -> String {
    match kind {
        "A" | "AAAA" => value.trim().parse::<IpAddr>().map_or_else(|_| value.to_owned(), |address| address.to_string()),
        "CNAME" => host(value),
        _ => value.to_owned(),
    }
}

/// A host's name in one spelling. A load balancer of AWS answers by its name, and with `dualstack.` or `ipv6.` before it.
pub(crate) fn host(name: &str) -> String {
    let Ok(parsed) = name.trim().parse::<Name>() else { return name.to_owned() };
    let name = parsed.as_str();
    let is_aws = name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn");
    let bare = name.strip_prefix("dualstack.").or_else(|| name.strip_prefix("ipv6."));
    bare.filter(|_| is_aws).unwrap_or(name).to_owned()
}

/// The region in an endpoint's name of AWS, such as `p-1.eu-west-1.elb.amazonaws.com`; other names have none.
#[must_use]
pub fn aws_region(host: &str) -> Option<&str> {
    let name = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let is_region = |label: &&str| {
        let mut parts = label.split('-');
        let has_continent =
            parts.next().is_some_and(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_lowercase()));
        let (number, words) = (parts.next_back(), parts.count());
        has_continent
            && words > 0
            && number.is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty())
    };
    name.rsplit('.').find(is_region)
}

/// A short mark of a text, to know it again by: eight characters in a register in place of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(u32);

impl Digest {
    /// Of a text: FNV-1a, which is the same in every version of every library.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for Digest {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u32::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{app, simple_set, values};

    fn own(name: &str) -> Target {
        Target::Alias { zone: "Z1".to_owned(), name: name.to_owned(), evaluate_health: false }
    }

    fn set(name: &str, routing: Routing, target: Target) -> RecordSet {
        RecordSet { name: name.parse().unwrap(), routing, target, ..simple_set("A", &[]) }
    }

    fn leads(target: &Target, sets: &[RecordSet]) -> (Vec<String>, Option<u32>) {
        let leads = Leads::of("Z1", "A", target, sets);
        (leads.to().map(str::to_owned).collect(), leads.ttl_seconds())
    }

    #[test]
    fn an_alias_to_a_record_of_the_zone_leads_where_that_does_for_as_long() {
        let sets = [
            set("one.example.com", Routing::Simple, own("Two.example.com.")),
            set("two.example.com", Routing::Simple, values(3_600, &["192.0.2.1"])),
            set("any.example.com", Routing::Other, values(60, &["192.0.2.2"])),
            set("any.example.com", Routing::Other, values(7_200, &["192.0.2.3"])),
            set("half.example.com", Routing::Simple, own("gone.example.com")),
            set("round.example.com", Routing::Simple, own("round.example.com")),
            RecordSet {
                kind: "AAAA".to_owned(),
                ..set("six.example.com", Routing::Simple, values(60, &["2001:db8::1"]))
            },
        ];
        for (story, to, places, ttl) in [
            ("a chain", own("one.example.com"), &["192.0.2.1", "one.example.com", "two.example.com"][..], Some(3_600)),
            (
                "what a policy chooses among is not known, but for how long",
                own("any.example.com"),
                &["any.example.com"],
                Some(7_200),
            ),
            ("nothing there", own("gone.example.com"), &["gone.example.com"], None),
            ("nothing at the end", own("half.example.com"), &["gone.example.com", "half.example.com"], None),
            ("no end", own("round.example.com"), &["round.example.com"], None),
            ("another type", own("six.example.com"), &["six.example.com"], None),
            ("values", values(30, &["192.0.2.9"]), &["192.0.2.9"], Some(30)),
        ] {
            let places: Vec<_> = places.iter().map(|&place| place.to_owned()).collect();
            assert_eq!(leads(&to, &sets), (places, ttl), "{story}");
        }
        let Target::Alias { name, .. } = own("two.example.com") else { unreachable!() };
        let elsewhere = Target::Alias { zone: "Z9".to_owned(), name, evaluate_health: false };
        assert_eq!(leads(&elsewhere, &sets), (vec!["two.example.com".to_owned()], Some(ALIAS_TTL_SECONDS)));
        let prefixed = Target::Alias {
            zone: "/hostedzone/Z1".to_owned(),
            name: "two.example.com".to_owned(),
            evaluate_health: false,
        };
        assert_eq!(leads(&prefixed, &sets).1, Some(3_600));
    }

    #[test]
    fn a_cname_to_a_name_of_the_zone_leads_where_that_does_and_is_kept_as_long_as_its_own_ttl_says() {
        let cname = |to: &str, ttl| values(ttl, &[to]);
        let of = |kind: &str, set: RecordSet| RecordSet { kind: kind.to_owned(), ..set };
        let sets = [
            set("p.example.com", Routing::Simple, values(3_600, &["192.0.2.1"])),
            of("CNAME", set("q.example.com", Routing::Simple, cname("P.example.com.", 30))),
            of("CNAME", set("round.example.com", Routing::Simple, cname("round.example.com", 30))),
        ];
        for (to, places, ttl) in [
            ("p.example.com", &["192.0.2.1", "p.example.com"][..], Some(60)),
            ("q.example.com.", &["192.0.2.1", "p.example.com", "q.example.com"], Some(60)),
            ("p.elb.example.net", &["p.elb.example.net"], Some(60)),
            ("round.example.com", &["round.example.com"], Some(60)),
        ] {
            let leads = Leads::of("Z1", "CNAME", &cname(to, 60), &sets);
            assert_eq!((leads.to().collect::<Vec<_>>(), leads.ttl_seconds()), (places.to_vec(), ttl), "{to}");
        }
        let pair = of("CNAME", set("app.example.com", Routing::Simple, cname("p.example.com", 60)));
        let elsewhere = of("CNAME", set("app.example.com", Routing::Simple, cname("p.example.net", 60)));
        let name = |text: &str| text.parse::<Name>().unwrap();
        assert_eq!(alias_targets("Z1", &[app()], &[pair]), [name("p.example.com")]);
        assert_eq!(alias_targets("Z1", &[app()], &[elsewhere]), []);
    }

    #[test]
    fn a_chain_of_eight_is_followed_and_one_of_nine_is_not() {
        let chain = |length: usize| {
            let link = |n| set(&format!("l{n}.example.com"), Routing::Simple, own(&format!("l{}.example.com", n + 1)));
            let mut sets: Vec<_> = (1..length).map(link).collect();
            sets.push(set(&format!("l{length}.example.com"), Routing::Simple, values(90, &["192.0.2.1"])));
            leads(&own("l1.example.com"), &sets).1
        };
        assert_eq!([chain(8), chain(9)], [Some(90), None]);
    }

    #[test]
    fn a_tangle_of_policies_is_given_up_in_time() {
        let tangle = |n: usize| {
            (0..50).map(move |to| set(&format!("t{n}.example.com"), Routing::Other, own(&format!("t{to}.example.com"))))
        };
        let sets: Vec<_> = (0..50).flat_map(tangle).collect();
        assert_eq!(leads(&own("t0.example.com"), &sets).1, None);
    }

    #[test]
    fn one_place_has_one_spelling() {
        for (kind, a, b, is_same) in [
            ("AAAA", "2001:DB8:0::1", "2001:db8::1", true),
            ("A", "192.0.2.1", "192.0.2.10", false),
            ("CNAME", "P.example.com.", "p.example.com", true),
            ("CNAME", "dualstack.p-1.eu-west-1.elb.amazonaws.com", "P-1.eu-west-1.elb.amazonaws.com.", true),
            ("CNAME", "ipv6.p-1.eu-west-1.elb.amazonaws.com", "p-1.eu-west-1.elb.amazonaws.com", true),
            ("CNAME", "dualstack.example.com", "example.com", false),
            ("CNAME", "\\052.example.com", "*.example.com", true),
        ] {
            assert_eq!(destination(kind, a) == destination(kind, b), is_same, "{a} {b}");
            assert_eq!(values(1, &[a]).digest(kind) == values(2, &[b]).digest(kind), is_same, "{a} {b}");
        }
        let of = |zone: &str, name: &str, evaluate_health| {
            Target::Alias { zone: zone.to_owned(), name: name.to_owned(), evaluate_health }.digest("A")
        };
        let alias = of("Z9", "p.elb", false);
        assert_eq!(alias, of("/hostedzone/Z9", "P.elb.", false));
        assert_ne!(alias, of("Z9", "p.elb", true), "whose health counts is part of it");
        assert_ne!(alias, of("Z8", "p.elb", false));
    }

    #[test]
    fn the_region_of_an_endpoint_of_aws_is_in_its_name() {
        for (host, region) in [
            ("my-lb-1.eu-west-1.elb.amazonaws.com", Some("eu-west-1")),
            ("my-nlb-2.elb.us-gov-east-1.amazonaws.com", Some("us-gov-east-1")),
            ("p.elb.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("my-lb-1.example.com", None),
            ("eu-west-1.example.com", None),
            ("192.0.2.1", None),
            ("app.amazonaws.com", None),
        ] {
            assert_eq!(aws_region(host), region, "{host}");
        }
    }

    #[test]
    fn a_digest_is_what_it_was_in_every_version() {
        assert_eq!([Digest::of("").to_string(), Digest::of("foobar").to_string()], ["811c9dc5", "bf9cf968"]);
        assert_eq!("0000002a".parse::<Digest>().map(|digest| digest.to_string()).as_deref(), Ok("0000002a"));
    }

    #[test]
    fn whoever_looks_at_names_is_told_which_others_their_aliases_need() {
        let of_app = RecordSet { target: own("one.example.com"), ..simple_set("A", &[]) };
        let sets = [
            of_app,
            set("one.example.com", Routing::Simple, own("two.example.com")),
            set("else.example.com", Routing::Simple, own("three.example.com")),
        ];
        let name = |text: &str| text.parse::<Name>().unwrap();
        assert_eq!(alias_targets("Z1", &[app()], &sets), [name("one.example.com")]);
        assert_eq!(alias_targets("Z1", &[app(), name("one.example.com")], &sets), [name("two.example.com")]);
        assert_eq!(alias_targets("Z2", &[app()], &sets), [], "of another zone nothing");
        let found = alias_tree("Z1", sets[..1].iter(), |of| sets.iter().filter(|set| set.name == *of).collect());
        assert_eq!(found, sets[1..2]);
    }
}
