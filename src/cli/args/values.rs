//! How words become values. An error says what to write.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pasvcheck::net::survey::Rate;
use pasvcheck::plan::UPLOAD_LIMIT;

use super::check::PublicAddress;

pub(in crate::cli) fn check_names() -> clap::builder::PossibleValuesParser {
    pasvcheck::checks::network().map(|check| check.name).collect::<Vec<_>>().into()
}

pub(in crate::cli) fn concurrency(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| "write a number from 1 to 1000".to_owned())
}

/// `5s`, `1m 30s`, `500ms`, or a bare number of seconds.
pub(in crate::cli) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let duration = match seconds {
        Some(duration) => duration,
        None => humantime::parse_duration(text)
            .map_err(|_| "write a duration such as 5s, 500ms or 2m".to_owned())?,
    };
    let bounds = Duration::from_millis(10)..=Duration::from_secs(24 * 3600);
    if bounds.contains(&duration) {
        Ok(duration)
    } else {
        Err("a duration lies between 10ms and 24h".to_owned())
    }
}

/// `65536`, `64K`, `10M` or `1G`, in powers of 1024.
pub(in crate::cli) fn upload_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => Some(1),
        "K" | "KIB" => Some(1 << 10),
        "M" | "MIB" => Some(1 << 20),
        "G" | "GIB" => Some(1 << 30),
        _ => None,
    };
    let digits =
        Some(digits).filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    let (Some(unit), Some(digits)) = (unit, digits) else {
        return Err("write a number of bytes, or 64K, 10M or 1G (in powers of 1024)".to_owned());
    };
    // More digits than a number holds are too many in any case.
    let size = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    size.filter(|size| (1..=UPLOAD_LIMIT).contains(size)).ok_or_else(|| {
        "an upload has at least 1 byte and at most 1G; 10M is enough for most paths".to_owned()
    })
}

pub(in crate::cli) fn rate(text: &str) -> Result<Rate, String> {
    if text == "max" {
        return Ok(Rate::Max);
    }
    let rate = text.parse().ok().filter(|rate| *rate > 0).map(Rate::PerSecond);
    rate.ok_or_else(|| "write a number of connects a second, or max".to_owned())
}

pub(in crate::cli) fn dns_server(text: &str) -> Result<SocketAddr, String> {
    let bare = text
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .map(|ip| SocketAddr::new(ip, 53));
    bare.or_else(|_| text.parse())
        .map_err(|_| "write ADDR or ADDR:PORT, for example 192.0.2.53 or [2001:db8::53]:5353".to_owned())
}

pub(in crate::cli) fn given_address(text: &str) -> Result<(String, IpAddr), String> {
    let (host, address) =
        text.split_once(':').ok_or("write HOST:ADDR, for example ftp.example.com:203.0.113.10")?;
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse().map_err(|_| format!("\"{address}\" is no address"))?;
    Ok((host.to_owned(), address))
}

pub(in crate::cli) fn public_address_or_auto(text: &str) -> Result<PublicAddress, String> {
    if text == "auto" {
        return Ok(PublicAddress::Auto);
    }
    public_address(text).map_err(|_| "write an address, auto, or none".to_owned())
}

pub(in crate::cli) fn public_address(text: &str) -> Result<PublicAddress, String> {
    if text == "none" {
        return Ok(PublicAddress::None);
    }
    text.parse().map(PublicAddress::Given).map_err(|_| "write an address, or none".to_owned())
}
