//! DynamoDB, as far as a small register needs it that is changed by compare-and-swap: tables of one text key, items read
//! consistently or not, and puts and deletes under a condition.

mod api;
mod attribute;
mod condition;
mod expression;
mod number;
mod refusal;
mod schema;
mod table;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::Call;
use crate::arn::arn;
use crate::wire::Refusal;
use crate::wire::json::action;
use crate::{Lab, id};
use attribute::{Attribute, Item};
use refusal::{in_use, no_table, validation};
use table::{Status, Table, within};

pub use api::answer;
pub(crate) use schema::{AttributeDefinition, BillingMode, KeySchemaElement, key_of};

/// How long an older copy is about after a write. AWS names no bound: "if you repeat your read request after a short time, the
/// response should eventually return the more recent item".
const STALENESS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(1);

/// How long a table takes to come or to go; AWS names no bound.
const MAKING: RangeInclusive<Duration> = Duration::from_secs(3)..=Duration::from_secs(10);

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct DynamoDb(Mutex<State>);

#[derive(Debug)]
struct State {
    /// By ARN.
    tables: BTreeMap<String, Table>,
    staleness: RangeInclusive<Duration>,
    requests: u64,
}

impl Default for State {
    fn default() -> Self {
        Self { tables: BTreeMap::new(), staleness: STALENESS, requests: 0 }
    }
}

impl DynamoDb {
    /// Makes a table with one text key that is ready at once, unless it is there already; returns its ARN.
    ///
    /// # Errors
    /// If its name is none, or there is a table of this name with another key.
    pub fn create_table(&self, region: &str, name: &str, key: &str, now: Timestamp) -> Result<String, Refusal> {
        api::check_new_name(name)?;
        let mut state = self.state();
        let arn = table_arn(region, name);
        let table = state.tables.entry(arn.clone()).or_insert_with(|| Table::new(region, name, key, now, now));
        match table.key == key {
            true => Ok(arn),
            false => Err(in_use(format!("Table already exists: {name}"))),
        }
    }

    /// Protects a table from being deleted, or no more; nothing happens if there is none.
    pub fn protect(&self, region: &str, name: &str, is_protected: bool) {
        if let Some(table) = self.state().tables.get_mut(&table_arn(region, name)) {
            table.is_protected = is_protected;
        }
    }

    /// Puts an item of text attributes in place of the one of this key, if the table is there; every read finds it at once.
    pub fn put(&self, region: &str, table: &str, key: &str, attributes: &[(&str, &str)]) {
        let mut state = self.state();
        let Some(table) = state.tables.get_mut(&table_arn(region, table)) else { return };
        let text = |name: &str, text: &str| (name.to_owned(), Attribute::Text(text.to_owned()));
        let others = attributes.iter().map(|(name, value)| text(name, value));
        let item: Item = others.chain([text(&table.key, key)]).collect();
        table.set(key.to_owned(), item);
    }

    /// A text or numeric attribute of an item as the last write left it; nothing where there is none.
    pub fn text(&self, region: &str, table: &str, key: &str, attribute: &str) -> Option<String> {
        match self.state().tables.get(&table_arn(region, table))?.newest(key)?.get(attribute)? {
            Attribute::Text(text) => Some(text.clone()),
            Attribute::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// How long older copies are about after writes from now on; [`Duration::ZERO`] for none.
    pub fn set_staleness(&self, bounds: RangeInclusive<Duration>) {
        self.state().staleness = bounds;
    }

    /// Makes a table over the API: it is there at once, and ready later.
    fn create(
        &self,
        region: &str,
        name: &str,
        key: &str,
        is_protected: bool,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let (arn, mut state) = (table_arn(region, name), self.settled(now));
        if state.tables.contains_key(&arn) {
            return Err(in_use(format!("Table already exists: {name}")));
        }
        let active_at = now + within(&MAKING, id::hash((&arn, now.as_nanosecond())));
        let mut table = Table::new(region, name, key, now, active_at);
        table.is_protected = is_protected;
        let told = table.describe(now);
        state.tables.insert(arn, table);
        Ok(told)
    }

    fn describe(&self, region: &str, name: &str, now: Timestamp) -> Result<Value, Refusal> {
        let state = self.settled(now);
        let table = state.tables.get(&table_arn(region, name)).ok_or_else(|| no_table(Some(name)))?;
        Ok(table.describe(now))
    }

    /// "If table is already in the DELETING state, no error is returned."
    fn delete(&self, region: &str, name: &str, now: Timestamp) -> Result<Value, Refusal> {
        let (arn, mut state) = (table_arn(region, name), self.settled(now));
        let table = state.tables.get_mut(&arn).ok_or_else(|| no_table(Some(name)))?;
        if table.is_protected {
            return Err(validation(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection \
                 first.",
            ));
        }
        if table.status(now) == Status::Creating {
            let why = "Attempt to change a resource which is still in use: Table is being created";
            return Err(in_use(format!("{why}: {name}")));
        }
        table.delete(now + within(&MAKING, id::hash((now.as_nanosecond(), &arn))));
        Ok(table.describe(now))
    }

    /// Lets a call at a table's items. "You can perform read and write operations only on an ACTIVE table"; one that is being
    /// deleted "might continue to accept data read and write operations".
    fn with_table<T>(
        &self,
        region: &str,
        name: &str,
        now: Timestamp,
        act: impl FnOnce(&mut Table, &RangeInclusive<Duration>) -> T,
    ) -> Result<T, Refusal> {
        let mut state = self.settled(now);
        let State { tables, staleness, .. } = &mut *state;
        let table = tables.get_mut(&table_arn(region, name)).filter(|table| table.status(now) != Status::Creating);
        table.map(|table| act(table, staleness)).ok_or_else(|| no_table(None))
    }

    fn next_request(&self) -> u64 {
        let mut state = self.state();
        state.requests += 1;
        state.requests
    }

    fn settled(&self, now: Timestamp) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.tables.retain(|_, table| !table.is_gone(now));
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn table_arn(region: &str, name: &str) -> String {
    arn("dynamodb", region, &format!("table/{name}"))
}

/// The ARN of the table a call is about.
pub(crate) fn table_of(call: &Call) -> String {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    table_arn(&call.region, body["TableName"].as_str().unwrap_or_default())
}

/// What `dynamodb:LeadingKeys` is of a call: "the first key attribute of a table – in other words, the partition key"; nothing
/// for calls about no item.
pub(crate) fn leading_keys(lab: &Lab, call: &Call) -> Option<Vec<String>> {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let item = match action(call) {
        "GetItem" | "DeleteItem" => &body["Key"],
        "PutItem" => &body["Item"],
        _ => return None,
    };
    let key = lab.dynamodb.state().tables.get(&table_of(call))?.key.clone();
    Some(vec![item[&key]["S"].as_str()?.to_owned()])
}
