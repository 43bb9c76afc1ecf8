//! What the command line's help shows by example.

/// Of the program.
pub const PROGRAM: &str = "\
Examples:
  holdfast status --region eu-central-1      where users are, and what an outage would do now
  holdfast plan --alarm                      what it would write if the alarm fired now
  holdfast approve                           what waits for you, and asks
  holdfast disarm --for 2h --reason 'CHG-7'  leave it alone for two hours
  holdfast status --check || page-someone    for cron and CI: 0 if an outage would be failed over

Exit codes: 0 done; 1 refused, with the rule or the reason; 2 wrong usage, or this machine is not set up;
3 AWS did not do its part; 4 not confirmed.";

pub const INIT: &str = "\
Examples:
  holdfast init --region eu-central-1                      asks what it cannot find out
  holdfast init --zone example.com --email a@example.com --dry-run
  holdfast init --bus shop --name shop.example.com --out shop    another workload, in a folder of its own";

pub const READINESS: &str = "\
Examples:
  holdfast readiness                                       what follows from the plan and the records
  holdfast readiness --workload shop.toml || page-someone  each hour, from cron: secrets and buckets too
  holdfast readiness --workload shop.toml --json | jq '.rows[] | select(.verdict != \"ready\")'";

pub const APPROVE: &str = "\
Examples:
  holdfast approve                                         what waits for you, and asks
  holdfast approve holdfast-prolonged-outage-30min@2026-01-05T10:35:10Z --despite P09 --reason 'users cannot log in'";

pub const REJECT: &str = "\
Example, with the incident as the message names it:
  holdfast reject holdfast-prolonged-outage-30min@2026-01-05T10:35:10Z --reason 'the health check was broken'";

pub const MAINTENANCE: &str = "\
Examples:
  holdfast maintenance begin --for 2h --reason 'CHG-7: new database parameters'
  holdfast maintenance begin --for 30m                     again: it then ends half an hour from now";

pub const SWITCH: &str = "\
Examples:
  holdfast failback switch                                 says what stands in the way
  holdfast failback switch --writes-stopped --loss-acknowledged --position-verified
  holdfast failback switch … --new-target 192.0.2.1=192.0.2.9      the primary was rebuilt at another address";

pub const SWITCHOVER: &str = "\
Examples:
  holdfast switchover --reason 'CHG-7: new racks'                 checks, asks you to stop writes, proves it, moves users
  holdfast switchover --reason 'CHG-7' --writes-stopped --yes     the same from a script that has stopped them

It asks the databases as the user in --database-secret, or as HOLDFAST_DATABASE_USER with
HOLDFAST_DATABASE_PASSWORD.";
