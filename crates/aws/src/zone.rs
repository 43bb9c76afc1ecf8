//! What a hosted zone does to whoever changes it: protections, guardrails, accelerated recovery.
//!
//! The SDK knows some of these calls and fields not yet. They are asked for by a call that it has, sent to another path: so
//! credentials, signature, region, rate and retries are those of every other call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde::Deserialize;

use crate::error::CallError;
use crate::route53;
use crate::session::Session;

/// More pages than Route 53 can have: 300 protections each, and 10,000 record sets a zone.
const PAGES_MAX: usize = 50;

/// While it exists, Route 53 refuses every change of this name and type, whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Protection {
    /// The name, as Route 53 writes it.
    pub record_name: String,
    /// The type.
    pub record_type: String,
    /// Why, in the words of whoever made it.
    #[serde(default)]
    pub comment: String,
}

/// What is switched on in a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Its domain, as Route 53 writes it.
    pub domain: String,
    /// Whether it is a private zone.
    pub is_private: bool,
    /// `ENABLED`, `DISABLED`, `ENABLING_HOSTED_ZONE_LOCKED` …; none if Route 53 does not say.
    pub accelerated_recovery: Option<String>,
    /// Guardrails, by name, and the status of each.
    pub guardrails: BTreeMap<String, String>,
}

/// Every protection of a zone.
///
/// # Errors
/// If Route 53 does not say.
pub async fn protections(session: &Session, zone: &str) -> Result<Vec<Protection>, CallError> {
    const CALL: &str = "ListResourceRecordSetProtections";
    let mut found = Vec::new();
    let mut token = String::new();
    for _ in 0..PAGES_MAX {
        let answer = get(session, CALL, &format!("/2013-04-01/hostedzone/{zone}/rrsetprotection{token}")).await?;
        let page: ProtectionPage = parse(CALL, &answer)?;
        found.extend(page.protections.map(|list| list.items).unwrap_or_default());
        match page.next_token.filter(|next| !next.is_empty()) {
            Some(next) => token = format!("?nexttoken={}", escaped(&next)),
            None => return Ok(found),
        }
    }
    Err(CallError::Unknown { call: CALL, why: format!("the listing has no end after {PAGES_MAX} pages") })
}

/// What is switched on in a zone.
///
/// # Errors
/// If Route 53 does not say.
pub async fn features(session: &Session, zone: &str) -> Result<Features, CallError> {
    const CALL: &str = "GetHostedZone";
    let answer = get(session, CALL, &format!("/2013-04-01/hostedzone/{zone}")).await?;
    Ok(parse::<ZoneAnswer>(CALL, &answer)?.hosted_zone.into())
}

