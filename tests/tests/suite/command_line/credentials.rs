//! The ways in which people log in, and what is said to those who are not logged in.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// The access key of the lab's owner: it checks no signatures, and goes by the key alone.
const OWNER: &str = "owner";
const SSO_SESSION: &str = "staff";
const LOGIN_SESSION: &str = "arn:aws:iam::123456789012:user/kim";
const ROLE: &str = "arn:aws:iam::123456789012:role/on-call";
const NEVER: &str = "2999-01-01T00:00:00Z";

/// A profile of each kind, by the files that AWS's own command line leaves behind when somebody has logged in.
fn home(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let config = format!(
        "[profile process]\ncredential_process = cat {home}/process.json\n\
         [profile sso]\nsso_session = {SSO_SESSION}\nsso_account_id = 123456789012\nsso_role_name = on-call\n\
         [sso-session {SSO_SESSION}]\nsso_region = eu-central-1\nsso_start_url = https://example.awsapps.com/start\n\
         [profile login]\nlogin_session = {LOGIN_SESSION}\n\
         [profile role]\nrole_arn = {ROLE}\nsource_profile = process\nrole_session_name = kim\n\
         [profile broken]\ncredential_process = false\n\
         [profile orphan]\nrole_arn = {ROLE}\nsource_profile = gone\nregion = eu-central-1\n\
         [profile expired]\nsso_session = nobody\nsso_account_id = 123456789012\nsso_role_name = on-call\n\
         [sso-session nobody]\nsso_region = eu-central-1\nsso_start_url = https://example.awsapps.com/start\n",
        home = path.display()
    );
    let keys = serde_json::json!({"Version": 1, "AccessKeyId": OWNER, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": NEVER});
    let token = serde_json::json!({"accessToken": "token", "expiresAt": NEVER, "region": "eu-central-1"});
    let login = serde_json::json!({
        "accessToken": {
            "accessKeyId": OWNER, "secretAccessKey": "s", "sessionToken": "t", "accountId": "123456789012", "expiresAt": NEVER,
        },
        "tokenType": "aws_sigv4", "refreshToken": "r", "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "unused",
    });
    // The names are the SHA-1 of the session's name, and the SHA-256 of the login's ARN.
    let sso = ".aws/sso/cache/6ccb4b7c39a6e77f76ecfa935a855c6c46ad5611.json";
    let signin = ".aws/login/cache/5eac23c3ea68e3e98073a267164421d21c59b8690ad6ed6f2e6bb534b6c11dcb.json";
    for (file, text) in [
        (".aws/config", config),
        ("process.json", keys.to_string()),
        (sso, token.to_string()),
        (signin, login.to_string()),
    ] {
        let file = path.join(file);
        std::fs::create_dir_all(file.parent().expect("it has one")).expect("it can be made");
        std::fs::write(file, text).expect("it can be written");
    }
    path
}

/// The portal of IAM Identity Center: gives the role's credentials to whoever has the token.
fn portal() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut asked = [0; 4096];
            let read = stream.read(&mut asked).expect("a request");
            let asked = String::from_utf8_lossy(&asked[..read]).to_lowercase();
            let is_asked =
                asked.starts_with("get /federation/credentials") && asked.contains("x-amz-sso_bearer_token: token");
            let keys = serde_json::json!({"roleCredentials": {
                "accessKeyId": OWNER, "secretAccessKey": "s", "sessionToken": "t", "expiration": 32_472_144_000_000_u64,
            }});
            let (status, body) =
                if is_asked { ("200 OK", keys.to_string()) } else { ("401 Unauthorized", "{}".to_owned()) };
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", body.len());
            write!(stream, "{head}connection: close\r\n\r\n{body}").expect("an answer");
        }
    });
    format!("http://{address}")
}

