//! The story of a DR that could not carry users.

use super::super::Scenario;
use super::parts::*;
use crate::check;
use crate::stage::Layout;
use crate::stage::unready::READINESS;

pub(super) const UNREADY: Scenario = Scenario {
    name: "unready",
    about: "in peace a replica's backups are switched off and a secret is not copied any more: a page that names both, and news of the end",
    layout: Layout { responder: READINESS, ..PLAIN },
    play: |play| Box::pin(play.unready()),
    checks: &[
        &[check::NOTHING_TOUCHED, check::STILL_ARMED],
        &[check::UNREADY_PAGED, check::READY_TOLD, check::SILENCE_WHILE_READY],
    ],
};
