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
        _ if operation.permission == "public" => None,
        Principal::Nobody => Some(401),
        _ if !is_allowed(operation, principal) => Some(403),
        _ if class.is_some_and(|class| !sees(class, principal, target)) => Some(404),
        _ => None,
    }
}

fn is_allowed(operation: &Operation, principal: Principal) -> bool {
    match operation.permission.as_str() {
        "signed-in" => principal.is_session(),
        "member" => true,
        name => {
            let permission = Permission::parse(name).unwrap_or_else(|| panic!("{operation} names {name}, which is no permission"));
            principal.permissions(operation).contains(permission)
        }
    }
}

fn sees(class: Class, principal: Principal, target: Target) -> bool {
    let (stranger, sibling_app) = (principal == Principal::StrangerKey, principal == Principal::SiblingKey);
    if class == Class::Open {
        return true;
    }
    if class == Class::Account {
        return principal == Principal::Session(Role::Owner) && target == Target::Own;
    }
    match target {
        Target::Random | Target::Malformed => false,
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
