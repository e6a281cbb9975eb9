//! Carries each handler's permission into the OpenAPI document, at registration, from the handler's own type.
//!
//! A handler whose first argument is not [`Can`] does not implement [`Guarded`], so [`route!`](crate::route) does not compile for it.

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa_axum::router::UtoipaMethodRouter;

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

/// Writes the guard into the one operation of a freshly made method router.
pub fn attach<S>(mut router: UtoipaMethodRouter<S>, guard: Guard) -> UtoipaMethodRouter<S>
where
    S: Send + Sync + Clone + 'static,
{
    annotate(&mut router.1, guard);
    router
}

fn annotate(paths: &mut Paths, guard: Guard) {
    for item in paths.paths.values_mut() {
        for operation in operations(item) {
            operation.extensions = Some(ExtensionsBuilder::new().add("x-permission", guard.name).add("x-level", guard.level).build());
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().filter_map(Option::as_mut)
}

/// One route: handler, path and documentation from `#[utoipa::path]`, permission from its first argument.
#[macro_export]
macro_rules! route {
    ($handler:path) => {
        $crate::openapi::guard::attach(utoipa_axum::routes!($handler), $crate::openapi::guard::Guarded::guard(&$handler))
    };
}
