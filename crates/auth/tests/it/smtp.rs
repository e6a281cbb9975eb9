use std::sync::Arc;

use auth::mail::{Mail, MailError, Mailer as _, Security, Smtp, SmtpOptions};
use domain::mock::{MockClock, SeededIds};
use rustls::pki_types::CertificateDer;

use crate::server::{Manner, PASSWORD, Server};

fn mail(to: &str, subject: &str) -> Mail {
    Mail { to: to.to_owned(), subject: subject.to_owned(), text: "Hello.\n.\n.hidden\nGrüße\n".to_owned() }
}

fn mailer(server: &Server, security: Security, access: (&str, &str)) -> Smtp {
    trusting(&server.certificate, server.port, security, access)
}

fn trusting(certificate: &CertificateDer<'static>, port: u16, security: Security, (allow, password): (&str, &str)) -> Smtp {
    let mut options = net::Options::new(allow.parse().unwrap());
    options.extra_roots = vec![certificate.clone()];
    let smtp = SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port,
        user: "mailer".to_owned(),
        password: password.into(),
        from: "Appstrate <no-reply@appstrate.example>".to_owned(),
        security,
        extra_roots: vec![certificate.to_vec()],
    };
    Smtp::new(smtp, net::Client::new(options).unwrap(), Arc::new(MockClock::default()), Arc::new(SeededIds::new(1))).unwrap()
}

const ALLOWED: (&str, &str) = ("all=127.0.0.1", PASSWORD);

async fn sent(manner: Manner, security: Security) -> (Server, Result<(), MailError>) {
    let server = Server::start(manner).await;
    let outcome = mailer(&server, security, ALLOWED).send(mail("ada@example.com", "Confirm your e-mail address")).await;
    (server, outcome)
}

#[tokio::test]
async fn a_mail_arrives_whole_over_each_kind_of_connection() {
    for (manner, security, in_clear) in
        [(Manner::Plain, Security::Clear, 0), (Manner::OffersStartTls, Security::StartTls, 2), (Manner::Tls, Security::Tls, 0)]
    {
        let (server, outcome) = sent(manner, security).await;
        outcome.unwrap_or_else(|error| panic!("{manner:?}: {error}"));
        let heard = server.heard();
        assert_eq!(heard.in_clear, in_clear, "{heard:?}");
        assert!(heard.commands[..in_clear].iter().all(|line| !line.starts_with("AUTH") && !line.starts_with("MAIL")), "{heard:?}");
        assert!(heard.commands.iter().any(|line| line.starts_with("MAIL FROM:<no-reply@appstrate.example>")), "{heard:?}");
        assert!(heard.commands.iter().any(|line| line == "RCPT TO:<ada@example.com>"), "{heard:?}");
        let (headers, body) = heard.message.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: Appstrate <no-reply@appstrate.example>",
            "To: ada@example.com",
            "Subject: Confirm your e-mail address",
            "Date: Sat, 21 Nov 2026 12:00:00 +0000",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(headers.lines().any(|there| there == line), "{line}: {headers}");
        }
        assert!(headers.lines().any(|line| line.starts_with("Message-ID: <") && line.ends_with("@appstrate.example>")), "{headers}");
        // Quoted-printable, with a second dot before each line that begins with one.
        assert_eq!(body.trim_end(), "Hello.\r\n..\r\n..hidden\r\nGr=C3=BC=C3=9Fe", "{body}");
    }
}

#[tokio::test]
async fn a_subject_begins_no_header_and_an_address_is_one() {
    let server = Server::start(Manner::Plain).await;
    let mailer = mailer(&server, Security::Clear, ALLOWED);
    mailer.send(mail("ada@example.com", "Hello\r\nBcc: eve@example.com\r\n\r\nHidden")).await.unwrap();
    let heard = server.heard();
    let (headers, _) = heard.message.split_once("\r\n\r\n").unwrap();
    assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
    assert_eq!(heard.commands.iter().filter(|line| line.starts_with("RCPT")).count(), 1);
    for bad in [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com>\r\nRCPT TO:<eve@example.com",
        "ada@example.com, eve@example.com",
        "<ada@example.com>",
        "ada@example.com\0",
        "ada example.com",
        "",
    ] {
        let before = server.heard().commands.len();
        mailer.send(mail(bad, "Hello")).await.unwrap_err();
        assert_eq!(server.heard().commands.len(), before, "{bad:?} reached the server");
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_neither_password_nor_mail() {
    let (server, outcome) = sent(Manner::Plain, Security::StartTls).await;
    assert!(outcome.unwrap_err().message.contains("STARTTLS"));
    let heard = server.heard();
    assert!(heard.commands.iter().all(|line| line.starts_with("EHLO")), "{heard:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    for (manner, security) in [(Manner::OffersStartTls, Security::StartTls), (Manner::Tls, Security::Tls)] {
        let (server, other) = (Server::start(manner).await, Server::start(Manner::Plain).await);
        let mailer = trusting(&other.certificate, server.port, security, ALLOWED);
        mailer.send(mail("ada@example.com", "Hello")).await.unwrap_err();
        assert!(server.heard().commands.iter().all(|line| !line.starts_with("AUTH")));
    }
}

#[tokio::test]
async fn the_inner_network_is_out_of_reach_unless_it_is_listed() {
    for security in [Security::Clear, Security::StartTls, Security::Tls] {
        let server = Server::start(Manner::Plain).await;
        let refused =
            mailer(&server, security, ("models=127.0.0.1,webhooks=127.0.0.1", PASSWORD)).send(mail("ada@example.com", "Hello")).await;
        assert!(refused.unwrap_err().message.contains("this machine itself"));
        assert!(server.heard().commands.is_empty());
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_the_password_is_not() {
    let server = Server::start(Manner::Plain).await;
    let mailer = mailer(&server, Security::Clear, ("all=127.0.0.1", "wrong-secret-4c1d"));
    let error = mailer.send(mail("ada@example.com", "Hello")).await.unwrap_err();
    assert!(error.message.contains("535") && !error.message.contains("4c1d"), "{error}");
    assert!(!format!("{mailer:?}").contains("4c1d"));
}
