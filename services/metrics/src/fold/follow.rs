//! Following one source for as long as the process runs.

use std::{sync::Arc, time::Duration};

use barometer_chassis::{error::is_stopping, position::Position, shutdown::Shutdown};
use futures_util::StreamExt;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Feed, Fold};

/// The wait before a feed is opened again: from this, doubled each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A feed says something every second, also when nothing happens. One that is silent for so long is dead.
const SILENCE: Duration = Duration::from_secs(15);

/// Why a feed ended.
enum End {
    /// The position is of another history.
    Gone,
    /// The source stops, and says so.
    Stopped,
    /// Anything else.
    Lost(String),
}

/// Follows a feed until `shutdown`, and opens it again whenever it ends. Once `ending` is said, when the watches of this
/// process's own server end, that it ends surprises nobody.
pub(super) async fn follow<F: Feed>(fold: Arc<Fold>, feed: F, ending: Shutdown, shutdown: Shutdown) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = follow_for_ever(fold, feed, ending) => {}
    }
}

async fn follow_for_ever<F: Feed>(fold: Arc<Fold>, mut feed: F, ending: Shutdown) {
    let mut pause = FIRST_PAUSE;
    loop {
        let (error, stopped) = match follow_once(&fold, &mut feed, &mut pause).await {
            End::Gone => (None, false),
            End::Stopped => (Some("the source stops".to_owned()), true),
            End::Lost(error) => (Some(error), false),
        };
        if let Some(error) = error {
            let mut first = false;
            fold.note(F::SOURCE, 0, |link| {
                link.connected = false;
                link.failures = link.failures.saturating_add(1);
                first = std::mem::replace(&mut link.last_error, error.clone()) != error;
            });
            let source = F::SOURCE.name();
            if first && ending.is_cancelled() {
                tracing::debug!(source, error, "the feed ended: this process stops");
            } else if first && stopped {
                tracing::info!(source, error, "the feed ended: trying again");
            } else if first {
                tracing::warn!(source, error, "the feed was lost: trying again");
            }
        } else {
            fold.start_over(F::SOURCE).await;
        }
        // Half of it for sure, half by chance: those who lost it together do not come back together.
        tokio::time::sleep(pause / 2 + (pause / 2).mul_f64(fastrand::f64())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Follows a feed until it ends. A batch resets the pause before it is opened again.
async fn follow_once<F: Feed>(fold: &Arc<Fold>, feed: &mut F, pause: &mut Duration) -> End {
    let position = fold.link(F::SOURCE).reached.position;
    let after = if position == Position::START { String::new() } else { position.encode(F::SOURCE.name()) };
    let opening = tokio::time::timeout(SILENCE, feed.open(F::folded(), after)).await;
    let mut batches = match opening {
        Ok(Ok(batches)) => batches,
        Ok(Err(status)) => return end_of(&status),
        Err(_) => return End::Lost("it does not answer".to_owned()),
    };
    loop {
        let batch = match tokio::time::timeout(SILENCE, batches.next()).await {
            Ok(Some(Ok(batch))) => batch,
            Ok(Some(Err(status))) => return end_of(&status),
            Ok(None) => return End::Lost("the feed ended".to_owned()),
            Err(_) => return End::Lost("the feed is silent".to_owned()),
        };
        if let Err(error) = fold.apply::<F>(batch).await {
            return End::Lost(error);
        }
        *pause = FIRST_PAUSE;
    }
}

fn end_of(status: &Status) -> End {
    // The same code is answered for messages that are too large.
    let gone = status.get_details_error_info().is_some_and(|info| info.reason == "POSITION_GONE");
    if status.code() == Code::OutOfRange && gone {
        return End::Gone;
    }
    if is_stopping(status) {
        return End::Stopped;
    }
    End::Lost(format!("{:?}: {}", status.code(), status.message()))
}
