//! `fetch`: each on its own thread, its end an event of the instance.

use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use rquickjs::{Ctx, Object, TypedArray};
use url::Url;

use super::super::http::{self, FetchError, Redirect, Request, Response};
use super::super::instance::Event;
use super::super::shared::Shared;
use super::{array, bytes, fail, set};

/// Fetches at the same time, per runtime.
const MAX_FETCHES: usize = 64;

pub(super) fn install<'js>(host: &Object<'js>, shared: &Rc<Shared>) -> rquickjs::Result<()> {
    let state = Rc::clone(shared);
    // Headers: name, value, name, value, …. Returns the operation's number.
    set(host, "fetch", move |ctx: Ctx<'js>, given: Object<'js>| -> rquickjs::Result<u64> {
        let request = request(&ctx, &given)?;
        start(&state, request).map_err(|message| fail(&ctx, &message))
    })?;
    let state = Rc::clone(shared);
    set(host, "abortFetch", move |operation: u64| {
        if let Some((abort, _)) = state.fetches.borrow().get(&operation) {
            abort.abort();
        }
    })
}

fn request<'js>(ctx: &Ctx<'js>, given: &Object<'js>) -> rquickjs::Result<Request> {
    let url: String = given.get("url")?;
    let url = Url::parse(&url).map_err(|error| fail(ctx, &format!("'{url}' is not a valid URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fail(ctx, "a URL that holds credentials cannot be fetched"));
    }
    let headers: Vec<String> = given.get("headers")?;
    let headers: Vec<(String, String)> = headers.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    if let Some((name, _)) = headers.iter().find(|(name, value)| !is_token(name) || value.contains(['\r', '\n', '\0'])) {
        return Err(fail(ctx, &format!("the header '{}' is not valid", name.escape_debug())));
    }
    let method: String = given.get("method")?;
    if !is_token(&method) {
        return Err(fail(ctx, &format!("'{}' is not a valid method", method.escape_debug())));
    }
    let body: Option<TypedArray<'js, u8>> = given.get("body")?;
    let redirect: String = given.get("redirect")?;
    let redirect = match redirect.as_str() {
        "manual" => Redirect::Manual,
        "error" => Redirect::Error,
        _ => Redirect::Follow,
    };
    Ok(Request { method, url, headers, body: body.as_ref().map(bytes), redirect })
}

fn start(shared: &Shared, request: Request) -> Result<u64, String> {
    if shared.fetches.borrow().len() >= MAX_FETCHES {
        return Err(format!("too many requests at once: at most {MAX_FETCHES}"));
    }
    let (operation, call) = shared.new_operation();
    let abort = Arc::new(http::Abort::default());
    let (routes, events, stop) = (Arc::clone(&shared.routes), shared.events.clone(), Arc::clone(&abort));
    let spawned = thread::Builder::new().name("fetch".to_owned()).spawn(move || {
        let result = http::fetch(request, &routes, &stop);
        // The instance may have ended meanwhile.
        let _ended = events.send(Event::Fetched { operation, result });
    });
    spawned.map_err(|error| format!("the request could not be started: {error}"))?;
    shared.fetches.borrow_mut().insert(operation, (abort, call));
    Ok(operation)
}

/// What the prelude's `fetched` gets.
pub(in crate::script) fn answer<'js>(ctx: &Ctx<'js>, result: Result<Response, FetchError>) -> rquickjs::Result<Object<'js>> {
    let answer = Object::new(ctx.clone())?;
    match result {
        Ok(response) => {
            answer.set("status", response.status)?;
            answer.set("statusText", response.status_text)?;
            answer.set("url", response.url)?;
            answer.set("redirected", response.redirected)?;
            answer.set("headers", response.headers.into_iter().flat_map(|(name, value)| [name, value]).collect::<Vec<_>>())?;
            // A body that does not fit the runtime's memory fails this fetch, not the runtime.
            if let Ok(body) = array(ctx, &response.body) {
                answer.set("body", body)?;
            } else {
                drop(ctx.catch());
                answer.set("error", "out of memory: the response body does not fit")?;
            }
        }
        Err(error) => answer.set("error", error.to_string())?,
    }
    Ok(answer)
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
