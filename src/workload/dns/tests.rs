use super::*;

fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

/// An answer to `asked` with these records, each (owner as bytes, type, data).
fn answer(code: u8, asked: &str, records: &[(Vec<u8>, u16, Vec<u8>)]) -> Vec<u8> {
    let mut message = vec![0, 7, 0x81, 0x80 | code, 0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0];
    message.extend(name(asked));
    message.extend([0, 1, 0, 1]);
    for (owner, kind, data) in records {
        message.extend(owner);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 30]);
        message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend(data);
    }
    message
}

/// A compression pointer to the question's name.
fn pointer() -> Vec<u8> {
    vec![0xc0, 12]
}

#[test]
fn a_question_is_what_the_rfc_says() {
    let message = question(7, "db.shop").unwrap();
    assert_eq!(message[..12], [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(message[12..], [2, b'd', b'b', 4, b's', b'h', b'o', b'p', 0, 0, 1, 0, 1]);
    assert_eq!(question(7, "a..b"), None);
    assert_eq!(question(7, &"x".repeat(64)), None);
}

#[test]
fn addresses_are_read() {
    let message = answer(0, "db.shop", &[(pointer(), 1, vec![10, 0, 0, 1]), (pointer(), 1, vec![10, 0, 0, 2])]);
    let addresses = vec![IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
    assert_eq!(reply(&message, 7, "DB.shop"), Some(DnsReply::Addresses { canonical: "db.shop".into(), addresses }));
}

#[test]
fn aliases_inside_the_answer_are_followed() {
    let records = [(pointer(), 5, name("x.y")), (name("x.y"), 1, vec![10, 0, 0, 1])];
    let message = answer(0, "db", &records);
    let addresses = vec![IpAddr::from([10, 0, 0, 1])];
    assert_eq!(reply(&message, 7, "db"), Some(DnsReply::Addresses { canonical: "x.y".into(), addresses }));
    assert_eq!(reply(&answer(0, "db", &records[..1]), 7, "db"), Some(DnsReply::Alias("x.y".into())));
    let circle = answer(0, "db", &[(pointer(), 5, name("db"))]);
    assert_eq!(reply(&circle, 7, "db"), Some(DnsReply::NoAddress));
}

#[test]
fn refusals_are_told_apart() {
    assert_eq!(reply(&answer(3, "db", &[]), 7, "db"), Some(DnsReply::NoSuchName));
    assert_eq!(reply(&answer(2, "db", &[]), 7, "db"), Some(DnsReply::Failed));
    assert_eq!(reply(&answer(5, "db", &[]), 7, "db"), Some(DnsReply::Failed));
    assert_eq!(reply(&answer(0, "db", &[]), 7, "db"), Some(DnsReply::NoAddress));
}

#[test]
fn what_is_not_the_answer_is_left_aside() {
    let message = answer(0, "db", &[(pointer(), 1, vec![10, 0, 0, 1])]);
    assert_eq!(reply(&message, 8, "db"), None);
    assert_eq!(reply(&message, 7, "web"), None);
    assert_eq!(reply(&question(7, "db").unwrap(), 7, "db"), None);
    for length in 0..message.len() {
        assert_eq!(reply(&message[..length], 7, "db"), None, "cut at {length}");
    }
}

#[test]
fn a_pointer_to_itself_ends() {
    let mut message = answer(0, "db", &[(vec![], 0, vec![])]);
    message.truncate(12 + 4 + 4);
    let at = u8::try_from(message.len()).unwrap();
    message.extend([0xc0, at, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0]);
    assert_eq!(reply(&message, 7, "db"), None);
}

#[test]
fn records_of_other_kinds_are_read() {
    let asked = "_http._tcp.web";
    let srv = |port: u8| [vec![0, 0, 0, 50, 0, port], name("a.web")].concat();
    let message =
        answer(0, asked, &[(pointer(), 33, srv(80)), (pointer(), 1, vec![10, 0, 0, 1]), (pointer(), 33, srv(81))]);
    let found = Records::Found(vec!["0 50 80 a.web".into(), "0 50 81 a.web".into()]);
    assert_eq!(record_reply(&message, 7, asked, RecordKind::Srv), Some(found));
    assert_eq!(record_reply(&message, 7, asked, RecordKind::Ptr), Some(Records::None));
    let ptr = answer(0, "1.0.0.10.in-addr.arpa", &[(pointer(), 12, name("web.shop"))]);
    let found = Records::Found(vec!["web.shop".into()]);
    assert_eq!(record_reply(&ptr, 7, "1.0.0.10.in-addr.arpa", RecordKind::Ptr), Some(found));
    assert_eq!(record_reply(&answer(3, "x", &[]), 7, "x", RecordKind::Ptr), Some(Records::NoSuchName));
    assert_eq!(record_reply(&answer(2, "x", &[]), 7, "x", RecordKind::Ptr), Some(Records::Failed));
    let question = record_question(7, "a", RecordKind::Srv).unwrap();
    assert_eq!(question[question.len() - 4..], [0, 33, 0, 1]);
    for length in 0..message.len() {
        assert_eq!(record_reply(&message[..length], 7, asked, RecordKind::Srv), None, "cut at {length}");
    }
}
