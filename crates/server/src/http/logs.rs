//! `/v1/apps/{app}/logs`: what an app printed, and prints.

use std::sync::Arc;
use std::time::Duration;

use api::types::{LogLine, LogQuery};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use delivery::Delivery;
use model::AppName;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{Daemon, Refusal, apps, stream};

/// How many lines are shown unless the caller says another number.
const LINES: usize = 100;
/// How often a followed log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Streams an app's last lines, and new ones when they are followed.
pub(crate) async fn lines(
    State(daemon): State<Daemon>,
    Path(app): Path<String>,
    Query(query): Query<LogQuery>,
) -> Result<Response, Refusal> {
    let app = apps::name(&app)?;
    let instance = daemon.delivery.log_instance(&app, query.release).await?;
    let (sender, receiver) = unbounded_channel();
    if let Some(id) = &instance {
        for line in daemon
            .delivery
            .last_lines(id, query.lines.unwrap_or(LINES))
            .await
        {
            // The receiver is held below.
            let _ = sender.send(line);
        }
    }
    if query.follow {
        tokio::spawn(follow(
            Arc::clone(&daemon.delivery),
            app,
            query,
            instance,
            sender,
        ));
    }
    Ok(stream::ndjson(None, receiver))
}

/// Sends new lines until nobody listens any more.
async fn follow(
    delivery: Arc<Delivery>,
    app: AppName,
    query: LogQuery,
    instance: Option<model::instance::InstanceId>,
    sender: UnboundedSender<LogLine>,
) {
    let mut follower = match instance {
        Some(id) => Some(delivery.follow(id).await),
        None => None,
    };
    while !sender.is_closed() {
        tokio::time::sleep(LOOK_EVERY).await;
        let serving = delivery
            .log_instance(&app, query.release)
            .await
            .ok()
            .flatten();
        match (&mut follower, serving) {
            (Some(follower), serving) => {
                for line in delivery.new_lines(follower, serving).await {
                    let _ = sender.send(line);
                }
            }
            (None, Some(id)) => follower = Some(delivery.follow(id).await),
            (None, None) => {}
        }
    }
}
