//! Who the other side of a TLS connection is: the common name and organizations of its certificate.
//!
//! Reads only the subject, out of a certificate that TLS has verified already; the rest of X.509 is not this module's business.

use sha2::{Digest, Sha256};

/// Object identifiers of the attributes read, as DER writes them (X.520: 2.5.4.3 and 2.5.4.10).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// The optional version in front of a certificate's serial number.
const VERSION: u8 = 0xa0;

/// The subject of a client's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The common name; Kubernetes takes it for the user's name.
    pub common_name: String,
    /// Every organization; Kubernetes takes them for the user's groups.
    pub organizations: Vec<String>,
    /// The certificate's SHA-256, in hexadecimal digits: its name in what is said of who came.
    pub digest: String,
}

impl Peer {
    /// The subject of a certificate in DER; `None` if it cannot be read.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let digest = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02x}")).collect();
        let (_, body, _) = element(certificate)?;
        let (_, mut rest, _) = element(body)?;
        // version (optional), serialNumber, signature, issuer, validity, subject
        if rest.first() == Some(&VERSION) {
            rest = element(rest)?.2;
        }
        for _ in 0..4 {
            rest = element(rest)?.2;
        }
        let (tag, names, _) = element(rest)?;
        let peer = if tag == SEQUENCE { Self::read(names)? } else { return None };
        Some(Self { digest, ..peer })
    }

    /// A subject is a sequence of sets of (identifier, text) pairs.
    fn read(mut names: &[u8]) -> Option<Self> {
        let mut peer = Self::default();
        while !names.is_empty() {
            let (_, mut set, rest) = element(names)?;
            names = rest;
            while !set.is_empty() {
                let (_, pair, rest) = element(set)?;
                set = rest;
                let (tag, identifier, value) = element(pair)?;
                let (_, text, _) = element(value)?;
                let text = String::from_utf8_lossy(text).into_owned();
                match (tag, identifier) {
                    (OBJECT_IDENTIFIER, COMMON_NAME) => peer.common_name = text,
                    (OBJECT_IDENTIFIER, ORGANIZATION) => peer.organizations.push(text),
                    _ => {}
                }
            }
        }
        Some(peer)
    }
}

/// The first element of DER bytes: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rustls::pki_types::{CertificateDer, pem::PemObject};

    use super::*;
    use crate::ca::Authority;

    fn certificate(group: Option<&str>) -> Vec<u8> {
        let today = date(2026, 11, 21);
        let authority = Authority::generate("breakfix", today).unwrap();
        let client = authority.client("kubernetes-admin", group, today).unwrap();
        CertificateDer::from_pem_slice(client.certificate.as_bytes()).unwrap().to_vec()
    }

    #[test]
    fn user_and_group_are_read_from_the_subject_not_the_issuer() {
        let peer = Peer::of(&certificate(Some("system:masters"))).unwrap();
        assert_eq!(peer.common_name, "kubernetes-admin");
        assert_eq!(peer.organizations, ["system:masters"]);
        assert!(Peer::of(&certificate(None)).unwrap().organizations.is_empty());
        assert_eq!(peer.digest.len(), 64);
    }

    #[test]
    fn no_cut_certificate_makes_it_panic() {
        let whole = certificate(Some("system:masters"));
        for length in 0..whole.len() {
            let _ = Peer::of(&whole[..length]);
        }
        assert_eq!(Peer::of(&[]), None);
    }
}
