//! When an event came.

use std::mem::MaybeUninit;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::arguments::Options;
use crate::output::{Formatted, Output};

/// How times are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// Not at all.
    None,
    /// On a line of their own.
    Long,
    /// On the line of the event.
    Short,
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Stamp {
    /// What the options ask for.
    pub(crate) fn of(options: &Options) -> Self {
        match (options.tshort, options.timestamp) {
            (true, _) => Self::Short,
            (false, true) => Self::Long,
            (false, false) => Self::None,
        }
    }

    /// Tells the present time, in this machine's time zone: in text as `ip monitor` does, in JSON as RFC 3339.
    pub(crate) fn print(self, head: &mut Output) {
        if self == Self::None {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = now.subsec_micros();
        let tm = local(now.as_secs());
        let (year, month) = (i64::from(tm.tm_year) + 1900, tm.tm_mon + 1);
        let (day, hour, minute, second) = (tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        if head.is_json() {
            let offset = tm.tm_gmtoff / 60;
            let (sign, offset) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
            let (hours, minutes) = (offset / 60, offset % 60);
            head.json(
                "time",
                Formatted(format_args!(
                    "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}{sign}{hours:02}:{minutes:02}"
                )),
            );
            return;
        }
        if self == Self::Short {
            return head.glue(Formatted(format_args!(
                "[{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}] "
            )));
        }
        let (weekday, month) = (name(&DAYS, tm.tm_wday), name(&MONTHS, tm.tm_mon));
        head.glue(Formatted(format_args!(
            "Timestamp: {weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year} {micros} usec\n"
        )));
    }
}

/// A time in seconds since 1970 as ctime(3) tells it, in this machine's time zone.
pub(crate) fn ctime(seconds: u64) -> String {
    let tm = local(seconds);
    let (weekday, month) = (name(&DAYS, tm.tm_wday), name(&MONTHS, tm.tm_mon));
    let (day, hour, minute, second, year) =
        (tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, i64::from(tm.tm_year) + 1900);
    format!("{weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year}")
}

fn name(names: &[&'static str], index: i32) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("???")
}

/// A time in seconds since 1970, taken apart in this machine's time zone.
pub(crate) fn local(seconds: u64) -> libc::tm {
    let seconds = seconds.try_into().unwrap_or_default();
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: localtime_r(3) reads `seconds` and writes to `tm`, both of which live until it returns. All members of a `tm`
    // may be zero, its pointer too, so that it is whole even where the time cannot be told.
    unsafe {
        libc::localtime_r(&raw const seconds, tm.as_mut_ptr());
        tm.assume_init()
    }
}
