//! Server-sent events, as a client reads them.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::client::Api;

/// How long the next event may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// One server-sent event (WHATWG HTML §9.2.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub id: String,
    pub event: String,
    pub data: String,
}

impl Frame {
    /// Its data, which is JSON in every stream of ours.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.data).with_context(|| format!("{self:?}"))
    }

    /// The event's number within its run, in a stream of one run: the end of its id, `<run>-<number>`.
    pub fn number(&self) -> anyhow::Result<u64> {
        let (_, number) = self.id.rsplit_once('-').with_context(|| format!("{self:?} is not of one run"))?;
        Ok(number.parse()?)
    }
}

/// The whole events of a text; what follows the last blank line is not one yet. Blocks that hold no event are left out.
pub fn frames(text: &str) -> Vec<Frame> {
    let Some((whole, _)) = text.rsplit_once("\n\n") else { return Vec::new() };
    let frame = |block: &str| {
        let mut frame = Frame::default();
        for line in block.lines() {
            match line.split_once(':').map(|(name, value)| (name, value.trim_start())) {
                Some(("id", value)) => value.clone_into(&mut frame.id),
                Some(("event", value)) => value.clone_into(&mut frame.event),
                Some(("data", value)) => frame.data.push_str(value),
                _ => {}
            }
        }
        (!frame.event.is_empty()).then_some(frame)
    };
    whole.split("\n\n").filter_map(frame).collect()
}

/// Opens a stream and checks that it is one.
pub async fn open(api: &Api, path: &str) -> anyhow::Result<Response> {
    let response = api.request(Method::GET, path).send().await?;
    let (status, media_type) = (response.status().as_u16(), response.headers().get("content-type").cloned());
    if status != 200 || media_type.as_ref().is_none_or(|media_type| media_type != "text/event-stream") {
        anyhow::bail!("{path} answered {status}: {}", response.text().await?);
    }
    Ok(response)
}

/// Reads a stream to the end that the server gives it.
pub async fn whole(api: &Api, path: &str) -> anyhow::Result<Vec<Frame>> {
    Ok(frames(&open(api, path).await?.text().await?))
}

/// An open stream.
#[derive(Debug)]
pub struct Events {
    response: Response,
    bytes: Vec<u8>,
    ready: VecDeque<Frame>,
}

impl Events {
    pub async fn open(api: &Api, path: &str) -> anyhow::Result<Self> {
        Ok(Self { response: open(api, path).await?, bytes: Vec::new(), ready: VecDeque::new() })
    }

    /// The next event; `None` at the server's end of the stream.
    pub async fn next(&mut self) -> anyhow::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Ok(Some(frame));
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.context("nothing comes")??;
            let Some(chunk) = chunk else { return Ok(None) };
            self.bytes.extend(chunk);
            let end = self.bytes.windows(2).rposition(|pair| pair == b"\n\n").map_or(0, |at| at + 2);
            let whole: Vec<u8> = self.bytes.drain(..end).collect();
            self.ready.extend(frames(std::str::from_utf8(&whole)?));
        }
    }

    /// The next events, so many.
    pub async fn take(&mut self, count: usize) -> anyhow::Result<Vec<Frame>> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            taken.push(self.next().await?.with_context(|| format!("the stream ended after {taken:?}"))?);
        }
        Ok(taken)
    }

    /// All that comes until the server ends the stream.
    pub async fn rest(&mut self) -> anyhow::Result<Vec<Frame>> {
        let mut rest = Vec::new();
        while let Some(frame) = self.next().await? {
            ensure!(rest.len() < 10_000, "the stream does not end");
            rest.push(frame);
        }
        Ok(rest)
    }
}
