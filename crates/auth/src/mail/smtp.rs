//! Mail over SMTP, to a server that the operator names. The connection goes out through `net`, like every other.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::{Clock, IdSource, Secret};
use lettre::address::AddressError;
use lettre::message::{Mailbox, Message, header::ContentType};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use net::{Link, Purpose, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Mail, MailError, Mailer};

/// From the connection to the server's word that it has the mail.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS before anything that matters. A server that does not offer it gets no mail: the offer is easily taken away on the way.
    StartTls,
    /// Password and mail in clear.
    Clear,
}

/// A mail server, and who writes.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Secret,
    /// `name@example.com` or `Name <name@example.com>`.
    pub from: String,
    pub security: Security,
    /// Roots that STARTTLS trusts beside Mozilla's, in DER.
    pub extra_roots: Vec<Vec<u8>>,
}

/// A sender that is no e-mail address.
#[derive(Debug, thiserror::Error)]
#[error("the sender is not an e-mail address such as \"Appstrate <no-reply@example.com>\": {0}")]
pub struct InvalidSender(#[from] AddressError);

/// Sends mail through one server, each over a connection of its own.
#[derive(Debug)]
pub struct Smtp {
    options: SmtpOptions,
    from: Mailbox,
    client: net::Client,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl Smtp {
    /// # Errors
    /// When the sender is not an address.
    pub fn new(options: SmtpOptions, client: net::Client, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Result<Self, InvalidSender> {
        let from = options.from.parse()?;
        Ok(Self { options, from, client, clock, ids })
    }

    /// The whole message. An address is one address and nothing else; control characters of a subject, which could begin a header of
    /// their own, become spaces.
    fn message(&self, mail: Mail) -> Result<Message, MailError> {
        let to: lettre::Address = mail.to.parse().map_err(|_| MailError { message: "the receiver is not an e-mail address".to_owned() })?;
        let subject: String = mail.subject.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .date(SystemTime::from(self.clock.now()))
            .message_id(Some(format!("<{}@{}>", self.ids.uuid().simple(), self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text)
            .map_err(|error| failed(&error))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let SmtpOptions { host, port, security, .. } = &self.options;
        let stream: Box<dyn AsyncTokioStream> = match security {
            Security::Tls => {
                Box::new(Connection(self.client.connect_tls(Purpose::Platform, host, *port).await.map_err(|error| failed(&error))?))
            }
            Security::StartTls | Security::Clear => {
                Box::new(Connection(self.client.connect_tcp(Purpose::Platform, host, *port).await.map_err(|error| failed(&error))?))
            }
        };
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello).await.map_err(|error| failed(&error))?;
        if *security == Security::StartTls {
            if !connection.can_starttls() {
                return Err(MailError { message: "the mail server offers no STARTTLS (SMTP_SECURE)".to_owned() });
            }
            let mut tls = TlsParameters::builder(host.clone());
            for root in &self.options.extra_roots {
                tls = tls.add_root_certificate(Certificate::from_der(root.clone()).map_err(|error| failed(&error))?);
            }
            let tls = tls.build_rustls().map_err(|error| failed(&error))?;
            connection.starttls(tls, &hello).await.map_err(|error| failed(&error))?;
        }
        Ok(connection)
    }

    async fn deliver(&self, message: &Message) -> Result<(), MailError> {
        let mut connection = self.connect().await?;
        let credentials = Credentials::new(self.options.user.clone(), self.options.password.expose().clone());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| failed(&error))?;
        connection.send(message.envelope(), &message.formatted()).await.map_err(|error| failed(&error))?;
        if let Err(error) = connection.quit().await {
            tracing::debug!(error = failed(&error).message, "the mail server took the mail and not the goodbye");
        }
        Ok(())
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        let delivered = tokio::time::timeout(PATIENCE, self.deliver(&message)).await;
        delivered.unwrap_or_else(|_| Err(MailError { message: format!("the mail server took longer than {PATIENCE:?}") }))
    }
}

fn failed(error: &dyn std::error::Error) -> MailError {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    MailError { message }
}

/// A connection of `net` as lettre takes it.
#[derive(Debug)]
struct Connection<S>(S);

impl AsyncTokioStream for Connection<Link> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}

impl AsyncTokioStream for Connection<TlsStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
