//! Work that runs ahead of whoever takes its results, a few results at most, in order.

use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;

/// Results made ahead of need.
const AHEAD: usize = 2;

/// Makes `make(i)` for each `i` in `range` on a thread of its own and hands them to `take` in order.
///
/// Ends early when `take` breaks or fails.
///
/// # Errors
/// What `take` returns.
pub fn run_ahead<T: Send, E>(
    range: std::ops::Range<usize>,
    make: impl FnMut(usize) -> T + Send,
    mut take: impl FnMut(T) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(AHEAD);
        // When the receiver is gone, nobody wants the rest.
        scope.spawn(move || range.map(make).try_for_each(|made| send.send(made)));
        for made in receive {
            if take(made)?.is_break() {
                break;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_until_told_to_stop() {
        let mut seen = Vec::new();
        let take = |i| {
            seen.push(i);
            Ok::<_, ()>(if i == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        run_ahead(0..1000, |i| i, take).unwrap();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
    }
}
