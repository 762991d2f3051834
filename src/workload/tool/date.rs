//! `date`, and the moments that `ls -l` shows; always UTC.

use crate::Machine;

use super::{Io, arguments::Arguments};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A moment taken apart.
struct Moment {
    year: u64,
    /// 1 to 12.
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    /// Days since 1970-01-01, a Thursday.
    days: u64,
}

impl Moment {
    /// From seconds since 1970-01-01 UTC, in the proleptic Gregorian calendar.
    fn new(seconds: u64) -> Self {
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let (mut year, mut left) = (1970, days);
        while left >= year_length(year) {
            left -= year_length(year);
            year += 1;
        }
        let mut month = 1;
        while left >= month_length(year, month) {
            left -= month_length(year, month);
            month += 1;
        }
        Self { year, month, day: left + 1, hour: rest / 3_600, minute: rest / 60 % 60, second: rest % 60, days }
    }

    fn month_name(&self) -> &'static str {
        usize::try_from(self.month).ok().and_then(|month| MONTHS.get(month - 1)).copied().unwrap_or("???")
    }

    fn day_name(&self) -> &'static str {
        usize::try_from(self.days % 7).ok().and_then(|day| DAYS.get(day)).copied().unwrap_or("???")
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_length(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_length(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `Nov 21 13:04`, as `ls -l` shows it.
pub(super) fn short(seconds: u64) -> String {
    let moment = Moment::new(seconds);
    format!("{} {:>2} {:02}:{:02}", moment.month_name(), moment.day, moment.hour, moment.minute)
}

/// `2025-11-21T13:04:05Z`.
fn iso(seconds: u64) -> String {
    let Moment { year, month, day, hour, minute, second, .. } = Moment::new(seconds);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `date [-u] [-I] [+FORMAT]`.
pub(super) fn date(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "u I") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("date: {error}")),
    };
    let seconds = machine.unix_millis() / 1_000;
    let moment = Moment::new(seconds);
    let text = match arguments.rest.as_slice() {
        [] if arguments.has("I") => iso(seconds).get(..10).unwrap_or_default().to_owned(),
        [] => {
            let Moment { year, day, hour, minute, second, .. } = &moment;
            let (weekday, month) = (moment.day_name(), moment.month_name());
            format!("{weekday} {month} {day:>2} {hour:02}:{minute:02}:{second:02} UTC {year}")
        }
        [format] if format.starts_with('+') => formatted(format.trim_start_matches('+'), seconds, &moment),
        [other, ..] => return io.complain(&format!("date: invalid date '{other}'")),
    };
    io.line(&text);
    0
}

fn formatted(format: &str, seconds: u64, moment: &Moment) -> String {
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('s') => out.push_str(&seconds.to_string()),
            Some('Y') => out.push_str(&moment.year.to_string()),
            Some('m') => out.push_str(&format!("{:02}", moment.month)),
            Some('d') => out.push_str(&format!("{:02}", moment.day)),
            Some('H') => out.push_str(&format!("{:02}", moment.hour)),
            Some('M') => out.push_str(&format!("{:02}", moment.minute)),
            Some('S') => out.push_str(&format!("{:02}", moment.second)),
            Some('F') => out.push_str(iso(seconds).get(..10).unwrap_or_default()),
            Some('T') => out.push_str(iso(seconds).get(11..19).unwrap_or_default()),
            Some('%') | None => out.push('%'),
            Some(other) => out.extend(['%', other]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_taken_apart() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(iso(1_763_730_245), "2025-11-21T13:04:05Z");
        assert_eq!(short(1_763_730_245), "Nov 21 13:04");
        assert_eq!(Moment::new(1_763_730_245).day_name(), "Fri");
        assert_eq!(formatted("%F %T %s%%", 0, &Moment::new(0)), "1970-01-01 00:00:00 0%");
    }
}
