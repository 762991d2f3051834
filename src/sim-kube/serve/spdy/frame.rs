//! Frames: cut out of a stream of bytes, and written.

/// Version 3, in the first two bytes of a control frame with the control bit.
const CONTROL: [u8; 2] = [0x80, 0x03];
const HEAD: usize = 8;
/// No header block of ours or of kubectl's comes near it.
const CONTROL_BYTES_MAX: usize = 64 * 1024;

const SYN_STREAM: u8 = 1;
const SYN_REPLY: u8 = 2;
const RST_STREAM: u8 = 3;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const HEADERS: u8 = 8;

const FIN: u8 = 0x01;

/// Why a stream is reset (section 2.6.3).
pub const PROTOCOL_ERROR: u32 = 1;
pub const CANCEL: u32 = 5;

/// One frame. Blocks are headers still packed ([`Unpacker`](super::Unpacker)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Open {
        stream: u32,
        fin: bool,
        block: Vec<u8>,
    },
    Reply {
        stream: u32,
        fin: bool,
        block: Vec<u8>,
    },
    Headers {
        stream: u32,
        fin: bool,
        block: Vec<u8>,
    },
    Data {
        stream: u32,
        fin: bool,
        bytes: Vec<u8>,
    },
    Reset {
        stream: u32,
        status: u32,
    },
    Ping {
        id: u32,
    },
    GoAway {
        last: u32,
        status: u32,
    },
    /// SETTINGS, WINDOW_UPDATE and what is unknown: read and left alone.
    Other {
        kind: u8,
    },
}

/// Bytes that are not SPDY/3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("read a SPDY frame: version {major:02x}{minor:02x} is not 3")]
    Version { major: u8, minor: u8 },
    #[error("read a SPDY frame: a control frame of {bytes} bytes is too long (at most {max})")]
    TooLong { bytes: usize, max: usize },
    #[error("read a SPDY frame: a control frame of kind {kind} is too short ({bytes} bytes)")]
    TooShort { kind: u8, bytes: usize },
}

/// Bytes that came in, and the frames in them.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Takes more bytes; they may end anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame; `None` until more bytes come.
    ///
    /// # Errors
    /// The bytes are not SPDY/3.1; the connection is of no use any more.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(&[a, b, c, d, flags, x, y, z]) = self.bytes.first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::from(x) << 16 | usize::from(y) << 8 | usize::from(z);
        let control = a & 0x80 != 0;
        if control {
            if [a, b] != CONTROL {
                return Err(FrameError::Version { major: a, minor: b });
            }
            if length > CONTROL_BYTES_MAX {
                return Err(FrameError::TooLong { bytes: length, max: CONTROL_BYTES_MAX });
            }
        }
        if self.bytes.len() < HEAD + length {
            return Ok(None);
        }
        let payload = self.bytes.get(HEAD..HEAD + length).unwrap_or_default().to_vec();
        self.bytes.drain(..HEAD + length);
        let fin = flags & FIN != 0;
        if !control {
            return Ok(Some(Frame::Data { stream: u32::from_be_bytes([a, b, c, d]), fin, bytes: payload }));
        }
        // The kind is two bytes; none is above 255.
        let kind = if c == 0 { d } else { u8::MAX };
        control_frame(kind, fin, &payload).map(Some).ok_or(FrameError::TooShort { kind, bytes: length })
    }
}

fn control_frame(kind: u8, fin: bool, payload: &[u8]) -> Option<Frame> {
    let (first, rest) = match payload.split_first_chunk::<4>() {
        Some((first, rest)) => (u32::from_be_bytes(*first), rest),
        None if matches!(kind, SYN_STREAM..=RST_STREAM | PING..=HEADERS) => return None,
        None => return Some(Frame::Other { kind }),
    };
    let stream = first & 0x7fff_ffff;
    Some(match kind {
        // Behind the stream's number: the associated stream's, a priority and a slot.
        SYN_STREAM => Frame::Open { stream, fin, block: rest.get(6..)?.to_vec() },
        SYN_REPLY => Frame::Reply { stream, fin, block: rest.to_vec() },
        HEADERS => Frame::Headers { stream, fin, block: rest.to_vec() },
        RST_STREAM => Frame::Reset { stream, status: u32::from_be_bytes(*rest.first_chunk()?) },
        PING => Frame::Ping { id: first },
        GOAWAY => {
            Frame::GoAway { last: stream, status: rest.first_chunk().map_or(0, |status| u32::from_be_bytes(*status)) }
        }
        other => Frame::Other { kind: other },
    })
}

