//! `http://host:port/path`: the only kind of address the program calls.

use std::fmt;

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Url {
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
    /// The path with its query; never empty.
    pub target: String,
}

/// Why a text is not a URL that can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// `https:` and others.
    Scheme(String),
    Host(String),
    Port(String),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(url) => write!(f, "not an http:// URL: {url}"),
            Self::Host(url) => write!(f, "no host in URL: {url}"),
            Self::Port(url) => write!(f, "the port is no number from 1 to 65535: {url}"),
        }
    }
}

impl std::error::Error for UrlError {}

impl Url {
    /// Take a URL apart; a text without scheme (`shop/page`) counts as http, as `wget` does it.
    ///
    /// # Errors
    /// Another scheme, no host, or a port that is none.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(_) => return Err(UrlError::Scheme(text.to_owned())),
            None => text,
        };
        let split = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(split);
        let target = match target {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            path => path.to_owned(),
        };
        let (host, port) = host_and_port(authority).ok_or_else(|| UrlError::Port(text.to_owned()))?;
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(UrlError::Host(text.to_owned()));
        }
        Ok(Self { host, port: port.unwrap_or(80), target })
    }

    /// The `Host` header.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }
}

/// `db:5432` → (`db`, 5432); brackets around an IPv6 address are taken off. `None` where the port is no port.
pub(crate) fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
        None => None,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = Url::parse("http://api.shop:8080/order?id=1").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.target.as_str()), ("api.shop", 8080, "/order?id=1"));
        assert_eq!(url.authority(), "api.shop:8080");
        let url = Url::parse("shop?x=1").unwrap();
        assert_eq!((url.host.as_str(), url.port, url.target.as_str()), ("shop", 80, "/?x=1"));
        assert_eq!(Url::parse("http://[fd00::1]:81").unwrap().authority(), "[fd00::1]:81");
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        assert!(matches!(Url::parse("https://shop/"), Err(UrlError::Scheme(_))));
        assert!(matches!(Url::parse("http:///x"), Err(UrlError::Host(_))));
        assert!(matches!(Url::parse("http://shop:x/"), Err(UrlError::Port(_))));
        assert!(matches!(Url::parse("http://shop:0/"), Err(UrlError::Port(_))));
    }
}
