//! The store in the DR region: a DynamoDB table of small texts, each changed by compare-and-swap.
//!
//! DynamoDB and not S3: a conditional write there names the text that it replaces, a right names the one table, and a request goes to
//! nothing outside the region.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::CallError;
use crate::session::Session;

/// The table's key, and the attribute with the text.
const KEY: &str = "id";
const TEXT: &str = "text";

/// What the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// The latch (`failover::latch`).
    Latch,
    /// The last good look at the records, for when Route 53's API does not answer (`failover::listing`).
    Listing,
}

impl Item {
    /// Its key.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Latch => "latch",
            Self::Listing => "listing",
        }
    }
}

/// What became of a compare-and-swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The store has the new text.
    Done,
    /// The store had another text than was expected, and keeps it.
    Overtaken,
}

/// Someone who can look at the store.
pub trait StoreReader {
    /// The newest text of an item; nothing if there is none.
    async fn read(&self, table: &str, item: Item) -> Result<Option<String>, CallError>;
}

/// Someone who can change the store.
pub trait StoreWriter {
    /// Replaces `seen`, or nothing, by `next`.
    async fn swap(&self, table: &str, item: Item, seen: Option<&str>, next: &str) -> Result<Swap, CallError>;
}

/// Looks at the store and holds nothing that can write.
#[derive(Clone, Debug)]
pub struct Reader {
    client: Client,
}

/// Changes the store, by what it read there.
#[derive(Clone, Debug)]
pub struct Writer {
    client: Client,
    reader: Reader,
}

fn client(session: &Session) -> Client {
    let config = aws_sdk_dynamodb::config::Builder::from(session.config())
        .retry_partition(session.retries())
        .interceptor(session.clock().clone());
    Client::from_conf(config.build())
}

impl Reader {
    /// A reader with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { client: client(session) }
    }
}

impl Writer {
    /// A writer with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { client: client(session), reader: Reader::new(session) }
    }
}

fn key(item: Item) -> AttributeValue {
    AttributeValue::S(item.id().to_owned())
}

impl StoreReader for Reader {
    async fn read(&self, table: &str, item: Item) -> Result<Option<String>, CallError> {
        const CALL: &str = "GetItem";
        let call = self.client.get_item().table_name(table).key(KEY, key(item)).consistent_read(true);
        let answer = call.send().await.map_err(|error| CallError::of(CALL, error))?;
        let Some(found) = answer.item else { return Ok(None) };
        match found.get(TEXT) {
            Some(AttributeValue::S(text)) => Ok(Some(text.clone())),
            // An item without its text was written by somebody else: it is not "nothing".
            _ => Err(CallError::Unknown { call: CALL, why: format!("{} has no attribute {TEXT}", item.id()) }),
        }
    }
}

impl StoreReader for Writer {
    async fn read(&self, table: &str, item: Item) -> Result<Option<String>, CallError> {
        self.reader.read(table, item).await
    }
}

impl StoreWriter for Writer {
    async fn swap(&self, table: &str, item: Item, seen: Option<&str>, next: &str) -> Result<Swap, CallError> {
        let call = self.client.put_item().table_name(table).item(KEY, key(item));
        let call = call.item(TEXT, AttributeValue::S(next.to_owned())).expression_attribute_names("#text", TEXT);
        let call = match seen {
            None => call.condition_expression("attribute_not_exists(#text)"),
            Some(seen) => {
                let seen = AttributeValue::S(seen.to_owned());
                call.condition_expression("#text = :seen").expression_attribute_values(":seen", seen)
            }
        };
        match call.send().await {
            Ok(_) => Ok(Swap::Done),
            Err(SdkError::ServiceError(error)) if is_overtaken(error.err()) => Ok(Swap::Overtaken),
            Err(error) => Err(CallError::of("PutItem", error)),
        }
    }
}

fn is_overtaken(error: &PutItemError) -> bool {
    matches!(error, PutItemError::ConditionalCheckFailedException(_))
}

/// What only people do: no function may lift a latch.
#[cfg(feature = "operator")]
pub mod operator {
    use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;

    use super::{AttributeValue, CallError, Item, KEY, SdkError, Swap, TEXT, Writer, key};

    impl Writer {
        /// Takes an item away, if it still says this.
        ///
        /// # Errors
        /// If the store does not say what became of it.
        pub async fn remove(&self, table: &str, item: Item, seen: &str) -> Result<Swap, CallError> {
            let seen = AttributeValue::S(seen.to_owned());
            let call = self.client.delete_item().table_name(table).key(KEY, key(item));
            let call = call.expression_attribute_names("#text", TEXT).expression_attribute_values(":seen", seen);
            let is_overtaken =
                |error: &DeleteItemError| matches!(error, DeleteItemError::ConditionalCheckFailedException(_));
            match call.condition_expression("#text = :seen").send().await {
                Ok(_) => Ok(Swap::Done),
                Err(SdkError::ServiceError(error)) if is_overtaken(error.err()) => Ok(Swap::Overtaken),
                Err(error) => Err(CallError::of("DeleteItem", error)),
            }
        }
    }
}
