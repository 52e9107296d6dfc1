//! Connections: so many at a time, none that dawdles for ever, and an end within bounds.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections beyond those of the probes: for refusals, `/metrics` and whoever keeps one open.
pub(super) const SPARE_CONNECTIONS: usize = 64;

/// How long a connection may take for the head of a request, and how long it may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that is read of a head. No request of ours needs a tenth of it (hyper takes no less than 8 KiB).
const HEAD_LIMIT: usize = 16 * 1024;

/// How long probes under way may go on once the service is to end.
const GRACE: Duration = Duration::from_secs(10);

/// How long it is waited for that everything has let go after that.
const LETTING_GO: Duration = Duration::from_secs(1);

/// The pause after a connection could not be taken, as where the process has no descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
struct Ends {
    /// No more requests.
    closing: CancellationToken,
    /// Not even the ones under way.
    ended: CancellationToken,
}

/// Serves until `stop` ends, then for [`GRACE`] what is under way.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    connections: usize,
    stop: impl Future<Output = ()>,
) {
    let ends = Arc::new(Ends { closing: CancellationToken::new(), ended: CancellationToken::new() });
    let tasks = TaskTracker::new();
    tokio::select! {
        () = stop => {}
        () = accept(&listener, &router, connections, &tasks, &ends) => {}
    }
    drop(listener);
    tasks.close();
    ends.closing.cancel();
    if timeout(GRACE, tasks.wait()).await.is_err() {
        ends.ended.cancel();
        let _ = timeout(LETTING_GO, tasks.wait()).await;
    }
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    connections: usize,
    tasks: &TaskTracker,
    ends: &Arc<Ends>,
) {
    let room = Arc::new(Semaphore::new(connections));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (router, ends) = (router.clone(), Arc::clone(ends));
                tasks.spawn(async move {
                    connection(stream, router, &ends).await;
                    drop(permit);
                });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// One connection. When its client goes away the request under way is dropped, and its probe with it.
async fn connection(stream: TcpStream, router: Router, ends: &Ends) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_LIMIT);
    let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(served);
    let mut closing = false;
    loop {
        tokio::select! {
            // A fault of the connection is its client's.
            _ = served.as_mut() => return,
            () = ends.closing.cancelled(), if !closing => {
                closing = true;
                served.as_mut().graceful_shutdown();
            }
            () = ends.ended.cancelled() => return,
        }
    }
}
