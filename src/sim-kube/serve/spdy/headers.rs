//! Header blocks: one zlib stream a direction, begun with SPDY's own dictionary and flushed after every block.

use std::collections::BTreeMap;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Names in lower case; several values of one name are joined by NUL, which nobody sends here.
pub type Headers = BTreeMap<String, String>;

/// A block unpacked: more than any port-forward needs, little enough for a hostile one.
const UNPACKED_BYTES_MAX: usize = 64 * 1024;

/// The words of the dictionary, each with its length before it (section 2.6.10.1).
const WORDS: &[&str] = &[
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
];

/// What follows the words, without lengths.
const TAIL: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden\
404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable\
Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT\
chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,\
publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1423);
    for word in WORDS {
        put_text(&mut bytes, word);
    }
    bytes.extend_from_slice(TAIL.as_bytes());
    bytes
}

fn put_number(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// A header block that cannot be read; the connection is of no use any more, because later blocks build on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadersError {
    #[error("unpack SPDY headers: not a zlib stream with SPDY's dictionary")]
    Packed,
    #[error("unpack SPDY headers: more than {UNPACKED_BYTES_MAX} bytes")]
    TooLong,
    #[error("read SPDY headers: the block is cut short")]
    Cut,
}

/// Unpacks the blocks of one direction, in order.
#[derive(Debug)]
pub struct Unpacker {
    stream: Decompress,
}

impl Default for Unpacker {
    fn default() -> Self {
        Self { stream: Decompress::new(true) }
    }
}

impl Unpacker {
    /// The headers of the next block.
    ///
    /// # Errors
    /// [`HeadersError`].
    pub fn unpack(&mut self, block: &[u8]) -> Result<Headers, HeadersError> {
        let mut rest = block;
        let mut plain = Vec::with_capacity(1024);
        loop {
            if plain.len() == plain.capacity() {
                if plain.len() >= UNPACKED_BYTES_MAX {
                    return Err(HeadersError::TooLong);
                }
                plain.reserve(plain.len());
            }
            let (read, written) = (self.stream.total_in(), plain.len());
            let step = self.stream.decompress_vec(rest, &mut plain, FlushDecompress::Sync);
            let used = usize::try_from(self.stream.total_in() - read).unwrap_or(0);
            rest = rest.get(used..).unwrap_or_default();
            match step {
                Ok(Status::StreamEnd) => break,
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    self.stream.set_dictionary(&dictionary()).map_err(|_| HeadersError::Packed)?;
                    continue;
                }
                Err(_) => return Err(HeadersError::Packed),
            }
            let room = plain.len() < plain.capacity();
            if (rest.is_empty() && room) || (used == 0 && plain.len() == written && room) {
                break;
            }
        }
        read_headers(&plain)
    }
}

/// Packs the blocks of one direction, in order.
#[derive(Debug)]
pub struct Packer {
    stream: Compress,
}

impl Default for Packer {
    fn default() -> Self {
        let mut stream = Compress::new(Compression::best(), true);
        // Refused only for a stream that has begun. Without it the other side's stream would be plain zlib, which it reads as well.
        let _ = stream.set_dictionary(&dictionary());
        Self { stream }
    }
}

impl Packer {
    /// The block of these headers.
    pub fn pack(&mut self, headers: &Headers) -> Vec<u8> {
        let mut plain = Vec::new();
        put_number(&mut plain, headers.len());
        for (name, value) in headers {
            put_text(&mut plain, name);
            put_text(&mut plain, value);
        }
        let mut block = Vec::with_capacity(plain.len() + 64);
        let begun = self.stream.total_in();
        loop {
            let used = usize::try_from(self.stream.total_in() - begun).unwrap_or(0);
            let rest = plain.get(used..).unwrap_or_default();
            let step = self.stream.compress_vec(rest, &mut block, FlushCompress::Sync);
            if step.is_err() || block.len() < block.capacity() {
                return block;
            }
            block.reserve(block.len().max(64));
        }
    }
}

fn read_headers(plain: &[u8]) -> Result<Headers, HeadersError> {
    let (count, mut rest) = number(plain).ok_or(HeadersError::Cut)?;
    let mut headers = Headers::new();
    for _ in 0..count {
        let (name, after) = text(rest).ok_or(HeadersError::Cut)?;
        let (value, after) = text(after).ok_or(HeadersError::Cut)?;
        rest = after;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = number(bytes)?;
    let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((String::from_utf8_lossy(text).into_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }

    #[test]
    fn what_kubectl_1_36_sent_is_read() {
        let mut unpacker = Unpacker::default();
        let error = bytes(
            "78 F9 E3 C6 A7 C2 62 60 60 60 86 94 BF 45 25 20 DA C2 C0 C2 80 81 81 81 B3 08 12 5F 99 29 0C 0C 0C 8C 06 E0 94 58 52 \
             94 9A 98 0B 2D 6C 58 53 8B 8A F2 8B 00 00 00 00 FF FF",
        );
        let headers = unpacker.unpack(&error).unwrap();
        assert_eq!(headers["streamtype"], "error");
        assert_eq!((headers["port"].as_str(), headers["requestid"].as_str()), ("8080", "0"));
        let data = bytes("82 6A 26 A4 98 25 25 B1 24 11 DD 12 00 00 00 00 FF FF");
        assert_eq!(unpacker.unpack(&data).unwrap()["streamtype"], "data");
    }

    #[test]
    fn a_reply_names_the_dictionary_as_a_real_cluster_s_does() {
        let block = Packer::default().pack(&Headers::new());
        assert!(block.starts_with(&bytes("78 F9 E3 C6 A7 C2")), "{block:02x?}");
        assert!(block.ends_with(&bytes("00 00 FF FF")), "{block:02x?}");
        assert_eq!(Unpacker::default().unpack(&block), Ok(Headers::new()));
    }

    #[test]
    fn blocks_build_on_one_another() {
        let (mut packer, mut unpacker) = (Packer::default(), Unpacker::default());
        for round in 0..3 {
            let headers = Headers::from([("port".to_owned(), round.to_string()), ("x".to_owned(), "y".repeat(4000))]);
            assert_eq!(unpacker.unpack(&packer.pack(&headers)).unwrap(), headers);
        }
    }

    #[test]
    fn nonsense_and_bombs_are_refused() {
        assert_eq!(Unpacker::default().unpack(b"nonsense"), Err(HeadersError::Packed));
        let bomb = Headers::from([("x".to_owned(), "y".repeat(10 * UNPACKED_BYTES_MAX))]);
        let block = Packer::default().pack(&bomb);
        assert_eq!(Unpacker::default().unpack(&block), Err(HeadersError::TooLong));
        let cut = Packer::default().pack(&Headers::from([("x".to_owned(), "y".to_owned())]));
        assert!(Unpacker::default().unpack(&cut[..cut.len() - 8]).is_err());
    }
}
