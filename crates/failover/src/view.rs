//! One protected name as it was seen.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::name::Name;
use crate::record::{
    ALIAS_TTL_SECONDS, Leads, PINNED_TYPES, Pair, PairFault, RecordSet, Target, Warning, alias_tree, aws_region,
    warnings,
};
use crate::register::{Memory, Pin, Reading, Register, Ttl};

/// One protected name as Route 53 describes it now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameView {
    /// Hosted zone id.
    pub zone: String,
    /// The protected name.
    pub name: Name,
    /// Its failover pairs, one a type.
    pub pairs: Result<Vec<Pair>, PairFault>,
    /// Its register.
    pub register: Reading,
    /// What is not as it should be, and yet keeps nothing from being pinned.
    pub warnings: Vec<Warning>,
    /// The types of its failover records that Holdfast does not pin.
    pub left_alone: Vec<String>,
    /// The record sets of the zone that its aliases lead through.
    pub aliased: Vec<RecordSet>,
}

impl NameView {
    /// Picks one name out of a zone's record sets.
    #[must_use]
    pub fn of_name(zone: &str, name: &Name, sets: &[RecordSet]) -> Self {
        Self::of_names(zone, std::slice::from_ref(name), sets).swap_remove(0)
    }

    /// Picks names out of a zone's record sets; however many there are, each set is looked at once. Aliases to records of the
    /// zone are followed as far as those are among the sets: [`alias_targets`](crate::record::alias_targets) says which must be.
    #[must_use]
    pub fn of_names(zone: &str, names: &[Name], sets: &[RecordSet]) -> Vec<Self> {
        let mut by_name: HashMap<&Name, Vec<&RecordSet>> = HashMap::new();
        for set in sets {
            by_name.entry(&set.name).or_default().push(set);
        }
        let own = |name: &Name| by_name.get(name).cloned().unwrap_or_default();
        names.iter().map(|name| Self::of_own(zone, name, &own)).collect()
    }

    fn of_own<'a>(zone: &str, name: &Name, of: &impl Fn(&Name) -> Vec<&'a RecordSet>) -> Self {
        let own = of(name);
        let aliased = alias_tree(zone, own.iter().copied().filter(|set| set.is_pinnable()), of);
        let sets: Vec<_> = own.into_iter().cloned().collect();
        let register: Vec<_> = of(&name.register()).into_iter().cloned().collect();
        let pairs = Pair::of_name(name, &sets);
        let leads = |pair: &Pair| Leads::of(zone, pair.kind(), &pair.primary().target, &aliased);
        let warnings = warnings(pairs.as_deref().unwrap_or_default(), sets.iter(), leads);
        let others = sets.iter().filter(|set| set.fails_over() && !PINNED_TYPES.contains(&set.kind.as_str()));
        Self {
            zone: zone.to_owned(),
            name: name.clone(),
            pairs,
            register: Reading::of_name(name, &register),
            warnings,
            left_alone: others.map(|set| set.kind.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
            aliased,
        }
    }

    /// Where a target of one of its records leads in the end.
    #[must_use]
    pub fn leads(&self, kind: &str, target: &Target) -> Leads {
        Leads::of(&self.zone, kind, target, &self.aliased)
    }

    /// True if every pair sends clients to DR whatever its health checks say, and no PRIMARY record of a pinned name leads where
    /// users were before the pin.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let is_home = |pair: &Pair| self.pin().is_some_and(|pin| self.leads_back(pin, pair, pair.primary()));
        self.pairs.as_ref().is_ok_and(|pairs| pairs.iter().all(|pair| pair.agrees() && !is_home(pair)))
    }

    /// The pair of a pinned name whose SECONDARY record leads where users were before the pin, or to a new place in that region: what
    /// is written down as DR is not.
    #[must_use]
    pub fn swapped(&self) -> Option<&Pair> {
        let pin = self.pin()?;
        self.pairs.iter().flatten().find(|pair| self.leads_back(pin, pair, pair.secondary()))
    }

    /// The pair whose SECONDARY record leads to a place where a PRIMARY record of the name leads too, and that place.
    #[must_use]
    pub fn shared(&self) -> Option<(&Pair, String)> {
        let pairs = || self.pairs.iter().flatten();
        let primaries: Vec<_> = pairs().map(|pair| self.leads(pair.kind(), &pair.primary().target)).collect();
        pairs().find_map(|pair| {
            let secondary = self.leads(pair.kind(), &pair.secondary().target);
            let place = primaries.iter().find_map(|primary| primary.meets(&secondary))?.to_owned();
            Some((pair, place))
        })
    }

    /// True if a record of the pair leads where users were before the pin, or to a place that Holdfast did not write down, in the
    /// region where they were: the old primary, rebuilt.
    pub(crate) fn leads_back(&self, pin: &Pin, pair: &Pair, record: &RecordSet) -> bool {
        let (kind, target) = (pair.kind(), &record.target);
        let is_dr = |target: &Target| pin.dr.get(kind) == Some(&target.digest(kind));
        if self.is_home(pin, kind, target) {
            return true;
        }
        if pin.dr.is_empty() || is_dr(target) {
            return false;
        }
        let regions = |target| -> BTreeSet<String> {
            self.leads(kind, target).to().filter_map(aws_region).map(str::to_owned).collect()
        };
        let primary = &pair.primary().target;
        let of_dr = if is_dr(primary) { regions(primary) } else { BTreeSet::new() };
        let home = pin.home_regions();
        regions(target).iter().any(|region| home.contains(region) && !of_dr.contains(region))
    }

    /// True if `target` leads where the users of `pin` were before it.
    pub(crate) fn is_home(&self, pin: &Pin, kind: &str, target: &Target) -> bool {
        pin.was_home_of(&self.leads(kind, target))
    }

    /// How long resolvers may keep what its PRIMARY records say, in seconds. Where that is not known, as long as of an alias.
    #[must_use]
    pub fn ttl_seconds(&self) -> u32 {
        let ttl =
            |pair: &Pair| self.leads(pair.kind(), &pair.primary().target).ttl_seconds().unwrap_or(ALIAS_TTL_SECONDS);
        self.pairs.iter().flatten().map(ttl).max().unwrap_or_default()
    }

    /// The same, of records whose TTL was longer until lately too: some resolvers keep what they were told then.
    #[must_use]
    pub fn kept_seconds(&self, now: Timestamp) -> u32 {
        let longest = self.register().and_then(|register| register.memory().ttl).map(|ttl| ttl.longest(now));
        longest.unwrap_or_default().max(self.ttl_seconds())
    }

    /// What a register written now is to remember.
    #[must_use]
    pub fn memory(&self, now: Timestamp) -> Memory {
        let known = self.register().map(Register::memory).unwrap_or_default();
        // Of records that are no pairs nothing is known.
        let ttl = self.pairs.as_ref().ok().and_then(|_| Ttl::seen(known.ttl, self.ttl_seconds(), now));
        Memory { ttl: ttl.or(known.ttl), ..known }
    }

    /// The register, if it is there and readable.
    #[must_use]
    pub fn register(&self) -> Option<&Register> {
        self.register.register()
    }

    /// The pin, if it is pinned.
    #[must_use]
    pub fn pin(&self) -> Option<&Pin> {
        self.register().and_then(Register::pin)
    }

    /// True if its register can be read, or is absent, and says no pin.
    #[must_use]
    pub fn is_unpinned(&self) -> bool {
        !matches!(self.register, Reading::Unreadable(_)) && self.pin().is_none()
    }
}
