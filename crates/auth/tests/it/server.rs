//! A small SMTP server (RFC 5321) that keeps what it is told: one connection after the other, with TLS where asked for.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(crate) const PASSWORD: &str = "mail-secret-4c1d";

/// How the server takes its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Plain,
    OffersStartTls,
    Tls,
}

/// What a client has said, line by line, and the message without its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) commands: Vec<String>,
    pub(crate) message: String,
    /// How many commands came before TLS.
    pub(crate) in_clear: usize,
}

pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) certificate: CertificateDer<'static>,
    heard: Arc<Mutex<Heard>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(manner: Manner) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let settings = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let settings = settings.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(settings));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let kept = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that turns away in the middle is what some tests are about.
                let _ended = if manner == Manner::Tls {
                    match acceptor.accept(stream).await {
                        Ok(stream) => talk(BufReader::new(stream), &kept, "250-test\r\n250 AUTH PLAIN LOGIN\r\n", true).await.map(drop),
                        Err(error) => Err(error),
                    }
                } else {
                    let offer = if manner == Manner::OffersStartTls {
                        "250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
                    } else {
                        "250-test\r\n250 AUTH PLAIN LOGIN\r\n"
                    };
                    match talk(BufReader::new(stream), &kept, offer, true).await {
                        Ok(Some(stream)) => {
                            let so_far = kept.lock().unwrap().commands.len();
                            kept.lock().unwrap().in_clear = so_far;
                            let secured = acceptor.accept(stream.into_inner()).await;
                            match secured {
                                Ok(stream) => talk(BufReader::new(stream), &kept, "250-test\r\n250 AUTH PLAIN\r\n", false).await.map(drop),
                                Err(error) => Err(error),
                            }
                        }
                        Ok(None) => Ok(()),
                        Err(error) => Err(error),
                    }
                };
            }
        });
        Self { port, certificate, heard, task }
    }

    pub(crate) fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }
}

/// Talks until the client leaves; gives the stream back where TLS is to follow.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    heard: &Mutex<Heard>,
    offer: &str,
    greets: bool,
) -> std::io::Result<Option<BufReader<S>>> {
    if greets {
        stream.write_all(b"220 test ESMTP\r\n").await?;
        stream.flush().await?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_owned();
        heard.lock().unwrap().commands.push(line.clone());
        let answer = match line.split(' ').next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" => offer,
            "STARTTLS" => {
                stream.write_all(b"220 go\r\n").await?;
                return Ok(Some(stream));
            }
            "AUTH" => {
                let right = STANDARD.encode(format!("\0mailer\0{PASSWORD}"));
                if line.ends_with(&right) { "235 welcome\r\n" } else { "535 who are you\r\n" }
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                stream.flush().await?;
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut message).await? == 0 {
                        return Ok(None);
                    }
                }
                message.truncate(message.len() - 5);
                heard.lock().unwrap().message = message;
                "250 taken\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 fine\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}
