//! fencer: cuts the old writer in the primary region off, once every pin is in sync. A function of its own, so that a
//! region that hangs holds up nothing else, and no other function may touch the primary region.

pub mod handler;
