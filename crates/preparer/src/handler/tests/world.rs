//! What preparer acts on, with faults and others at its side.

use super::*;

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    Refused,
    LostBefore,
    LostAfter,
    KilledBefore,
    KilledAfter,
}

pub(super) const FAULTS: [Fault; 5] =
    [Fault::Refused, Fault::LostBefore, Fault::LostAfter, Fault::KilledBefore, Fault::KilledAfter];

/// How the outage stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outage {
    Down,
    Over,
    Well,
}

/// One pinned or armed name, and a resource of each kind.
pub(super) struct World {
    pub(super) outage: Cell<Outage>,
    pub(super) settings: RefCell<BTreeMap<String, Setting>>,
    pub(super) notes: RefCell<BTreeMap<String, Note>>,
    pub(super) keys: RefCell<Vec<String>>,
    pub(super) made: Cell<usize>,
    pub(super) fault: Cell<Option<(usize, Fault)>>,
    pub(super) killed: Notify,
    /// Turns whose invocation comes next.
    pub(super) chance: Cell<u64>,
    /// The call after which an outage begins, and another invocation does all that is due.
    pub(super) overtaken: Cell<Option<usize>>,
    /// What AWS does not say of one resource.
    pub(super) unfit: Cell<Option<&'static str>>,
}

/// What each resource is before anything happened.
const BEFORE: (&str, &str, bool, bool) = ("1/2/8", "2", true, false);
/// While the outage lasts.
const PREPARED: (&str, &str, bool, bool) = ("6/6/8", "6", false, false);
/// Once the failover is over.
const OVER: (&str, &str, bool, bool) = ("6/6/8", "6", false, true);

fn settings((sizes, tasks, rule, mapping): (&str, &str, bool, bool)) -> BTreeMap<String, Setting> {
    let of = |entry: &Entry| match entry.target {
        Target::Group { .. } => sizes.parse().unwrap(),
        Target::Service { .. } => tasks.parse().unwrap(),
        Target::Rule { .. } => Setting::On(rule),
        Target::Mapping { .. } => Setting::On(mapping),
        Target::Function { .. } => Setting::Nothing,
    };
    steps().entries.iter().map(|entry| (entry.arn.clone(), of(entry))).collect()
}

pub(super) fn steps() -> Steps {
    Steps::parse(STEPS).unwrap()
}

impl World {
    pub(super) fn new(fault: Option<(usize, Fault)>, chance: u64) -> Self {
        Self {
            outage: Cell::new(Outage::Down),
            settings: RefCell::new(settings(BEFORE)),
            notes: RefCell::default(),
            keys: RefCell::default(),
            made: Cell::default(),
            fault: Cell::new(fault),
            killed: Notify::new(),
            chance: Cell::new(chance),
            overtaken: Cell::default(),
            unfit: Cell::default(),
        }
    }

    pub(super) async fn answered<T>(&self, effect: impl FnOnce() -> T) -> Result<T, CallError> {
        // Other invocations have their turn; a linear congruential generator says how often.
        self.chance
            .set(self.chance.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        for _ in 0..self.chance.get() >> 61 {
            tokio::task::yield_now().await;
        }
        let nth = self.made.get();
        self.made.set(nth + 1);
        let lost = || CallError::Unknown { call: "it", why: "timed out".to_owned() };
        match self.fault.get().filter(|(at, _)| *at == nth).map(|(_, fault)| fault) {
            None => Ok(effect()),
            Some(Fault::Refused) => {
                Err(CallError::Refused { call: "it", code: "AccessDenied".to_owned(), message: String::new() })
            }
            Some(Fault::LostBefore) => Err(lost()),
            Some(Fault::LostAfter) => {
                effect();
                Err(lost())
            }
            Some(fault @ (Fault::KilledBefore | Fault::KilledAfter)) => {
                if fault == Fault::KilledAfter {
                    effect();
                }
                self.killed.notify_one();
                std::future::pending().await
            }
        }
    }

    /// All of it as it is to be in this outage, or as it was.
    pub(super) fn is_settled(&self) -> bool {
        let notes = self.notes.borrow();
        let all_set = |count| notes.len() == count && notes.values().all(|note| note.stage == Stage::Set);
        let is = |wanted| *self.settings.borrow() == settings(wanted);
        match self.outage.get() {
            Outage::Down => is(PREPARED) && all_set(3),
            Outage::Over => is(OVER) && all_set(5),
            Outage::Well => is(BEFORE) && notes.is_empty(),
        }
    }
}

impl RecordReader for &World {
    async fn record_sets(&self, _: &str, _: &Names) -> Result<Vec<RecordSet>, CallError> {
        let name: Name = "app.example.com".parse().unwrap();
        let values = |address: &str| Leads::Values { ttl_seconds: 60, values: vec![address.to_owned()] };
        let half = |role, address| RecordSet {
            name: name.clone(),
            kind: "A".to_owned(),
            routing: Routing::Failover { role, set_identifier: format!("{role:?}") },
            target: values(address),
            health_check: (role == Role::Primary).then(|| "hc".to_owned()),
        };
        let register = match self.outage.get() {
            Outage::Over => {
                let incident: Incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
                let pin = Pin::new(self.now(), incident, [("A".to_owned(), values("192.0.2.1"))].into());
                Register::FailedOver { at: self.now(), pin }
            }
            Outage::Down | Outage::Well => {
                Register::armed(Timestamp::UNIX_EPOCH, ArmedBy::Operator).remembering(Memory::default())
            }
        };
        let address = if self.outage.get() == Outage::Over { "198.51.100.1" } else { "192.0.2.1" };
        let register = register.record_set(&name).unwrap();
        Ok(vec![half(Role::Primary, address), half(Role::Secondary, "198.51.100.1"), register])
    }

