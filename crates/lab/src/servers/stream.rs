//! What a source's half of a connection says: up to which position of its binary log whole transactions came by.

/// A packet's header: three bytes of length, one of order.
const HEADER: usize = 4;
/// Of a packet with an event: 0 for "all is well", and the event's own header.
const EVENT_HEADER: usize = 1 + 19;
/// Where in that the event's type is, and the position after it.
const TYPE: usize = 1 + 4;
const NEXT_POSITION: std::ops::Range<usize> = 14..18;
/// The events that end a transaction: XID_EVENT, and QUERY_EVENT of what has none.
const ENDS: [u8; 2] = [16, 2];

/// Reads packets that come in pieces of any size, and keeps no more than their beginnings.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The present packet's first bytes.
    start: Vec<u8>,
    /// How much of it is still to come after those.
    rest: usize,
}

impl Stream {
    /// Takes the next bytes: the position after the last transaction that ended in them, if any did.
    pub fn take(&mut self, mut bytes: &[u8]) -> Option<u64> {
        let mut ended = None;
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                (self.rest, bytes) = (self.rest - skipped, &bytes[skipped..]);
                if self.rest == 0 {
                    ended = self.end().or(ended);
                }
                continue;
            }
            self.start.push(bytes[0]);
            bytes = &bytes[1..];
            let length =
                self.start.get(..3).map_or(0, |of| of.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)));
            let wanted = HEADER + length.min(EVENT_HEADER);
            if self.start.len() >= HEADER && self.start.len() == wanted {
                self.rest = HEADER + length - wanted;
                if self.rest == 0 {
                    ended = self.end().or(ended);
                }
            }
        }
        ended
    }

    /// The end of a packet: the position, if it ends a transaction.
    fn end(&mut self) -> Option<u64> {
        let packet = std::mem::take(&mut self.start);
        let event = packet.get(HEADER..HEADER + EVENT_HEADER).filter(|event| event[0] == 0)?;
        let position: [u8; 4] = event[NEXT_POSITION].try_into().ok()?;
        ENDS.contains(&event[TYPE]).then(|| u64::from(u32::from_le_bytes(position)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet with an event of that type and position, and some bytes besides.
    fn packet(kind: u8, position: u32, body: usize) -> Vec<u8> {
        let length = u32::try_from(EVENT_HEADER + body).unwrap().to_le_bytes();
        let mut packet = vec![length[0], length[1], length[2], 7, 0, 1, 1, 1, 1, kind];
        packet.extend([9; 8]);
        packet.extend(position.to_le_bytes());
        packet.extend([0; 2]);
        packet.extend(vec![16; body]);
        packet
    }

    #[test]
    fn the_end_of_a_transaction_is_seen_in_pieces_of_any_size() {
        let whole =
            [packet(162, 100, 19), packet(30, 70_000, 66_000), packet(16, 70_031, 8), packet(162, 70_073, 19)].concat();
        for size in [1, 3, 4, 23, 24, 25, 4096, 100_000] {
            let mut stream = Stream::default();
            let ended: Vec<_> = whole.chunks(size).filter_map(|piece| stream.take(piece)).collect();
            assert_eq!(ended, [70_031], "in pieces of {size}");
        }
    }

    #[test]
    fn greetings_and_refusals_end_nothing() {
        let greeting = [3, 0, 0, 0, 10, 53, 0];
        let refusal = [2, 0, 0, 1, 255, 16];
        let done = [1, 0, 0, 2, 0, 0, 0, 0, 3];
        assert_eq!(Stream::default().take(&[&greeting[..], &refusal, &done].concat()), None);
    }
}
