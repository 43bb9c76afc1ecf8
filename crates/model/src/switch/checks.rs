//! The switch's four children, and what CloudWatch hears that two of their alarms go by.

/// One of the switch's children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Child {
    /// No outage.
    Outage,
    /// Holdfast holds.
    Hold,
    /// No failover is committed.
    Latch,
    /// The same, by the second check.
    Again,
}

/// All of them.
pub const CHILDREN: [Child; 4] = [Child::Outage, Child::Hold, Child::Latch, Child::Again];

/// Which of the children are healthy, as far as somebody knows. One without data is what it was, but for the hold, which lapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Children {
    /// No outage.
    pub outage: bool,
    /// Holdfast holds.
    pub hold: bool,
    /// No failover is committed.
    pub latch: bool,
    /// The same, by the second check.
    pub again: bool,
}

impl Children {
    /// In peace.
    pub const WELL: Self = Self { outage: true, hold: true, latch: true, again: true };

    /// One of them.
    pub fn of(&mut self, child: Child) -> &mut bool {
        match child {
            Child::Outage => &mut self.outage,
            Child::Hold => &mut self.hold,
            Child::Latch => &mut self.latch,
            Child::Again => &mut self.again,
        }
    }

    /// Both latch checks say that a failover is committed.
    pub fn is_latched(self) -> bool {
        !self.latch && !self.again
    }
}

/// The switch: healthy while three of four are.
pub fn three_of_four(children: Children) -> bool {
    let Children { outage, hold, latch, again } = children;
    [outage, hold, latch, again].into_iter().filter(|is_healthy| *is_healthy).count() >= 3
}

/// A data point on its way to CloudWatch, of the step that it tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// Whether a failover is committed.
    Latch(u8, bool),
    /// Whether Holdfast holds.
    Hold(u8, bool),
}

impl Point {
    /// The step that it tells of.
    pub fn of(self) -> u8 {
        match self {
            Self::Latch(of, _) | Self::Hold(of, _) => of,
        }
    }
}

/// What CloudWatch has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Heard {
    /// The newest step that it was told the latch of, and the greatest that was said of that.
    pub latch: (u8, bool),
    /// The newest step with a heartbeat.
    pub held: u8,
    /// The newest word of the hold. Only a hold that is a forecast goes by it.
    pub forecast: bool,
}

/// For how many steps after its own a heartbeat holds.
const HOLD_STEPS: u8 = 1;

impl Heard {
    /// In peace.
    pub const WELL: Self = Self { latch: (0, false), held: 0, forecast: true };

    /// It hears a point that counts for a step, whenever that comes.
    pub fn hear(&mut self, point: Point) {
        match point {
            Point::Latch(of, is_closed) if of == self.latch.0 => self.latch.1 |= is_closed,
            Point::Latch(of, is_closed) if of > self.latch.0 => self.latch = (of, is_closed),
            Point::Hold(of, true) => self.held = self.held.max(of),
            Point::Latch(..) | Point::Hold(..) => {}
        }
    }

    /// The hold's alarm: five minutes without a heartbeat let go.
    pub fn holds(self, now: u8) -> bool {
        now <= self.held + HOLD_STEPS
    }
}