async fn status_with(stage: &Stage, home: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(stage.binaries.join("holdfast"));
    command
        .args(["status", "--bus", "elsewhere"])
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("AWS_ENDPOINT_URL", stage.lab.endpoint_url()).env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().expect("holdfast starts")).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_logging_in_serves_the_command_line() {
    let stage = stage(&WITHOUT_DATABASES).await;
    let place = home("logins");
    let portal = portal();
    for (profile, role) in [("process", None), ("sso", None), ("login", None), ("role", Some(ROLE))] {
        let variables = [("AWS_PROFILE", profile), ("AWS_REGION", "eu-central-1"), ("AWS_ENDPOINT_URL_SSO", &*portal)];
        let before = stage.lab.journal.entries().len();
        let output = status_with(&stage, &place, &variables).await;
        let entries = stage.lab.journal.entries().into_iter().skip(before);
        let asked: Vec<_> = entries
            .filter_map(|entry| match &entry.what {
                What::Call { caller, role, action, .. } if action == "GetFunctionConfiguration" => {
                    Some((caller.clone(), role.clone()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(asked, [(OWNER.to_owned(), role.map(str::to_owned))], "{profile}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_logged_in_is_told_what_is_missing_and_what_to_run() {
    let stage = stage(&WITHOUT_DATABASES).await;
    let place = home("no-logins");
    let region = ("AWS_REGION", "eu-central-1");
    let keys = [("AWS_ACCESS_KEY_ID", OWNER), ("AWS_SECRET_ACCESS_KEY", "s")];
    for (variables, said) in [
        (vec![region], &["no AWS credentials were found for profile default", "aws sso login"][..]),
        (keys.to_vec(), &["no region is set", "--region", "AWS_REGION"]),
        (vec![region, ("AWS_PROFILE", "nosuch")], &["there is no profile nosuch", "process", "AWS_PROFILE"]),
        (vec![("AWS_PROFILE", "nosuch")], &["there is no profile nosuch"]),
        (
            vec![("AWS_PROFILE", "orphan")],
            &["profile orphan takes its credentials from profile gone", "source_profile"],
        ),
        (
            vec![region, ("AWS_PROFILE", "broken")],
            &["profile broken gives no AWS credentials", "Try what the profile runs: false"],
        ),
        (
            vec![region, ("AWS_PROFILE", "expired")],
            &["profile expired gives no AWS credentials", "aws sso login --profile expired"],
        ),
    ] {
        let output = status_with(&stage, &place, &variables).await;
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{variables:?}: {told}");
        contains_all(&told, said);
        assert_eq!(told.lines().count(), 1, "{told}");
        for noise in ["an error", "already taken", ".."] {
            assert!(!told.contains(noise), "{told}");
        }
    }
    // A plan that a lab left behind is said to be where the plan is from.
    let left_over = [region, keys[0], keys[1], ("HOLDFAST_PLAN", "{}")];
    let told = stderr(&status_with(&stage, &place, &left_over).await);
    contains_all(
        &told,
        &["plan from HOLDFAST_PLAN, and not from the deployed functions", "HOLDFAST_PLAN is not a plan"],
    );
    let unreachable = [region, keys[0], keys[1], ("AWS_ENDPOINT_URL", "http://nowhere.invalid")];
    let began = std::time::Instant::now();
    let output = status_with(&stage, &place, &unreachable).await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    contains_all(
        &stderr(&output),
        &["GetFunctionConfiguration was not answered", "Nothing was changed", "http://nowhere.invalid", "eu-central-1"],
    );
    contains_all(&stderr(&output), &["finds no address for that name"]);
    assert_eq!(output.status.code(), Some(3));
}

/// Whatever is asked, it answers so.
fn in_between(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            assert!(stream.read(&mut [0; 4096]).expect("a request") > 0, "a request");
            stream.write_all(answer.as_bytes()).expect("an answer");
        }
    });
    address.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_between_this_machine_and_aws_is_told_with_its_remedy() {
    let stage = stage(&WITHOUT_DATABASES).await;
    let place = home("in-between");
    let own = [("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", OWNER), ("AWS_SECRET_ACCESS_KEY", "s")];
    let page = "HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\ncontent-length: 14\r\nconnection: close\r\n\r\n<p>Blocked</p>";
    let blocked = format!("http://{}", in_between(page));
    let proxy =
        format!("http://{}", in_between("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"));
    let refused = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port that nobody has");
    let refused = format!("http://{refused}");
    for (variables, said) in [
        (vec![("AWS_ENDPOINT_URL", &*blocked)], "What answered is not AWS but a proxy or a firewall"),
        (
            vec![("AWS_ENDPOINT_URL", "https://nobody.invalid"), ("HTTPS_PROXY", &*proxy)],
            "What answered is not AWS but a proxy",
        ),
        (vec![("AWS_ENDPOINT_URL", &*refused)], "Something turns the connection away"),
    ] {
        let output = status_with(&stage, &place, &[&own[..], &variables].concat()).await;
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{variables:?}: {told}");
        contains_all(&told, &[said, "Nothing was changed", "HTTPS_PROXY"]);
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}
