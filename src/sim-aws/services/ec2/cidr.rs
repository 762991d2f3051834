//! Ranges of IPv4 addresses.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use serde::{Deserialize, Serialize};

/// A range in canonical form: no bit is set behind its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Cidr {
    base: Ipv4Addr,
    bits: u8,
}

impl Cidr {
    /// Every address.
    pub const ANYWHERE: Self = Self { base: Ipv4Addr::UNSPECIFIED, bits: 0 };

    /// The range of this length that holds the address; at most 32 bits.
    pub fn around(address: Ipv4Addr, bits: u8) -> Self {
        let bits = bits.min(32);
        Self { base: Ipv4Addr::from(u32::from(address) & mask(bits)), bits }
    }

    /// Bits of the prefix.
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// How many addresses it has.
    pub fn size(self) -> u64 {
        1 << (32 - u32::from(self.bits))
    }

    pub fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.bits) == u32::from(self.base)
    }

    /// Whether all of `other` lies in it.
    pub fn covers(self, other: Self) -> bool {
        self.bits <= other.bits && self.contains(other.base)
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The address at this place, counted from 0.
    pub fn nth(self, place: u64) -> Option<Ipv4Addr> {
        let place = u32::try_from(place).ok().filter(|_| place < self.size())?;
        u32::from(self.base).checked_add(place).map(Ipv4Addr::from)
    }
}

/// The bits that a prefix of this length fixes.
fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

impl fmt::Display for Cidr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.base, self.bits)
    }
}

/// What is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a range of addresses such as 10.0.0.0/16")]
pub struct NotACidr;

impl FromStr for Cidr {
    type Err = NotACidr;

    /// EC2 takes `10.0.3.7/16` and makes it canonical.
    fn from_str(text: &str) -> Result<Self, NotACidr> {
        let (base, bits) = text.split_once('/').ok_or(NotACidr)?;
        let bits = bits.parse().ok().filter(|bits| *bits <= 32).ok_or(NotACidr)?;
        Ok(Self::around(base.parse().map_err(|_| NotACidr)?, bits))
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl TryFrom<String> for Cidr {
    type Error = NotACidr;

    fn try_from(text: String) -> Result<Self, NotACidr> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_is_made_canonical_and_knows_its_addresses() {
        assert_eq!(cidr("10.0.3.7/16").to_string(), "10.0.0.0/16");
        assert!(cidr("10.0.0.0/16").contains(Ipv4Addr::new(10, 0, 255, 255)));
        assert!(!cidr("10.0.0.0/16").contains(Ipv4Addr::new(10, 1, 0, 0)));
        assert!(Cidr::ANYWHERE.contains(Ipv4Addr::BROADCAST));
        assert_eq!(cidr("10.0.0.0/28").size(), 16);
        assert_eq!(cidr("10.0.0.0/28").nth(15), Some(Ipv4Addr::new(10, 0, 0, 15)));
        assert_eq!(cidr("10.0.0.0/28").nth(16), None);
        assert_eq!(cidr("10.0.0.9/32").nth(0), Some(Ipv4Addr::new(10, 0, 0, 9)));
    }

    #[test]
    fn ranges_cover_and_overlap() {
        assert!(cidr("10.0.0.0/16").covers(cidr("10.0.4.0/24")));
        assert!(!cidr("10.0.4.0/24").covers(cidr("10.0.0.0/16")));
        assert!(cidr("10.0.4.0/24").overlaps(cidr("10.0.0.0/16")));
        assert!(!cidr("10.0.4.0/24").overlaps(cidr("10.0.5.0/24")));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "a/8", "10.0.0.0/-1", ""] {
            assert_eq!(text.parse::<Cidr>(), Err(NotACidr), "{text}");
        }
    }
}
