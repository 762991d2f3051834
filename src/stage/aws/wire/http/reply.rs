//! What came back: an answer or a refusal, in JSON or XML.

use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;

use super::{
    super::{Answer, Service},
    xml,
};
use crate::aws::trouble::Trouble;

/// A response as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub status: u16,
    /// The `Date` header.
    pub date: Option<String>,
    pub body: Vec<u8>,
}

/// How much of a body that is no answer an error shows, in characters.
const SHOWN_MAX: usize = 160;

impl Reply {
    /// An answer of a JSON protocol.
    pub(super) fn json(&self) -> Result<Answer, Trouble> {
        let value: Option<Value> =
            if self.body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&self.body).ok() };
        let value = value.ok_or_else(|| self.odd())?;
        if self.status < 300 {
            return Ok(Answer { value, at: self.at() });
        }
        let text = |keys: &[&str]| keys.iter().find_map(|key| value.get(key)?.as_str()).unwrap_or("").to_owned();
        // `com.amazonaws.ecs#ClusterNotFoundException`, `ClusterNotFoundException:http://…`.
        let code = text(&["__type", "code", "Code"]);
        let code = code.rsplit('#').next().and_then(|code| code.split(':').next()).unwrap_or("");
        self.refused(code, &text(&["message", "Message"]))
    }

    /// An answer of a query protocol: what stands inside `<OperationResult>`, or (EC2) inside the root.
    pub(super) fn xml(&self, service: Service, operation: &str) -> Result<Answer, Trouble> {
        let text = std::str::from_utf8(&self.body).map_err(|_| self.odd())?;
        let root = xml::read(text).ok_or_else(|| self.odd())?;
        if self.status < 300 {
            let inside = match service {
                Service::Ec2 => Some(&root),
                _ => root.child(&format!("{operation}Result")),
            };
            let Some(inside) = inside else { return Ok(Answer { value: Value::Null, at: self.at() }) };
            let value = xml::answer(service.signing_name(), operation, inside);
            let value = value.ok_or_else(|| Trouble::Odd(format!("an answer to {operation}, which no model has")))?;
            return Ok(Answer { value, at: self.at() });
        }
        let error = root.find("Error");
        let part = |name: &str| error.and_then(|it| it.child(name)).map(|it| it.text.clone()).unwrap_or_default();
        self.refused(&part("Code"), &part("Message"))
    }

    fn refused(&self, code: &str, message: &str) -> Result<Answer, Trouble> {
        if code.is_empty() {
            return Err(self.odd());
        }
        Err(Trouble::Refused { code: code.to_owned(), message: message.to_owned(), status: self.status })
    }

    fn odd(&self) -> Trouble {
        let text: String = String::from_utf8_lossy(&self.body).chars().take(SHOWN_MAX).collect();
        let body = if text.is_empty() { "no body".to_owned() } else { text };
        match self.status {
            500.. => Trouble::Broken { status: self.status, body },
            status => Trouble::Odd(format!("status {status}, {body}")),
        }
    }

    /// When it was given; to the second.
    fn at(&self) -> Option<Timestamp> {
        rfc2822::parse(self.date.as_deref()?).ok().map(|zoned| zoned.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, date: Some("Sat, 21 Nov 2026 12:00:00 GMT".to_owned()), body: body.as_bytes().to_vec() }
    }

    fn code(result: Result<Answer, Trouble>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn json_is_an_answer_or_a_refusal() {
        let answer = reply(200, r#"{"a": 1}"#).json().unwrap();
        assert_eq!((answer.value, answer.at.unwrap().to_string().as_str()), (json!({"a": 1}), "2026-11-21T12:00:00Z"));
        assert_eq!(reply(200, "").json().unwrap().value, Value::Null);
        let refused =
            reply(400, r#"{"__type": "com.amazonaws#ClusterNotFoundException", "message": "Cluster not found."}"#);
        assert_eq!(code(refused.json()), "ClusterNotFoundException: Cluster not found.");
        assert!(code(reply(502, "<html>").json()).contains("status 502"));
        assert!(code(reply(200, "{\"a\": ").json()).contains("an answer that is none"));
    }

    #[test]
    fn xml_is_an_answer_or_a_refusal() {
        let text =
            "<GetRoleResponse><GetRoleResult><Role><RoleName>a</RoleName></Role></GetRoleResult></GetRoleResponse>";
        assert_eq!(reply(200, text).xml(Service::Iam, "GetRole").unwrap().value, json!({"Role": {"RoleName": "a"}}));
        let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>";
        assert_eq!(code(reply(404, refused).xml(Service::Iam, "GetRole")), "NoSuchEntity: no");
        let refused = "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no</Message></Error></Errors></Response>";
        assert_eq!(code(reply(400, refused).xml(Service::Ec2, "DeleteVpc")), "InvalidVpcID.NotFound: no");
        assert!(code(reply(200, "<a>").xml(Service::Iam, "X")).contains("an answer that is none"));
    }
}
