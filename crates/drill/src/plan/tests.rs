use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const FILE: &str = r#"
samconfig = "sam/samconfig.toml"
environment = "one-stack"
[budget]
rto_minutes_max = 45
rpo_seconds_max = 60
"#;

const SAMCONFIG: &str = r#"
version = 0.1
[one-stack.deploy.parameters]
parameter_overrides = [
  "Detection=dr-region", "DnsMoves=by-holdfast", "HostedZoneId=Z1", "DomainName=example.com",
  "RecordNames=www.example.com,*.example.com", "EndpointDomain=primary.example.com", "OutageMinutes=5",
  "AuroraClusters=shop-dr", "RdsInstances=a-dr,b-dr", "OperatorEmail=oncall@example.com",
]
[text.deploy.parameters]
parameter_overrides = "Detection=dr-region HostedZoneId=Z1 DomainName=example.com RecordNames=ALL EndpointDomain=p.example.com AuroraClusters=a"
[responder.deploy.parameters]
parameter_overrides = "HostedZoneId=Z1 RecordNames=a.b.example.com,c.b.example.com SecondHostedZoneId=Z2 SecondRecordNames=example.org RdsInstances=a-dr"
[detector.deploy.parameters]
parameter_overrides = ["EndpointDomain=primary.example.com ResponderRegion=eu-west-3", "OutageMinutes=7"]
[open.deploy.parameters]
parameter_overrides = ["HostedZoneId=FILL IN"]
"#;

