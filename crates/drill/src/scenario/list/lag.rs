//! Stories of a lag that lies.

use super::parts::{HOLDS, PINNED_AND_PROMOTED, QUICK, SETTLES_SOON, TOLD};
use crate::check;
use crate::scenario::Scenario;
use crate::scenario::servers::HEARTBEATS;
use crate::stage::Layout;

/// 0 while writes are on their way.
pub(super) const LAG_OF_SLOW_LINK: Scenario = Scenario {
    name: "lag-slow-link",
    about: "five minutes of writes are always on their way and the lag says nothing of it: the heartbeat does, and Holdfast asks",
    layout: Layout { responder: &[SETTLES_SOON, HEARTBEATS], ..QUICK },
    play: |play| Box::pin(play.slow_link_of_lying_lag()),
    checks: &[
        PINNED_AND_PROMOTED,
        HOLDS,
        TOLD,
        &[check::ASKED, check::PROMOTED_AFTER_APPROVAL, check::NO_FALSE_MOMENT],
    ],
};

/// 0 for a minute after a silent cut.
pub(super) const LAG_OF_SILENT_LINK: Scenario = Scenario {
    name: "lag-silent-link",
    about: "the link falls silent fifty seconds before the primary goes down, and the lag says 0: no moment is named that it lacks writes of",
    layout: QUICK,
    play: |play| Box::pin(play.silent_link_of_lying_lag()),
    checks: &[PINNED_AND_PROMOTED, HOLDS, TOLD, &[check::NO_FALSE_MOMENT]],
};

/// Counting up, and never −1.
pub(super) const LAG_OF_CUT_TRANSACTION: Scenario = Scenario {
    name: "lag-cut-transaction",
    about: "the link is cut inside a transaction ten minutes before the outage: the lag counts up for ever, and Holdfast asks",
    layout: QUICK,
    play: |play| Box::pin(play.cut_transaction_of_lying_lag()),
    checks: &[
        PINNED_AND_PROMOTED,
        HOLDS,
        TOLD,
        &[check::ASKED, check::PROMOTED_AFTER_APPROVAL, check::NO_FALSE_MOMENT],
    ],
};
