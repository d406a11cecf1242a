//! How often somebody may send a wrong token.
//!
//! Tokens are too long to be guessed; this keeps the log and the processor quiet while somebody tries. Whoever has a session
//! is not held up by those who try from the same address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tokens from one address at once. Own choice: room for a person's typing mistakes.
const AT_ONCE: u32 = 10;

/// Afterwards one more in this time.
const EACH: Duration = Duration::from_secs(6);

/// Addresses kept at most; the one that is allowed again first makes room.
const MOST: usize = 4096;

/// Who sent wrong tokens, and when all of them will be forgotten.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<IpAddr, Instant>>);

impl Throttle {
    /// Seconds that somebody has to wait, unless it is their turn.
    pub(crate) fn wait(&self, address: IpAddr) -> Option<u16> {
        self.wait_at(address, Instant::now())
    }

    fn wait_at(&self, address: IpAddr, now: Instant) -> Option<u16> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = *table.get(&network(address))?;
        let left = forgotten.saturating_duration_since(now);
        let over = left.checked_sub(EACH * (AT_ONCE - 1))?;
        (!over.is_zero()).then(|| over.as_secs().max(1) as u16)
    }

    /// A wrong token came from there.
    pub(crate) fn failed(&self, address: IpAddr) {
        self.failed_at(address, Instant::now());
    }

    fn failed_at(&self, address: IpAddr, now: Instant) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= MOST {
            table.retain(|_, forgotten| *forgotten > now);
        }
        if table.len() >= MOST {
            let first = table.iter().min_by_key(|(_, at)| **at).map(|(address, _)| *address);
            first.and_then(|first| table.remove(&first));
        }
        let forgotten = table.entry(network(address)).or_insert(now);
        *forgotten = (*forgotten).max(now) + EACH;
    }
}

/// One household has one IPv4 address, and 2^64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ten_mistakes_are_forgiven_and_then_one_at_a_time() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..AT_ONCE {
            assert_eq!(throttle.wait_at(at("10.0.0.1"), now), None);
            throttle.failed_at(at("10.0.0.1"), now);
        }
        assert_eq!(throttle.wait_at(at("10.0.0.1"), now), Some(6));
        assert_eq!(throttle.wait_at(at("10.0.0.2"), now), None, "others are not held up");
        assert_eq!(throttle.wait_at(at("10.0.0.1"), now + EACH), None);
        throttle.failed_at(at("10.0.0.1"), now + EACH);
        assert!(throttle.wait_at(at("10.0.0.1"), now + EACH).is_some());
    }

    #[test]
    fn a_whole_network_counts_as_one() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for host in 0..=AT_ONCE {
            throttle.failed_at(at(&format!("2001:db8::{host}")), now);
        }
        assert!(throttle.wait_at(at("2001:db8::ffff"), now).is_some());
        assert_eq!(throttle.wait_at(at("2001:db8:0:1::1"), now), None);
        assert_eq!(network(at("::ffff:10.0.0.1")), at("10.0.0.1"));
    }

    #[test]
    fn the_table_does_not_grow_for_ever() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for host in 0..=MOST as u32 {
            throttle.failed_at(IpAddr::from(host.to_be_bytes()), now);
        }
        assert_eq!(throttle.0.lock().unwrap().len(), MOST);
    }
}
