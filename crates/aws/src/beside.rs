//! What stands beside Route 53's API: the latch and the listing in DR's own store, and the zones' own name servers.
//!
//! None of it touches the primary region or us-east-1.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use failover::latch::{self, Heard, Latch, Led, Look, Marks, homes};
use failover::listing::{LISTING_BYTES_MAX, Listing};
use failover::name::Name;
use failover::observation::NameView;
use failover::plan::{self, Names, Pairs, Plan, Shown};
use failover::record::Target;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::CallError;
use crate::dns::{Dns, NameServers, NotHeard, Server, ServersUnknown};
use crate::store::{Item, StoreReader, StoreWriter, Swap};

/// In place of a listing: what would be decided by it could be wrong.
const UNDECIDABLE: &str = "a name's records are no failover pairs, or its register cannot be read";
const TOO_MANY: &str = "the protected records are too many to be remembered";

/// As many name servers as must tell a register, in a zone of three or more; in smaller ones all.
const REGISTER_TOLD_MIN: usize = 3;

/// How many names are asked for at once.
const NAMES_AT_ONCE: usize = 50;

/// The store and the name servers.
#[derive(Debug)]
pub struct Beside<S> {
    store: S,
    dns: Dns,
}

impl<S> Beside<S> {
    /// With this store, and the name servers that the environment says.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, dns: Dns::from_environment() }
    }
}

impl<S: StoreReader> StoreReader for Beside<S> {
    async fn read(&self, table: &str, item: Item) -> Result<Option<String>, CallError> {
        self.store.read(table, item).await
    }
}

impl<S: StoreWriter> StoreWriter for Beside<S> {
    async fn swap(&self, table: &str, item: Item, seen: Option<&str>, next: &str) -> Result<Swap, CallError> {
        self.store.swap(table, item, seen, next).await
    }
}

impl<S> NameServers for Beside<S> {
    async fn servers(&self, name: &Name) -> Result<Vec<Server>, ServersUnknown> {
        self.dns.servers(name).await
    }

    async fn ask(&self, server: &Server, name: &Name, kind: &str) -> Result<Vec<String>, NotHeard> {
        self.dns.ask(server, name, kind).await
    }
}

/// What stands beside Route 53's API for a plan without a latch: nobody asks it.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl StoreReader for Nothing {
    async fn read(&self, _: &str, _: Item) -> Result<Option<String>, CallError> {
        Err(CallError::NeverSent { call: "GetItem", why: "there is no store".to_owned() })
    }
}

impl StoreWriter for Nothing {
    async fn swap(&self, _: &str, _: Item, _: Option<&str>, _: &str) -> Result<Swap, CallError> {
        Err(CallError::NeverSent { call: "PutItem", why: "there is no store".to_owned() })
    }
}

impl NameServers for Nothing {
    async fn servers(&self, name: &Name) -> Result<Vec<Server>, ServersUnknown> {
        Err(ServersUnknown::NoZone(name.clone()))
    }

    async fn ask(&self, _: &Server, _: &Name, _: &str) -> Result<Vec<String>, NotHeard> {
        Err(NotHeard::Silent)
    }
}

/// The latch now. `asked` is the time before the question: what is found absent was absent then.
pub async fn latch(plan: &Plan, store: &impl StoreReader, asked: Timestamp) -> latch::Reading {
    let Some(plan::Latch { table, .. }) = &plan.latch else { return latch::Reading::NoStore };
    let read = store.read(table, Item::Latch).await;
    let read = read.inspect_err(|error| tracing::warn!(%error, "DR's store cannot be asked for the latch"));
    latch::Reading::of(read.map_err(|error| error.to_string()), asked)
}

/// Changes the latch, if it still is as it was seen.
///
/// # Errors
/// If the store does not say what became of it.
pub async fn swap_latch(
    plan: &Plan,
    store: &impl StoreWriter,
    seen: Option<&Latch>,
    next: &Latch,
) -> Result<Swap, CallError> {
    let Some(plan::Latch { table, .. }) = &plan.latch else {
        return Err(CallError::NeverSent { call: "PutItem", why: "the plan names no store".to_owned() });
    };
    store.swap(table, Item::Latch, seen.map(ToString::to_string).as_deref(), &next.to_string()).await
}

