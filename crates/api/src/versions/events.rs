//! The events of a stream on their way to a client of an older version.
//!
//! Our streams write each event in one piece (axum's `Sse` does), so a piece is parsed alone. Lines that are neither `event:` nor
//! `data:` (ids, comments, `retry:`) pass as they are.

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body_util::BodyExt as _;

use super::change::StreamEvent;

/// The response with every event put into an older form.
pub fn undo(response: Response, steps: Vec<fn(&mut StreamEvent)>) -> Response {
    response.map(|body| Body::new(body.map_frame(move |frame| frame.map_data(|piece| rewrite(&piece, &steps).unwrap_or(piece)))))
}

/// The piece in its older form. `None`: it is no event.
fn rewrite(piece: &Bytes, steps: &[fn(&mut StreamEvent)]) -> Option<Bytes> {
    let text = std::str::from_utf8(piece).ok()?;
    let field = |line: &str, name: &str| {
        let value = line.strip_prefix(name)?.strip_prefix(':')?;
        Some(value.strip_prefix(' ').unwrap_or(value).to_owned())
    };
    let name = text.lines().find_map(|line| field(line, "event"))?;
    let data: Vec<String> = text.lines().filter_map(|line| field(line, "data")).collect();
    let mut event = StreamEvent { name, data: data.join("\n") };
    for step in steps {
        step(&mut event);
    }
    let others = text.lines().filter(|line| !line.is_empty() && field(line, "event").is_none() && field(line, "data").is_none());
    let mut lines: Vec<String> = others.map(ToOwned::to_owned).collect();
    lines.push(format!("event: {}", event.name));
    lines.extend(event.data.lines().map(|line| format!("data: {line}")));
    Some(Bytes::from(lines.join("\n") + "\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rename(event: &mut StreamEvent) {
        if event.name == "run_update" {
            event.name = "run".to_owned();
            event.data = event.data.replace("status", "state");
        }
    }

    #[tokio::test]
    async fn events_change_and_all_else_stays() {
        let pieces = [
            "id: 1\nevent: run_update\ndata: {\"status\":\"ok\"}\nretry: 2000\n\n",
            ": \n\n",
            "id: 2\nevent: run_log\ndata: a\ndata: b\n\n",
        ];
        let stream = futures::stream::iter(pieces.map(|piece| Ok::<_, std::convert::Infallible>(Bytes::from(piece))));
        let response = undo(Response::new(Body::from_stream(stream)), vec![rename]);
        let text = response.into_body().collect().await.expect("read").to_bytes();
        assert_eq!(text, "id: 1\nretry: 2000\nevent: run\ndata: {\"state\":\"ok\"}\n\n: \n\nid: 2\nevent: run_log\ndata: a\ndata: b\n\n");
    }
}
