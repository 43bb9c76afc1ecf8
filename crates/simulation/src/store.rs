//! DR's own store, and the zones' name servers, each call able to fail as any other.

use std::net::SocketAddr;

use aws::CallError;
use aws::dns::{NameServers, NotHeard, ServersUnknown};
use aws::store::{Item, StoreReader, StoreWriter, Swap};
use failover::name::Name;

use crate::calls::Aws;

impl StoreReader for Aws {
    async fn read(&self, _: &str, item: Item) -> Result<Option<String>, CallError> {
        self.call("GetItem", move |world| Ok(world.store.get(&item).cloned())).await
    }
}

impl StoreWriter for Aws {
    async fn swap(&self, _: &str, item: Item, seen: Option<&str>, next: &str) -> Result<Swap, CallError> {
        let (seen, next) = (seen.map(str::to_owned), next.to_owned());
        self.call("PutItem", move |world| {
            if world.store.get(&item) != seen.as_ref() {
                return Ok(Swap::Overtaken);
            }
            world.tell(|| format!("store: {}: {next}", item.id()));
            world.store.insert(item, next.clone());
            Ok(Swap::Done)
        })
        .await
    }
}

/// This world has no name servers: whoever asks one hears nothing.
impl NameServers for Aws {
    async fn servers(&self, name: &Name) -> Result<Vec<SocketAddr>, ServersUnknown> {
        Err(ServersUnknown::NoZone(name.clone()))
    }

    async fn ask(&self, _: SocketAddr, _: &Name, _: &str) -> Result<Vec<String>, NotHeard> {
        Err(NotHeard::Silent)
    }
}
