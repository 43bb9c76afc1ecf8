//! The sabotage of preparer.

use aws::CallError;
use aws::steps::{StepWriter, Writer};
use failover::step::{Entry, Note, Setting, Stage};
use serde_json::Value;

use crate::bent::{Bent, Sabotage};

impl StepWriter for Bent<Writer> {
    async fn note(&self, entry: &Entry, note: &Note) -> Result<(), CallError> {
        if self.sabotage == Sabotage::RecordsLate && note.stage == Stage::Begun {
            self.honest.set(entry, note.from, note.to).await?;
            return self.honest.note(entry, &Note { from: note.to, ..note.clone() }).await;
        }
        self.honest.note(entry, note).await
    }

    async fn forget(&self, entry: &Entry) -> Result<(), CallError> {
        self.honest.forget(entry).await
    }

    async fn set(&self, entry: &Entry, now: Setting, to: Setting) -> Result<(), CallError> {
        self.honest.set(entry, now, to).await
    }

    async fn call(&self, entry: &Entry, payload: &Value) -> Result<(), CallError> {
        self.honest.call(entry, payload).await
    }
}
