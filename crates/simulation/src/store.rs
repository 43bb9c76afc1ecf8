//! DR's own store, each call able to fail as any other.

use aws::CallError;
use aws::store::{Item, StoreReader, StoreWriter, Swap};

use crate::calls::Aws;

impl StoreReader for Aws {
    async fn read(&self, _: &str, item: Item) -> Result<Option<String>, CallError> {
        let (sabotage, function) = (self.sabotage(), self.function());
        self.call("GetItem", move |world| {
            if let (Item::Latch, Some(sabotage)) = (item, sabotage) {
                sabotage.before_the_latch_is_read(world, function);
            }
            Ok(world.store.get(&item).cloned())
        })
        .await
    }
}

impl StoreWriter for Aws {
    async fn swap(&self, _: &str, item: Item, seen: Option<&str>, next: &str) -> Result<Swap, CallError> {
        let (seen, next) = (seen.map(str::to_owned), next.to_owned());
        // What comes between the request and its effect is not for whoever made it to know.
        let asked = match item {
            Item::Latch if seen.is_none() => Some(self.world.get().asked_to_latch(self.saw(), &next)),
            Item::Latch | Item::Listing => None,
        };
        self.call("PutItem", move |world| {
            if world.store.get(&item) != seen.as_ref() {
                return Ok(Swap::Overtaken);
            }
            if item == Item::Latch {
                world.tell(|| format!("store: latch: {next}"));
            }
            world.store.insert(item, next.clone());
            if let Some(asked) = &asked {
                let now = world.now;
                world.watch.latched(now, asked);
            }
            Ok(Swap::Done)
        })
        .await
    }
}
