//! Stopping: a token that says so, and the signals that ask for it.

use std::io;

use tokio::sync::watch;

/// Says that something is to stop. Clones share one state; it is never taken back.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    cancelled: watch::Sender<bool>,
}

impl Shutdown {
    /// A token that nobody has cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes everybody who waits in [`cancelled`](Self::cancelled), now or later.
    pub fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }

    /// Returns once [`cancel`](Self::cancel) was called; at once if it already was. Cancel-safe.
    pub async fn cancelled(&self) {
        let mut receiver = self.cancelled.subscribe();
        // The sender lives in `self`, so that this cannot end for want of one.
        let _ = receiver.wait_for(|cancelled| *cancelled).await;
    }

    /// The same as [`cancelled`](Self::cancelled), for streams and tasks that outlive the borrow.
    pub async fn into_cancelled(self) {
        self.cancelled().await;
    }
}

/// Returns at the first SIGTERM (Kubernetes, systemd) or SIGINT (Ctrl-C), and with the signal's name. Further signals are
/// left to whoever calls this again.
///
/// # Errors
/// When the handlers cannot be installed.
pub async fn signal() -> io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cancelling_wakes_those_who_wait_and_those_who_come_later() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn(shutdown.clone().into_cancelled());
        tokio::task::yield_now().await;
        assert!(!shutdown.is_cancelled());
        assert!(!waiting.is_finished());

        shutdown.cancel();
        waiting.await.expect("the waiter returns");
        shutdown.cancelled().await;
        assert!(shutdown.is_cancelled());
    }
}
