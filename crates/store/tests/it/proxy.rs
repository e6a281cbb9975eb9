//! A wire that can be cut: what happens when the connection to a service breaks, and comes back.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes connections on to one address. Ends with the test's runtime.
pub(crate) struct Proxy {
    address: SocketAddr,
    cuts: watch::Sender<()>,
}

impl Proxy {
    pub(crate) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = watch::Sender::new(());
        let cut = cuts.clone();
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = TcpStream::connect(&target).await.unwrap();
                let mut cut = cut.subscribe();
                tokio::spawn(async move {
                    tokio::select! {
                        // Either end may have hung up by itself.
                        ended = copy_bidirectional(&mut near, &mut far) => drop(ended),
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { address, cuts }
    }

    /// The URL with this proxy's address in place of its own.
    pub(crate) fn instead_of(&self, url: &str) -> String {
        url.replace(&address(url), &self.address.to_string())
    }

    /// Breaks every connection. New ones are passed on again.
    pub(crate) fn cut(&self) {
        self.cuts.send_replace(());
    }
}

/// Host and port of a URL.
pub(crate) fn address(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    let host = rest.split('/').next().unwrap();
    host.rsplit('@').next().unwrap().to_owned()
}
