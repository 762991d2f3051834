//! Watches: an answer that goes on, with an event whenever something changes.

use std::{sync::Arc, time::Duration};

use breakfix_sim::listen::Body;
use http::Response;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::{
    host::Host,
    stream_body::{Writer, streamed},
};
use crate::api::watch::WatchSpec;

/// A stock server sends bookmarks about so often.
const BOOKMARK: Duration = Duration::from_secs(60);
/// A watch without a limit of its own ends after `--min-request-timeout` (30 min) and up to twice that.
const TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// Answers a watch; a task of its own goes on with it.
pub fn answer(host: Arc<Host>, watch: WatchSpec) -> Response<Body> {
    let (writer, response) = streamed(watch.content_type());
    tokio::spawn(run(host, watch, writer));
    response
}

async fn run(host: Arc<Host>, mut watch: WatchSpec, writer: Writer) {
    // Before the first look: what happens in between rings.
    let mut news = host.news();
    let end = sleep(watch.timeout.unwrap_or(TIMEOUT));
    tokio::pin!(end);
    let mut minute = interval_at(Instant::now() + BOOKMARK, BOOKMARK);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let Ok(frames) = host.look(|cluster| watch.poll(cluster)) else { return };
        if !writer.write(frames.bytes).await || frames.over {
            return;
        }
        tokio::select! {
            _ = news.changed() => {}
            () = writer.gone() => return,
            () = &mut end => return,
            _ = minute.tick(), if watch.bookmarks => {
                let Ok(bookmark) = host.look(|cluster| watch.bookmark(cluster)) else { return };
                if !writer.write(bookmark).await {
                    return;
                }
            }
        }
    }
}
