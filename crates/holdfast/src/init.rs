//! `holdfast init`: looks at an account, proposes what to protect and how, says what would not work, and writes the files for it. It
//! changes nothing of AWS: nothing here can.

mod choose;
mod costs;
mod databases;
mod dialogue;
mod endpoint;
mod findings;
mod look;
mod names;
mod options;
mod pair;
mod parameters;
mod proposal;
mod samconfig;
mod second;
mod seen;
mod show;
#[cfg(test)]
mod tests;
mod tfvars;
mod write;

use std::io::{self, IsTerminal as _};

use aws::route53::{self, RecordReader as _};
use aws::survey::{self, HostedZone};
use aws::{CallError, Session, zone};
use failover::name::Name;
use failover::observation::NameView;
use failover::plan::{Mode, Names};
use failover::record::{RecordSet, aws_region};
use failover::register::Register;

use crate::failure::Failure;
use crate::readiness;
use crate::terminal::Terminal;
use crate::workload::Source;
use dialogue::Dialogue;
use endpoint::Endpoint;
pub use options::Options;
use proposal::Proposal;
use second::Second;
use seen::{Origin, Seen, Tried, Wishes};

/// Looks, asks what is not known, proposes, and writes.
pub async fn run(source: &Source, terminal: &Terminal, options: &Options) -> Result<(), Failure> {
    let session = Session::load_in(source.region.clone()).await.patient();
    let region = session.config().region().map(ToString::to_string);
    let region = region.ok_or_else(|| Failure::Usage("give the DR region with --region".to_owned()))?;
    let asks = !terminal.json && !terminal.yes && io::stdin().is_terminal();
    let mut proposal = {
        let (mut input, mut output) = (io::stdin().lock(), io::stderr());
        let with: Option<(&mut dyn io::BufRead, &mut dyn io::Write)> =
            if asks { Some((&mut input, &mut output)) } else { None };
        let mut dialogue = Dialogue { with };
        let look = Look { session: &session, region: &region, bus: &source.bus, options };
        Box::pin(look.proposal(&mut dialogue)).await?
    };
    if !terminal.json {
        show::show(terminal, &proposal);
    }
    if !options.dry_run {
        proposal.written = write::write(terminal, options, &proposal)?;
    }
    terminal.result(&proposal);
    Ok(())
}

/// Everything that the looks have in common.
struct Look<'a> {
    session: &'a Session,
    region: &'a str,
    bus: &'a str,
    options: &'a Options,
}

