//! A user for the databases, as Secrets Manager keeps it.

use std::fmt;
use std::str::FromStr;

use failover::plan::arn_region;
use serde_json::Value;

use crate::error::CallError;
use crate::session::Session;

/// The ARN of a secret, which names the region that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretArn(String);

/// What is no ARN of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write the secret's whole ARN, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME: it says in which region the secret is"
)]
pub struct NoSecretArn;

impl FromStr for SecretArn {
    type Err = NoSecretArn;

    fn from_str(text: &str) -> Result<Self, NoSecretArn> {
        let parts: Vec<_> = text.splitn(7, ':').collect();
        match parts.as_slice() {
            ["arn", partition, "secretsmanager", region, account, "secret", name]
                if [partition, region, account, name].iter().all(|part| !part.is_empty()) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NoSecretArn),
        }
    }
}

impl SecretArn {
    fn region(&self) -> &str {
        arn_region(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for SecretArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who asks databases. It has no `Debug`, so that nothing can print the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUser {
    /// Name.
    pub name: String,
    /// Password.
    pub password: String,
}

/// Why a secret gives no user. No variant holds any of its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nobody has made it, or somebody deleted it.
    #[error(
        "there is no such secret in {region}, which the ARN names, or it has no value, or it is being deleted ({said}). See `aws \
         secretsmanager list-secrets --region {region}`; a copy that Secrets Manager keeps in another region has that region in its ARN"
    )]
    Missing {
        /// The region.
        region: String,
        /// Secrets Manager's words.
        said: String,
    },
    /// Whoever runs this may not read it.
    #[error(
        "you may not read it ({said}): your policy must allow secretsmanager:GetSecretValue on that ARN (ReadDatabaseUser in \
         docs/policies/operator.json) and, if it is encrypted with a key of your own, kms:Decrypt on that key"
    )]
    Denied {
        /// Secrets Manager's words.
        said: String,
    },
    /// It is bytes.
    #[error("it has no text (SecretString), only bytes: store JSON with username and password")]
    NotText,
    /// Another text than JSON.
    #[error("it is no JSON object, which begins with a brace: store {{\"username\": …, \"password\": …}}, as RDS does")]
    NotJson,
    /// JSON without what is needed.
    #[error("its JSON has no text named {field:?}: store username and password, as RDS does")]
    NoField {
        /// The field.
        field: &'static str,
    },
    /// The region did not answer.
    #[error(
        "{region} did not give it: {error}. If that region is down, name the copy that Secrets Manager keeps in another; or set \
         HOLDFAST_DATABASE_USER and HOLDFAST_DATABASE_PASSWORD instead"
    )]
    Unanswered {
        /// The region.
        region: String,
        /// The call.
        error: CallError,
    },
}

impl Unreadable {
    fn of(error: CallError, region: &str) -> Self {
        match &error {
            CallError::Refused { code, .. } => match code.as_str() {
                "ResourceNotFoundException" | "InvalidRequestException" => {
                    Self::Missing { region: region.to_owned(), said: error.words() }
                }
                // The first two are one refusal, by the protocol it comes in.
                "AccessDenied" | "AccessDeniedException" | "DecryptionFailure" => Self::Denied { said: error.words() },
                _ => Self::Unanswered { region: region.to_owned(), error },
            },
            _ => Self::Unanswered { region: region.to_owned(), error },
        }
    }
}

/// Reads a secret in its own region.
///
/// # Errors
/// If it is not there, or gives no user.
pub async fn database_user(session: &Session, secret: &SecretArn) -> Result<DatabaseUser, Unreadable> {
    let region = secret.region();
    let session = session.in_region(region);
    let config = aws_sdk_secretsmanager::config::Builder::from(session.config()).retry_partition(session.retries());
    let client = aws_sdk_secretsmanager::Client::from_conf(config.build());
    let read = client.get_secret_value().secret_id(&secret.0).send().await;
    let read = read.map_err(|error| Unreadable::of(CallError::of("GetSecretValue", error), region))?;
    user_in(read.secret_string().ok_or(Unreadable::NotText)?)
}

/// RDS's own form has `engine`, `host`, `port` and `dbname` as well; where a database is RDS says itself.
fn user_in(text: &str) -> Result<DatabaseUser, Unreadable> {
    // The parser's own words may quote the value.
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else { return Err(Unreadable::NotJson) };
    let field = |field| {
        let value = fields.get(field).and_then(Value::as_str);
        value.map(str::to_owned).ok_or(Unreadable::NoField { field })
    };
    let user = DatabaseUser { name: field("username")?, password: field("password")? };
    if user.name.is_empty() { Err(Unreadable::NoField { field: "username" }) } else { Ok(user) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-0d6f-Ab12Cd";

    #[test]
    fn a_secret_is_named_by_its_whole_arn_which_says_its_region() {
        assert_eq!(ARN.parse::<SecretArn>().unwrap().region(), "eu-central-1");
        for no_arn in [
            "shop/database",
            "",
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
            "arn:aws:secretsmanager::123456789012:secret:shop",
            "arn:aws:rds:eu-central-1:123456789012:db:shop",
            "arn:aws:kms:eu-central-1:123456789012:key:shop:x",
        ] {
            assert_eq!(no_arn.parse::<SecretArn>(), Err(NoSecretArn), "{no_arn}");
        }
    }

    #[test]
    fn username_and_password_are_read_from_rds_own_form_and_from_the_bare_one() {
        for text in [
            r#"{"username": "kim", "password": "p:w"}"#,
            r#"{"engine":"mysql","host":"app.example","username":"kim","password":"p:w","dbname":"app","port":3306}"#,
        ] {
            let user = user_in(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!((user.name.as_str(), user.password.as_str()), ("kim", "p:w"));
        }
    }

    #[test]
    fn what_gives_no_user_is_told_by_its_field_and_never_shown() {
        let no = |field| Unreadable::NoField { field };
        for (text, why) in [
            ("hunter2", Unreadable::NotJson),
            (r#""hunter2""#, Unreadable::NotJson),
            (r#"["hunter2"]"#, Unreadable::NotJson),
            (r#"{"password": "hunter2"}"#, no("username")),
            (r#"{"username": "", "password": "hunter2"}"#, no("username")),
            (r#"{"username": "kim", "Password": "hunter2"}"#, no("password")),
            (r#"{"username": "kim", "password": ["hunter2"]}"#, no("password")),
        ] {
            let said = user_in(text).err();
            assert_eq!(said, Some(why), "{text}");
            assert!(!said.unwrap().to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_refusal_says_what_is_missing_and_silence_names_the_copy_elsewhere() {
        let said = |code: &str| {
            let error = CallError::Refused { call: "GetSecretValue", code: code.to_owned(), message: "no".to_owned() };
            Unreadable::of(error, "eu-west-1").to_string()
        };
        assert!(said("ResourceNotFoundException").contains("no such secret in eu-west-1"));
        assert!(said("InvalidRequestException").contains("being deleted"));
        for denied in ["AccessDenied", "AccessDeniedException", "DecryptionFailure"] {
            let said = said(denied);
            assert!(said.contains("secretsmanager:GetSecretValue") && said.contains("kms:Decrypt"), "{said}");
        }
        assert!(said("InternalServiceError").contains("the copy that Secrets Manager keeps in another"));
        let silence = CallError::Unanswered { call: "GetSecretValue", why: "no answer".to_owned() };
        assert!(Unreadable::of(silence, "eu-west-1").to_string().contains("If that region is down"));
    }
}
