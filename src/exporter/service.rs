//! The paths, and what happens on each.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE as SAMPLES;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::ask::{self, Ask, Refusal};
use super::{Event, Exporter, answer, page};
use crate::clock::{Deadline, Stopwatch, wall_clock};
use crate::probe::Quiet;
use crate::report::Report;

/// When somebody who was refused for want of room may come again, in seconds.
const COME_AGAIN: &str = "5";

/// What a check may need beyond its own deadline, for the goodbye to the server.
const GOODBYE: Duration = Duration::from_millis(600);

type Shared = State<Arc<Exporter>>;

pub(super) fn router(exporter: Arc<Exporter>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/probe", get(probe))
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .fallback(|| async {
            (StatusCode::NOT_FOUND, "there are /probe?target=HOST&module=NAME, /metrics and /healthz\n")
        })
        .with_state(exporter)
}

async fn index(State(exporter): Shared) -> Response {
    ([(CONTENT_SECURITY_POLICY, page::POLICY)], Html(page::index(&exporter.config()))).into_response()
}

async fn metrics(State(exporter): Shared) -> Response {
    samples(exporter.metrics.text())
}

fn samples(text: String) -> Response {
    ([(CONTENT_TYPE, SAMPLES), (CACHE_CONTROL, "no-store")], text).into_response()
}

async fn probe(
    State(exporter): Shared,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let asked = ask::read(&query, &headers, &exporter.config(), exporter.bounds.offset);
    let taken = asked.and_then(|ask| match Arc::clone(&exporter.probes).try_acquire_owned() {
        Ok(permit) => Ok((ask, permit)),
        Err(_) => Err(Refusal::busy(exporter.bounds.probes)),
    });
    match taken {
        Ok((ask, permit)) => samples(checked(&exporter, &ask, permit).await),
        Err(refusal) => refused(&exporter, &refusal),
    }
}

fn refused(exporter: &Exporter, refusal: &Refusal) -> Response {
    exporter.metrics.refused(refusal.reason);
    (exporter.told)(Event::Refused(refusal.words.clone()));
    let mut response = (refusal.status, format!("{}\n", refusal.words)).into_response();
    if refusal.status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from_static(COME_AGAIN));
    }
    response
}

/// Checks the target and writes the samples, by the deadline at the latest.
async fn checked(exporter: &Exporter, ask: &Ask, permit: OwnedSemaphorePermit) -> String {
    let under_way = UnderWay::begin(exporter, permit);
    let (clock, started_at) = (Stopwatch::start(), wall_clock());
    // The check's own deadline lies ahead of the answer's, so that what was learned is told.
    let own = ask.allowed.saturating_sub(GOODBYE).max(ask.allowed / 2);
    let check = exporter.fleet.check_before(&ask.plan, Some(Deadline::after(own)), &Quiet);
    let report = timeout(ask.allowed, check).await;
    let took = clock.elapsed();
    let (report, late): (Report, bool) = match report {
        Ok(report) => {
            let late = answer::ran_out(&report);
            (report, late)
        }
        Err(_) => (answer::cut_off(&ask.plan, started_at, took), true),
    };
    under_way.end();
    exporter.metrics.probed(&ask.module, report.verdict, late, took);
    (exporter.told)(Event::Probed {
        target: report.name(),
        module: ask.module.clone(),
        verdict: report.verdict,
        late,
        took,
    });
    answer::text(&report, late, took)
}

/// A probe under way. If it is dropped before its end, whoever asked has gone.
struct UnderWay<'a> {
    exporter: &'a Exporter,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl<'a> UnderWay<'a> {
    fn begin(exporter: &'a Exporter, permit: OwnedSemaphorePermit) -> Self {
        exporter.metrics.begun();
        Self { exporter, ended: false, _permit: permit }
    }

    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.exporter.metrics.ended();
        if !self.ended {
            self.exporter.metrics.abandoned();
            (self.exporter.told)(Event::Abandoned);
        }
    }
}