/// Keeps a good look for the day on which Route 53's API does not answer. That it fails keeps nothing from being decided.
pub async fn remember(plan: &Plan, store: &(impl StoreReader + StoreWriter), names: &[NameView], now: Timestamp) {
    let Some(latch) = &plan.latch else { return };
    let table = &latch.table;
    let Ok(known) = store.read(table, Item::Listing).await else { return };
    let listing = Listing::of(names, now);
    let is_told = |text: &String| match &listing {
        Some(listing) => {
            serde_json::from_str(text).is_ok_and(|known| listing.is_told_by(&known, latch.renewed_seconds()))
        }
        None => *text == UNDECIDABLE,
    };
    if known.as_ref().is_some_and(is_told) {
        return;
    }
    // What cannot be remembered takes the place of what was: nobody may decide by a memory that leaves a name out.
    let text = match listing.map(|listing| serde_json::to_string(&listing)) {
        Some(Ok(text)) if text.len() <= LISTING_BYTES_MAX => text,
        Some(_) => {
            tracing::warn!(names = names.len(), "the protected records are too many to be remembered in DR's store");
            TOO_MANY.to_owned()
        }
        None => UNDECIDABLE.to_owned(),
    };
    if known.as_deref() == Some(&text) {
        return;
    }
    match store.swap(table, Item::Listing, known.as_deref(), &text).await {
        Ok(Swap::Done | Swap::Overtaken) => {}
        Err(error) => tracing::warn!(%error, "the records are not remembered in DR's store"),
    }
}

/// The protected names as they were when Route 53's API last answered, with the registers that name servers answer with now.
///
/// # Errors
/// What keeps them from being known, in words.
pub async fn remembered(
    plan: &Plan,
    beside: &(impl StoreReader + NameServers),
    now: impl Fn() -> Timestamp,
) -> Result<Vec<NameView>, String> {
    let listing = listing(plan, beside).await?;
    if !listing.is_good(now()) {
        return Err(format!("DR's listing of the records is of {}, more than a day ago", listing.at()));
    }
    with_registers(beside, &listing.views()).await
}

/// The protected names without a call of Route 53's API: while the listing is as young as the plan wants it, and name servers answer with
/// just the registers that it has, none of them pinned. An account has five requests a second, for all workloads in it and whatever else
/// people run there.
///
/// # Errors
/// Why the records must be listed, in words.
pub async fn quiet(
    plan: &Plan,
    beside: &(impl StoreReader + NameServers),
    now: Timestamp,
) -> Result<Vec<NameView>, String> {
    let age_seconds_max = plan.latch.as_ref().map_or(0, |latch| latch.listing_seconds_max);
    if age_seconds_max == 0 {
        return Err("the plan wants them listed at every look".to_owned());
    }
    let listing = listing(plan, beside).await?;
    if !listing.is_younger(age_seconds_max, now) {
        return Err(format!("DR's listing of the records is of {}", listing.at()));
    }
    let heard = with_registers(beside, &listing.views()).await?;
    if listing.is_quiet(&heard) { Ok(heard) } else { Err("a register has changed, or says pinned".to_owned()) }
}

/// The protected names, of which name servers say that none is pinned: without a call of Route 53's API, and of their records nothing is
/// told that is newer than DR's listing.
///
/// # Errors
/// Why the records must be listed, in words.
pub async fn unpinned(plan: &Plan, beside: &(impl StoreReader + NameServers)) -> Result<Vec<NameView>, String> {
    let views = match &plan.latch {
        Some(_) => listing(plan, beside).await?.views(),
        None => named(plan).ok_or("which names are protected only the zone's listing tells")?,
    };
    // Name servers may never hear of a pin that Route 53 has.
    if !views.iter().all(NameView::is_unpinned) {
        return Err("DR's listing has a register that says pinned".to_owned());
    }
    let heard = with_registers(beside, &views).await?;
    if heard.iter().all(NameView::is_unpinned) {
        Ok(heard)
    } else {
        Err("a register says pinned, or is unreadable".to_owned())
    }
}

/// The protected names, if the plan itself says all of them; nothing is known of their records.
fn named(plan: &Plan) -> Option<Vec<NameView>> {
    let of_zone = |zone: &plan::Zone| match &zone.names {
        Names::Listed(names) => Some(NameView::of_names(&zone.id, names, &[])),
        Names::EveryPair => None,
    };
    Some(plan.zones.iter().map(of_zone).collect::<Option<Vec<_>>>()?.concat())
}

/// The store's listing, if it is of what the plan protects.
async fn listing(plan: &Plan, store: &impl StoreReader) -> Result<Listing, String> {
    let Some(plan::Latch { table, .. }) = &plan.latch else { return Err("the plan names no store".to_owned()) };
    let text = store.read(table, Item::Listing).await.map_err(|error| error.to_string())?;
    let text = text.ok_or("DR's store has no listing of the records yet")?;
    if [UNDECIDABLE, TOO_MANY].contains(&text.as_str()) {
        return Err(format!("DR's store says: {text}"));
    }
    let listing: Listing =
        serde_json::from_str(&text).map_err(|error| format!("DR's listing is unreadable: {error}"))?;
    if listing.is_of(plan) { Ok(listing) } else { Err("DR's listing is of other names than the plan's".to_owned()) }
}

/// Names with the registers that name servers answer with now.
///
/// # Errors
/// Why they are not known, in words.
pub async fn with_registers(dns: &impl NameServers, views: &[NameView]) -> Result<Vec<NameView>, String> {
    let mut names = Vec::new();
    for views in views.chunks(NAMES_AT_ONCE) {
        let each = join_all(views.iter().map(async |view| with_register(dns, view).await)).await;
        names.extend(each.into_iter().collect::<Result<Vec<_>, _>>()?);
    }
    Ok(names)
}

