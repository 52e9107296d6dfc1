//! Where sessions are kept between the handshakes of one target.
//!
//! A TLS 1.3 ticket serves once (RFC 8446 §C.4), and servers give two or so: those that come on data connections are kept
//! too, or the third data connection would have none. That is rustls' own store; this one counts the offers beside it.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;

/// Sessions that are kept: one name, a handful of tickets.
const MOST_SESSIONS: usize = 32;

/// A store that counts how often it had a session to offer.
#[derive(Debug)]
pub(super) struct Store {
    inner: ClientSessionMemoryCache,
    offers: AtomicUsize,
}

impl Default for Store {
    fn default() -> Self {
        Self { inner: ClientSessionMemoryCache::new(MOST_SESSIONS), offers: AtomicUsize::new(0) }
    }
}

impl Store {
    /// How often a session was offered so far.
    pub(super) fn offers(&self) -> usize {
        self.offers.load(Ordering::Relaxed)
    }

    fn counted<T>(&self, session: Option<T>) -> Option<T> {
        if session.is_some() {
            self.offers.fetch_add(1, Ordering::Relaxed);
        }
        session
    }
}

impl ClientSessionStore for Store {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.inner.set_kx_hint(name, group);
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.inner.kx_hint(name)
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.inner.set_tls12_session(name, value);
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.counted(self.inner.tls12_session(name))
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.inner.remove_tls12_session(name);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.inner.insert_tls13_ticket(name, value);
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.counted(self.inner.take_tls13_ticket(name))
    }
}
