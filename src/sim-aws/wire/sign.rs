//! Signature Version 4: who a request says it is from, and whether that one's secret made its signature
//! (IAM user guide, "Create a signed AWS API request").

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::message::{Request, escape, pairs, unescape};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The signature of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub access_key_id: String,
    /// `20261121`.
    day: String,
    pub region: String,
    /// The signing name: `ecs`.
    pub service: String,
    /// `20261121T120000Z`.
    time: String,
    headers: Vec<String>,
    signature: String,
    /// Comes with temporary credentials.
    pub token: Option<String>,
    /// In the query rather than in the header.
    presigned: bool,
}

/// A signature that is not whole; the text says what is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Incomplete(pub String);

/// The signature of a request, if it has one.
///
/// # Errors
/// It has half of one.
pub fn read(request: &Request) -> Result<Option<Signed>, Incomplete> {
    let query = pairs(&request.query);
    let asked = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    if asked("X-Amz-Algorithm").is_some() {
        let part = |name: &str| asked(name).ok_or_else(|| Incomplete(format!("Missing parameter '{name}'.")));
        let headers = part("X-Amz-SignedHeaders")?;
        let (time, signature) = (part("X-Amz-Date")?, part("X-Amz-Signature")?);
        return put(&part("X-Amz-Credential")?, &headers, signature, time, asked("X-Amz-Security-Token"), true)
            .map(Some);
    }
    let Some(header) = request.header("authorization") else { return Ok(None) };
    let Some(rest) = header.strip_prefix(ALGORITHM) else {
        return Err(Incomplete(format!("Unsupported AWS 'algorithm': '{}'.", header.split(' ').next().unwrap_or(""))));
    };
    let part = |name: &str| {
        rest.split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .map(str::to_owned)
            .ok_or_else(|| {
                Incomplete(format!("Authorization header requires '{name}' parameter. Authorization={ALGORITHM}"))
            })
    };
    let Some(time) = request.header("x-amz-date").or_else(|| request.header("date")) else {
        return Err(Incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
        ));
    };
    let token = request.header("x-amz-security-token").map(str::to_owned);
    let (credential, headers, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    put(&credential, &headers, signature, time.to_owned(), token, false).map(Some)
}

fn put(
    credential: &str,
    headers: &str,
    signature: String,
    time: String,
    token: Option<String>,
    presigned: bool,
) -> Result<Signed, Incomplete> {
    let parts: Vec<&str> = credential.split('/').collect();
    let [key, day, region, service, "aws4_request"] = parts.as_slice() else {
        return Err(Incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
        )));
    };
    Ok(Signed {
        access_key_id: (*key).to_owned(),
        day: (*day).to_owned(),
        region: (*region).to_owned(),
        service: (*service).to_owned(),
        time,
        headers: headers.split(';').map(str::to_lowercase).collect(),
        signature,
        token,
        presigned,
    })
}

impl Signed {
    /// Whether this secret made the signature, of this request and not of another.
    pub fn is_by(&self, secret: &str, request: &Request) -> bool {
        self.time.starts_with(&self.day) && self.signature(secret, request) == self.signature
    }

    /// The signature that this secret makes of a request.
    pub fn signature(&self, secret: &str, request: &Request) -> String {
        let scope = format!("{}/{}/{}/aws4_request", self.day, self.region, self.service);
        let digest = hex(&Sha256::digest(self.canonical(request)));
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{digest}", self.time);
        let mut key = mac(format!("AWS4{secret}").as_bytes(), &self.day);
        for part in [self.region.as_str(), self.service.as_str(), "aws4_request"] {
            key = mac(&key, part);
        }
        hex(&mac(&key, &text))
    }

    /// The request as both sides spell it.
    fn canonical(&self, request: &Request) -> String {
        let mut headers = String::new();
        for name in &self.headers {
            let values = request.headers.iter().filter(|(known, _)| known == name);
            let values: Vec<String> =
                values.map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            headers.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        let payload = match request.header("x-amz-content-sha256") {
            Some("UNSIGNED-PAYLOAD") => "UNSIGNED-PAYLOAD".to_owned(),
            _ => hex(&Sha256::digest(&request.body)),
        };
        let path = if request.path.is_empty() { "/" } else { &request.path };
        // The path comes with its escapes, and is escaped once more: every service but S3 does so.
        let path = escape(path, "/");
        format!(
            "{}\n{path}\n{}\n{headers}\n{}\n{payload}",
            request.method,
            self.canonical_query(&request.query),
            self.headers.join(";")
        )
    }

    fn canonical_query(&self, query: &str) -> String {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (escape(&unescape(name, false), ""), escape(&unescape(value, false), ""))
        });
        let mut pairs: Vec<_> = pairs.filter(|(name, _)| !self.presigned || name != "X-Amz-Signature").collect();
        pairs.sort();
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// `[0xab]` → `ab`.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// The example of the reference (AWS General Reference, "Signature Version 4 signing process": `ListUsers` of IAM).
    fn example() -> Request {
        let headers = [
            ("host", "iam.amazonaws.com"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("x-amz-date", "20150830T123600Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, \
                 Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ];
        Request {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: "Action=ListUsers&Version=2010-05-08".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: Vec::new(),
        }
    }

    #[test]
    fn the_reference_s_example_holds_and_no_other() {
        let request = example();
        let signed = read(&request).unwrap().unwrap();
        assert_eq!((signed.access_key_id.as_str(), signed.service.as_str()), ("AKIDEXAMPLE", "iam"));
        assert!(signed.is_by(SECRET, &request));
        assert!(!signed.is_by("another", &request));
        let changed = Request { query: "Action=DeleteUser&Version=2010-05-08".to_owned(), ..request.clone() };
        assert!(!signed.is_by(SECRET, &changed));
        let changed = Request { body: b"x".to_vec(), ..request };
        assert!(!signed.is_by(SECRET, &changed));
    }

    #[test]
    fn half_a_signature_is_named_and_none_is_none() {
        assert_eq!(read(&Request::default()), Ok(None));
        for (from, to) in [("Credential=", "C="), ("/iam/", "/"), ("AWS4-HMAC-SHA256", "AWS3"), ("Signature=", "S=")] {
            let mut request = example();
            request.headers[3].1 = request.headers[3].1.replacen(from, to, 1);
            assert!(read(&request).is_err(), "{from}");
        }
        let mut request = example();
        request.headers.remove(2);
        assert!(read(&request).unwrap_err().0.contains("X-Amz-Date"));
    }
}
