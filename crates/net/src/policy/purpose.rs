//! Who calls out.

/// On whose behalf an outbound call is made; the operator's exceptions are listed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Language models.
    Models,
    /// Webhook deliveries.
    Webhooks,
    /// Providers of connections: credential proxy, OAuth exchanges.
    Providers,
    /// The agents' own HTTP, through the forward proxy.
    Agents,
    /// Upstream proxies: their own addresses, and what a test of one calls.
    Proxies,
    /// The platform's own: imports, mail, login with others.
    Platform,
}

impl Purpose {
    pub const ALL: [Self; 6] = [Self::Models, Self::Webhooks, Self::Providers, Self::Agents, Self::Proxies, Self::Platform];

    /// The name in `OUTBOUND_ALLOW`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Webhooks => "webhooks",
            Self::Providers => "providers",
            Self::Agents => "agents",
            Self::Proxies => "proxies",
            Self::Platform => "platform",
        }
    }

    /// Whether `http:` to public addresses is accepted without an exception. Agents browse the web as it is; no credential of the
    /// platform travels there.
    pub const fn takes_plain_http(self) -> bool {
        matches!(self, Self::Agents)
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}