#[derive(Debug, Deserialize)]
struct ProtectionPage {
    #[serde(rename = "ResourceRecordSetProtections")]
    protections: Option<ProtectionList>,
    #[serde(rename = "NextToken")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ProtectionList {
    #[serde(rename = "ResourceRecordSetProtection", default)]
    items: Vec<Protection>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneAnswer {
    hosted_zone: ZoneElement,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneElement {
    #[serde(default)]
    name: String,
    config: Option<ConfigElement>,
    features: Option<FeaturesElement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConfigElement {
    private_zone: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FeaturesElement {
    accelerated_recovery_status: Option<String>,
    change_guardrails: Option<Guardrails>,
}

/// The model calls it a list of `{Name, Status}`; what the list's members are called it does not say, so any name will do.
#[derive(Debug, Deserialize)]
struct Guardrails {
    #[serde(rename = "$value", default)]
    items: Vec<Guardrail>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Guardrail {
    name: String,
    status: String,
}

impl From<ZoneElement> for Features {
    fn from(ZoneElement { name, config, features }: ZoneElement) -> Self {
        let (accelerated_recovery, guardrails) = match features {
            Some(features) => (features.accelerated_recovery_status, features.change_guardrails),
            None => (None, None),
        };
        let guardrails = guardrails.map(|list| list.items).unwrap_or_default();
        Self {
            domain: name,
            is_private: config.and_then(|config| config.private_zone).unwrap_or_default(),
            accelerated_recovery,
            guardrails: guardrails.into_iter().map(|guardrail| (guardrail.name, guardrail.status)).collect(),
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(call: &'static str, answer: &'a str) -> Result<T, CallError> {
    quick_xml::de::from_str(answer)
        .map_err(|error| CallError::Unknown { call, why: format!("the answer cannot be read: {error}") })
}

/// What may not stand in a query as it is.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The answer of a signed GET to Route 53.
async fn get(session: &Session, call: &'static str, path: &str) -> Result<String, CallError> {
    let heard = Listener::default();
    let to = path.to_owned();
    let sent = route53::client(session, session.zone_config())
        // Of the calls that ask for nothing, the one with the least in its answer.
        .get_checker_ip_ranges()
        .customize()
        .mutate_request(move |request| redirect(request, &to))
        .interceptor(heard.clone())
        .send()
        .await;
    let heard = heard.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (heard, sent) {
        (Some(answer), _) => Ok(answer),
        (None, Err(error)) => Err(CallError::of(call, error)),
        (None, Ok(_)) => Err(CallError::Unknown { call, why: "the answer is no text".to_owned() }),
    }
}

fn redirect(request: &mut HttpRequest, path: &str) {
    let uri = request.uri();
    let host = uri.find("://").and_then(|at| uri[at + 3..].find('/').map(|slash| at + 3 + slash)).unwrap_or(uri.len());
    let uri = format!("{}{path}", &uri[..host]);
    // What is no URI stays where it was, and is answered by what is not expected.
    let _ = request.set_uri(uri);
}

/// Keeps a good answer for us. The SDK cannot read it, and says so, since it waits for another.
#[derive(Clone, Debug, Default)]
struct Listener(Arc<Mutex<Option<String>>>);

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "Listener"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if response.status().is_success() {
            let text = response.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text.map(str::to_owned);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protections_are_read_as_aws_writes_them() {
        let answer = "<ListResourceRecordSetProtectionsResponse><ResourceRecordSetProtections><ResourceRecordSetProtection>\
            <RecordName>www.example.com.</RecordName><RecordType>A</RecordType><Comment>ask ops</Comment></ResourceRecordSetProtection>\
            <ResourceRecordSetProtection><RecordName>example.com.</RecordName><RecordType>TXT</RecordType></ResourceRecordSetProtection>\
            </ResourceRecordSetProtections><NextToken>t</NextToken></ListResourceRecordSetProtectionsResponse>";
        let page: ProtectionPage = parse("x", answer).unwrap();
        let items = page.protections.unwrap().items;
        let first = &items[0];
        assert_eq!((&*first.record_name, &*first.record_type, &*first.comment), ("www.example.com.", "A", "ask ops"));
        assert_eq!((items.len(), items[1].comment.as_str(), page.next_token.as_deref()), (2, "", Some("t")));
        let none = "<ListResourceRecordSetProtectionsResponse><ResourceRecordSetProtections/></ListResourceRecordSetProtectionsResponse>";
        assert!(parse::<ProtectionPage>("x", none).unwrap().protections.unwrap().items.is_empty());
    }

    #[test]
    fn a_zones_features_are_read_and_what_is_not_said_is_not_known() {
        let answer = "<GetHostedZoneResponse><HostedZone><Id>/hostedzone/Z1</Id><Config><PrivateZone>false</PrivateZone></Config><Features>\
            <AcceleratedRecoveryStatus>ENABLED</AcceleratedRecoveryStatus><ChangeGuardrails><ChangeGuardrail><Name>ALIAS_TARGET_CHECK</Name>\
            <Status>ENABLED</Status></ChangeGuardrail><ChangeGuardrail><Name>ACTIVE_RECORD_CHECK</Name><Status>DISABLED</Status>\
            </ChangeGuardrail></ChangeGuardrails></Features></HostedZone><DelegationSet/></GetHostedZoneResponse>";
        let features = Features::from(parse::<ZoneAnswer>("x", answer).unwrap().hosted_zone);
        assert_eq!(features.accelerated_recovery.as_deref(), Some("ENABLED"));
        assert_eq!(features.guardrails["ALIAS_TARGET_CHECK"], "ENABLED");
        assert_eq!(features.guardrails.len(), 2);
        let old = "<GetHostedZoneResponse><HostedZone><Id>Z</Id></HostedZone></GetHostedZoneResponse>";
        assert_eq!(Features::from(parse::<ZoneAnswer>("x", old).unwrap().hosted_zone), Features::default());
    }

    /// Answers one request after the other, and gives back what was asked.
    fn server(answers: Vec<(u16, String)>) -> (std::net::SocketAddr, std::thread::JoinHandle<Vec<String>>) {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = std::thread::spawn(move || {
            let answer = |(status, body): (u16, String)| {
                let (mut stream, mut heard) = (listener.accept().unwrap().0, Vec::new());
                while !heard.windows(4).any(|end| end == b"\r\n\r\n") {
                    let mut some = [0; 4_096];
                    let length = stream.read(&mut some).unwrap();
                    heard.extend_from_slice(&some[..length]);
                }
                write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
                String::from_utf8(heard).unwrap()
            };
            answers.into_iter().map(answer).collect()
        });
        (address, asked)
    }

    #[tokio::test]
    async fn protections_are_asked_for_page_by_page_with_a_signed_request() {
        let page = |name: &str, next: &str| {
            let body = format!(
                "<L><ResourceRecordSetProtections><ResourceRecordSetProtection><RecordName>{name}</RecordName>\
                <RecordType>A</RecordType></ResourceRecordSetProtection></ResourceRecordSetProtections>{next}</L>"
            );
            (200, body)
        };
        let pages = vec![page("a.example.com.", "<NextToken>x/y</NextToken>"), page("b.example.com.", "")];
        let (address, asked) = server(pages);
        let found = protections(&Session::with_server(address), "Z1").await.unwrap();
        assert_eq!(found.iter().map(|it| &*it.record_name).collect::<Vec<_>>(), ["a.example.com.", "b.example.com."]);
        let asked = asked.join().unwrap();
        assert!(asked[0].starts_with("GET /2013-04-01/hostedzone/Z1/rrsetprotection HTTP"), "{}", asked[0]);
        assert!(
            asked[1].starts_with("GET /2013-04-01/hostedzone/Z1/rrsetprotection?nexttoken=x%2Fy HTTP"),
            "{}",
            asked[1]
        );
        assert!(asked[0].contains("Signature=") && asked[0].contains("/route53/aws4_request"), "{}", asked[0]);
    }

    #[tokio::test]
    async fn a_call_that_is_refused_or_not_there_is_told_as_that_call() {
        let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        for (status, body, said) in [
            (403, denied, "ListResourceRecordSetProtections was refused: AccessDenied: no"),
            (501, "", "ListResourceRecordSetProtections was not answered: HTTP 501"),
        ] {
            let (address, asked) = server(vec![(status, body.to_owned())]);
            let error = protections(&Session::with_server(address), "Z1").await.unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
            asked.join().unwrap();
        }
    }

    #[test]
    fn a_call_is_sent_to_another_path_of_the_same_host() {
        for (from, to) in [
            (
                "https://route53.amazonaws.com/2013-04-01/checkeripranges",
                "https://route53.amazonaws.com/x?nexttoken=a%2Fb",
            ),
            ("http://127.0.0.1:4566/2013-04-01/checkeripranges", "http://127.0.0.1:4566/x?nexttoken=a%2Fb"),
        ] {
            let mut request = HttpRequest::get(from).unwrap();
            redirect(&mut request, &format!("/x?nexttoken={}", escaped("a/b")));
            assert_eq!(request.uri(), to);
        }
    }
}
