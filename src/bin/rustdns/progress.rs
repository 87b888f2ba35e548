//! What takes more than a second says so on standard error, where that is a terminal; the line is gone
//! when it is done, or when somebody has pressed Ctrl-C.

use rustdns::sys::terminal;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Sooner nobody wonders.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(200);

/// A line that tells how long something takes, as long as this lives.
pub(crate) struct Progress(Option<(Sender<String>, JoinHandle<()>)>);

impl Progress {
    pub(crate) fn of(what: impl Into<String>) -> Progress {
        if !io::stderr().is_terminal() {
            return Progress(None);
        }
        terminal::clear_line_on_interrupt();
        let (sender, receiver) = channel();
        let what = what.into();
        let thread = thread::Builder::new().spawn(move || show(what, &receiver));
        // Without a thread there is no line.
        Progress(thread.ok().map(|thread| (sender, thread)))
    }

    /// What is being done now.
    pub(crate) fn say(&self, what: impl Into<String>) {
        if let Some((sender, _)) = &self.0 {
            // The thread lives as long as this.
            let _ = sender.send(what.into());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

fn show(mut what: String, news: &Receiver<String>) {
    let begun = Instant::now();
    let mut wait = PATIENCE;
    let mut shown = false;
    loop {
        match news.recv_timeout(wait) {
            Ok(other) => {
                what = other;
                wait = PATIENCE.saturating_sub(begun.elapsed()).max(TICK);
            }
            Err(RecvTimeoutError::Timeout) => {
                terminal::line_is_shown(true);
                // There is nobody left to tell where standard error is closed.
                let _ = write!(io::stderr(), "\r\x1b[K{what}: {} s", begun.elapsed().as_secs());
                (shown, wait) = (true, TICK);
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if shown {
        let _ = write!(io::stderr(), "\r\x1b[K");
        terminal::line_is_shown(false);
    }
}
