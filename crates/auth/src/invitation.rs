//! Coming into an organization through an invitation. Its token proves that somebody was invited; who that is, is proved by a
//! session of the invited e-mail address, or by making the account that has it.

use chrono::TimeDelta;
use domain::{Role, Secret, UserId};
use store::{AttemptBucket, Delivery, InvitationOffer, NewUser, Store, StoreError, SystemScope, Write, WriteContext, constraint};

use crate::mail::{Mail, PER_MAILBOX};
use crate::sign_in::{self, Opened, Origin};
use crate::sign_up::PLATFORM_REALM;
use crate::{AuthError, Passwords, token};

/// How long an invitation may be accepted.
pub const VALID_FOR: TimeDelta = TimeDelta::days(7);

/// Why somebody does not come in.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    #[error("there is no such invitation")]
    NotFound,
    #[error("the invitation was accepted or has expired")]
    Closed,
    #[error("the invited user has to sign in first")]
    SignInFirst,
    #[error("the session is another user's than the invited one's")]
    OtherUser,
    /// The e-mail address has no account yet: its name and password are needed.
    #[error("the invited user has no account, and none was described")]
    AccountNeeded,
    #[error("the user is a member already")]
    AlreadyMember,
    #[error("could not prove or make the user")]
    Auth(#[from] AuthError),
    #[error("could not reach the store")]
    Store(#[from] StoreError),
}

/// The account of an invited person who has none. Its e-mail address is the invitation's.
#[derive(Clone, Debug)]
pub struct Account {
    pub name: String,
    pub password: Secret,
}

/// Somebody who was found to be the invited one.
#[derive(Debug)]
pub enum Invitee {
    Known(UserId),
    New { name: String, password_hash: Secret },
}

/// Somebody who has just become a member.
#[derive(Debug)]
pub struct Joined {
    pub user: UserId,
    /// The role in the organization: as the invitation offered it when it was taken.
    pub role: Role,
    /// A new user is signed in.
    pub opened: Option<Opened>,
}

/// The invitation behind a token, also one that can no longer be accepted.
///
/// # Errors
/// [`InvitationError::NotFound`] for a token that is none, unknown or cancelled.
pub async fn find(store: &Store, token: &str) -> Result<InvitationOffer, InvitationError> {
    if !token::is_invitation_token(token) {
        return Err(InvitationError::NotFound);
    }
    store.system().invitation_by_hash(PLATFORM_REALM, &token::hash(token)).await?.ok_or(InvitationError::NotFound)
}

/// As [`find`], if it can be accepted.
///
/// # Errors
/// [`InvitationError::Closed`] besides.
pub async fn find_open(store: &Store, token: &str) -> Result<InvitationOffer, InvitationError> {
    let offer = find(store, token).await?;
    if offer.is_open { Ok(offer) } else { Err(InvitationError::Closed) }
}

/// Finds out whether the caller, who may be signed in as `session`, is the invited one. Hashes a new account's password, so call it
/// outside a transaction.
///
/// # Errors
/// [`InvitationError::SignInFirst`], [`InvitationError::OtherUser`], [`InvitationError::AccountNeeded`].
pub async fn prove(
    passwords: &Passwords,
    offer: &InvitationOffer,
    session: Option<UserId>,
    account: Option<Account>,
) -> Result<Invitee, InvitationError> {
    match (offer.user, session, account) {
        (Some(invited), Some(signed_in), _) if invited == signed_in => Ok(Invitee::Known(invited)),
        (Some(_), Some(_), _) => Err(InvitationError::OtherUser),
        (Some(_), None, _) => Err(InvitationError::SignInFirst),
        (None, _, None) => Err(InvitationError::AccountNeeded),
        (None, _, Some(account)) => {
            let password_hash = Secret::new(passwords.hash(account.password).await?);
            Ok(Invitee::New { name: account.name, password_hash })
        }
    }
}

/// Takes the invitation and makes the invitee a member, in the caller's write. Of several at once, one comes in.
///
/// # Errors
/// [`InvitationError::Closed`] for all the others, [`InvitationError::AlreadyMember`], and [`InvitationError::SignInFirst`] when the
/// account was made by somebody else meanwhile. Roll the unit back.
pub async fn accept(
    store: &Store,
    write: &Write<SystemScope>,
    token: &str,
    invitee: Invitee,
    origin: Origin,
) -> Result<Joined, InvitationError> {
    let invitation = write.claim_invitation(&token::hash(token)).await?.ok_or(InvitationError::Closed)?;
    let joined = match invitee {
        Invitee::Known(user) => Joined { user, role: invitation.role, opened: None },
        Invitee::New { name, password_hash } => {
            let new = NewUser {
                realm: PLATFORM_REALM.to_owned(),
                email: invitation.email.clone(),
                name,
                // A link that was only ever mailed shows who reads the mail; one that was handed over shows nothing.
                email_verified: invitation.delivery != Delivery::Link,
                password_hash: Some(password_hash),
            };
            let user = match write.users().create(new).await {
                Err(error) if error.is_conflict(constraint::USER_EMAIL) => return Err(InvitationError::SignInFirst),
                created => created?.id,
            };
            Joined { user, role: invitation.role, opened: Some(sign_in::open_in(write, store, user, origin).await?) }
        }
    };
    match write.admit(&invitation, joined.user).await {
        Err(error) if error.is_conflict(constraint::MEMBER) => Err(InvitationError::AlreadyMember),
        admitted => admitted.map(|()| joined).map_err(Into::into),
    }
}

/// Counts a mail to this address, in a write of its own and before the invitation's: whoever may invite brings no more into a mailbox
/// than whoever asks for a letter about an account.
///
/// # Errors
/// [`AuthError::TooManyAttempts`]: the mailbox has had enough for now.
pub async fn admit_mail(store: &Store, email: &str) -> Result<(), AuthError> {
    let write = store.system().write(WriteContext::internal()).await?;
    if let Some(until) = write.attempts().take(&[AttemptBucket::new("invitation", email, PER_MAILBOX)]).await? {
        return Err(AuthError::TooManyAttempts { until });
    }
    Ok(write.commit().await?)
}

/// The message that carries an invitation's link.
pub fn mail(to: &str, organization: &str, inviter: &str, link: &Secret) -> Mail {
    let (organization, inviter) = (one_line(organization), one_line(inviter));
    Mail {
        to: to.to_owned(),
        subject: format!("{inviter} invites you to {organization} on Appstrate"),
        text: format!(
            "{inviter} invites you to the organization {organization} on Appstrate.\n\n\
             Accept within 7 days:\n{}\n\n\
             If you do not expect this, ignore this message; nothing happens without you.\n",
            link.expose()
        ),
    }
}

/// Names are their owners' to choose: none of them adds a header or a paragraph to a mail.
fn one_line(text: &str) -> String {
    text.split(|letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}'))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_on_its_line() {
        let mail = mail("carol@example.com", "Acme\r\nBcc: eve@example.com", "Ada\u{2028}\u{0}", &"https://x/invite/t".into());
        assert_eq!(mail.subject, "Ada invites you to Acme Bcc: eve@example.com on Appstrate");
        assert!(mail.text.contains("\nhttps://x/invite/t\n"));
    }
}
