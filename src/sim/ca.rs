//! A certificate authority of a simulator's own: one root, certificates for its server and for its clients.
//!
//! Keys come from the system's randomness when an authority is made and are kept as PEM texts afterwards; dates are arguments. Who
//! keeps the texts, and where, is up to the caller (`serve/` of each simulator keeps them in the session's folder, mode 0600).

use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde::{Deserialize, Serialize};

/// How long certificates are good for: longer than anybody keeps a lab open.
const YEARS: i16 = 10;

/// What stands before the seed in the DER of an Ed25519 private key (RFC 8410, PKCS#8 version 1).
const SEED_INFO: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A certificate and its private key, as PEM.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub certificate: String,
    pub key: String,
}

impl std::fmt::Debug for Credentials {
    /// Without the key: it must not end up in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("make a certificate for {subject}")]
pub struct CertificateError {
    pub subject: String,
    pub source: rcgen::Error,
}

/// The root: it signs the certificates of one simulator.
pub struct Authority {
    name: String,
    key: KeyPair,
    certificate: String,
}

impl Authority {
    /// A new root of this name, with a key that nobody else has.
    ///
    /// # Errors
    /// The system gives no randomness, or the name cannot stand in a certificate.
    pub fn generate(name: &str, today: Date) -> Result<Self, CertificateError> {
        let refused = |source| CertificateError { subject: name.to_owned(), source };
        let key = KeyPair::generate().map_err(refused)?;
        let certificate = root_params(name, today).self_signed(&key).map_err(refused)?.pem();
        Ok(Self { name: name.to_owned(), key, certificate })
    }

    /// A root that a seed and a date decide, to the byte: for a simulator that nobody connects to from outside. Whoever knows the seed
    /// has its key.
    ///
    /// # Errors
    /// The name cannot stand in a certificate.
    pub fn from_seed(name: &str, seed: &[u8; 32], today: Date) -> Result<Self, CertificateError> {
        let refused = |source| CertificateError { subject: name.to_owned(), source };
        let text = [SEED_INFO.as_slice(), seed].concat();
        let key = PrivatePkcs8KeyDer::from(text);
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ED25519).map_err(refused)?;
        let certificate = root_params(name, today).self_signed(&key).map_err(refused)?.pem();
        Ok(Self { name: name.to_owned(), key, certificate })
    }

    /// A root that was made before, from its texts; `name` is the one it was made with.
    ///
    /// # Errors
    /// The key is not a PEM key that we can use.
    pub fn restore(name: &str, kept: &Credentials) -> Result<Self, CertificateError> {
        let key =
            KeyPair::from_pem(&kept.key).map_err(|source| CertificateError { subject: name.to_owned(), source })?;
        Ok(Self { name: name.to_owned(), key, certificate: kept.certificate.clone() })
    }

    /// The texts to keep.
    pub fn credentials(&self) -> Credentials {
        Credentials { certificate: self.certificate.clone(), key: self.key.serialize_pem() }
    }

    /// The root's certificate, which clients trust.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a server that is reached under these names and addresses.
    ///
    /// # Errors
    /// A name cannot stand in a certificate.
    pub fn server(&self, names: &[&str], today: Date) -> Result<Credentials, CertificateError> {
        let subject = names.first().copied().unwrap_or("server");
        let refused = |source| CertificateError { subject: subject.to_owned(), source };
        let alternatives = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut params = CertificateParams::new(alternatives).map_err(refused)?;
        params.distinguished_name = distinguished(subject, None);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params, subject, today)
    }

    /// A certificate for a client: `user` is its common name, `group` its organization.
    ///
    /// # Errors
    /// A name cannot stand in a certificate.
    pub fn client(&self, user: &str, group: Option<&str>, today: Date) -> Result<Credentials, CertificateError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished(user, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params, user, today)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        subject: &str,
        today: Date,
    ) -> Result<Credentials, CertificateError> {
        let refused = |source| CertificateError { subject: subject.to_owned(), source };
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, today);
        let key = KeyPair::generate().map_err(refused)?;
        let issuer = Issuer::new(root_params(&self.name, today), &self.key);
        let certificate = params.signed_by(&key, &issuer).map_err(refused)?;
        Ok(Credentials { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A text that nobody else knows, from the system's randomness.
///
/// # Errors
/// The system gives none.
pub fn secret(of_what: &str) -> Result<String, CertificateError> {
    let refused = |source| CertificateError { subject: of_what.to_owned(), source };
    Ok(KeyPair::generate().map_err(refused)?.serialize_pem())
}

fn root_params(name: &str, today: Date) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished(name, None);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    set_validity(&mut params, today);
    params
}

fn distinguished(common_name: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name.push(DnType::CommonName, common_name);
    name
}

/// From the day before, so that a clock that goes slow or stands in another time zone still finds it valid.
fn set_validity(params: &mut CertificateParams, today: Date) {
    let from = today.yesterday().unwrap_or(today);
    let part = |value: i8| u8::try_from(value).unwrap_or(1);
    // The 29th of February is not in every year; the 28th is.
    let day = |date: Date| part(date.day()).min(28);
    params.not_before = date_time_ymd(i32::from(from.year()), part(from.month()), day(from));
    params.not_after = date_time_ymd(i32::from(today.year() + YEARS), part(today.month()), day(today));
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_restored_authority_is_the_same_one() {
        let first = Authority::generate("breakfix", date(2026, 2, 28)).unwrap();
        let second = Authority::restore("breakfix", &first.credentials()).unwrap();
        assert_eq!(first.credentials(), second.credentials());
    }

    #[test]
    fn a_seed_decides_a_root_to_the_byte() {
        let of = |seed: u8| Authority::from_seed("breakfix", &[seed; 32], date(2026, 11, 21)).unwrap().credentials();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1).key, of(2).key);
        let again = Authority::restore("breakfix", &of(1)).unwrap();
        again.client("somebody", None, date(2026, 11, 21)).unwrap();
    }

    #[test]
    fn no_key_is_printed() {
        let authority = Authority::generate("breakfix", date(2028, 2, 29)).unwrap();
        let client = authority.client("somebody", None, date(2028, 2, 29)).unwrap();
        assert!(!format!("{client:?}").contains("PRIVATE"));
    }
}
