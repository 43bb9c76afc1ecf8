//! CloudWatch's two protocols: Smithy RPC v2 CBOR, which the Rust SDK speaks, and AWS JSON, which boto3 and the AWS
//! command line speak. Inputs and answers are the same in both but for how a moment is written.

use ciborium::Value;
use ciborium::tag::Required;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::api::Call;
use crate::wire::json::JSON_1_0;

const PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

/// How a call is written, and so its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Cbor,
    Json,
}

impl Codec {
    /// The codec of a call, and the action it names; nothing if it speaks neither.
    pub(super) fn of(call: &Call) -> Option<(Self, &str)> {
        let header = |name| call.headers.get(name).and_then(|value| value.to_str().ok());
        match (header("smithy-protocol"), header("x-amz-target")) {
            (Some("rpc-v2-cbor"), _) => Some((Self::Cbor, call.path.strip_prefix(PATH)?)),
            (None, Some(target)) => Some((Self::Json, target.strip_prefix("GraniteServiceVersion20100801.")?)),
            _ => None,
        }
    }

    pub(super) fn media(self) -> &'static str {
        match self {
            Self::Cbor => "application/cbor",
            Self::Json => JSON_1_0,
        }
    }

    /// Reads a request's body; says what is wrong with it otherwise.
    pub(super) fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, String> {
        match self {
            Self::Json => serde_json::from_slice(body).map_err(|error| error.to_string()),
            Self::Cbor => ciborium::from_reader(body).map_err(|error| match error {
                ciborium::de::Error::Semantic(_, reason) => reason,
                other => other.to_string(),
            }),
        }
    }

    /// Writes an answer's body.
    pub(super) fn write(self, answer: impl Serialize) -> Result<Vec<u8>, String> {
        match self {
            Self::Json => serde_json::to_vec(&answer).map_err(|error| error.to_string()),
            Self::Cbor => {
                let mut body = Vec::new();
                ciborium::into_writer(&answer, &mut body).map_err(|error| error.to_string())?;
                Ok(body)
            }
        }
    }
}

/// A moment on the wire: in JSON "epoch-seconds", a number; in CBOR "tag 1, seconds since the epoch, integer or floating point" (RFC 8949, section 3.4.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(pub(super) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = self.0.as_millisecond() as f64 / 1_000.0;
        match serializer.is_human_readable() {
            true => seconds.serialize(serializer),
            false => Required::<f64, 1>(seconds).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let milliseconds = (f64::deserialize(deserializer)? * 1_000.0).round() as i64;
            return Timestamp::from_millisecond(milliseconds).map(Self).map_err(D::Error::custom);
        }
        let milliseconds = match Required::<Value, 1>::deserialize(deserializer)?.0 {
            Value::Float(seconds) => (seconds * 1_000.0).round() as i64,
            Value::Integer(seconds) => i64::try_from(seconds).map_err(D::Error::custom)?.saturating_mul(1_000),
            _ => return Err(D::Error::custom("a timestamp must be a number")),
        };
        Timestamp::from_millisecond(milliseconds).map(Self).map_err(D::Error::custom)
    }
}
