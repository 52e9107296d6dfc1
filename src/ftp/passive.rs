//! The address and port in a 227 or 229, in every shape found in the field.
//!
//! RFC 959 §4.1.2 shows `227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)`; RFC 1123 §4.1.2.6 warns that neither the
//! brackets nor the text can be relied on. RFC 2428 §3 has `229 … (|||port|)` with any delimiter.

use std::net::Ipv4Addr;

use crate::evidence::Announced;
use crate::ftp::Reply;

/// Why no address and port can be read from a reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassiveError {
    /// 228 Long Passive Mode (RFC 1639), which no client of today understands.
    #[error("the server answers with 228 (Long Passive Mode, RFC 1639), which clients do not understand")]
    LongPassive,
    /// No six numbers in a 227.
    #[error("it holds no list of six numbers h1,h2,h3,h4,p1,p2")]
    NoNumbers,
    /// No `|||port|` in a 229.
    #[error("it holds no (|||port|)")]
    NoPort,
    /// A number in a 227 above 255.
    #[error("{0} is above 255 and cannot be part of an address or port")]
    NumberTooLarge(u64),
    /// A port in a 229 above 65535.
    #[error("its port is above 65535, where ports end")]
    PortTooLarge(u64),
    /// A list of another length.
    #[error("it holds {0} numbers instead of six")]
    WrongCount(usize),
}

/// Reads a reply to PASV or EPSV. `None` when its code is none of 227, 228 and 229: then it is a refusal, not a faulty
/// offer. Devices that translate between the two answer PASV with 229 and the reverse, so the code decides, not the
/// command.
#[must_use]
pub fn read(reply: &Reply) -> Option<Result<Announced, PassiveError>> {
    match reply.code {
        227 => Some(read_227(&reply.lines)),
        228 => Some(Err(PassiveError::LongPassive)),
        229 => Some(read_229(&reply.lines)),
        _ => None,
    }
}

/// Finds the six numbers: the first list of exactly six, in whichever line it stands; text with other numbers before
/// or after it does not disturb.
fn read_227(lines: &[String]) -> Result<Announced, PassiveError> {
    let lists: Vec<Vec<u64>> = lines.iter().flat_map(|line| number_lists(after_code(line))).collect();
    let Some(six) = lists.iter().find(|list| list.len() == 6) else {
        let longest = lists.iter().map(Vec::len).max().filter(|length| *length > 1);
        return Err(longest.map_or(PassiveError::NoNumbers, PassiveError::WrongCount));
    };
    let mut bytes = [0u8; 6];
    for (byte, number) in bytes.iter_mut().zip(six) {
        *byte = u8::try_from(*number).map_err(|_| PassiveError::NumberTooLarge(*number))?;
    }
    let [h1, h2, h3, h4, p1, p2] = bytes;
    Ok(Announced { address: Some(Ipv4Addr::new(h1, h2, h3, h4)), port: u16::from_be_bytes([p1, p2]) })
}

/// Every run of numbers joined by commas, with blanks allowed around them.
fn number_lists(text: &str) -> Vec<Vec<u64>> {
    let mut lists = Vec::new();
    let mut list: Vec<u64> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        // Only a comma keeps the list going; a blank alone ends it ("3 files 10,0,0,1,…").
        if rest[..start].trim() != "," && !list.is_empty() {
            lists.push(std::mem::take(&mut list));
        }
        let digits = rest[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - start);
        list.push(rest[start..start + digits].parse().unwrap_or(u64::MAX));
        rest = &rest[start + digits..];
    }
    lists.push(list);
    lists
}

/// Finds `|||port|`, where `|` stands for any printable character that is no digit.
fn read_229(lines: &[String]) -> Result<Announced, PassiveError> {
    let port = lines.iter().find_map(|line| delimited_port(after_code(line))).ok_or(PassiveError::NoPort)?;
    let port = u16::try_from(port).map_err(|_| PassiveError::PortTooLarge(port))?;
    Ok(Announced { address: None, port })
}

fn delimited_port(text: &str) -> Option<u64> {
    text.char_indices().find_map(|(at, delimiter)| {
        if !delimiter.is_ascii_graphic() || delimiter.is_ascii_digit() {
            return None;
        }
        let mut fields = text[at + 1..].split(delimiter);
        let (protocol, address, port) = (fields.next()?, fields.next()?, fields.next()?);
        fields.next()?; // the port must be closed by the delimiter too
        let (protocol, address) = (protocol.trim(), address.trim());
        // RFC 2428 §3 leaves both empty; some servers repeat what EPRT would have.
        let protocol_fits = protocol.is_empty() || matches!(protocol, "1" | "2");
        let address_fits = address.is_empty() || address.parse::<std::net::IpAddr>().is_ok();
        let port = port.trim();
        let numeric = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        (protocol_fits && address_fits && numeric).then(|| port.parse().unwrap_or(u64::MAX))
    })
}

