//! USER and PASS.

use std::io;
use std::sync::Arc;

use super::action::Then;
use super::persona::Say;
use super::session::Session;

/// A client that fails so often is sent away, by those daemons that do.
const MOST_FAILURES: u32 = 3;

impl Session {
    /// Takes a name down, and whether it is enough.
    pub(super) fn name(&mut self, name: &str, enough: bool) {
        self.values.anonymous = ["anonymous", "ftp"].iter().any(|known| name.eq_ignore_ascii_case(known));
        name.clone_into(&mut self.values.user);
        self.user = Some(name.to_owned());
        self.logged_in = enough;
    }

    pub(super) async fn user(&mut self, name: &str) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        let words = shared.words;
        self.name(name, false);
        let secured = self.control.secured();
        let turned_away = shared.script.tls.as_ref().is_some_and(|tls| tls.refuses_anonymous);
        if secured && turned_away && self.values.anonymous {
            self.user = None;
            return self.say("530 Anonymous sessions may not use encryption.").await;
        }
        if shared.script.login.needs_tls_login && !secured {
            self.user = None;
            return self.say_and(words.tls_login).await;
        }
        if !(self.values.anonymous && shared.script.login.anonymous) {
            return self.say(words.password_wanted).await;
        }
        self.logged_in = words.anonymous_wanted.starts_with('2');
        self.say(words.anonymous_wanted).await
    }

    pub(super) async fn pass(&mut self, password: &str) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        let (words, login) = (shared.words, &shared.script.login);
        password.clone_into(&mut self.values.password);
        let Some(name) = self.user.clone() else { return self.say(words.user_first).await };
        let guest = self.values.anonymous && login.anonymous;
        if guest || login.users.get(&name).is_some_and(|right| right == password) {
            self.logged_in = true;
            return self.say(if guest { words.anonymous_in } else { words.logged_in }).await;
        }
        self.user = None;
        self.logged_in = false;
        self.failures += 1;
        match words.login_given_up {
            Some(text) if self.failures >= MOST_FAILURES => self.say(text).await.map(|_| Then::Close),
            _ => self.say(words.login_incorrect).await,
        }
    }

    /// Sends the persona's words, with their consequence.
    pub(super) async fn say_and(&mut self, say: Say) -> io::Result<Then> {
        self.say(say.text).await.map(|_| say.then)
    }
}