    async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
        Ok(ChangeStatus::Pending)
    }

    fn now(&self) -> Timestamp {
        "2026-01-01T13:00:00Z".parse().unwrap()
    }

    async fn wait(&self, seconds: u32) {
        panic!("it waits for {seconds} s")
    }
}

impl AlarmReader for &World {
    async fn alarms(&self, arns: &[String]) -> Result<Vec<AlarmSighting>, CallError> {
        let is_down = self.outage.get() != Outage::Well;
        let sighting = |arn: &String| {
            let name = alarm_name(arn).unwrap().to_owned();
            let state = if is_down && name == "site-down" { AlarmState::Alarm } else { AlarmState::Ok };
            AlarmSighting {
                arn: arn.clone(),
                name,
                state,
                since: "2026-01-01T12:00:00Z".parse().unwrap(),
                trouble: None,
            }
        };
        Ok(arns.iter().map(sighting).collect())
    }
}

impl StoreReader for &World {
    async fn read(&self, _: &str, _: Item) -> Result<Option<String>, CallError> {
        panic!("the plan names no store")
    }
}

impl NameServers for &World {
    async fn servers(&self, name: &Name) -> Result<Vec<Server>, ServersUnknown> {
        Err(ServersUnknown::NoZone(name.clone()))
    }

    async fn ask(&self, _: &Server, _: &Name, _: &str) -> Result<Vec<String>, NotHeard> {
        Err(NotHeard::Silent)
    }
}

impl StepReader for &World {
    async fn look(&self, entry: &Entry) -> Result<Seen, CallError> {
        // Tags first, as of a rule; between the two others may have their turn.
        let tags =
            self.answered(|| self.notes.borrow().get(&entry.arn).cloned().map_or(Tags::None, Tags::Note)).await?;
        let setting = self.answered(|| self.settings.borrow()[&entry.arn]).await?;
        if self.overtaken.get().is_some_and(|nth| nth <= self.made.get()) {
            self.overtaken.set(None);
            self.outage.set(Outage::Down);
            Box::pin(tick(self)).await;
        }
        if let Some(state) = self.unfit.get().filter(|_| matches!(entry.target, Target::Rule { .. })) {
            return Ok(Seen::Unfit(state.to_owned()));
        }
        Ok(Seen::There { setting, detail: String::new(), tags })
    }
}

impl StepWriter for &World {
    async fn note(&self, entry: &Entry, note: &Note) -> Result<(), CallError> {
        self.answered(|| drop(self.notes.borrow_mut().insert(entry.arn.clone(), note.clone()))).await
    }

    async fn forget(&self, entry: &Entry) -> Result<(), CallError> {
        self.answered(|| drop(self.notes.borrow_mut().remove(&entry.arn))).await
    }

    async fn set(&self, entry: &Entry, _: Setting, to: Setting) -> Result<(), CallError> {
        assert!(self.notes.borrow().contains_key(&entry.arn), "nothing is changed before it is on record");
        self.answered(|| {
            self.settings.borrow_mut().insert(entry.arn.clone(), to);
        })
        .await
    }

    async fn call(&self, entry: &Entry, payload: &Value) -> Result<(), CallError> {
        assert!(self.notes.borrow().contains_key(&entry.arn), "nothing is called before it is on record");
        self.answered(|| self.keys.borrow_mut().push(payload["key"].as_str().unwrap().to_owned())).await
    }
}
