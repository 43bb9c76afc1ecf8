//! The article's story.

use super::parts::PLAIN;
use crate::check;
use crate::databases::Databases;
use crate::scenario::Scenario;
use crate::stage::Layout;

/// As examples/warm-standby deploys it: one stack, the switch, one Aurora cluster, the application's own health page; but for the settle time,
/// all as the templates have it.
pub(super) const THE_ARTICLE: Scenario = Scenario {
    name: "the-article",
    about: "MariaDB: the warm standby's own application, orders and assets, out by itself after thirty minutes and home by command",
    layout: Layout {
        responder: &[("SettleSeconds", "120"), ("DnsMoves", "by-holdfast"), ("RdsInstances", "")],
        detector: &[("EndpointPath", "/health")],
        one_stack: true,
        databases: Databases::Mariadb,
        has_shop: true,
        ..PLAIN
    },
    play: |play| Box::pin(play.the_article()),
    checks: &[&[
        check::SITE_DOWN_MAILED,
        check::OPERATORS_TOLD,
        check::THIRTY_MINUTES,
        check::MOVED_BY_PIN,
        check::PIN_BEFORE_PROMOTION,
        check::MOVED_OUT_AND_HOME,
        check::STAYED_UNTIL_CALLED_HOME,
        check::LOST_ORDERS_LISTED,
        check::LOSS_NEAR_OUTAGES,
        check::ASSETS_ALIKE,
        check::ASSETS_OF_OWN_REGION,
        check::KEPT_CONNECTIONS_END,
        check::RECORDS_RESTORED,
        check::USERS_CAME_HOME,
        check::USERS_ON_PRIMARY,
    ]],
};