/// All that are heard must say the same, and most must be heard: one that is behind would take a disarmed name for an armed one.
async fn with_register(dns: &impl NameServers, view: &NameView) -> Result<NameView, String> {
    let register = view.name.register();
    let answers = ask_all(dns, &view.name, &register, "TXT").await?;
    let servers = answers.len();
    let heard: Vec<_> = answers.into_iter().filter_map(|(_, heard)| heard.ok()).collect();
    if heard.len() < 2 || heard.len() < servers.min(REGISTER_TOLD_MIN) {
        return Err(format!("{} of {servers} name servers tell the register of {}", heard.len(), view.name));
    }
    match heard.split_first() {
        Some((first, rest)) if first.len() <= 1 && rest.iter().all(|said| said == first) => {
            Ok(view.with_register(first.first().map(String::as_str)))
        }
        _ => Err(format!("name servers differ about the register of {}", view.name)),
    }
}

/// What each server of the zone of `zone_of` answers.
async fn ask_all(
    dns: &impl NameServers,
    zone_of: &Name,
    name: &Name,
    kind: &str,
) -> Result<Vec<(Server, Heard)>, String> {
    let servers = dns.servers(zone_of).await.map_err(|error| error.to_string())?;
    let ask = async |server: Server| {
        let heard = dns.ask(&server, name, kind).await.map_err(|error| error.to_string());
        (server, heard)
    };
    Ok(join_all(servers.into_iter().map(ask)).await)
}

/// Asks one name server for the latch and the switch.
pub async fn marks(pairs: &Pairs, dns: &impl NameServers, server: &Server) -> Marks {
    let heard = async |name: &Name| dns.ask(server, name, "TXT").await.map_err(|error| error.to_string());
    let (latch, again, switch) = tokio::join!(heard(&pairs.latch), heard(&pairs.again), heard(&pairs.switch));
    Marks { server: server.to_string(), latch, again, switch }
}

/// Asks the name servers for the latch, the switch and every protected name.
pub async fn look(shown: &Shown, dns: &impl NameServers, names: &[NameView]) -> Look {
    let pairs = &shown.pairs;
    let servers = dns.servers(&pairs.latch).await.unwrap_or_default();
    let marks = join_all(servers.iter().map(|server| marks(pairs, dns, server))).await;
    if !latch::may_prove(&marks) {
        return Look { marks, names: BTreeMap::new() };
    }
    let homes: Vec<_> = names.iter().flat_map(homes).collect();
    let mut led = BTreeMap::new();
    for some in homes.chunks(NAMES_AT_ONCE) {
        led.extend(join_all(some.iter().map(async |(key, home)| (key.clone(), led_to(dns, key, home).await))).await);
    }
    Look { marks, names: led }
}

/// True if every name server shows the latch open, and the switch at the primary.
pub async fn shows_open(shown: &Shown, dns: &impl NameServers) -> bool {
    let marks = look(shown, dns, &[]).await.marks;
    let says = |heard: &Heard, wanted: &str| heard.as_ref().is_ok_and(|values| *values == [wanted]);
    let is_open =
        |marks: &Marks| says(&marks.latch, "open") && says(&marks.again, "open") && says(&marks.switch, "primary");
    !marks.is_empty() && marks.iter().all(is_open)
}

async fn led_to(dns: &impl NameServers, (name, kind): &(Name, String), home: &Target) -> Led {
    let typed = a_user_types(name);
    let (home, answers) = tokio::join!(home_values(dns, kind, home), ask_all(dns, name, &typed, kind));
    let answers = answers.unwrap_or_default().into_iter().map(|(server, heard)| (server.to_string(), heard)).collect();
    Led { home, answers }
}

/// What a record says, or what its alias leads to: that name's own servers tell.
async fn home_values(dns: &impl NameServers, kind: &str, home: &Target) -> Heard {
    match home {
        Target::Values { values, .. } => Ok(values.clone()),
        Target::Alias { name, .. } => {
            let name: Name = name.parse().map_err(|_| format!("{name} is no name to ask for"))?;
            let answers = ask_all(dns, &name, &name, kind).await?;
            let nobody = answers.is_empty().then(|| "no name server is known".to_owned());
            let (mut values, mut silence) = (Vec::new(), nobody);
            for (_, heard) in answers {
                heard.map_or_else(|why| silence = Some(why), |heard| values.extend(heard));
            }
            // A load balancer with IPv4 alone has no AAAA, if all say so; that some say nothing is no such word.
            silence.filter(|_| values.is_empty()).map_or(Ok(values), Err)
        }
    }
}

/// A wildcard is no name to ask for; any name below it is.
fn a_user_types(name: &Name) -> Name {
    name.to_string().replacen('*', "holdfast-status", 1).parse().unwrap_or_else(|_| name.clone())
}