/// A folder of a plan and a samconfig that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn of(plan: &str, samconfig: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("holdfast-plan-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(unique);
        fs::create_dir_all(folder.join("sam")).unwrap();
        fs::write(folder.join("drill.toml"), plan).unwrap();
        fs::write(folder.join("sam/samconfig.toml"), samconfig).unwrap();
        Self(folder)
    }

    fn read(&self) -> Result<Plan, PlanError> {
        Plan::read(&self.0.join("drill.toml"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left over in the folder of temporary files hurts nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn edited(text: &str, (old, new): (&str, &str)) -> String {
    assert!(text.contains(old), "{old}");
    text.replacen(old, new, 1)
}

#[test]
fn a_plan_of_one_stack_is_read_with_its_defaults() {
    let plan = Folder::of(FILE, SAMCONFIG).read().unwrap();
    let names = ["www.example.com", "*.example.com"].map(str::to_owned).to_vec();
    assert_eq!(plan.zones, [Zone { domain: "example.com".to_owned(), names }]);
    let database = |id: &str, kind| Database { id: id.to_owned(), source: format!("{id}-source"), kind };
    assert_eq!(
        plan.databases,
        [database("shop-dr", Kind::Cluster), database("a-dr", Kind::Instance), database("b-dr", Kind::Instance)]
    );
    assert_eq!(plan.facts.record_ttl_seconds, 60);
    assert_eq!(
        (plan.facts.replica_lag_seconds, plan.facts.promotion_minutes, plan.facts.approval_minutes),
        (5, None, None)
    );
    assert_eq!(plan.budget, Budget { rto_minutes_max: 45, rpo_seconds_max: 60 });
    assert!(plan.is_on_switch() && plan.detector.is_none());
    assert_eq!((plan.loss_seconds_max(), plan.waits_minutes()), (60, 8));
    let own = ["HostedZoneId", "ReferenceUrl", "EndpointDomain", "EndpointPort", "EndpointType", "EndpointPath"];
    assert_eq!(plan.own_of_responder(), own);
    let kept = plan.summary().lines().into_iter().find(|(what, _)| *what == "as you have them").unwrap().1;
    assert!(kept.contains("RdsInstances=a-dr,b-dr") && !kept.contains("HostedZoneId"), "{kept}");
}

#[test]
fn a_plan_of_two_stacks_is_read() {
    let file = edited(FILE, ("\"one-stack\"", "\"responder\"\ndetector_environment = \"detector\""));
    let plan = Folder::of(&file, SAMCONFIG).read().unwrap();
    assert_eq!(plan.environments, ["responder", "detector"]);
    let domains: Vec<_> = plan.zones.iter().map(|zone| zone.domain.as_str()).collect();
    assert_eq!(domains, ["b.example.com", "example.org"]);
    assert_eq!(plan.own_of_responder(), ["HostedZoneId", "SecondHostedZoneId", "OperatorEmail"]);
    let own = ["ResponderRegion", "EndpointDomain", "EndpointPort", "EndpointType", "EndpointPath", "OperatorEmail"];
    assert_eq!(plan.own_of_detector(), own);
    assert_eq!(plan.waits_minutes(), 7 + 3);
}

#[test]
fn facts_and_names_of_all_are_taken() {
    let facts = "[facts]\nrecord_names = [\"WWW.example.com.\"]\nreplica_lag_seconds = 90\napproval_minutes = 10\n";
    let file = edited(FILE, ("one-stack", "text")) + facts;
    let plan = Folder::of(&file, SAMCONFIG).read().unwrap();
    assert_eq!(plan.zones[0].names, ["www.example.com"]);
    assert_eq!((plan.loss_seconds_max(), plan.waits_minutes()), (90, 30 + 3 + 20));
    assert_eq!(plan.responder["RecordNames"], "ALL");
}

#[test]
fn what_cannot_be_played_is_refused_by_file_field_and_remedy() {
    for (edit, said) in [
        (("rto_minutes_max = 45", ""), ["drill.toml: budget.rto_minutes_max is not set", "cannot fail"]),
        (("rpo_seconds_max = 60", ""), ["drill.toml: budget.rpo_seconds_max is not set", "set it"]),
        (("[budget]\nrto_minutes_max = 45\nrpo_seconds_max = 60", ""), ["budget.rto_minutes_max is not set", "set it"]),
        (("= 45", "= 0"), ["budget.rto_minutes_max is 0", "from 1 to 2880"]),
        (("= 45", "= \"long\""), ["drill.toml:", "docs/drills.md lists the keys"]),
        (("= 45", "= 4.5"), ["drill.toml:", "docs/drills.md lists the keys"]),
        (("[budget]", "colour = 1\n[budget]"), ["colour", "docs/drills.md lists the keys"]),
        (("[budget]", "[budget]\nrto = 1"), ["unknown field `rto`", "rto_minutes_max"]),
        (("[budget]", "[facts]\npromotion_minutes = 0\n[budget]"), ["facts.promotion_minutes is 0", "from 1 to 1440"]),
        (("samconfig = \"sam/samconfig.toml\"", ""), ["missing field `samconfig`", "docs/drills.md lists the keys"]),
        (("[budget]", "[budget"), ["drill.toml:", "docs/drills.md lists the keys"]),
        (("sam/samconfig.toml", "absent.toml"), ["absent.toml:", "relative to the plan"]),
        (("one-stack", "two-stack"), ["samconfig.toml: [two-stack] is not there", "one-stack, open, responder, text"]),
        (("\"one-stack\"", "\"responder\""), ["detector_environment is not set", "of the second stack"]),
        (("[budget]", "detector_environment = \"detector\"\n[budget]"), ["detector_environment is set", "take it out"]),
        (("one-stack", "text"), ["facts.record_names is not set, and RecordNames is ALL", "list the names"]),
        (
            ("[budget]", "[facts]\nrecord_names = [\"a.example.com\"]\n[budget]"),
            ["facts.record_names is set", "take it out"],
        ),
        (
            ("one-stack", "open"),
            ["[open.deploy.parameters] parameter_overrides: HostedZoneId still says FILL IN", "holdfast init"],
        ),
    ] {
        let error = Folder::of(&edited(FILE, edit), SAMCONFIG).read().unwrap_err().to_string();
        assert!(said.iter().all(|said| error.contains(said)), "{edit:?}: {error}");
    }
    let absent = Plan::read(Path::new("/nowhere/drill.toml")).unwrap_err().to_string();
    assert!(absent.contains("/nowhere/drill.toml:") && absent.contains("examples/ci/drill.toml"), "{absent}");
}

#[test]
fn parameters_that_cannot_be_played_are_refused_by_their_name() {
    for (edit, said) in [
        (("\"OutageMinutes=5\"", "\"OutageMinutes=0\""), ["OutageMinutes", "outside its MinValue 1"]),
        (("\"OutageMinutes=5\"", "\"OutageMinutes=soon\""), ["OutageMinutes", "not a number"]),
        (
            ("\"OutageMinutes=5\"", "\"OutageMinute=5\""),
            ["OutageMinute: the template has no such", "docs/deploying.md lists the parameters"],
        ),
        (("\"OutageMinutes=5\"", "\"OutageMinutes 5\""), ["which is not NAME=VALUE", "write A=b"]),
        (("\"OutageMinutes=5\"", "\"HostedZoneId=Z2\""), ["HostedZoneId is given twice", "give it once"]),
        (("\"OutageMinutes=5\"", "5"), ["neither a text nor a list", "samconfig.toml"]),
        (("\"OutageMinutes=5\"", "\"Mode=shadow\""), ["Mode is shadow", "Mode=approval or automatic"]),
        (("\"OutageMinutes=5\"", "\"Mode=approval\""), ["Mode is approval", "facts.approval_minutes"]),
        (("\"OutageMinutes=5\"", "\"Mode=manual\""), ["Mode", "automatic, approval, shadow"]),
        (("\"OutageMinutes=5\"", "\"SecondHostedZoneId=Z2\""), ["SecondRecordNames", "both or neither"]),
        (("\"OutageMinutes=5\"", "\"FenceAuroraClusters=a,b\""), ["FenceAuroraClusters", "names more databases"]),
        (("\"OutageMinutes=5\"", "\"DrHealthyAlarmName=dr-healthy\""), ["DrHealthyAlarmName names", "leave it out"]),
        (("HostedZoneId=Z1", "HostedZoneId=z1"), ["HostedZoneId", "must be a hosted zone id such as"]),
        (("\"HostedZoneId=Z1\",", ""), ["HostedZoneId", "it has no value"]),
        (("\"DomainName=example.com\",", ""), ["Detection=dr-region needs DomainName", "docs/deploying.md"]),
        (
            ("RecordNames=www.example.com", "RecordNames=www.example.net"),
            ["www.example.net, which is not in example.com", "correct the name"],
        ),
        (("RecordNames=www.example.com", "RecordNames=*.example.com"), ["has *.example.com twice", "list it once"]),
        (
            ("\"AuroraClusters=shop-dr\", \"RdsInstances=a-dr,b-dr\",", ""),
            ["AuroraClusters is empty", "name a replica"],
        ),
        (
            ("parameter_overrides = [", "overrides = ["),
            ["[one-stack.deploy.parameters] parameter_overrides is not set", "sam deploys with them"],
        ),
        (("version = 0.1", "version = "), ["samconfig.toml:", "name a samconfig in TOML"]),
    ] {
        let error = Folder::of(FILE, &edited(SAMCONFIG, edit)).read().unwrap_err().to_string();
        let says_where = error.contains("samconfig.toml: ");
        assert!(says_where && said.iter().all(|said| error.contains(said)), "{edit:?}: {error}");
    }
}

#[test]
fn the_shipped_samconfig_is_still_to_be_filled_in_and_the_example_can_be_played() {
    let shipped = include_str!("../../../../samconfig.toml");
    let error = Folder::of(FILE, shipped).read().unwrap_err().to_string();
    assert!(error.contains("HostedZoneId still says FILL IN"), "{error}");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/ci/drill.toml");
    let written = fs::read_to_string(&example).unwrap();
    assert!(written.contains("samconfig = \"samconfig.toml\""), "{written}");
    let filled = edited(SAMCONFIG, ("[text", "[other"));
    let written = written.replace("samconfig.toml\"", "sam/samconfig.toml\"");
    Folder::of(&written, &filled).read().unwrap();
}
