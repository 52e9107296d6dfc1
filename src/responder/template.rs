//! Placeholders in reply lines, and what stands in for them.

/// Looks up a placeholder by name; `None` leaves it as it stands.
pub(super) type Value<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Puts values in place of `{name}`, once: a value that looks like a placeholder (a user called `{port}`) stays text.
pub(super) fn fill(template: &str, value: Value<'_>) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let known = after.split_once('}').and_then(|(name, tail)| Some((value(name)?, tail)));
        if let Some((text, tail)) = known {
            filled.push_str(&text);
            rest = tail;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// The lines of a reply as they go on the wire: filled, each ended by CR LF.
pub(super) fn wire(template: &str, value: Value<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(template.len() + 16);
    for line in template.split('\n') {
        bytes.extend_from_slice(fill(line, value).as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Whether a port is named, so that a listener has to stand behind the reply.
pub(super) fn names_port(template: &str) -> bool {
    ["{p1}", "{p2}", "{port}"].iter().any(|name| template.contains(name))
}

/// The values of one session at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// The address announced last.
    pub(super) address: String,
    /// The port announced last; it need not be one (65536).
    pub(super) port: u32,
    pub(super) user: String,
    pub(super) password: String,
    /// The verb being answered.
    pub(super) command: String,
    /// The folder or file in question, absolute.
    pub(super) path: String,
    /// The same as the client wrote it.
    pub(super) name: String,
    pub(super) size: u64,
    /// Lines of a listing.
    pub(super) count: usize,
    pub(super) binary: bool,
    pub(super) anonymous: bool,
    pub(super) ipv6: bool,
    /// The server's own address, as far as it knows.
    pub(super) local: String,
    /// Where a data connection came from.
    pub(super) peer: String,
}

impl Values {
    /// The text behind a placeholder.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let part = |n: usize| self.address.split('.').nth(n).unwrap_or("0").to_owned();
        let text = match name {
            "h" => self.address.replace('.', ","),
            "h1" => part(0),
            "h2" => part(1),
            "h3" => part(2),
            "h4" => part(3),
            // Not cut to a byte: 65536 shall come out as 256,0.
            "p1" => (self.port / 256).to_string(),
            "p2" => (self.port % 256).to_string(),
            "port" => self.port.to_string(),
            "address" => self.address.clone(),
            "user" => self.user.clone(),
            "pass" => self.password.clone(),
            "command" => self.command.clone(),
            "path" => self.path.clone(),
            "name" => self.name.clone(),
            "size" => self.size.to_string(),
            "kbytes" => format!("{}.{}", self.size / 1024, self.size % 1024 * 10 / 1024),
            "count" => self.count.to_string(),
            "mode" => if self.binary { "BINARY" } else { "ASCII" }.to_owned(),
            "kind" => if self.anonymous { "Anonymous" } else { "Non-anonymous" }.to_owned(),
            "own" => if self.ipv6 { "2" } else { "1" }.to_owned(),
            "login" if self.user.is_empty() => "Waiting for username.".to_owned(),
            "login" => format!("Logged in as: {}", self.user),
            // The system account that guests run under, as some daemons show it.
            "account" => if self.anonymous { "ftp" } else { &self.user }.to_owned(),
            "local" => self.local.clone(),
            "peer" => self.peer.clone(),
            _ => return None,
        };
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "port" => Some("50000".to_owned()),
            "user" => Some("{port}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn known_names_are_filled_and_others_left() {
        assert_eq!(fill("(|||{port}|) {what} {", &value), "(|||50000|) {what} {");
    }

    #[test]
    fn values_are_not_filled_again() {
        assert_eq!(fill("331 {user}", &value), "331 {port}");
    }

    #[test]
    fn port_beyond_the_last_is_not_cut() {
        let values = Values { address: "192.0.2.1".to_owned(), port: 65_536, ..Values::default() };
        let filled = fill("({h},{p1},{p2}) {h4} {port}", &|name| values.get(name));
        assert_eq!(filled, "(192,0,2,1,256,0) 1 65536");
    }

    #[test]
    fn each_line_ends_with_cr_lf() {
        assert_eq!(wire("211-a\n211 b", &value), b"211-a\r\n211 b\r\n");
    }
}
