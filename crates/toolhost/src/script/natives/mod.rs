//! The functions that the JavaScript prelude asks of Rust, on one object.
//!
//! They take and give plain values; bytes are copied in both directions, so that what JavaScript holds counts towards its limit.

mod crypto;
pub(super) mod fetch;
mod files;
mod runtime;
mod text;
mod url;

use std::rc::Rc;

use rquickjs::function::IntoJsFunc;
use rquickjs::{Ctx, Exception, Function, Object, TypedArray};

use super::shared::Shared;

/// Makes the object.
pub(super) fn install<'js>(ctx: &Ctx<'js>, shared: &Rc<Shared>) -> rquickjs::Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    runtime::install(&host, shared)?;
    text::install(&host)?;
    url::install(&host)?;
    crypto::install(&host)?;
    files::install(&host, shared)?;
    fetch::install(&host, shared)?;
    Ok(host)
}

fn set<'js, P, F>(host: &Object<'js>, name: &str, function: F) -> rquickjs::Result<()>
where
    F: IntoJsFunc<'js, P> + 'js,
{
    host.set(name, Function::new(host.ctx().clone(), function)?)
}

/// A copy of the bytes of a `Uint8Array`; empty when it is detached.
fn bytes(array: &TypedArray<'_, u8>) -> Vec<u8> {
    #[expect(unsafe_code, reason = "rquickjs gives no safe view of a typed array")]
    // SAFETY: the slice is copied before any JavaScript can run again; native functions run on the runtime's only thread.
    unsafe { array.as_bytes() }.map(<[u8]>::to_vec).unwrap_or_default()
}

/// A new `Uint8Array`, allocated inside the runtime and so within its limit.
fn array<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> rquickjs::Result<TypedArray<'js, u8>> {
    TypedArray::new_copy(ctx.clone(), bytes)
}

fn fail(ctx: &Ctx<'_>, message: &str) -> rquickjs::Error {
    Exception::throw_message(ctx, message)
}
