//! PASV and EPSV.

use std::io;
use std::sync::Arc;

use super::action::Then;
use super::passive::{Listener, Under};
use super::persona::Say;
use super::session::Session;
use super::template;

/// For a host that has no port left at all, where the persona would take one of the kernel's choice.
const NO_PORT_AT_ALL: Say = Say { text: "425 Can't open passive connection.", then: Then::Continue };

impl Session {
    pub(super) async fn pasv(&mut self) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        let words = shared.words;
        if let (true, Some(refusal)) = (self.epsv_all, words.pasv_after_epsv_all) {
            return self.say(refusal).await;
        }
        let reply = if self.values.ipv6 { words.pasv_on_ipv6 } else { words.pasv };
        if let Some(refusal) = self.refusal(shared.script.passive.pasv) {
            return self.say(refusal).await;
        }
        let spoilt = shared.script.tls.as_ref().and_then(|tls| tls.pasv_in_clear.as_deref());
        if let Some(spoilt) = spoilt.filter(|_| !self.control.secured()) {
            return self.say(spoilt).await;
        }
        if !template::names_port(reply) {
            return self.say(reply).await;
        }
        self.offer_while_ports_last(true, reply).await
    }

    pub(super) async fn epsv(&mut self, argument: &str) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        let words = shared.words;
        if let Some(refusal) = self.refusal(shared.script.passive.epsv) {
            return self.say(refusal).await;
        }
        if argument.eq_ignore_ascii_case("ALL") {
            self.epsv_all = true;
            return self.say(words.epsv_all).await;
        }
        let [ipv4, ipv6] = words.protocols;
        let taken = if self.values.ipv6 { ipv6 } else { ipv4 };
        if argument.is_empty() || taken.is_empty() || taken.contains(&argument) {
            return self.offer_while_ports_last(false, words.epsv).await;
        }
        let is_number = argument.bytes().all(|byte| byte.is_ascii_digit());
        self.say(if is_number { words.wrong_protocol } else { words.no_protocol }).await
    }

    /// Why there is no passive mode at all, if there is none.
    fn refusal(&self, enabled: bool) -> Option<&'static str> {
        let words = self.shared.words;
        if !enabled {
            return Some(words.passive_off);
        }
        (self.shared.script.login.needs_tls_data && !self.private && words.tls_data_at_passive)
            .then_some(words.tls_data)
    }

    async fn offer_while_ports_last(&mut self, with_address: bool, reply: &str) -> io::Result<Then> {
        // The old listener goes first, so that a range of one port can be offered again.
        self.listener = None;
        let offered = match (self.shared.has_free_port(), self.shared.words.no_free_port) {
            (true, _) => self.offer(with_address),
            (false, Some(refusal)) => Err(refusal),
            (false, None) => self.offer_under(with_address, Under::Kernel),
        };
        match offered {
            Ok(()) => self.say(reply).await,
            Err(refusal) => self.say_and(refusal).await,
        }
    }

    /// Opens a listener in place of the one before, ready to be announced.
    pub(super) fn offer(&mut self, with_address: bool) -> Result<(), Say> {
        self.offer_under(with_address, Under::Script)
    }

    fn offer_under(&mut self, with_address: bool, under: Under) -> Result<(), Say> {
        self.listener = None;
        let listener = Listener::open(self.local, &self.shared, under, self.control.secured())
            .map_err(|_| self.shared.words.no_free_port.unwrap_or(NO_PORT_AT_ALL))?;
        // Only the 227 has an address, so only PASV moves on to the next one.
        let address = if with_address { self.shared.next_address(!self.control.secured()) } else { None };
        self.values.address = address.unwrap_or_else(|| self.local.to_string());
        self.values.port = listener.announced();
        self.listener = Some(listener);
        Ok(())
    }
}
