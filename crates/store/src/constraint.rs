//! The unique indexes whose collisions a caller can explain, as [`crate::StoreError::Conflict`] names them.

/// The idempotency key was answered meanwhile, by another node.
pub const IDEMPOTENCY_KEY: &str = "idempotency_records_id";
/// Another user of the realm has this e-mail address.
pub const USER_EMAIL: &str = "users_realm_email";
/// The provider's account signs somebody in already.
pub const LOGIN_IDENTITY: &str = "login_identities_provider_subject";
/// Another organization has this slug.
pub const ORGANIZATION_SLUG: &str = "organizations_slug";
/// The user is a member already.
pub const MEMBER: &str = "members_org_id_user_id";
/// Another invitation for this e-mail address is open.
pub const INVITATION_EMAIL: &str = "invitations_org_id_email";
/// Another end-user of the application has this external id.
pub const END_USER_EXTERNAL_ID: &str = "end_users_app_id_external_id";
/// Another end-user of the application has this e-mail address.
pub const END_USER_EMAIL: &str = "end_users_app_id_email";
/// The package's name is taken, perhaps by another organization.
pub const PACKAGE_NAME: &str = "packages_name";
/// The package has this version already.
pub const PACKAGE_VERSION: &str = "package_versions_package_version";
/// The package is installed already.
pub const INSTALLATION: &str = "installations_app_id_package";
/// The owner has a default profile already.
pub const DEFAULT_PROFILE: &str = "profiles_place_holder";
/// The profile has a connection for this provider already.
pub const CONNECTION: &str = "connections_profile_id_provider";
