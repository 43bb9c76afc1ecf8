//! Writes of which one that Route 53 refuses holds up no other.

use std::collections::{BTreeMap, HashSet};

use failover::change::{self, Batch, Write};
use failover::plan::Names;
use failover::refusal::not_overtaken;
use jiff::SignedDuration;

use super::{RecordReader, RecordWriter};
use crate::error::{CallError, INVALID_CHANGE_BATCH};

/// Where there are more refused names than there is time for, every run begins elsewhere, so that each has its turn. A prime
/// step comes to every place.
const TURN: usize = 7_919;

/// What became of writes.
#[derive(Debug, Default)]
pub struct Submitted {
    /// What Route 53 took, and the ids of the changes.
    pub accepted: Vec<(Batch, String)>,
    /// What Route 53 will not take as it is. Nothing of it was changed.
    pub refused: Vec<Refused>,
    /// What was overtaken, never left, was throttled, or may have taken effect: only a new look tells.
    pub unsettled: Vec<(Write, CallError)>,
}

/// A write that Route 53 will not take as it is.
#[derive(Debug)]
pub struct Refused {
    /// The write.
    pub write: Write,
    /// The refusal.
    pub error: CallError,
    /// It was refused by itself, and not only together with others that there was no time to part it from.
    pub alone: bool,
}

/// Submits writes in as few batches as quotas allow. A batch that is refused for good is tried by halves until each refused
/// name stands alone, for `patience`: of n names, k that are refused cost about 2k log2(n/k) calls.
///
/// `InvalidChangeBatch` says both that a batch was overtaken and that it will never be taken: if a fresh look shows exactly
/// what the batch deletes, and nothing like what it creates, it was not overtaken.
pub async fn submit_by_name(
    reader: &impl RecordReader,
    writer: &impl RecordWriter,
    writes: Vec<Write>,
    patience: SignedDuration,
) -> Submitted {
    let mut run = Run { reader, writer, done: Submitted::default(), to_part: Vec::new(), doubtful: Vec::new() };
    for batch in change::batches(writes) {
        run.submit(batch, Looked::Never).await;
    }
    if run.to_part.is_empty() {
        return run.done;
    }
    let began = reader.now();
    let turn = usize::try_from(began.as_second() / 60).unwrap_or_default().wrapping_mul(TURN);
    rotate(&mut run.to_part, turn);
    while let Some(whole) = run.to_part.pop() {
        let has_time = reader.now().duration_since(began) < patience;
        run.part(whole, has_time, turn).await;
    }
    run.look_at_doubtful().await;
    run.done
}

/// A refused batch that is yet to be tried in parts.
struct RefusedBatch {
    writes: Vec<Write>,
    error: CallError,
    looked: Looked,
}

/// When a look showed that nothing had overtaken a refused batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    Never,
    /// Before it was refused, since it is a part of what was looked at.
    BeforeRefusal,
    SinceRefusal,
}

struct Run<'a, R, W> {
    reader: &'a R,
    writer: &'a W,
    done: Submitted,
    to_part: Vec<RefusedBatch>,
    /// Names that were refused alone, and not looked at since.
    doubtful: Vec<Refused>,
}

impl<R: RecordReader, W: RecordWriter> Run<'_, R, W> {
    async fn submit(&mut self, batch: Batch, looked: Looked) {
        match self.writer.submit(&batch).await {
            Ok(id) => self.done.accepted.push((batch, id)),
            Err(error) if error.is_refused_for_good() => {
                self.to_part.push(RefusedBatch { writes: batch.writes, error, looked });
            }
            Err(error) => self.unsettle(batch.writes, &error),
        }
    }

    fn unsettle(&mut self, writes: Vec<Write>, error: &CallError) {
        self.done.unsettled.extend(writes.into_iter().map(|write| (write, error.clone())));
    }

    /// Goes on with one refused batch.
    async fn part(&mut self, whole: RefusedBatch, has_time: bool, turn: usize) {
        let RefusedBatch { writes, error, looked } = whole;
        let may_be_overtaken = error.is_refused_with(INVALID_CHANGE_BATCH);
        if may_be_overtaken && looked == Looked::Never {
            let (mut standing, is_overtaken) = self.look_again(writes, &error).await;
            rotate(&mut standing, turn);
            match is_overtaken {
                true => self.submit_part(standing, Looked::Never).await,
                false if standing.is_empty() => {}
                false => self.to_part.push(RefusedBatch { writes: standing, error, looked: Looked::SinceRefusal }),
            }
        } else if has_time && writes.len() > 1 {
            let mut first = writes;
            let second = first.split_off(first.len().div_ceil(2));
            let looked = if looked == Looked::Never { looked } else { Looked::BeforeRefusal };
            // What is refused last is gone on with first.
            self.submit_part(second, looked).await;
            self.submit_part(first, looked).await;
        } else {
            let alone = writes.len() == 1;
            let is_doubtful = alone && may_be_overtaken && looked == Looked::BeforeRefusal;
            let refused = writes.into_iter().map(|write| Refused { write, error: error.clone(), alone });
            if is_doubtful { self.doubtful.extend(refused) } else { self.done.refused.extend(refused) }
        }
    }

    async fn submit_part(&mut self, writes: Vec<Write>, looked: Looked) {
        if let Some(first) = writes.first() {
            self.submit(Batch { zone: first.zone.clone(), writes }, looked).await;
        }
    }

    /// Looks whether writes of one zone were overtaken; those that were, or that Route 53 says nothing of, are left to a new
    /// decision.
    async fn look_again(&mut self, writes: Vec<Write>, error: &CallError) -> (Vec<Write>, bool) {
        let Some(zone) = writes.first().map(|write| write.zone.clone()) else { return (writes, false) };
        let names = Names::Listed(writes.iter().map(|write| write.name.clone()).collect());
        match self.reader.record_sets(&zone, &names).await {
            Ok(sets) => {
                let (standing, overtaken) = not_overtaken(writes, &sets);
                let is_overtaken = !overtaken.is_empty();
                self.unsettle(overtaken, error);
                (standing, is_overtaken)
            }
            Err(blind) => {
                self.unsettle(writes, &blind);
                (Vec::new(), false)
            }
        }
    }

    /// Somebody may have been quicker while batches were tried in parts; another invocation of ours, for one.
    async fn look_at_doubtful(&mut self) {
        let mut zones: BTreeMap<String, Vec<Refused>> = BTreeMap::new();
        for refused in std::mem::take(&mut self.doubtful) {
            zones.entry(refused.write.zone.clone()).or_default().push(refused);
        }
        for mut refused in zones.into_values() {
            let writes: Vec<_> = refused.iter().map(|refused| refused.write.clone()).collect();
            let Some(error) = refused.first().map(|refused| refused.error.clone()) else { continue };
            let (standing, _) = self.look_again(writes, &error).await;
            let standing: HashSet<_> = standing.into_iter().collect();
            refused.retain(|refused| standing.contains(&refused.write));
            self.done.refused.extend(refused);
        }
    }
}

fn rotate<T>(items: &mut [T], turn: usize) {
    if let places @ 1.. = items.len() {
        items.rotate_left(turn % places);
    }
}
