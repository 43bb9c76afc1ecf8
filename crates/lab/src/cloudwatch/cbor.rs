//! Smithy RPC v2 CBOR, which the SDKs speak with CloudWatch.

use ciborium::Value;
use ciborium::tag::Required;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment on the wire: "tag 1, seconds since the epoch, integer or floating point" (RFC 8949, section 3.4.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(pub(super) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Required::<f64, 1>(self.0.as_millisecond() as f64 / 1_000.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let milliseconds = match Required::<Value, 1>::deserialize(deserializer)?.0 {
            Value::Float(seconds) => (seconds * 1_000.0).round() as i64,
            Value::Integer(seconds) => i64::try_from(seconds).map_err(D::Error::custom)?.saturating_mul(1_000),
            _ => return Err(D::Error::custom("a timestamp must be a number")),
        };
        Timestamp::from_millisecond(milliseconds).map(Self).map_err(D::Error::custom)
    }
}

/// Reads a request's body; says what is wrong with it otherwise.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    ciborium::from_reader(body).map_err(|error| match error {
        ciborium::de::Error::Semantic(_, reason) => reason,
        other => other.to_string(),
    })
}

/// Writes an answer's body.
pub(super) fn write(answer: impl Serialize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    ciborium::into_writer(&answer, &mut body).map_err(|error| error.to_string())?;
    Ok(body)
}