/// The line without its code, so that `227` is no number of the list.
fn after_code(line: &str) -> &str {
    match line.as_bytes() {
        [b'1'..=b'6', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..] => &line[4..],
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, lines: &[&str]) -> Reply {
        Reply { code, lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    fn pasv(line: &str) -> Result<(String, u16), PassiveError> {
        read(&reply(227, &[line])).unwrap().map(|found| (found.address.unwrap().to_string(), found.port))
    }

    fn epsv(line: &str) -> Result<u16, PassiveError> {
        read(&reply(229, &[line])).unwrap().map(|found| found.port)
    }

    #[test]
    fn shapes_of_227_in_the_field() {
        let expected = Ok(("192.0.2.7".to_owned(), 50001));
        for line in [
            "227 Entering Passive Mode (192,0,2,7,195,81).",
            "227 Entering Passive Mode (192,0,2,7,195,81)",
            "227 Entering Passive Mode. 192,0,2,7,195,81",
            "227 (192,0,2,7,195,81)",
            "227 192,0,2,7,195,81",
            "227 =192,0,2,7,195,81",
            "227 - Entering Passive Mode (192,0,2,7,195,81)",
            "227 Entering Passive Mode (192, 0, 2, 7, 195, 81)",
            "227 Entering Passive Mode ( 192 ,0 ,2 ,7 ,195 ,81 )",
            "227 Entering Passive Mode (192,0,2,7,195,81",
            "227 ok 3 files, passive mode (192,0,2,7,195,81) for 2 users",
            "227 Passage en mode passif (192,0,2,7,195,81) 10,11",
            "227-Entering (192,0,2,7,195,81)",
        ] {
            assert_eq!(pasv(line), expected, "{line}");
        }
    }

    #[test]
    fn multi_line_227_is_read_where_the_numbers_are() {
        let found =
            read(&reply(227, &["227-listen socket created", "227 (0,0,0,0,137,217)"])).unwrap().unwrap();
        assert_eq!((found.address.unwrap().to_string(), found.port), ("0.0.0.0".into(), 35289));
    }

    #[test]
    fn faulty_227_says_what_is_wrong() {
        assert_eq!(pasv("227 Entering Passive Mode (1,141,85)."), Err(PassiveError::WrongCount(3)));
        assert_eq!(pasv("227 Entering passive mode (::1,228,59)."), Err(PassiveError::WrongCount(3)));
        assert_eq!(pasv("227 Entering Passive Mode"), Err(PassiveError::NoNumbers));
        assert_eq!(pasv("227 Entering Passive Mode (300,1,2,3,4,5)"), Err(PassiveError::NumberTooLarge(300)));
        assert_eq!(pasv("227 Passive (192.0.2.7.195.81)"), Err(PassiveError::NoNumbers));
        assert_eq!(
            pasv("227 (99999999999999999999999,1,2,3,4,5)"),
            Err(PassiveError::NumberTooLarge(u64::MAX))
        );
        assert_eq!(pasv("227 Passive (1,2,3,4,5,6,7)"), Err(PassiveError::WrongCount(7)));
    }

    #[test]
    fn port_zero_is_read_as_such() {
        assert_eq!(pasv("227 Entering Passive Mode (192,0,2,7,0,0)").unwrap().1, 0);
    }

    #[test]
    fn shapes_of_229_in_the_field() {
        for line in [
            "229 Entering Extended Passive Mode (|||50001|)",
            "229 Entering Extended Passive Mode (|||50001|).",
            "229 Entering Passive Mode (|||50001|)",
            "229 (!!!50001!)",
            "229 |||50001|",
            "229 Extended Passive mode OK (|1|192.0.2.7|50001|)",
            "229 EPSV (one, two) (###50001#)",
        ] {
            assert_eq!(epsv(line), Ok(50001), "{line}");
        }
    }

    #[test]
    fn faulty_229_says_what_is_wrong() {
        assert_eq!(epsv("229 Entering Extended Passive Mode (||50001|)"), Err(PassiveError::NoPort));
        assert_eq!(epsv("229 Entering Extended Passive Mode (|||abc|)"), Err(PassiveError::NoPort));
        assert_eq!(epsv("229 Entering Extended Passive Mode"), Err(PassiveError::NoPort));
        assert_eq!(
            epsv("229 Entering Extended Passive Mode (|||65536|)"),
            Err(PassiveError::PortTooLarge(65536))
        );
        assert_eq!(epsv("229 Entering Extended Passive Mode (|||0|)"), Ok(0));
    }

    #[test]
    fn the_code_decides_and_not_the_command() {
        assert_eq!(
            read(&reply(228, &["228 Entering Long Passive Mode (6,16,0)"])),
            Some(Err(PassiveError::LongPassive))
        );
        assert_eq!(read(&reply(550, &["550 Permission denied."])), None);
    }
}
