//! What may be reached, and for which purpose.
//!
//! Two steps: [`Policy::vet`] decides all that needs no DNS; [`Policy::vet_address`] decides about each address that a name led to.

mod address;
mod allow;
mod name;
mod purpose;
mod target;

pub use address::{Class, classify};
pub use allow::{InvalidAllow, OutboundAllow};
pub use name::is_local_name;
pub use purpose::Purpose;
pub use target::{Scheme, Target};

use std::net::IpAddr;

use url::{Host, Url};

/// Why a target is refused. The texts name no address, so that a tenant learns nothing about the inner network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("only http and https addresses can be called")]
    Scheme,
    #[error("the address names no host")]
    NoHost,
    #[error("the address carries a user name or password")]
    UserInfo,
    #[error("the host \"{host}\" belongs to the inner network")]
    LocalName { host: String },
    #[error("the host \"{host}\" is {class}")]
    Address { host: String, class: Class },
    #[error("the host \"{host}\" must be called with https")]
    PlainHttp { host: String },
}

/// The rules of one process: the built-in refusals and the operator's exceptions.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    allow: OutboundAllow,
}

impl Policy {
    pub fn new(allow: OutboundAllow) -> Self {
        Self { allow }
    }

    /// Decides what can be decided without DNS: scheme, user info, literals, names.
    pub fn vet(&self, purpose: Purpose, url: &Url) -> Result<Target, Refusal> {
        let target = Target::of(url)?;
        self.vet_target(purpose, &target)?;
        Ok(target)
    }

    /// As [`Policy::vet`], for a target that came without a URL.
    pub fn vet_target(&self, purpose: Purpose, target: &Target) -> Result<(), Refusal> {
        match &target.host {
            Host::Ipv4(address) => self.vet_address(purpose, target, (*address).into()),
            Host::Ipv6(address) => self.vet_address(purpose, target, (*address).into()),
            Host::Domain(name) => {
                // Where addresses are listed for this purpose and port, only DNS can tell whether the name leads to one of them.
                if self.allow.permits_name(purpose, name, target.port) || self.allow.lists_addresses(purpose, target.port) {
                    return Ok(());
                }
                Self::vet_unlisted(purpose, target)
            }
        }
    }

    /// Decides about one address that the target's name led to (or that it is).
    pub fn vet_address(&self, purpose: Purpose, target: &Target, address: IpAddr) -> Result<(), Refusal> {
        if let Host::Domain(name) = &target.host
            && self.allow.permits_name(purpose, name, target.port)
        {
            return Ok(());
        }
        if self.allow.permits_address(purpose, address, target.port) {
            return Ok(());
        }
        match classify(address) {
            Class::Public => Self::vet_unlisted(purpose, target),
            class => Err(Refusal::Address { host: target.host.to_string(), class }),
        }
    }

    /// Whether the operator's list names exactly this host and port (or an address range that holds it) for the purpose.
    pub fn is_listed(&self, purpose: Purpose, target: &Target) -> bool {
        match &target.host {
            Host::Domain(name) => self.allow.permits_name(purpose, name, target.port),
            Host::Ipv4(address) => self.allow.permits_address(purpose, (*address).into(), target.port),
            Host::Ipv6(address) => self.allow.permits_address(purpose, (*address).into(), target.port),
        }
    }

    fn vet_unlisted(purpose: Purpose, target: &Target) -> Result<(), Refusal> {
        let host = || target.host.to_string();
        if let Host::Domain(name) = &target.host
            && is_local_name(name)
        {
            return Err(Refusal::LocalName { host: host() });
        }
        if target.scheme == Scheme::Http && !purpose.takes_plain_http() {
            return Err(Refusal::PlainHttp { host: host() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
