//! DNS messages (RFC 1035): one question, for IPv4 addresses or for another kind of record, and what an answer says.

use std::net::{IpAddr, Ipv4Addr};

use crate::{DnsReply, RecordKind, Records};

const TYPE_A: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_PTR: u16 = 12;
/// RFC 2782.
const TYPE_SRV: u16 = 33;
const CLASS_IN: u16 = 1;
/// Names are no longer than this (RFC 1035, 2.3.4); it also bounds how far compression pointers are followed.
const NAME_LENGTH_MAX: usize = 255;
const HEADER_LENGTH: usize = 12;

/// A question for the addresses of an absolute name; `None` where the name cannot be written in DNS.
#[must_use]
pub fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    question_of(id, name, TYPE_A)
}

/// A question for records of another kind.
#[must_use]
pub fn record_question(id: u16, name: &str, kind: RecordKind) -> Option<Vec<u8>> {
    question_of(id, name, number(kind))
}

fn number(kind: RecordKind) -> u16 {
    match kind {
        RecordKind::Srv => TYPE_SRV,
        RecordKind::Ptr => TYPE_PTR,
    }
}

fn question_of(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    let mut message = Vec::with_capacity(HEADER_LENGTH + name.len() + 6);
    message.extend(id.to_be_bytes());
    // Recursion desired; one question.
    message.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    if name.is_empty() || name.len() >= NAME_LENGTH_MAX - 1 {
        return None;
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        message.push(length);
        message.extend(label.bytes());
    }
    message.push(0);
    message.extend(kind.to_be_bytes());
    message.extend(CLASS_IN.to_be_bytes());
    Some(message)
}

/// What came back for the question with this id and name; `None` where the message is not its answer.
#[must_use]
pub fn reply(message: &[u8], id: u16, name: &str) -> Option<DnsReply> {
    let Head { code, asked, at, answers } = head(message, id, name)?;
    match code {
        0 => {}
        3 => return Some(DnsReply::NoSuchName),
        _ => return Some(DnsReply::Failed),
    }
    let (aliases, addresses) = records(message, at, answers)?;
    let mut canonical = asked.clone();
    // Each alias is followed once at most, so that a circle ends.
    for _ in 0..=aliases.len() {
        let here: Vec<IpAddr> =
            addresses.iter().filter(|(owner, _)| owner.eq_ignore_ascii_case(&canonical)).map(|(_, ip)| *ip).collect();
        if !here.is_empty() {
            return Some(DnsReply::Addresses { canonical, addresses: here });
        }
        match aliases.iter().find(|(owner, _)| owner.eq_ignore_ascii_case(&canonical)) {
            Some((_, target)) => canonical.clone_from(target),
            None => break,
        }
    }
    if canonical.eq_ignore_ascii_case(&asked) { Some(DnsReply::NoAddress) } else { Some(DnsReply::Alias(canonical)) }
}

/// What came back for a question for records of another kind. Records of aliases on the way count like the name's own.
#[must_use]
pub fn record_reply(message: &[u8], id: u16, name: &str, kind: RecordKind) -> Option<Records> {
    let Head { code, mut at, answers, .. } = head(message, id, name)?;
    match code {
        0 => {}
        3 => return Some(Records::NoSuchName),
        _ => return Some(Records::Failed),
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        let (_, after) = read_name(message, at)?;
        let start = after + 10;
        let end = start + usize::from(word(message, after + 8)?);
        message.get(start..end)?;
        if word(message, after)? == number(kind) && word(message, after + 2)? == CLASS_IN {
            found.push(match kind {
                RecordKind::Ptr => read_name(message, start)?.0,
                RecordKind::Srv => {
                    let (priority, weight) = (word(message, start)?, word(message, start + 2)?);
                    let (port, target) = (word(message, start + 4)?, read_name(message, start + 6)?.0);
                    format!("{priority} {weight} {port} {target}")
                }
            });
        }
        at = end;
    }
    Some(if found.is_empty() { Records::None } else { Records::Found(found) })
}

/// The beginning of an answer.
struct Head {
    /// RCODE (RFC 1035, 4.1.1).
    code: u16,
    asked: String,
    /// Where the records begin.
    at: usize,
    answers: u16,
}

/// `None` where the message does not answer the question with this id and name.
fn head(message: &[u8], id: u16, name: &str) -> Option<Head> {
    let flags = word(message, 2)?;
    let is_answer = word(message, 0)? == id && flags & 0x8000 != 0;
    let (questions, answers) = (word(message, 4)?, word(message, 6)?);
    if !is_answer || questions != 1 {
        return None;
    }
    let (asked, after) = read_name(message, HEADER_LENGTH)?;
    asked.eq_ignore_ascii_case(name).then(|| Head { code: flags & 0x000f, asked, at: after + 4, answers })
}

type Aliases = Vec<(String, String)>;
type Addresses = Vec<(String, IpAddr)>;

/// The answer section: who is an alias of whom, and who has which address.
fn records(message: &[u8], mut at: usize, count: u16) -> Option<(Aliases, Addresses)> {
    let (mut aliases, mut addresses) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (owner, after) = read_name(message, at)?;
        let (kind, class, length) = (word(message, after)?, word(message, after + 2)?, word(message, after + 8)?);
        let start = after + 10;
        let end = start + usize::from(length);
        let data = message.get(start..end)?;
        match (kind, class, data) {
            (TYPE_A, CLASS_IN, [a, b, c, d]) => addresses.push((owner, IpAddr::V4(Ipv4Addr::new(*a, *b, *c, *d)))),
            (TYPE_CNAME, CLASS_IN, _) => aliases.push((owner, read_name(message, start)?.0)),
            _ => {}
        }
        at = end;
    }
    Some((aliases, addresses))
}

/// A name and where the message goes on behind it. Compression pointers may only point back (RFC 1035, 4.1.4).
fn read_name(message: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut name, mut at, mut after, mut floor) = (String::new(), start, None, start);
    loop {
        let length = usize::from(*message.get(at)?);
        match length {
            0 => return Some((name, after.unwrap_or(at + 1))),
            1..=63 => {
                let label = message.get(at + 1..at + 1 + length)?;
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(&String::from_utf8_lossy(label));
                if name.len() > NAME_LENGTH_MAX {
                    return None;
                }
                at += 1 + length;
            }
            _ if length & 0xc0 == 0xc0 => {
                let target = usize::from(word(message, at)? & 0x3fff);
                if target >= floor {
                    return None;
                }
                after = after.or(Some(at + 2));
                floor = target;
                at = target;
            }
            _ => return None,
        }
    }
}

fn word(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at + 2)?;
    bytes.try_into().ok().map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests;
