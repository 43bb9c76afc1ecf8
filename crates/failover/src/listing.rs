//! The last good look at the records, as the store keeps it for the day on which Route 53's API does not answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::observation::{NameView, elapsed};
use crate::plan::{Names, Plan};
use crate::record::{Pair, RecordSet};
use crate::refusal::Fate;
use crate::register::Reading;

/// How old a listing may be that anything is decided by, in seconds.
const AGE_SECONDS_MAX: u32 = 86_400;

/// "The maximum item size in DynamoDB is 400 KB" (developer guide, "Quotas"), of which something is left for its other attributes.
pub const LISTING_BYTES_MAX: usize = 390 * 1_024;

/// Where the protected records are known from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Route 53's API, just now.
    Listed,
    /// A listing a few minutes old, while all is quiet; the registers are those that name servers answer with now.
    Remembered,
    /// The same, older perhaps, since Route 53's API does not answer.
    Unanswered(Unanswered),
}

/// Why Route 53's API tells nothing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// What is known of the call.
    pub fate: Fate,
    /// What went wrong.
    pub error: String,
}

/// What Route 53 said of every protected name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    at: Timestamp,
    names: Vec<Listed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    zone: String,
    name: Name,
    sets: Vec<RecordSet>,
}

impl Listing {
    /// What a look saw. None where a name's records are no pairs: what is half a pair could not be decided about from memory.
    #[must_use]
    pub fn of(names: &[NameView], at: Timestamp) -> Option<Self> {
        let listed = |view: &NameView| {
            let pairs = view.pairs.as_ref().ok()?;
            let mut sets: Vec<_> =
                pairs.iter().flat_map(|pair| [pair.primary().clone(), pair.secondary().clone()]).collect();
            match &view.register {
                Reading::Known { set, .. } => sets.push(set.clone()),
                Reading::Absent => {}
                Reading::Unreadable(_) => return None,
            }
            sets.extend(view.aliased.iter().filter(|set| set.name != view.name).cloned());
            Some(Listed { zone: view.zone.clone(), name: view.name.clone(), sets })
        };
        let names = names.iter().map(listed).collect::<Option<Vec<_>>>()?;
        (!names.is_empty()).then_some(Self { at, names })
    }

    /// When it was made.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// True if it may be decided by.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        !elapsed(self.at, now, AGE_SECONDS_MAX)
    }

    /// True if it is younger than this.
    #[must_use]
    pub fn is_younger(&self, seconds: u32, now: Timestamp) -> bool {
        !elapsed(self.at, now, seconds)
    }

    /// True if name servers answer with just the registers that were listed, and none of them says that its name is pinned.
    #[must_use]
    pub fn is_quiet(&self, heard: &[NameView]) -> bool {
        let is_same = |(known, heard): (NameView, &NameView)| {
            (&known.zone, &known.name) == (&heard.zone, &heard.name) && known.register() == heard.register()
        };
        let views = self.views();
        views.len() == heard.len()
            && views.into_iter().zip(heard).all(is_same)
            && heard.iter().all(NameView::is_unpinned)
    }

    /// True if it tells of just what the plan protects, as far as the plan says its names.
    #[must_use]
    pub fn is_of(&self, plan: &Plan) -> bool {
        let is_protected = |listed: &Listed| {
            let zone = plan.zones.iter().find(|zone| zone.id == listed.zone);
            zone.is_some_and(|zone| match &zone.names {
                Names::EveryPair => true,
                Names::Listed(names) => names.contains(&listed.name),
            })
        };
        let is_listed = |zone: &str, name: &Name| self.names.iter().any(|it| it.zone == zone && it.name == *name);
        self.names.iter().all(is_protected)
            && plan.zones.iter().all(|zone| match &zone.names {
                Names::EveryPair => self.names.iter().any(|listed| listed.zone == zone.id),
                Names::Listed(names) => names.iter().all(|name| is_listed(&zone.id, name)),
            })
    }

    /// True if `known`, the one in the store, tells no less, and need not be renewed yet.
    #[must_use]
    pub fn is_told_by(&self, known: &Self, renewed_seconds: u32) -> bool {
        self.names == known.names && known.is_younger(renewed_seconds, self.at)
    }

    /// The names as they were.
    #[must_use]
    pub fn views(&self) -> Vec<NameView> {
        self.names.iter().map(|listed| NameView::of_name(&listed.zone, &listed.name, &listed.sets)).collect()
    }
}

impl NameView {
    /// The same name, with the register that its name servers answer with: `text` is the TXT record's, none if there is no such record.
    #[must_use]
    pub fn with_register(&self, text: Option<&str>) -> Self {
        let register = Reading::of_text(&self.name, text);
        let is_pinned = |reading: &Reading| reading.register().is_some_and(|register| register.pin().is_some());
        // The listing is from before the pin, which is in one batch with its register: the records are pinned, and nobody changed them.
        let pairs = if is_pinned(&register) && !is_pinned(&self.register) {
            self.pairs.clone().map(|pairs| pairs.iter().map(Pair::as_pinned).collect())
        } else {
            self.pairs.clone()
        };
        Self { pairs, register, ..self.clone() }
    }
}
