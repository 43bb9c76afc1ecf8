//! One queue and its messages.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Queue {
    pub visibility_timeout: Duration,
    messages: Vec<Message>,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub id: String,
    pub body: String,
    pub attributes: BTreeMap<String, String>,
    pub receipt: String,
    pub sent_at: Timestamp,
    pub received: u32,
    visible_at: Timestamp,
}

impl Queue {
    pub fn new(visibility_timeout: Duration) -> Self {
        Self { visibility_timeout, messages: Vec::new() }
    }

    /// Adds a message; returns its id.
    pub fn send(&mut self, body: String, attributes: BTreeMap<String, String>, now: Timestamp) -> String {
        let id = Uuid::new_v4().to_string();
        self.messages.push(Message {
            id: id.clone(),
            body,
            attributes,
            receipt: String::new(),
            sent_at: now,
            received: 0,
            visible_at: now,
        });
        id
    }

    /// Hands out visible messages, which stay hidden for the visibility timeout.
    pub fn receive(&mut self, count: usize, visibility_timeout: Duration, now: Timestamp) -> Vec<Message> {
        let visible = self.messages.iter_mut().filter(|message| message.visible_at <= now).take(count);
        visible
            .map(|message| {
                message.visible_at = now + visibility_timeout;
                message.receipt = Uuid::new_v4().to_string();
                message.received += 1;
                message.clone()
            })
            .collect()
    }

    /// Deletes the message last handed out under this receipt. With an older one, or of a message deleted before, "the
    /// request succeeds, but the message will not be deleted" (DeleteMessage). True unless it is no receipt at all.
    pub fn delete(&mut self, receipt: &str) -> bool {
        self.messages.retain(|message| message.receipt != receipt);
        Uuid::try_parse(receipt).is_ok()
    }

    pub fn visible(&self, now: Timestamp) -> usize {
        self.messages.iter().filter(|message| message.visible_at <= now).count()
    }

    pub fn bodies(&self) -> Vec<String> {
        self.messages.iter().map(|message| message.body.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_received_message_is_hidden_until_its_visibility_timeout_and_gone_once_deleted() {
        let noon: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let half_a_minute = Duration::from_secs(30);
        let mut queue = Queue::new(half_a_minute);
        queue.send("one".to_owned(), BTreeMap::new(), noon);
        let first = queue.receive(10, half_a_minute, noon);
        assert_eq!(first.len(), 1);
        assert_eq!((queue.visible(noon), queue.bodies().len()), (0, 1));
        let again = queue.receive(10, half_a_minute, noon + half_a_minute);
        assert_eq!(again[0].received, 2);
        assert!(queue.delete(&first[0].receipt), "an older receipt is no mistake");
        assert_eq!(queue.bodies().len(), 1, "and deletes nothing");
        assert!(queue.delete(&again[0].receipt) && queue.delete(&again[0].receipt));
        assert!(queue.bodies().is_empty());
        assert!(!queue.delete("not-a-receipt"));
    }
}
