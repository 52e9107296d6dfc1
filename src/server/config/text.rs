//! What the line grammars share.

use crate::evidence::Place;

/// One line of a file, as it stands there, a carriage return included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) file: &'a str,
    pub(super) number: usize,
    pub(super) text: &'a str,
}

impl<'a> Line<'a> {
    /// The place of a part of this line, which must be a slice of it.
    pub(super) fn place(&self, part: &str) -> Place {
        let start = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        let start = start.filter(|start| start + part.len() <= self.text.len()).unwrap_or(0);
        Place::new(self.file, self.number, self.shown(), start..start + part.len())
    }

    /// The place of the whole line without the blanks about it.
    pub(super) fn whole(&self) -> Place {
        self.place(self.text.trim())
    }

    /// Without its carriage return.
    pub(super) fn shown(&self) -> &'a str {
        self.text.strip_suffix('\r').unwrap_or(self.text)
    }
}

/// The lines of a text.
pub(super) fn lines<'a>(file: &'a str, text: &'a str) -> impl Iterator<Item = Line<'a>> {
    text.split('\n').enumerate().map(move |(at, text)| Line { file, number: at + 1, text })
}

/// Whether a text can be a host name (or, for `ProFTPD`, an interface's): numbers and dots alone cannot.
pub(super) fn is_name(text: &str) -> bool {
    // RFC 1035 §2.3.4 bounds a name.
    text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// What C's `atoi` makes of a text: leading blanks, a sign, digits; 0 where there are none.
pub(super) fn atoi(text: &str) -> i64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit).take(12);
    sign * digits.fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'))
}

/// What `inet_aton` makes of a text: one to four parts, octal with a leading 0 and hexadecimal with 0x; text after a blank
/// does not count.
pub(super) fn inet_aton(text: &str) -> Option<std::net::Ipv4Addr> {
    let word = text.split(char::is_whitespace).next()?;
    let parts: Vec<u32> = word.split('.').map(part).collect::<Option<_>>()?;
    let (last, firsts) = parts.split_last()?;
    if firsts.len() > 3 || firsts.iter().any(|part| *part > 255) {
        return None;
    }
    let free = 32 - 8 * u32::try_from(firsts.len()).ok()?;
    if free < 32 && *last >= 1u32 << free {
        return None;
    }
    let high = firsts.iter().zip([24, 16, 8]).fold(0u32, |sum, (part, shift)| sum | (part << shift));
    Some((high | last).into())
}

fn part(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(rest) => (rest, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // `from_str_radix` would take a sign.
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_reads_them() {
        for (text, value) in
            [("50000", 50000), ("50000-50010", 50000), ("abc", 0), (" 7x", 7), ("-5", -5), ("", 0)]
        {
            assert_eq!(atoi(text), value, "{text:?}");
        }
        assert!(atoi("99999999999999999999") > 65_535);
    }

    #[test]
    fn addresses_as_inet_aton_reads_them() {
        let read = |text| inet_aton(text).map(|address| address.to_string());
        assert_eq!(read("203.7").as_deref(), Some("203.0.0.7"));
        assert_eq!(read("203.0.113.10 # x").as_deref(), Some("203.0.113.10"));
        assert_eq!(read("0xcb007105").as_deref(), Some("203.0.113.5"));
        assert_eq!(read("010.1.1.1").as_deref(), Some("8.1.1.1"));
        for bad in [
            "",
            "\"203.0.113.10\"",
            "ftp.example.com",
            "2001:db8::1",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.256",
            "+1.2.3.4",
            "1..2",
        ] {
            assert_eq!(inet_aton(bad), None, "{bad:?}");
        }
    }
}