impl Look<'_> {
    async fn proposal(&self, dialogue: &mut Dialogue<'_>) -> Result<Proposal, Failure> {
        let Self { session, region, bus, options } = *self;
        let (zone, second, other_zones) = self.zones(dialogue).await?;
        let options = &Options {
            names: options.names.iter().filter(|name| !second_names(second.as_ref()).contains(name)).cloned().collect(),
            ..options.clone()
        };
        let records = route53::Reader::new(session);
        let sets = records.record_sets(&zone.id, &Names::EveryPair).await?;
        let zone = with_domain(zone, &sets);
        let there = names::of_zone(&sets);
        let names = choose::names(&there, options, dialogue)?;
        let mut around = look::around(session, region, bus, &zone.id).await;
        if let (Some(id), Ok(deployed)) = (&options.health_check, &mut around.deployed) {
            let none = || seen::Deployed { mode: Some(Mode::Shadow), ..seen::Deployed::default() };
            deployed.get_or_insert_with(none).health_check = Some(id.clone());
        }
        let batches = batches(&zone, &sets, &names, &around, options, dialogue)?;
        let after = pair::applied(&sets, &batches);
        let views = NameView::of_names(&zone.id, &names, &after);
        let all: Vec<_> = views.iter().cloned().chain(second.iter().flat_map(Second::views)).collect();
        in_peace(&all)?;
        let primaries: Vec<&RecordSet> =
            pair::primaries(&after, &names).filter(|set| !pair::leads_to_dr(&after, set)).collect();
        let primary = self.primary(&around, &views, &primaries, dialogue)?;
        let primary_databases = match &primary {
            Some((region, _)) => Some(survey::databases(session, region).await),
            None => None,
        };
        let keep_alives = readiness::keep_alives(session, readiness::balancers(&all)).await;
        let endpoint = self.endpoint(&after, &names, &primaries, &around, dialogue)?;
        let theirs = around.deployed.as_ref().ok().and_then(Option::as_ref).map(|stack| &stack.probes);
        let probes = self.probes((&after, &names, &views), endpoint.as_ref(), theirs, dialogue).await?;
        let email = match &options.email {
            Some(said) => Some(email(said).map_err(Failure::Usage)?),
            None => dialogue.ask_for("Whom shall Holdfast tell? An e-mail address", None, email)?,
        };
        let wishes = Wishes { every_pair: names == there.paired, names, bus: bus.to_owned(), email, probes };
        let mut seen = Seen {
            dr_region: region.to_owned(),
            primary,
            zone,
            sets,
            guards: around.guards,
            second,
            other_zones,
            checks: around.checks,
            check_quota: around.check_quota,
            record_quota: around.record_quota,
            dr_databases: around.dr_databases,
            primary_databases,
            replicas: Vec::new(),
            lag_unknown: Vec::new(),
            dr_balancers: around.dr_balancers,
            keep_alives,
            alarms: around.alarms,
            deployed: around.deployed,
            now: records.now(),
        };
        let plan = parameters::plan(&seen, &wishes).map_err(|error| Failure::Usage(error.to_string()))?;
        (seen.replicas, seen.lag_unknown) = look::replicas(session, &plan.replicas, seen.now).await;
        Ok(proposal::propose(&seen, &wishes, &plan, &batches, endpoint.as_ref(), there.left_out))
    }

    /// The zone, the second one, if there is to be one, and those that nobody looks at. Who may not list zones names one by its id.
    async fn zones(
        &self,
        dialogue: &mut Dialogue<'_>,
    ) -> Result<(HostedZone, Option<Second>, Vec<HostedZone>), Failure> {
        let Options { zone: wanted, second_zone, names, .. } = self.options;
        let zones = match survey::hosted_zones(self.session).await {
            Ok(zones) => zones,
            Err(error) => {
                let zone = self.by_id(wanted.as_deref(), error).await?;
                return match second_zone {
                    None => Ok((zone, None, Vec::new())),
                    Some(_) => Err(Failure::Usage("--second-zone needs route53:ListHostedZones".to_owned())),
                };
            }
        };
        let id = |said: &Option<String>| said.as_deref().map(|said| choose::find(&zones, said)).transpose();
        let (first, second) = (id(wanted).map_err(Failure::Usage)?, id(second_zone).map_err(Failure::Usage)?);
        let said = (first.as_ref().map(|zone| zone.id.as_str()), second.as_ref().map(|zone| zone.id.as_str()));
        let named = second::sorted(names, &zones, said)?;
        let first = choose::zone(&zones, named.first.as_deref(), dialogue)?;
        let second = match named.second.filter(|second| *second != first.id) {
            Some(id) => {
                let zone = choose::find(&zones, &id).map_err(Failure::Usage)?;
                Some(second::look(self.session, zone, &named.of_second).await?)
            }
            None => None,
        };
        let is_seen =
            |zone: &HostedZone| zone.id == first.id || second.as_ref().is_some_and(|it| it.zone.id == zone.id);
        let others = zones.iter().filter(|zone| !zone.is_private && !is_seen(zone)).cloned().collect();
        Ok((first, second, others))
    }

    async fn by_id(&self, wanted: Option<&str>, error: CallError) -> Result<HostedZone, Failure> {
        match wanted.filter(|wanted| wanted.starts_with('Z') && !wanted.contains('.')) {
            Some(id) => {
                let is_private = zone::features(self.session, id).await.is_ok_and(|features| features.is_private);
                Ok(HostedZone { id: id.to_owned(), domain: String::new(), is_private })
            }
            None => Err(cannot_list(error)),
        }
    }

    fn primary(
        &self,
        around: &look::Around,
        views: &[NameView],
        primaries: &[&RecordSet],
        dialogue: &mut Dialogue<'_>,
    ) -> Result<Option<(String, String)>, Failure> {
        let in_dr = around.dr_databases.as_deref().unwrap_or_default();
        let said = self.options.primary_region.as_deref().map(region).transpose().map_err(Failure::Usage)?;
        let said = said.as_deref();
        let mut found = choose::primary_region(said, in_dr, views, primaries, self.region);
        if said.is_none() {
            let offered = found.as_ref().map(|(region, _)| region.as_str());
            let answer = dialogue.ask_for("Which is the primary region?", offered, region)?;
            if answer.as_deref() != offered {
                found = answer.map(|region| (region, "as you gave it".to_owned()));
            }
        }
        match &found {
            Some((primary, _)) if primary == self.region => Err(Failure::Usage(format!(
                "{primary} is the DR region itself; give the primary's with --primary-region, or DR's with --region"
            ))),
            _ => Ok(found),
        }
    }

    fn endpoint(
        &self,
        sets: &[RecordSet],
        names: &[Name],
        primaries: &[&RecordSet],
        around: &look::Around,
        dialogue: &mut Dialogue<'_>,
    ) -> Result<Option<Endpoint>, Failure> {
        let of = endpoint::Zone { sets, failing_over: names };
        let read = |text: &str| match endpoint::parse(text) {
            Ok(endpoint) if of.fails_over(&endpoint.host) => {
                Err(format!("{} fails over: after a failover it is DR; give the primary's own name", endpoint.host))
            }
            read => read,
        };
        if let Some(text) = &self.options.endpoint {
            return read(text).map(Some).map_err(Failure::Usage);
        }
        let found = of.endpoint(primaries, around.checks.as_deref().unwrap_or_default());
        let offered = found.as_ref().map(Endpoint::url);
        let answer = dialogue.ask("What tells that the primary is up? Its own URL", offered.as_deref())?;
        match answer {
            Some(text) if Some(&text) != offered.as_ref() => read(&text).map(Some).map_err(Failure::Usage),
            _ => Ok(found),
        }
    }

    async fn probes(
        &self,
        (sets, names, views): (&[RecordSet], &[Name], &[NameView]),
        endpoint: Option<&Endpoint>,
        deployed: Option<&[Option<String>; 2]>,
        dialogue: &mut Dialogue<'_>,
    ) -> Result<[Tried; 2], Failure> {
        let of = endpoint::Zone { sets, failing_over: names };
        let pairs = || views.iter().flat_map(|view| view.pairs.iter().flatten());
        let primary = endpoint.map(|endpoint| endpoint::Place { host: Some(endpoint.host.clone()), address: None });
        let primary = primary.filter(|_| endpoint.is_some_and(|endpoint| endpoint.address.is_none()));
        let dr = pairs().find_map(|pair| of.place(&pair.secondary().target, pair.kind()));
        let mut tried = [Tried::default(), Tried::default()];
        let [theirs_of_primary, theirs_of_dr] = deployed.cloned().unwrap_or_default();
        let sites = [
            ("the primary", &self.options.primary_probe, theirs_of_primary, primary),
            ("DR", &self.options.dr_probe, theirs_of_dr, dr),
        ];
        for ((site, said, theirs, place), slot) in sites.into_iter().zip(&mut tried) {
            let derived = place.zip(endpoint).and_then(|(place, endpoint)| endpoint::probe_url(&place, endpoint));
            // What somebody once chose is not to be lost to what would be guessed anew.
            let offered = theirs.as_ref().or(derived.as_ref());
            let url = match said {
                Some(url) => Some(url.clone()),
                None => dialogue
                    .ask(&format!("By which URL shall Holdfast itself ask {site}?"), offered.map(|url| &**url))?,
            };
            // Whoever was asked and pressed Enter has given what was offered.
            let from = match (said, theirs) {
                (None, Some(theirs)) if url.as_ref() == Some(&theirs) => Origin::Stack,
                _ if said.is_some() || dialogue.is_open() => Origin::Person,
                _ => Origin::Records,
            };
            *slot = look::tried(url, from).await;
        }
        Ok(tried)
    }
}

