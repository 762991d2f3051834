//! Schedules as CronJobs write them: five fields or a descriptor (the grammar and the words of `robfig/cron` v3, `ParseStandard`).

mod field;
mod zone;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use field::{Bounds, Field};
pub use zone::{Zone, zone};

/// No schedule is looked ahead further than this.
const YEARS_MAX: i16 = 5;

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Bounds = Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// A schedule that has been understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    when: When,
    /// A zone of its own (`CRON_TZ=…`), which the API discourages.
    own_zone: Option<TimeZone>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    Fields { minutes: Field, hours: Field, days: Field, months: Field, weekdays: Field },
    Every(Duration),
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// What is wrong with it, in the real parser's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("empty spec string".to_owned());
        }
        let (own_zone, text) = own_zone(text)?;
        let text = text.trim();
        let when = match text.strip_prefix('@') {
            Some(_) => descriptor(text)?,
            None => fields(text)?,
        };
        Ok(Self { when, own_zone })
    }

    /// The first moment after `after` in a time zone; none within five years is none at all.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match &self.when {
            When::Every(period) => {
                let second = Timestamp::from_second(after.as_second()).ok()?;
                second.checked_add(SignedDuration::try_from(*period).ok()?).ok()
            }
            When::Fields { .. } => self.next_by_fields(after, self.own_zone.as_ref().unwrap_or(zone)),
        }
    }

    fn next_by_fields(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let When::Fields { minutes, hours, .. } = &self.when else { return None };
        let start = zone.to_datetime(after);
        let mut day = start.date();
        while day.year() <= start.year() + YEARS_MAX {
            if self.is_day(day) {
                for hour in (0..24).filter(|hour| hours.has(*hour)) {
                    for minute in (0..60).filter(|minute| minutes.has(*minute)) {
                        let local = day.at(hour, minute, 0, 0);
                        // A moment that a change of clocks leaves out does not come; one that comes twice comes once.
                        let zoned = zone.to_ambiguous_zoned(local).compatible().ok()?;
                        if zoned.datetime() == local && zoned.timestamp() > after {
                            return Some(zoned.timestamp());
                        }
                    }
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// Where both day of month and day of week are limited, either will do.
    fn is_day(&self, day: civil::Date) -> bool {
        let When::Fields { days, months, weekdays, .. } = &self.when else { return false };
        let by_date = days.has(day.day());
        let by_week = weekdays.has(day.weekday().to_sunday_zero_offset());
        let either = if days.is_star || weekdays.is_star { by_date && by_week } else { by_date || by_week };
        months.has(day.month()) && either
    }
}

fn own_zone(text: &str) -> Result<(Option<TimeZone>, &str), String> {
    let Some(rest) = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) else {
        return Ok((None, text));
    };
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    match zone(name) {
        Zone::Known(zone) => Ok((Some(zone), rest)),
        Zone::Unknown(why) => Err(format!("provided bad location {name}: {why}")),
    }
}

fn descriptor(text: &str) -> Result<When, String> {
    let fields_of = |spec: &str| fields(spec);
    match text {
        "@yearly" | "@annually" => fields_of("0 0 1 1 *"),
        "@monthly" => fields_of("0 0 1 * *"),
        "@weekly" => fields_of("0 0 * * 0"),
        "@daily" | "@midnight" => fields_of("0 0 * * *"),
        "@hourly" => fields_of("0 * * * *"),
        _ => match text.strip_prefix("@every ") {
            Some(period) => every(period)
                .ok_or_else(|| format!("failed to parse duration {text}: time: invalid duration {period:?}")),
            None => Err(format!("unrecognized descriptor: {text}")),
        },
    }
}

/// `1h30m`; less than a second is a second, and fractions of one are dropped.
fn every(period: &str) -> Option<When> {
    let mut rest = period;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let end = unit.find(|letter: char| letter.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, next) = unit.split_at_checked(end)?;
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        sum += Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()?;
        rest = next;
    }
    if period.is_empty() { None } else { Some(When::Every(Duration::from_secs(sum.as_secs().max(1)))) }
}

fn fields(text: &str) -> Result<When, String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [minutes, hours, days, months, weekdays] = parts.as_slice() else {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", parts.len(), parts.join(" ")));
    };
    Ok(When::Fields {
        minutes: Field::parse(minutes, &MINUTES)?,
        hours: Field::parse(hours, &HOURS)?,
        days: Field::parse(days, &DAYS)?,
        months: Field::parse(months, &MONTHS)?,
        weekdays: Field::parse(weekdays, &WEEKDAYS)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> String {
        next_in(schedule, after, &TimeZone::UTC)
    }

    fn next_in(schedule: &str, after: &str, zone: &TimeZone) -> String {
        let schedule = Schedule::parse(schedule).unwrap();
        schedule.next(after.parse().unwrap(), zone).map(|moment| moment.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_next_moment_follows_every_field() {
        assert_eq!(next("*/5 * * * *", "2026-11-21T11:07:31Z"), "2026-11-21T11:10:00Z");
        assert_eq!(next("30 3 * * *", "2026-11-21T03:30:00Z"), "2026-11-22T03:30:00Z", "strictly after");
        assert_eq!(next("0 9-17/4 * * mon-fri", "2026-11-21T11:00:00Z"), "2026-11-23T09:00:00Z");
        assert_eq!(next("0 0 29 2 *", "2026-11-21T00:00:00Z"), "2028-02-29T00:00:00Z");
        assert_eq!(next("@hourly", "2026-11-21T11:00:00Z"), "2026-11-21T12:00:00Z");
        assert_eq!(next("@every 90s", "2026-11-21T11:00:00Z"), "2026-11-21T11:01:30Z");
        assert_eq!(next("0 0 31 2 *", "2026-11-21T00:00:00Z"), "", "a day that never comes");
    }

    #[test]
    fn day_of_month_or_day_of_week() {
        // The 25th is a Wednesday, the 22nd a Sunday.
        assert_eq!(next("0 0 25 * 0", "2026-11-21T00:00:00Z"), "2026-11-22T00:00:00Z");
        assert_eq!(next("0 0 25 * *", "2026-11-21T00:00:00Z"), "2026-11-25T00:00:00Z");
    }

    #[test]
    fn a_time_zone_moves_the_hour_and_skips_the_one_that_is_not() {
        let Zone::Known(berlin) = zone("Europe/Berlin") else { panic!("the zone is known") };
        assert_eq!(next_in("0 9 * * *", "2026-07-01T00:00:00Z", &berlin), "2026-07-01T07:00:00Z");
        assert_eq!(next_in("0 9 * * *", "2026-12-01T00:00:00Z", &berlin), "2026-12-01T08:00:00Z");
        // On 29 March 2026 there is no 02:30.
        assert_eq!(next_in("30 2 * * *", "2026-03-28T12:00:00Z", &berlin), "2026-03-30T00:30:00Z");
        assert!(matches!(zone("Mars/Olympus"), Zone::Unknown(_)));
    }

    /// The first is recorded on 1.36 (`cronjob`), the others stand in `robfig/cron` `parser.go`.
    #[test]
    fn mistakes_are_told_in_the_real_words() {
        for (schedule, words) in [
            ("61 * * * *", "end of range (61) above maximum (59): 61"),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("5-2 * * * *", "beginning of range (5) beyond end of range (2): 5-2"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("@often", "unrecognized descriptor: @often"),
            ("", "empty spec string"),
        ] {
            assert_eq!(Schedule::parse(schedule).unwrap_err(), words);
        }
    }
}
