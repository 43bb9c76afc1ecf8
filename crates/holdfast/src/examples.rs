//! What the command line's help shows by example. No line is longer than a terminal of 80 columns: help is broken there, and a command that was
//! broken and is pasted loses its options. A longer one goes on below by a backslash.

/// Of the program.
pub const PROGRAM: &str = "\
Examples:
  holdfast status --region eu-central-1      where users are, what an outage
                                             would do now
  holdfast plan --alarm                      what it would write if the alarm
                                             fired now
  holdfast approve                           what waits for you, and asks
  holdfast disarm --for 2h --reason 'CHG-7'  leave it alone for two hours
  holdfast status --check || page-someone    for cron and CI: 0 if an outage
                                             would be failed over

Exit codes: 0 done; 1 refused, with the rule or the reason; 2 wrong usage, or
this machine is not set up; 3 AWS did not do its part; 4 not confirmed.";

pub const INIT: &str = "\
Examples:
  holdfast init --region eu-central-1        asks what it cannot find out
  holdfast init --zone example.com --email a@example.com --dry-run

Another workload, in a folder of its own:
  holdfast init --bus shop --name shop.example.com --out shop";

pub const READINESS: &str = "\
Examples:
  holdfast readiness                         by the plan and the records

Each hour, from cron, with secrets and buckets too:
  holdfast readiness --workload shop.toml || page-someone
  holdfast readiness --workload shop.toml --json |
    jq '.rows[] | select(.verdict != \"ready\")'";

pub const APPROVE: &str = "\
Examples:
  holdfast approve                           what waits for you, and asks
  holdfast approve --despite P09 --reason 'users cannot log in' \\
    holdfast-prolonged-outage-30min@2026-01-05T10:35:10Z";

pub const REJECT: &str = "\
Example, with the incident as the message names it:
  holdfast reject --reason 'the health check was broken' \\
    holdfast-prolonged-outage-30min@2026-01-05T10:35:10Z";

pub const MAINTENANCE: &str = "\
Examples:
  holdfast maintenance begin --for 2h --reason 'CHG-7: new parameters'
  holdfast maintenance begin --for 30m       again: it then ends half an hour
                                             from now";

/// Of the steps of a failback that ask for the databases that take over.
pub const FAILBACK: &str = "\
Example, for a database app-dr in DR that app-2 in eu-west-1, the primary
region, is to take over from:
  holdfast failback check --successor app-dr=eu-west-1/app-2";

pub const SWITCH: &str = "\
Examples:
  holdfast failback switch --successor app-dr=eu-west-1/app-2
                                             says what stands in the way
  holdfast failback switch --successor app-dr=eu-west-1/app-2 \\
    --writes-stopped --loss-acknowledged --position-verified

The primary was rebuilt at another address:
  holdfast failback switch --successor app-dr=eu-west-1/app-2 \\
    --new-target 192.0.2.1=192.0.2.9";

pub const SWITCHOVER: &str = "\
Checks, asks you to stop writes, proves that DR has everything, moves users:
  holdfast switchover --reason 'CHG-7: new racks'

The same from a script that has stopped writes:
  holdfast switchover --reason 'CHG-7' --writes-stopped --yes

It asks the databases as the user in --database-secret, or as
HOLDFAST_DATABASE_USER with HOLDFAST_DATABASE_PASSWORD.";
