//! Ids and package names in paths. A malformed one is a thing that does not exist: 404, like a foreign one.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use domain::PackageName;

use crate::problem::Problem;

async fn parameter<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Result<String, Problem> {
    let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
    parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).ok_or_else(Problem::not_found)
}

/// The id in `{id}`.
#[derive(Clone, Copy, Debug)]
pub struct IdPath<T>(pub T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for IdPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "id").await?.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// The package in `{scope}/{name}`, the scope with its `@`.
#[derive(Clone, Debug)]
pub struct AgentPath(pub PackageName);

impl<S: Send + Sync> FromRequestParts<S> for AgentPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let scope = parameter(parts, state, "scope").await?;
        let name = parameter(parts, state, "name").await?;
        format!("{scope}/{name}").parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// The login provider in `{provider}`.
#[derive(Clone, Debug)]
pub struct ProviderPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for ProviderPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "provider").await.map(Self)
    }
}

/// The ids of a row and of what it belongs to: `{id}`, and the parameter behind it.
#[derive(Clone, Copy, Debug)]
pub struct ChildPath<P, C> {
    pub parent: P,
    pub child: C,
}

impl<S: Send + Sync, P: FromStr, C: FromStr> FromRequestParts<S> for ChildPath<P, C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        let mut values = parameters.iter().map(|(_, value)| value);
        let (Some(parent), Some(child), None) = (values.next(), values.next(), values.next()) else { return Err(Problem::not_found()) };
        let (parent, child) = (parent.parse().map_err(|_| Problem::not_found())?, child.parse().map_err(|_| Problem::not_found())?);
        Ok(Self { parent, child })
    }
}

/// The secret in `{token}`, not yet believed.
#[derive(Clone, Debug)]
pub struct TokenPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for TokenPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "token").await.map(Self)
    }
}

/// The last parameter of a page's path, whatever it is: which error, which file.
#[derive(Clone, Debug)]
pub struct PagePath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PagePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        parameters.iter().last().map(|(_, value)| Self(value.to_owned())).ok_or_else(Problem::not_found)
    }
}

/// The package in `{id}`: its whole name in one segment, the slash as `%2F`.
#[derive(Clone, Debug)]
pub struct EncodedAgentPath(pub PackageName);

impl<S: Send + Sync> FromRequestParts<S> for EncodedAgentPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "id").await?.parse().map(Self).map_err(|_| Problem::not_found())
    }
}
