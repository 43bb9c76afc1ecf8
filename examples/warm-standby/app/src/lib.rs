//! The application of the warm standby: it writes orders to its region's database, reads assets from its region's bucket, and tells what it
//! can do. It knows nothing of failovers: what differs by region is in its environment, and a promotion is noticed by the next order.

pub mod assets;
pub mod database;
pub mod load;
pub mod settings;
pub mod web;
