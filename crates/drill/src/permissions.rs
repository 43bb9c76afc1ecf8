//! What each role grants, and what was made use of: from the lab's record of who asked for what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lab::Lab;
use lab::iam::{Grant, Granted, Policy, Principal};

use crate::stage::{APPROVER, OPERATOR};

/// Every principal's grants, each with the first scenario that used it.
#[derive(Clone, Debug, Default)]
pub struct Permissions(BTreeMap<String, Role>);

#[derive(Clone, Debug, Default)]
struct Role {
    /// By grant; nothing if it was not used.
    grants: BTreeMap<Grant, Option<&'static str>>,
    /// By statement.
    conditions: BTreeMap<String, Vec<String>>,
    /// What was asked for and refused, in words.
    denied: BTreeSet<String>,
}

/// What may be granted and not used in any drill, by statement and action.
const MAY_BE_SPARE: [(&str, &str); 8] = [
    // AWS's own policy, which SAM gives to every function. The template creates the groups beforehand, and denies all others.
    ("AWSLambdaBasicExecutionRole", "logs:CreateLogGroup"),
    // `holdfast fence now`, which tests/tests/suite/command_line.rs runs under this policy.
    ("FenceNow", "rds:RebootDBInstance"),
    // `--database-secret`, which only drills on real servers need: tests/tests/suite/databases/switchover.rs plays one under this policy.
    ("ReadDatabaseUser", "secretsmanager:GetSecretValue"),
    // `holdfast init`, which tests/tests/suite/command_line/init.rs runs under this policy.
    ("LookAround", "route53:ListHostedZones"),
    ("LookAround", "route53:ListHealthChecks"),
    ("LookAround", "route53:GetAccountLimit"),
    ("ReadRecords", "route53:GetHostedZoneLimit"),
    // Where no quota was applied, which tests/tests/suite/command_line/readiness.rs plays for `holdfast readiness`.
    ("LookAtQuotas", "servicequotas:GetAWSDefaultServiceQuota"),
];

/// What people ask for that they may not have. `approve` looks first, so as to refuse what would change nothing; who may only approve is
/// told that this could not be seen.
const MAY_BE_REFUSED: [&str; 3] = ["route53:ListResourceRecordSets", "cloudwatch:DescribeAlarms", "dynamodb:GetItem"];

/// The lab's RDS uses keys in nobody's name, so it cannot tell whether this is used.
const KEYS: &str = "UseKeysOfRebuiltDatabases";

/// Their resources are of several kinds, and each of their actions is for one: on the others it grants nothing. The ARNs of `ReadGlobals` are
/// made of both halves of GLOBAL/CLUSTER, and those of `TakeSteps` are whatever steps there are.
const OF_SEVERAL_KINDS: [&str; 2] = ["ReadGlobals", "TakeSteps"];

/// Why a function needs what a statement grants.
const WHY: [(&str, &str); 40] = [
    ("AWSLambdaBasicExecutionRole", "its log; `NoOtherLogs` denies every group but its own"),
    ("OnSuccess", "what it returns is its event"),
    ("OnFailure", "an invocation that failed for good is told and kept"),
    ("ReadRecords", "registers and failover records are read before every decision"),
    ("FollowChanges", "whether the pin is at every name server; a change's id is not known before, and it only reads"),
    ("PinFirstZone", "the pin, its register, arming; without UPSERT nothing is overwritten unseen"),
    ("PinSecondZone", "the same in the second zone"),
    ("EnableFailoverCheck", "the end of a maintenance"),
    ("CommitFailover", "the latch and the listing, each by a conditional write; nothing may be deleted"),
    ("ReadStore", "the latch, and the listing"),
    ("KeepLatch", "how far a failover has come that the latch stands in for"),
    ("LiftLatch", "a failback, or a person, lifts the latch"),
    ("ReadAlarms", "the alarm's own state; AWS tells composite alarms only to who may ask for `*`"),
    ("WriteFirstRegisters", "in sync, failed over: the registers alone"),
    ("WriteSecondRegisters", "the same in the second zone"),
    ("PromoteClusters", "promotion, and what the cluster is before and after"),
    ("PromoteInstances", "promotion"),
    ("ReadGlobals", "which cluster of the global database is the primary, and what is done to it"),
    ("FailOverGlobals", "promotion; which of the clusters a failover is checked against is not documented"),
    (
        "ReadInstances",
        "the state of instances; a cluster's members are found by a filter, which AWS checks against `db:*`",
    ),
    ("ReadLag", "how far behind the replica is; metrics have no ARNs"),
    ("FenceClusters", "the old cluster's groups, and what they were, in tags"),
    ("RebootMembers", "cuts the connections that are open; a writer is whichever member it is now"),
    ("FenceInstances", "the same for the old instance"),
    ("ReadLatch", "whether a failover is committed, and the listing where Route 53 does not answer"),
    ("ReadGroups", "what the groups of steps are before and after; AWS knows no narrower right to ask"),
    ("TakeSteps", "what Prepare and After say, of exactly what StepResources names, and what it was before, in tags"),
    ("Tell", "the messages"),
    ("LookAtClusters", "the replica, and whatever it replicates in the primary region; it only reads"),
    ("LookAtInstances", "the same, and a cluster's members, by a filter; it only reads"),
    ("LookAtClusterParameters", "what people set, in both regions"),
    ("LookAtParameters", "the same for instances"),
    ("LookAtKeys", "whether the key of DR's storage can be used; nothing is decrypted"),
    ("LookAtEntrances", "load balancers, targets, groups, metrics; AWS knows no narrower right to ask"),
    ("LookAtQuotas", "how many instances the account may run in DR; AWS knows no narrower right to ask"),
    ("LookAtCertificates", "for which names DR's certificates are, and until when"),
    ("LookAtSecrets", "whether the secret is in DR, and in sync; its value is never read"),
    (
        "LookAtNames",
        "which parameters there are, in both regions, of which type, and since when; AWS knows no narrower right to ask, and no value is read",
    ),
    ("LookAtPipelines", "which revision each region's pipeline deployed last"),
    ("1", "takes the alarm's event to the bus in the DR region"),
];

