//! The TLS settings: aws-lc-rs, the roots of Mozilla compiled in, HTTP/2 preferred.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// The settings of a client.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) to_target: Arc<ClientConfig>,
    /// Speaks HTTP/1.1 only: that is what [`crate::proxy`] asks proxies in.
    pub(crate) to_proxy: Arc<ClientConfig>,
}

/// Builds the settings; `extra_roots` are trusted beside Mozilla's. A root that cannot be read is an error.
pub(crate) fn settings(extra_roots: Vec<CertificateDer<'static>>) -> Result<Tls, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra_roots {
        roots.add(root)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let to_proxy = Arc::new(config.clone());
    config.alpn_protocols.insert(0, b"h2".to_vec());
    Ok(Tls { to_target: Arc::new(config), to_proxy })
}
