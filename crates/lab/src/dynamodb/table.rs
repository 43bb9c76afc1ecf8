//! One table: its items, and the older copies of them that a read may still find.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::attribute::{Attribute, Item, size_of};
use super::refusal::validation;
use crate::arn::arn;
use crate::id;
use crate::wire::Refusal;

/// "Partition key values … maximum length is 2048 bytes" (Constraints).
const KEY_BYTES_MAX: usize = 2_048;

#[derive(Debug)]
pub(super) struct Table {
    pub region: String,
    pub name: String,
    /// The name of the one key attribute, which is text.
    pub key: String,
    pub is_protected: bool,
    created: Timestamp,
    /// "CreateTable is an asynchronous operation".
    active_at: Timestamp,
    /// When it is gone for good, once it is being deleted.
    gone_at: Option<Timestamp>,
    items: BTreeMap<String, Copies>,
    writes: u64,
    reads: u64,
}

/// An item, and what replicas say of it that have not heard of it yet; nothing where there was no item.
#[derive(Debug, Default)]
struct Copies {
    newest: Option<Item>,
    /// In the order of the writes that replaced them, each with the moment when nobody has it any more.
    older: Vec<(Option<Item>, Timestamp)>,
}

/// Where a table is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Creating,
    Active,
    Deleting,
}

impl Table {
    pub fn new(region: &str, name: &str, key: &str, created: Timestamp, active_at: Timestamp) -> Self {
        Self {
            region: region.to_owned(),
            name: name.to_owned(),
            key: key.to_owned(),
            is_protected: false,
            created,
            active_at,
            gone_at: None,
            items: BTreeMap::new(),
            writes: 0,
            reads: 0,
        }
    }

    pub fn arn(&self) -> String {
        arn("dynamodb", &self.region, &format!("table/{}", self.name))
    }

    pub fn status(&self, now: Timestamp) -> Status {
        match self.gone_at {
            Some(_) => Status::Deleting,
            None if now < self.active_at => Status::Creating,
            None => Status::Active,
        }
    }

    pub fn is_gone(&self, now: Timestamp) -> bool {
        self.gone_at.is_some_and(|gone_at| gone_at <= now)
    }

    pub fn delete(&mut self, gone_at: Timestamp) {
        self.gone_at.get_or_insert(gone_at);
    }

    /// The key of a read or a delete: the key attribute and nothing else.
    pub fn key_alone(&self, key: &Item) -> Result<String, Refusal> {
        match key.get(&self.key) {
            Some(Attribute::Text(text)) if key.len() == 1 => self.checked(text),
            _ => Err(validation("The provided key element does not match the schema")),
        }
    }

    /// The key of an item that is to be stored.
    pub fn key_within(&self, item: &Item) -> Result<String, Refusal> {
        let invalid = |why: String| Err(validation(format!("One or more parameter values were invalid: {why}")));
        match item.get(&self.key) {
            Some(Attribute::Text(text)) => self.checked(text),
            Some(other) => invalid(format!("Type mismatch for key {} expected: S actual: {}", self.key, other.kind())),
            None => invalid(format!("Missing the key {} in the item", self.key)),
        }
    }

    fn checked(&self, text: &str) -> Result<String, Refusal> {
        match text.len() {
            0 => Err(validation(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
                 string value. Key: {}",
                self.key
            ))),
            // "of2048" is how DynamoDB writes it (recorded by moto and dynalite).
            1..=KEY_BYTES_MAX => Ok(text.to_owned()),
            _ => Err(validation(format!(
                "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit \
                 of{KEY_BYTES_MAX} bytes"
            ))),
        }
    }

    /// "Reflecting the updates from all prior write operations that were successful".
    pub fn newest(&self, key: &str) -> Option<&Item> {
        self.items.get(key)?.newest.as_ref()
    }

    /// "Responses may not reflect the results of a recently completed write operation" (DynamoDB read consistency): chance
    /// decides whether this read finds the newest or one of the older copies that are still about.
    pub fn eventual(&mut self, key: &str, now: Timestamp) -> Option<&Item> {
        self.reads += 1;
        let copies = self.items.get(key)?;
        let about: Vec<_> = copies.older.iter().filter(|(_, until)| *until > now).map(|(copy, _)| copy).collect();
        let found = id::hash((&self.name, key, self.reads)) % (about.len() as u64 + 1);
        let older = usize::try_from(found).ok().and_then(|found| about.get(found).copied());
        older.unwrap_or(&copies.newest).as_ref()
    }

    /// Stores an item, or deletes it; the one before it is about for some time of `staleness`.
    pub fn write(&mut self, key: String, item: Option<Item>, now: Timestamp, staleness: &RangeInclusive<Duration>) {
        if item.is_none() && self.newest(&key).is_none() {
            return;
        }
        self.writes += 1;
        let lasts = within(staleness, id::hash((&key, &self.name, self.writes)));
        let copies = self.items.entry(key).or_default();
        let before = std::mem::replace(&mut copies.newest, item);
        copies.older.retain(|(_, until)| *until > now);
        copies.older.push((before, now + lasts));
    }

    /// Stores an item that every replica has at once.
    pub fn set(&mut self, key: String, item: Item) {
        self.items.insert(key, Copies { newest: Some(item), older: Vec::new() });
    }

    /// `TableDescription`.
    pub fn describe(&self, now: Timestamp) -> Value {
        let status = match self.status(now) {
            Status::Creating => "CREATING",
            Status::Active => "ACTIVE",
            Status::Deleting => "DELETING",
        };
        let created = self.created.as_millisecond() as f64 / 1_000.0;
        let (arn, count) = (self.arn(), self.items.values().filter(|copies| copies.newest.is_some()).count());
        json!({
            "TableName": self.name,
            "TableId": id::uuid("table", id::hash((&arn, self.created.as_nanosecond()))),
            "TableArn": arn,
            "TableStatus": status,
            "CreationDateTime": created,
            "AttributeDefinitions": [{"AttributeName": self.key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": self.key, "KeyType": "HASH"}],
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": created},
            "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "DeletionProtectionEnabled": self.is_protected,
            "ItemCount": count,
            "TableSizeBytes": self.items.values().filter_map(|copies| copies.newest.as_ref()).map(size_of).sum::<usize>(),
        })
    }
}

/// A time within bounds, by chance.
pub(super) fn within(bounds: &RangeInclusive<Duration>, chance: u64) -> SignedDuration {
    let (shortest, longest) = (bounds.start().as_millis() as u64, bounds.end().as_millis() as u64);
    SignedDuration::from_millis((shortest + chance % (longest.saturating_sub(shortest) + 1)) as i64)
}