impl Frame {
    /// The frame's bytes.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Open { stream, fin, block } => {
                let front = [&stream.to_be_bytes()[..], &[0; 6]].concat();
                control(SYN_STREAM, *fin, &[&front, block])
            }
            Self::Reply { stream, fin, block } => control(SYN_REPLY, *fin, &[&stream.to_be_bytes(), block]),
            Self::Headers { stream, fin, block } => control(HEADERS, *fin, &[&stream.to_be_bytes(), block]),
            Self::Reset { stream, status } => {
                control(RST_STREAM, false, &[&stream.to_be_bytes(), &status.to_be_bytes()])
            }
            Self::Ping { id } => control(PING, false, &[&id.to_be_bytes()]),
            Self::GoAway { last, status } => control(GOAWAY, false, &[&last.to_be_bytes(), &status.to_be_bytes()]),
            Self::Other { kind } => control(*kind, false, &[]),
            Self::Data { stream, fin, bytes } => head(stream.to_be_bytes(), *fin, &[bytes]),
        }
    }
}

fn control(kind: u8, fin: bool, parts: &[&[u8]]) -> Vec<u8> {
    head([CONTROL[0], CONTROL[1], 0, kind], fin, parts)
}

fn head(front: [u8; 4], fin: bool, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    // The field has 24 bits; data is written in pieces far below.
    let [_, x, y, z] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let mut whole = Vec::with_capacity(HEAD + length);
    whole.extend_from_slice(&front);
    whole.extend_from_slice(&[if fin { FIN } else { 0 }, x, y, z]);
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_read_as_it_was_written_however_the_bytes_are_cut() {
        let frames = [
            Frame::Open { stream: 1, fin: false, block: vec![1, 2, 3] },
            Frame::Reply { stream: 1, fin: true, block: vec![4] },
            Frame::Headers { stream: 1, fin: false, block: vec![5] },
            Frame::Data { stream: 3, fin: false, bytes: b"GET /".to_vec() },
            Frame::Data { stream: 3, fin: true, bytes: Vec::new() },
            Frame::Reset { stream: 3, status: CANCEL },
            Frame::Ping { id: 7 },
            Frame::GoAway { last: 3, status: 0 },
            Frame::Other { kind: 4 },
        ];
        let bytes = frames.iter().flat_map(Frame::write).collect::<Vec<_>>();
        for piece in [1, 2, 7, bytes.len()] {
            let mut reader = Frames::default();
            let mut read = Vec::new();
            for bytes in bytes.chunks(piece) {
                reader.push(bytes);
                while let Some(frame) = reader.next_frame().unwrap() {
                    read.push(frame);
                }
            }
            assert_eq!(read, frames);
        }
    }

    #[test]
    fn other_versions_and_endless_frames_are_refused() {
        let mut reader = Frames::default();
        reader.push(&[0x80, 0x02, 0, 1, 0, 0, 0, 0]);
        assert_eq!(reader.next_frame(), Err(FrameError::Version { major: 0x80, minor: 2 }));
        let mut reader = Frames::default();
        reader.push(&[0x80, 0x03, 0, 1, 0, 0xff, 0, 0]);
        assert!(matches!(reader.next_frame(), Err(FrameError::TooLong { .. })));
        let mut reader = Frames::default();
        reader.push(&[0x80, 0x03, 0, 1, 0, 0, 0, 5, 0, 0, 0, 1, 0]);
        assert!(matches!(reader.next_frame(), Err(FrameError::TooShort { .. })));
    }
}
