//! Ctrl-C: the first asks to stop after the current step, the second stops at once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::printer::Printer;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether somebody else listens now.
static LEFT: AtomicBool = AtomicBool::new(false);

/// Exit status of a program that an interrupt ended. Source: POSIX shells, 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Listens from now on; the first time, tells that work stops after what `after` names.
pub(crate) fn listen(printer: Printer, after: &'static str) -> anyhow::Result<()> {
    ctrlc::set_handler(move || {
        if LEFT.load(Ordering::SeqCst) {
            return;
        }
        if ASKED.swap(true, Ordering::SeqCst) {
            quit();
        }
        printer.say(format_args!("\nstopping: {after} (Ctrl-C again quits at once)"));
    })?;
    Ok(())
}

/// Leaves Ctrl-C to a server, which ends by itself.
pub(crate) fn leave() {
    LEFT.store(true, Ordering::SeqCst);
}

/// Whether somebody asked to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

#[expect(clippy::exit, reason = "whoever presses Ctrl-C twice wants exactly this")]
fn quit() {
    std::process::exit(INTERRUPTED);
}