/// While a name is on DR its records and databases do not say what the workload is in peace: the PRIMARY record leads to DR, and DR's
/// databases are no replicas.
fn in_peace(views: &[NameView]) -> Result<(), Failure> {
    let mut on_dr = views.iter().filter(|view| view.register().and_then(Register::pin).is_some());
    let Some(first) = on_dr.next() else { return Ok(()) };
    let who = match on_dr.count() {
        0 => format!("{} is on DR", first.name),
        more => format!("{} and {more} more names are on DR", first.name),
    };
    Err(Failure::Refused(format!(
        "{who} after a failover: the PRIMARY records and the databases do not say now where the primary is and what replicates it, so \
         nothing was proposed and nothing was written. Fail back first (`holdfast failback check`) and run this again; or change \
         samconfig.toml by hand (docs/deploying.md)"
    )))
}

fn second_names(second: Option<&Second>) -> &[Name] {
    second.map_or(&[], |second| &second.names)
}

fn region(text: &str) -> Result<String, String> {
    match aws_region(&format!("x.{text}.amazonaws.com")) {
        Some(region) if region == text => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is no region; write it as in eu-west-1")),
    }
}

fn email(text: &str) -> Result<String, String> {
    let is_address =
        text.split_once('@').is_some_and(|(who, at)| !who.is_empty() && at.contains('.') && !at.contains('@'));
    if is_address && !text.contains(char::is_whitespace) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no e-mail address"))
    }
}

