//! Stories that only real servers can play.

use super::article::THE_ARTICLE;
use super::parts::{FENCING, HOLDS, LOSS, ON_MARIADB, PINNED_AND_PROMOTED, SETTLES_SOON, TOLD};
use crate::check;
use crate::scenario::Scenario;
use crate::scenario::servers::HEARTBEATS;
use crate::stage::Layout;

/// Every scenario that needs real servers, and gets them; `--all` does without, since a machine may not have any.
pub const ON_SERVERS: &[Scenario] = &[
    Scenario {
        name: "slow-link",
        about: "MariaDB: 100 kB/s of writes over a link of 25 kB/s, and the primary goes down: the lag said 0, minutes are lost",
        layout: ON_MARIADB,
        play: |play| Box::pin(play.slow_link()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, TOLD, &[check::SLOW_LINK_UNSEEN]],
    },
    Scenario {
        name: "slow-link-heartbeat",
        about: "MariaDB: the same, with a heartbeat: it tells what the link still held, and Holdfast asks before it loses that",
        layout: Layout { responder: &[SETTLES_SOON, HEARTBEATS], ..ON_MARIADB },
        play: |play| Box::pin(play.slow_link_with_heartbeat()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            TOLD,
            &[check::ASKED, check::PROMOTED_AFTER_APPROVAL, check::LOSS_TOLD_TRULY],
        ],
    },
    Scenario {
        name: "fetched-not-applied",
        about: "MariaDB: a backup locks the replica's table, and the primary goes down: what had arrived is lost by the promotion",
        layout: ON_MARIADB,
        play: |play| Box::pin(play.fetched_not_applied()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, TOLD, &[check::FETCHED_LOST]],
    },
    Scenario {
        name: "silent-cut",
        about: "MariaDB: the link dies without a word, and then the primary does: the lag said 0 to the end",
        layout: ON_MARIADB,
        play: |play| Box::pin(play.silent_cut()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, TOLD, &[check::SILENCE_UNSEEN]],
    },
    Scenario {
        name: "long-transaction",
        about: "MariaDB: the primary goes down while half of a transaction is on its way: nothing of it is in DR, and nothing breaks",
        layout: ON_MARIADB,
        play: |play| Box::pin(play.long_transaction()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, TOLD, &[check::TRANSACTION_LOST_WHOLE]],
    },
    Scenario {
        name: "stragglers-pool",
        about: "MariaDB: a program holds a pool of connections to the old primary's database: what it writes after the promotion is lost",
        layout: ON_MARIADB,
        play: |play| Box::pin(play.pool_of_connections()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::POOL_COUNTED]],
    },
    Scenario {
        name: "stragglers-pool-fenced",
        about: "MariaDB: the same with a fence: the closed group leaves the pool its connections, the reboot takes them, none is let in again",
        layout: Layout { responder: FENCING, ..ON_MARIADB },
        play: |play| Box::pin(play.pool_of_connections()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::FENCED_ONCE, check::POOL_CUT_OFF]],
    },
    Scenario {
        name: "failback-slow-link",
        about: "MariaDB: home over a link of 2 kB/s that holds hours of writes: by position, which waits for them, nothing is lost",
        layout: ON_MARIADB,
        play: |play| Box::pin(play.failback_over_slow_link()),
        checks: &[&[check::LINK_HOME_UNSEEN, check::NOTHING_LOST_ON_THE_WAY_HOME, check::USERS_ON_PRIMARY]],
    },
    Scenario {
        name: "failback-by-lag",
        about: "MariaDB: the same, and somebody vouches for positions that nobody compared: the lag was 0, and what the link held is lost",
        layout: ON_MARIADB,
        play: |play| Box::pin(play.failback_by_lag()),
        checks: &[&[check::LINK_HOME_UNSEEN, check::LOST_ON_THE_WAY_HOME, check::USERS_ON_PRIMARY]],
    },
    Scenario {
        name: "switchover",
        about: "MariaDB: a planned move to DR: refused while users write; once they have stopped and DR has everything, nothing is lost",
        layout: ON_MARIADB,
        play: |play| Box::pin(play.switchover()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            &[check::NOTHING_LOST, check::WRITES_BACK_SOON, check::REFUSED_WHILE_WRITTEN, check::MOVE_TOLD],
        ],
    },
    THE_ARTICLE,
];
