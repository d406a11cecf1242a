//! Who logged in: opaque random numbers in a cookie, kept in memory only.
//!
//! A restart ends all sessions, and so does a change of a token, which needs one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use super::Access;
use crate::serve::failure::Failure;

/// How long a session lasts. Own choice: a week, so that somebody who searches every day logs in on Mondays.
pub(crate) const LASTS: Duration = Duration::from_hours(7 * 24);

/// Sessions kept at most; the one that ends first makes room.
const MOST: usize = 1000;

/// Cookies of our name that are looked at; pages on other ports of this machine may set some, too.
const LOOKED_AT: usize = 4;

/// SHA-256 of what is in the cookie, so that finding it does not depend on how much of it was guessed.
type Key = [u8; 32];

/// What a session may do, and until when.
#[derive(Debug, Clone, Copy)]
struct Session {
    access: Access,
    ends: Instant,
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    cookie: String,
    table: Mutex<HashMap<Key, Session>>,
}

impl Sessions {
    /// None yet. Cookies do not know ports, so that two servers on one machine need two names.
    pub(crate) fn new(port: u16) -> Self {
        Self { cookie: format!("finelens-{port}"), table: Mutex::default() }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Session>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new session: the value of the header `Set-Cookie`.
    pub(crate) fn begin(&self, access: Access, secure: bool) -> Result<String, Failure> {
        let mut id = [0; 32];
        let no_chance = |_| Failure::internal("the system has no random numbers");
        OsRng.try_fill_bytes(&mut id).map_err(no_chance)?;
        let id = super::hexadecimal(&id);
        self.insert(key(&id), access, Instant::now());
        Ok(self.set_cookie(&id, LASTS, secure))
    }

    fn insert(&self, key: Key, access: Access, now: Instant) {
        let mut table = self.table();
        table.retain(|_, session| session.ends > now);
        if table.len() >= MOST {
            let first = table.iter().min_by_key(|(_, session)| session.ends).map(|(key, _)| *key);
            first.and_then(|first| table.remove(&first));
        }
        table.insert(key, Session { access, ends: now + LASTS });
    }

    /// `Strict`: no other site's page makes a browser send it. `HttpOnly`: no script reads it.
    fn set_cookie(&self, value: &str, lasts: Duration, secure: bool) -> String {
        let (name, seconds) = (&self.cookie, lasts.as_secs());
        let secure = if secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }

    /// What whoever sends these cookies may do.
    pub(crate) fn access(&self, headers: &HeaderMap) -> Access {
        self.access_at(headers, Instant::now())
    }

    fn access_at(&self, headers: &HeaderMap, now: Instant) -> Access {
        let table = self.table();
        let known = self.carried(headers).filter_map(|id| table.get(&key(id)));
        let valid = known.filter(|session| session.ends > now);
        valid.map(|session| session.access).max().unwrap_or(Access::Nothing)
    }

    /// Ends the sessions of these cookies: the value of the header `Set-Cookie`.
    pub(crate) fn end(&self, headers: &HeaderMap) -> String {
        let mut table = self.table();
        self.carried(headers).for_each(|id| {
            table.remove(&key(id));
        });
        self.set_cookie("", Duration::ZERO, false)
    }

    fn carried<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        let ours = pairs.filter(|(name, _)| name.trim() == self.cookie);
        ours.map(|(_, value)| value.trim()).take(LOOKED_AT)
    }
}

fn key(id: &str) -> Key {
    Sha256::digest(id.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, cookie.parse().unwrap());
        headers
    }

    fn pair(set_cookie: &str) -> &str {
        set_cookie.split(';').next().unwrap()
    }

    #[test]
    fn a_session_lasts_until_it_ends() {
        let sessions = Sessions::new(7700);
        let cookie = sessions.begin(Access::Write, false).unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
        assert!(sessions.begin(Access::Read, true).unwrap().ends_with("; Secure"));
        let headers = sent(&format!("a=b; {}", pair(&cookie)));
        assert_eq!(sessions.access(&headers), Access::Write);
        assert_eq!(sessions.access_at(&headers, Instant::now() + LASTS), Access::Nothing);
        assert!(sessions.end(&headers).contains("finelens-7700=; Path=/; Max-Age=0"));
        assert_eq!(sessions.access(&headers), Access::Nothing);
    }

    #[test]
    fn nobody_has_the_session_of_another() {
        let sessions = Sessions::new(7700);
        let cookies: Vec<String> =
            (0..3).map(|_| sessions.begin(Access::Read, false).unwrap()).collect();
        assert!(cookies.iter().all(|cookie| pair(cookie).len() == "finelens-7700=".len() + 64));
        assert!(cookies[0] != cookies[1] && cookies[1] != cookies[2]);
        let cut = &pair(&cookies[0])[..70];
        let other = pair(&cookies[0]).replace("7700", "7701");
        for wrong in ["finelens-7700=", "finelens-7700", "", cut, other.as_str()] {
            assert_eq!(sessions.access(&sent(wrong)), Access::Nothing, "{wrong}");
        }
        let tossed = format!("finelens-7700=x; {}", pair(&cookies[1]));
        assert_eq!(sessions.access(&sent(&tossed)), Access::Read, "another's cookie is no harm");
    }

    #[test]
    fn the_table_does_not_grow_for_ever() {
        let sessions = Sessions::new(1);
        let first = sessions.begin(Access::Read, false).unwrap();
        for _ in 0..MOST {
            sessions.begin(Access::Read, false).unwrap();
        }
        assert_eq!(sessions.table().len(), MOST);
        assert_eq!(sessions.access(&sent(pair(&first))), Access::Nothing, "the oldest is gone");
    }
}
