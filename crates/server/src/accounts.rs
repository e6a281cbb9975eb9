//! Mail and login with others, from the settings.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use auth::mail::{Mailer, Security, Smtp, SmtpOptions};
use auth::social::{Logins, Registration};
use domain::{Clock, IdSource, Secret};
use url::Url;

use crate::env::{Login, Mail, SmtpSecure};

/// Settings that only make sense together: all of them, or none.
///
/// # Errors
/// Names those that are set and those that are missing.
fn all_or_none<const N: usize>(settings: [(&str, Option<String>); N]) -> anyhow::Result<Option<[String; N]>> {
    // An empty variable is how a template leaves one out.
    let settings = settings.map(|(name, value)| (name, value.filter(|value| !value.is_empty())));
    let names = |set: bool| -> Vec<&str> { settings.iter().filter(|(_, value)| value.is_some() == set).map(|(name, _)| *name).collect() };
    let (given, missing) = (names(true), names(false));
    if given.is_empty() {
        return Ok(None);
    }
    if !missing.is_empty() {
        bail!("{} set without {}; set all of them or none", given.join(", "), missing.join(", "));
    }
    Ok(Some(settings.map(|(_, value)| value.unwrap_or_default())))
}

fn plain(secret: Option<&Secret>) -> Option<String> {
    secret.map(|secret| secret.expose().clone())
}

/// The way out for mail, if one is configured.
pub(crate) fn mailer(
    mail: &Mail,
    client: net::Client,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
) -> anyhow::Result<Option<Arc<dyn Mailer>>> {
    let settings = all_or_none([
        ("SMTP_HOST", mail.smtp_host.clone()),
        ("SMTP_USER", mail.smtp_user.clone()),
        ("SMTP_PASS", plain(mail.smtp_pass.as_ref())),
        ("SMTP_FROM", mail.smtp_from.clone()),
    ])?;
    let Some([host, user, password, from]) = settings else { return Ok(None) };
    let security = match mail.smtp_secure {
        SmtpSecure::Auto if mail.smtp_port == 465 => Security::Tls,
        SmtpSecure::Auto | SmtpSecure::StartTls => Security::StartTls,
        SmtpSecure::Tls => Security::Tls,
        SmtpSecure::None => Security::Clear,
    };
    let options = SmtpOptions { host, port: mail.smtp_port, user, password: password.into(), from, security, extra_roots: Vec::new() };
    Ok(Some(Arc::new(Smtp::new(options, client, clock, ids).context("SMTP_FROM is wrong")?)))
}

/// The providers that users may sign in with.
pub(crate) fn logins(login: &Login, client: net::Client, app_url: Url) -> anyhow::Result<Logins> {
    let google =
        [("GOOGLE_CLIENT_ID", login.google_client_id.clone()), ("GOOGLE_CLIENT_SECRET", plain(login.google_client_secret.as_ref()))];
    let github =
        [("GITHUB_CLIENT_ID", login.github_client_id.clone()), ("GITHUB_CLIENT_SECRET", plain(login.github_client_secret.as_ref()))];
    let registration = |base: &Url, [client_id, client_secret]: [String; 2]| Registration {
        client_id,
        client_secret: client_secret.into(),
        base: base.clone(),
    };
    let google = all_or_none(google)?.map(|settings| registration(&login.google_issuer, settings));
    let github = all_or_none(github)?.map(|settings| registration(&login.github_base_url, settings));
    Ok(Logins::new(client, app_url, google, github))
}

/// `TRUSTED_ORIGINS` in the form that browsers send.
pub(crate) fn trusted_origins(text: &str) -> anyhow::Result<Vec<String>> {
    let given = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    given
        .map(|origin| {
            let url = Url::parse(origin).ok().filter(|url| url.origin().is_tuple() && url.path() == "/" && url.query().is_none());
            let url = url.with_context(|| format!("TRUSTED_ORIGINS: {origin:?} is not an origin such as https://console.example.com"))?;
            Ok(url.origin().ascii_serialization())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use domain::{RandomIds, SystemClock};

    use super::*;
    use crate::env::{Cli, Command, Serve};

    fn parsed(arguments: &[&str]) -> Serve {
        let cli = Cli::parse_from(["appstrate", "serve"].iter().chain(arguments));
        match cli.command {
            Command::Serve(serve) => *serve,
            Command::Audit(_) | Command::Sidecar { .. } => panic!("serve was asked for"),
        }
    }

    fn client() -> net::Client {
        net::Client::new(net::Options::new(net::OutboundAllow::default())).unwrap()
    }

    fn mail(arguments: &[&str]) -> Result<bool, String> {
        let mailer = mailer(&parsed(arguments).mail, client(), Arc::new(SystemClock), Arc::new(RandomIds));
        mailer.map(|mailer| mailer.is_some()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn mail_is_configured_whole_or_not_at_all() {
        let whole = ["--smtp-host", "mail.example.com", "--smtp-user", "u", "--smtp-pass", "p", "--smtp-from", "Us <us@example.com>"];
        assert_eq!(mail(&[]), Ok(false));
        assert_eq!(mail(&whole), Ok(true));
        assert_eq!(mail(&["--smtp-host", ""]), Ok(false));
        let error = mail(&whole[..4]).unwrap_err();
        assert_eq!(error, "SMTP_HOST, SMTP_USER set without SMTP_PASS, SMTP_FROM; set all of them or none");
        let error = mail(&[&whole[..7], &["nobody"]].concat()).unwrap_err();
        assert!(error.starts_with("SMTP_FROM"), "{error}");
    }

    #[test]
    fn a_provider_needs_both_its_settings() {
        let logins = |arguments: &[&str]| logins(&parsed(arguments).login, client(), "http://localhost:3000".parse().unwrap());
        assert!(logins(&[]).is_ok());
        let error = logins(&["--github-client-id", "x"]).unwrap_err().to_string();
        assert_eq!(error, "GITHUB_CLIENT_ID set without GITHUB_CLIENT_SECRET; set all of them or none");
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        assert_eq!(trusted_origins("https://Console.Example:443/, http://a.b:80").unwrap(), ["https://console.example", "http://a.b"]);
        assert!(trusted_origins("console.example").is_err());
        assert!(trusted_origins("https://a.b/path").is_err());
    }
}
