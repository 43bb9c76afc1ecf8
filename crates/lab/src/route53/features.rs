//! What a hosted zone has besides records: its tier, its guardrails, accelerated recovery.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::guardrails::{Guardrail, Guardrails};
use super::wire::{ok, read};
use super::{Outcome, Refusal};
use crate::Lab;
use crate::api::Call;

/// For how long a zone is prepared, and then locked, when accelerated recovery is turned on or off: "up to hours, minutes
/// of rejected changes" (Developer Guide, "accelerated-recovery"). The lab takes ten minutes, and five.
const PREPARED: SignedDuration = SignedDuration::from_mins(10);
const LOCKED: SignedDuration = SignedDuration::from_mins(5);

/// A zone's tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Tier {
    /// "The default tier for new hosted zones."
    #[default]
    Standard,
    /// "A tier that includes Change History and offers more optional features."
    Advanced,
}

/// How far accelerated recovery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names say it all")]
pub enum AcceleratedRecovery {
    Enabling,
    EnablingHostedZoneLocked,
    Enabled,
    Disabling,
    DisablingHostedZoneLocked,
    Disabled,
}

impl AcceleratedRecovery {
    /// True while the zone takes no changes.
    pub const fn is_locked(self) -> bool {
        matches!(self, Self::EnablingHostedZoneLocked | Self::DisablingHostedZoneLocked)
    }
}

/// A zone's features.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// Its tier, and since when.
    pub tier: Tier,
    history_since: Option<Timestamp>,
    on: BTreeMap<Guardrail, bool>,
    /// What was asked for, and when.
    recovery: Option<(bool, Timestamp)>,
    /// What it is held at, whatever was asked for.
    held: Option<AcceleratedRecovery>,
}

impl Features {
    /// How far accelerated recovery is.
    pub fn recovery(&self, now: Timestamp) -> AcceleratedRecovery {
        use AcceleratedRecovery::{Disabled, Disabling, DisablingHostedZoneLocked};
        use AcceleratedRecovery::{Enabled, Enabling, EnablingHostedZoneLocked};
        if let Some(held) = self.held {
            return held;
        }
        let Some((wanted, since)) = self.recovery else { return Disabled };
        let steps = if wanted {
            [Enabling, EnablingHostedZoneLocked, Enabled]
        } else {
            [Disabling, DisablingHostedZoneLocked, Disabled]
        };
        match now.duration_since(since) {
            passed if passed < PREPARED => steps[0],
            passed if passed < PREPARED + LOCKED => steps[1],
            _ => steps[2],
        }
    }

    /// Holds accelerated recovery at a status, or lets it go on.
    pub fn hold(&mut self, status: Option<AcceleratedRecovery>) {
        self.held = status;
    }

    /// Which guardrails are on.
    pub fn is_on(&self, guardrail: Guardrail) -> bool {
        guardrail.is_always_on() || self.on.get(&guardrail) == Some(&true)
    }

    /// What the lab looks at in a batch.
    pub(super) fn guardrails(&self, are_strict: bool) -> Guardrails {
        Guardrails {
            alias_targets: self.is_on(Guardrail::AliasTargetCheck),
            active_records: self.is_on(Guardrail::ActiveRecordCheck),
            are_strict,
        }
    }

    /// Moves the zone to a tier.
    pub(super) fn set_tier(&mut self, now: Timestamp, tier: Tier) -> Result<(), Refusal> {
        // "Before you move a hosted zone to a tier that doesn't offer an optional feature that you turned on, turn off that
        // feature."
        if tier == Tier::Standard && Guardrail::ALL.iter().any(|one| one.is_advanced() && self.is_on(*one)) {
            return Err(Refusal::InvalidInput("The tier STANDARD lacks a guardrail that is turned on.".to_owned()));
        }
        if tier != self.tier {
            self.history_since = (tier == Tier::Advanced).then_some(now);
        }
        self.tier = tier;
        Ok(())
    }

