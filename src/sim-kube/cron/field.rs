//! One field of a schedule: `*`, `5`, `1-5`, `*/15`, `mon,wed` (`getField`, `getRange`).

/// What a field may hold.
pub(super) struct Bounds {
    pub(super) min: i64,
    pub(super) max: i64,
    /// Names of the values, the lowest first.
    pub(super) names: &'static [&'static str],
}

/// The values of a field, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    bits: u64,
    /// Whether it says `*` or `?`, which leaves the choice to the other day field.
    pub(super) is_star: bool,
}

impl Field {
    pub(super) fn parse(text: &str, bounds: &Bounds) -> Result<Self, String> {
        let mut field = Self { bits: 0, is_star: false };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let range = range(part, bounds)?;
            field.bits |= range.bits;
            field.is_star |= range.is_star;
        }
        Ok(field)
    }

    pub(super) fn has(&self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits.checked_shr(value).is_some_and(|bits| bits & 1 == 1))
    }
}

fn range(text: &str, bounds: &Bounds) -> Result<Field, String> {
    let mut slashes = text.split('/');
    let range = slashes.next().unwrap_or("");
    let step = slashes.next();
    let mut ends = range.split('-');
    let (low, high) = (ends.next().unwrap_or(""), ends.next());
    let mut is_star = low == "*" || low == "?";
    let (start, mut end) = if is_star {
        (bounds.min, bounds.max)
    } else {
        let start = number(low, bounds)?;
        let end = high.map_or(Ok(start), |high| number(high, bounds))?;
        if ends.next().is_some() {
            return Err(format!("too many hyphens: {text}"));
        }
        (start, end)
    };
    let step = match step {
        None => 1,
        Some(step) => {
            let step = integer(step)?;
            // `5/15` means from 5 on.
            if high.is_none() {
                end = bounds.max;
            }
            if step > 1 {
                is_star = false;
            }
            step
        }
    };
    if slashes.next().is_some() {
        return Err(format!("too many slashes: {text}"));
    }
    if start < bounds.min {
        return Err(format!("beginning of range ({start}) below minimum ({}): {text}", bounds.min));
    }
    if end > bounds.max {
        return Err(format!("end of range ({end}) above maximum ({}): {text}", bounds.max));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    let Some(stride) = usize::try_from(step).ok().filter(|step| *step > 0) else {
        return Err(format!("step of range should be a positive number: {text}"));
    };
    let bits = (start..=end).step_by(stride).fold(0_u64, |bits, value| bits | 1 << value);
    Ok(Field { bits, is_star })
}

fn number(text: &str, bounds: &Bounds) -> Result<i64, String> {
    let lower = text.to_lowercase();
    let named = bounds.names.iter().zip(bounds.min..).find(|(name, _)| **name == lower);
    named.map_or_else(|| integer(text), |(_, value)| Ok(value))
}

fn integer(text: &str) -> Result<i64, String> {
    let number: i64 = text
        .parse()
        .map_err(|_| format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"))?;
    if number < 0 {
        return Err(format!("negative number ({number}) not allowed: {text}"));
    }
    Ok(number)
}
