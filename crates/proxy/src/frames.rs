//! Where one WebSocket frame ends and the next begins (RFC 6455, 5.2).

/// The opcode of a close frame (RFC 6455, 5.5.1).
const CLOSE: u8 = 8;

/// Follows one direction of a WebSocket.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    state: State,
    closed: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between two frames.
    #[default]
    Between,
    /// The first byte is seen.
    Opened,
    /// So many bytes of the length follow, then so many of the mask.
    Length { left: u8, length: u64, mask: u8 },
    /// So many bytes follow until the next frame.
    Payload(u64),
}

impl Frames {
    /// Takes bytes that were passed on.
    pub(crate) fn see(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            if let State::Payload(left) = self.state {
                let skipped = left.min(bytes.len() as u64);
                bytes = &bytes[skipped as usize..];
                self.state = after_payload(left - skipped);
            } else {
                self.step(*first);
                bytes = rest;
            }
        }
    }

    /// Whether a frame may be put in here.
    pub(crate) fn takes_close(&self) -> bool {
        self.state == State::Between && !self.closed
    }

    /// Whether a close frame has passed: no other frame may follow it.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    fn step(&mut self, byte: u8) {
        self.state = match self.state {
            State::Between => {
                self.closed |= byte & 0x0f == CLOSE;
                State::Opened
            }
            State::Opened => {
                let mask = if byte & 0x80 == 0 { 0 } else { 4 };
                match byte & 0x7f {
                    126 => State::Length {
                        left: 2,
                        length: 0,
                        mask,
                    },
                    127 => State::Length {
                        left: 8,
                        length: 0,
                        mask,
                    },
                    short => after_payload(u64::from(short + mask)),
                }
            }
            State::Length { left, length, mask } => {
                let length = length << 8 | u64::from(byte);
                match left {
                    1 => after_payload(length.saturating_add(u64::from(mask))),
                    left => State::Length {
                        left: left - 1,
                        length,
                        mask,
                    },
                }
            }
            State::Payload(left) => after_payload(left.saturating_sub(1)),
        };
    }
}

fn after_payload(left: u64) -> State {
    match left {
        0 => State::Between,
        left => State::Payload(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: u8, mask: bool, length: usize) -> Vec<u8> {
        let bit = if mask { 0x80 } else { 0 };
        let mut frame = vec![0x80 | opcode];
        match length {
            0..126 => frame.push(bit | length as u8),
            126..0x1_0000 => {
                frame.push(bit | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(bit | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(std::iter::repeat_n(0x88, length + if mask { 4 } else { 0 }));
        frame
    }

    #[test]
    fn a_boundary_is_found_however_the_bytes_arrive() {
        for length in [0, 1, 125, 126, 300, 70_000] {
            for mask in [false, true] {
                let one = frame(2, mask, length);
                for piece in [1, 3, one.len()] {
                    let mut frames = Frames::default();
                    let (last, before) = one.split_last().expect("no frame is empty");
                    before.chunks(piece).for_each(|part| frames.see(part));
                    assert!(!frames.takes_close(), "{length} {mask} {piece}");
                    frames.see(&[*last]);
                    assert!(frames.takes_close(), "{length} {mask} {piece}");
                }
            }
        }
    }

    #[test]
    fn no_frame_follows_a_close_frame() {
        let mut frames = Frames::default();
        frames.see(&frame(1, false, 5));
        assert!(!frames.is_closed());
        frames.see(&frame(8, false, 2));
        assert!(frames.is_closed() && !frames.takes_close());
    }
}
