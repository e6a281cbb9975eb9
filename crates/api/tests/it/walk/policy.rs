//! The answer that each caller must get for each row: the rules of `design/api.md` as one function.

use domain::{Permission, Role};

use super::operation::Operation;
use super::principal::Principal;
use super::target::{Class, Target};

/// The refusal that the operation must answer with; `None`: it must succeed. `class` is `None` where the path names nothing.
pub(crate) fn refusal(operation: &Operation, principal: Principal, class: Option<Class>, target: Target) -> Option<u16> {
    match principal {
        // A bad credential is final, also where none is needed.
        Principal::UnknownKey | Principal::RevokedKey | Principal::ExpiredKey | Principal::OrphanedKey => Some(401),
        Principal::StrangerSession | Principal::DeletedEndUser | Principal::StrangersEndUser => Some(403),
        _ if operation.permission == "public" => {
            (class == Some(Class::Secret) && matches!(target, Target::Random | Target::Malformed)).then_some(404)
        }
        Principal::Nobody => Some(401),
        _ if !is_allowed(operation, principal) => Some(403),
        _ if class.is_some_and(|class| !sees(class, principal, target)) => Some(404),
        _ => conflict(operation, principal, target),
    }
}

/// What stands in the way of the two deletions that would take the stage along: the organization of the stage has a run that waits, its
/// application is the default one, and beside that there is another to delete, which is no key's own.
fn conflict(operation: &Operation, principal: Principal, target: Target) -> Option<u16> {
    match (operation.id.as_str(), target) {
        ("deleteOrganization", _) | ("deleteApplication", Target::Own | Target::ForeignOrganization) => Some(409),
        ("deleteApplication", Target::SiblingApplication) if !principal.is_session() => Some(404),
        _ => None,
    }
}

fn is_allowed(operation: &Operation, principal: Principal) -> bool {
    match operation.permission.as_str() {
        "signed-in" => principal.is_session(),
        "member" => true,
        // A key belongs to one application and makes no others.
        _ if operation.id == "createApplication" && !principal.is_session() => false,
        name => {
            let permission = Permission::parse(name).unwrap_or_else(|| panic!("{operation} names {name}, which is no permission"));
            principal.permissions(operation).contains(permission)
        }
    }
}

fn sees(class: Class, principal: Principal, target: Target) -> bool {
    let (stranger, sibling_app) = (principal == Principal::StrangerKey, principal == Principal::SiblingKey);
    if matches!(class, Class::Open | Class::Secret) {
        return true;
    }
    if class == Class::Account {
        return principal == Principal::Session(Role::Owner) && target == Target::Own;
    }
    match target {
        Target::Random | Target::RandomChild | Target::Malformed | Target::ForeignChild => false,
        Target::ForeignOrganization => stranger,
        _ if stranger => false,
        _ if class == Class::Organization => true,
        Target::SiblingApplication => sibling_app || (class == Class::Application && principal.is_session()),
        _ if sibling_app || (class == Class::Held && principal.is_session()) => false,
        Target::Own => !is_personal(class) || principal != Principal::SiblingEndUser,
        Target::SiblingEndUser => !is_personal(class) || principal != Principal::EndUser,
    }
}

fn is_personal(class: Class) -> bool {
    matches!(class, Class::Private | Class::Held)
}
