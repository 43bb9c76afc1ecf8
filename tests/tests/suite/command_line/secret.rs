//! The user for the databases in a secret: where it is read, and what is said of one that gives none.

use drill::stage::DR;
use lab::secretsmanager::arn_in;

use super::*;

/// As the example policy for operators names it.
const SECRET: &str = "holdfast/database";
const PASSWORD: &str = "hunter2";

async fn after(stage: &Stage, arn: &str) -> Output {
    run(stage, &["after", "--database-without-tls", "--database-secret", arn]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_gives_no_user_is_told_by_what_it_lacks_and_its_value_is_never_shown() {
    let stage = stage(&WITHOUT_DATABASES).await;
    let arn = arn_in(DR, SECRET);
    let whole = format!(r#"{{"username": "holdfast", "password": "{PASSWORD}"}}"#);
    let nameless = format!(r#"{{"password": "{PASSWORD}"}}"#);
    let with_value = |value: &str| {
        let value = Some(value.to_owned());
        stage.lab.secretsmanager.change(DR, SECRET, |secret| secret.value = value);
    };
    let told = async |code: i32, words: &[&str]| {
        let output = after(&stage, &arn).await;
        let (said, failed) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{said}{failed}");
        contains_all(&failed, words);
        assert!(!said.contains(PASSWORD) && !failed.contains(PASSWORD), "{said}{failed}");
    };
    told(2, &["--database-secret arn:aws:secretsmanager:eu-central-1:", "no such secret in eu-central-1"]).await;
    with_value(PASSWORD);
    told(2, &["it is no JSON object"]).await;
    with_value(&nameless);
    told(2, &["no text named \"username\"", "Nothing was changed"]).await;
    with_value(&whole);
    told(0, &[]).await;
    stage.lab.secretsmanager.change(DR, SECRET, |secret| secret.deleted = Some(stage.lab.clock.now()));
    told(2, &["it is being deleted"]).await;
    let is_read = |site: &Site<'_>| site.action == "GetSecretValue";
    stage
        .lab
        .faults
        .set_call_fault(CallFault::when(is_read, CallEffect::Refuse(lab::wire::Refusal::unavailable("no"))));
    told(3, &["eu-central-1 did not give it", "HOLDFAST_DATABASE_USER"]).await;
    stage.lab.faults.clear_call_faults();

    // Of another region it is asked there; of what the policy does not name it may not be read.
    let before = stage.lab.journal.entries().len();
    let elsewhere = after(&stage, &arn_in(PRIMARY, SECRET)).await;
    assert_eq!(elsewhere.status.code(), Some(3), "{}", stderr(&elsewhere));
    contains_all(&stderr(&elsewhere), &["you may not read it", "secretsmanager:GetSecretValue", "ReadDatabaseUser"]);
    let entries = stage.lab.journal.entries().into_iter().skip(before);
    let asked: Vec<_> = entries
        .filter_map(|entry| match &entry.what {
            What::Call { action, region, .. } if action == "GetSecretValue" => Some(region.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [PRIMARY]);
    contains_all(&stderr(&after(&stage, SECRET).await), &["write the secret's whole ARN"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_failover_waits_for_a_replicas_position_and_who_gives_no_credentials_is_told_how() {
    let missing = arn_in(DR, SECRET);
    let with_missing = ["--database-secret", &missing, "--database-without-tls"];
    for (more, why) in [(&[][..], "give --database-secret ARN"), (&with_missing[..], "no such secret")] {
        let stage = stage(&drill::scenario::QUICK).await;
        text(&stage, &["arm"]).await;
        stage.minutes(3).await;
        let failover = ["failover", "--reason", "game day", "--despite", "P08,P09"];
        let output = stage.holdfast(&[&failover[..], more].concat(), true).await.expect("holdfast starts");
        assert!(output.status.success(), "{}", stderr(&output));
        contains_all(&stdout(&output), &["before a promotion is not known", why, "pinned to DR"]);
    }
}
