//! What this node counts about itself, for `GET /metrics`: text as Prometheus reads it (exposition format 0.0.4).
//!
//! Every set of labels is bounded: routes are templates, methods and statuses are classes.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::http::{Method, StatusCode};

/// Requests of one route that ended alike.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u64,
    total: Duration,
}

/// A method and a class of statuses (`2xx`).
type Ending = (&'static str, &'static str);

/// What is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<HashMap<String, BTreeMap<Ending, Tally>>>,
    streams_open: AtomicU64,
    catch_ups: AtomicU64,
}

impl Metrics {
    /// A request was answered. `route` is a template, or `unknown`.
    pub(crate) fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let ending = (name(method), class(status));
        let mut requests = self.requests();
        if !requests.contains_key(route) {
            requests.insert(route.to_owned(), BTreeMap::new());
        }
        let tally = requests.get_mut(route).expect("just put there").entry(ending).or_default();
        tally.count += 1;
        tally.total += took;
    }

    /// A client of many runs that was behind has read the table by itself.
    pub(crate) fn caught_up(&self) {
        self.catch_ups.fetch_add(1, Ordering::Relaxed);
    }

    /// A stream is open as long as this is held.
    pub(crate) fn stream(self: &Arc<Self>) -> OpenStream {
        self.streams_open.fetch_add(1, Ordering::Relaxed);
        OpenStream(Arc::clone(self))
    }

    /// What is counted here, as text.
    pub(crate) fn write(&self, page: &mut Page) {
        page.family(
            "appstrate_http_request_duration_seconds",
            "summary",
            "Requests by route, method and class of status, until the answer's head.",
        );
        let requests = self.requests();
        let mut routes: Vec<_> = requests.iter().collect();
        routes.sort_unstable_by_key(|(route, _)| *route);
        for (route, endings) in routes {
            for ((method, status), tally) in endings {
                let labels = format!("{{route=\"{}\",method=\"{method}\",status=\"{status}\"}}", escaped(route));
                page.sample(&format!("appstrate_http_request_duration_seconds_count{labels}"), tally.count);
                page.sample(&format!("appstrate_http_request_duration_seconds_sum{labels}"), tally.total.as_secs_f64());
            }
        }
        drop(requests);
        page.gauge("appstrate_streams_open", "Streams that are open on this node.", self.streams_open.load(Ordering::Relaxed));
        let catch_ups = self.catch_ups.load(Ordering::Relaxed);
        page.counter("appstrate_stream_catch_up_reads_total", "Reads of clients of many runs that were behind.", catch_ups);
    }

    fn requests(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<Ending, Tally>>> {
        self.requests.lock().expect("nothing panics while it holds the counts")
    }
}

/// A stream that is open.
#[derive(Debug)]
pub(crate) struct OpenStream(Arc<Metrics>);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.streams_open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A method may be any word of the client's.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The text of all metrics, while it is written.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// Begins a family of samples.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("writing to text");
    }

    fn sample(&mut self, series: &str, value: impl std::fmt::Display) {
        writeln!(self.0, "{series} {value}").expect("writing to text");
    }

    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        self.sample(name, value);
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, value);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_clients_send_the_sets_of_labels_are_few() {
        let metrics = Arc::new(Metrics::default());
        let took = Duration::from_millis(250);
        for number in 0..1_000_u16 {
            let method = Method::from_bytes(format!("M{number}").as_bytes()).expect("a method");
            metrics.answered("unknown", &method, StatusCode::from_u16(100 + number % 500).expect("a status"), took);
        }
        metrics.answered("/api/runs/{id}", &Method::GET, StatusCode::OK, took);
        metrics.answered("/api/runs/{id}", &Method::GET, StatusCode::NO_CONTENT, took);
        let mut page = Page::default();
        metrics.write(&mut page);
        let text = page.into_text();
        assert_eq!(text.matches("_count{route=\"unknown\"").count(), 5, "{text}");
        let series = "appstrate_http_request_duration_seconds_sum{route=\"/api/runs/{id}\",method=\"GET\",status=\"2xx\"} 0.5";
        assert!(text.lines().any(|line| line == series), "{text}");
    }

    #[test]
    fn a_stream_counts_as_long_as_it_is_open() {
        let metrics = Arc::new(Metrics::default());
        let open = [metrics.stream(), metrics.stream()];
        assert_eq!(metrics.streams_open.load(Ordering::Relaxed), 2);
        drop(open);
        assert_eq!(metrics.streams_open.load(Ordering::Relaxed), 0);
    }
}