impl Permissions {
    /// What the lab's principals were granted and used in a scenario.
    #[must_use]
    pub fn gather(lab: &Lab, scenario: &'static str) -> Self {
        let role = |known: &Principal| {
            let (policy, asked): (&Policy, _) = (&known.policy, &known.asked);
            let used: BTreeSet<Grant> = asked.iter().flat_map(|request| policy.used_by(request)).collect();
            let grants = policy.grants().into_iter().map(|grant| {
                let seen = used.contains(&grant).then_some(scenario);
                (grant, seen)
            });
            let grants: BTreeMap<_, _> = grants.collect();
            let statements: BTreeSet<&String> = grants.keys().map(|grant| &grant.statement).collect();
            let conditions = statements.into_iter().map(|name| (name.clone(), policy.conditions(name))).collect();
            let told = known.denied.iter().map(|request| format!("{} on {}", request.action, request.resource));
            Role { grants, conditions, denied: told.collect() }
        };
        Self(lab.iam.everyone().iter().map(|(name, known)| (name.clone(), role(known))).collect())
    }

    /// All of it together; the first to use a grant is named.
    #[must_use]
    pub fn of_all<'a>(each: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for (name, role) in each.into_iter().flat_map(|one| &one.0) {
            let known = all.0.entry(name.clone()).or_default();
            for (grant, seen) in &role.grants {
                let first = known.grants.entry(grant.clone()).or_default();
                *first = first.or(*seen);
            }
            known.denied.extend(role.denied.iter().cloned());
            for (statement, conditions) in &role.conditions {
                known.conditions.entry(statement.clone()).or_insert_with(|| conditions.clone());
            }
        }
        all
    }

    /// What was asked for and not granted, in words.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let missing = |(name, role): (&String, &Role)| -> Vec<String> {
            let may_be = |denied: &str| name == APPROVER && MAY_BE_REFUSED.iter().any(|it| denied.starts_with(it));
            let denied = role.denied.iter().filter(|denied| !may_be(denied));
            denied.map(|denied| format!("{name}: {denied}")).collect()
        };
        self.0.iter().flat_map(missing).collect()
    }

    /// What was granted and never used, in words, but for what may be.
    #[must_use]
    pub fn spare(&self) -> Vec<String> {
        let mut spare = Vec::new();
        for (name, role) in &self.0 {
            // People's examples name each action and each database once, and not each with each.
            let is_example = [OPERATOR, APPROVER].contains(&name.as_str());
            let unused = role.grants.iter().filter(|(grant, seen)| seen.is_none() && grant.statement != KEYS);
            for (grant, _) in unused {
                let what = match &grant.what {
                    Granted::Action { action, .. } if may_be_spare(grant, action) => continue,
                    Granted::Action { action, resource }
                        if (is_example || OF_SEVERAL_KINDS.contains(&grant.statement.as_str()))
                            && role.uses(|it| it.acts(action))
                            && role.uses(|it| it.touches(resource)) =>
                    {
                        continue;
                    }
                    Granted::Action { action, resource } => format!("{action} on {resource}"),
                    // A role says what types and actions there are for each zone; not each zone has each.
                    value @ Granted::Value { .. } if role.uses(|used| used == value) => continue,
                    Granted::Value { key, value } => format!("{key} {value}"),
                };
                spare.push(format!("{name}, {}: {what}", grant.statement));
            }
        }
        spare
    }

    /// The tables, in Markdown: who may do what, on what, on which conditions and why.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (name, role) in self.0.iter().filter(|(name, _)| ![OPERATOR, APPROVER].contains(&name.as_str())) {
            // Writing to a String cannot fail.
            let _ = write!(text, "### {name}\n\n| action | on | if | why |\n|---|---|---|---|\n");
            role.rows().into_iter().for_each(|row| text.push_str(&row));
            text.push('\n');
        }
        text
    }
}

impl Role {
    /// True if a grant like that was used.
    fn uses(&self, is_it: impl Fn(&Granted) -> bool) -> bool {
        self.grants.iter().any(|(grant, seen)| seen.is_some() && is_it(&grant.what))
    }

    /// A row a statement and action.
    fn rows(&self) -> Vec<String> {
        let mut rows: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for grant in self.grants.keys() {
            if let Granted::Action { action, resource } = &grant.what {
                rows.entry((grant.statement.as_str(), action.as_str())).or_default().push(format!("`{resource}`"));
            }
        }
        let told = |((statement, action), resources): ((&str, &str), Vec<String>)| {
            let why = WHY.iter().find(|(known, _)| *known == statement).map_or("?", |(_, why)| why);
            let conditions = self.conditions.get(statement).map(|all| all.join("; ")).unwrap_or_default();
            let cells = [&format!("`{action}`"), &resources.join(" "), &conditions.replace('|', "\\|"), why];
            format!("| {} |\n", cells.join(" | "))
        };
        rows.into_iter().map(told).collect()
    }
}

fn may_be_spare(grant: &Grant, action: &str) -> bool {
    MAY_BE_SPARE.contains(&(grant.statement.as_str(), action))
}
