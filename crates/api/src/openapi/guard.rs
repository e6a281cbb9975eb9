//! Carries each handler's permission into the OpenAPI document, at registration, from the handler's own type.
//!
//! A handler whose first argument is not [`Can`] does not implement [`Guarded`], so [`route!`](crate::route) does not compile for it.

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::chain::rate_limit::class::Class;
use crate::extract::Can;
use crate::extract::requirement::Requirement;

/// What a handler demands, as the document shows it.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    /// `runs:read`, or `public`, `signed-in`, `member`.
    pub name: &'static str,
    /// `none`, `user`, `organization` or `application`.
    pub level: &'static str,
}

/// A handler whose first argument is its permission.
pub trait Guarded<Arguments> {
    fn guard(&self) -> Guard;
}

macro_rules! guarded {
    ($($argument:ident),*) => {
        impl<H, F, P, $($argument),*> Guarded<(Can<P>, $($argument,)*)> for H
        where
            H: Fn(Can<P>, $($argument),*) -> F,
            P: Requirement,
        {
            fn guard(&self) -> Guard {
                Guard { name: P::NAME, level: P::LEVEL }
            }
        }
    };
}

guarded!();
guarded!(A);
guarded!(A, B);
guarded!(A, B, C);
guarded!(A, B, C, D);

/// Writes the guard into the one operation of a freshly made method router, and its class for rate limits; `None`: by the rule of
/// [`Class::of`].
pub fn attach<S>(mut router: UtoipaMethodRouter<S>, guard: Guard, class: Option<Class>) -> UtoipaMethodRouter<S>
where
    S: Send + Sync + Clone + 'static,
{
    annotate(&mut router.1, guard, class);
    router
}

fn annotate(paths: &mut Paths, guard: Guard, class: Option<Class>) {
    for (path, item) in &mut paths.paths {
        for (method, operation) in operations(item) {
            let creates = operation.responses.responses.contains_key("201");
            let class = class.unwrap_or_else(|| Class::of(method, path, guard.name, creates));
            let extensions = ExtensionsBuilder::new().add("x-permission", guard.name).add("x-level", guard.level);
            operation.extensions = Some(extensions.add("x-rate-limit", class.as_str()).build());
        }
    }
}

/// The operations of a path, by their methods in small letters.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [("get", &mut item.get), ("put", &mut item.put), ("post", &mut item.post), ("delete", &mut item.delete), ("patch", &mut item.patch)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// One route: handler, path and documentation from `#[utoipa::path]`, permission from its first argument, class for rate limits by rule or
/// as named after the handler.
#[macro_export]
macro_rules! route {
    ($handler:path) => {
        $crate::openapi::guard::attach(utoipa_axum::routes!($handler), $crate::openapi::guard::Guarded::guard(&$handler), None)
    };
    ($handler:path, $class:expr) => {
        $crate::openapi::guard::attach(utoipa_axum::routes!($handler), $crate::openapi::guard::Guarded::guard(&$handler), Some($class))
    };
}