fn cannot_list(error: CallError) -> Failure {
    match &error {
        CallError::Refused { .. } => {
            Failure::Refused(format!("{error}; allow route53:ListHostedZones, or give the zone's id with --zone"))
        }
        _ => error.into(),
    }
}

/// Where zones could not be listed, the SOA record tells the domain.
fn with_domain(zone: HostedZone, sets: &[RecordSet]) -> HostedZone {
    match names::domain(sets) {
        Some(domain) if zone.domain.is_empty() => HostedZone { domain: domain.to_string(), ..zone },
        _ => zone,
    }
}

fn batches(
    zone: &HostedZone,
    sets: &[RecordSet],
    names: &[Name],
    around: &look::Around,
    options: &Options,
    dialogue: &mut Dialogue<'_>,
) -> Result<Vec<pair::Batch>, Failure> {
    let check = around.deployed.as_ref().ok().and_then(Option::as_ref).and_then(|stack| stack.health_check.as_deref());
    let balancers = around.dr_balancers.as_deref().unwrap_or_default();
    let with = pair::With { zone: &zone.id, sets, balancers, health_check: check.unwrap_or(pair::FILL_IN) };
    let mut batches = Vec::new();
    for name in names.iter().filter(|name| pair::has_simple(sets, name)) {
        let mut targets = choose::targets(name, options, dialogue)?;
        let mut batch = pair::batch(with, name, &targets);
        while dialogue.is_open() && !batch.without_target.is_empty() && !targets.is_empty() {
            let kinds = batch.without_target.join(", ");
            dialogue.say(&format!(
                "that tells no target for the {kinds} record: an address of its kind, or a load balancer of DR's"
            ));
            targets = choose::targets(name, &Options::default(), dialogue)?;
            batch = pair::batch(with, name, &targets);
        }
        batches.push(batch);
    }
    Ok(batches)
}