    /// Turns a guardrail on or off.
    pub(super) fn set_guardrail(&mut self, guardrail: Guardrail, is_on: bool) -> Result<(), Refusal> {
        // "You can turn on an optional guardrail only if the tier of the hosted zone offers it. You can't turn off a
        // guardrail that the tier includes … In either case, Route 53 returns an InvalidInput error."
        if guardrail.is_always_on() && !is_on {
            return Err(Refusal::InvalidInput(format!("The guardrail {guardrail:?} cannot be turned off.")));
        }
        if guardrail.is_advanced() && is_on && self.tier != Tier::Advanced {
            return Err(Refusal::InvalidInput(format!("The zone's tier does not offer the guardrail {guardrail:?}.")));
        }
        if is_on && matches!(guardrail, Guardrail::NsOcclusionCheck | Guardrail::ActiveDelegationCheck) {
            return Err(Refusal::NotImplemented(format!("the guardrail {guardrail:?}")));
        }
        self.on.insert(guardrail, is_on);
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireGuardrail {
    name: Guardrail,
    status: Status,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Enabled,
    Disabled,
}

impl From<bool> for Status {
    fn from(is_on: bool) -> Self {
        if is_on { Self::Enabled } else { Self::Disabled }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireGuardrails {
    #[serde(rename = "ChangeGuardrail", default)]
    items: Vec<WireGuardrail>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeHistory {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_starts_at: Option<String>,
}

/// `HostedZoneFeatures`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireFeatures {
    accelerated_recovery_status: AcceleratedRecovery,
    change_history: ChangeHistory,
    change_guardrails: WireGuardrails,
}

impl WireFeatures {
    pub(super) fn new(features: &Features, now: Timestamp) -> Self {
        let items = Guardrail::ALL.map(|name| WireGuardrail { name, status: features.is_on(name).into() }).into();
        let retention_starts_at = features.history_since.map(|since| format!("{since:.3}"));
        Self {
            accelerated_recovery_status: features.recovery(now),
            change_history: ChangeHistory { status: retention_starts_at.is_some().into(), retention_starts_at },
            change_guardrails: WireGuardrails { items },
        }
    }
}

#[derive(Serialize)]
struct Empty {}

/// Puts changed features in force, unless it was a dry run: "Route 53 returns the same errors as for a real request, but
/// doesn't change the hosted zone."
fn put(
    lab: &Lab,
    zone: &str,
    is_dry: bool,
    change: impl FnOnce(&mut Features) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut state = lab.route53.state();
    let zone = state.zone_mut(zone)?;
    let mut features = zone.features.clone();
    change(&mut features)?;
    if !is_dry {
        zone.features = features;
    }
    Ok(())
}

pub(super) fn update(lab: &Lab, call: &Call, zone: &str) -> Outcome {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Request {
        #[serde(rename = "@xmlns", default)]
        _xmlns: IgnoredAny,
        enable_accelerated_recovery: Option<bool>,
        change_guardrails: Option<WireGuardrails>,
        #[serde(default)]
        dry_run: bool,
    }
    let (request, now): (Request, _) = (read(&call.body)?, lab.clock.now());
    put(lab, zone, request.dry_run, |features| {
        for guardrail in request.change_guardrails.into_iter().flat_map(|guardrails| guardrails.items) {
            features.set_guardrail(guardrail.name, guardrail.status == Status::Enabled)?;
        }
        let wanted = features.recovery.is_some_and(|(wanted, _)| wanted);
        if let Some(new) = request.enable_accelerated_recovery.filter(|new| *new != wanted) {
            features.recovery = Some((new, now));
        }
        Ok(())
    })?;
    ok("UpdateHostedZoneFeaturesResponse", Empty {})
}

pub(super) fn update_tier(lab: &Lab, call: &Call, zone: &str) -> Outcome {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Request {
        #[serde(rename = "@xmlns", default)]
        _xmlns: IgnoredAny,
        hosted_zone_tier: Tier,
        #[serde(default)]
        dry_run: bool,
    }
    let (request, now): (Request, _) = (read(&call.body)?, lab.clock.now());
    put(lab, zone, request.dry_run, |features| features.set_tier(now, request.hosted_zone_tier))?;
    ok("UpdateHostedZoneTierResponse", Empty {})
}
