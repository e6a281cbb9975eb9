//! The one place where errors of the catalogue, the vault and of credentials meet a status.

use connect::catalogue::CatalogueError;
use connect::credentials::FieldsError;
use connect::proxies::ProxyAddressError;
use connect::vault::VaultServiceError;
use domain::Code;

use super::{Problem, Violation};

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::ScopeMismatch { slug } => Self::new(Code::ScopeMismatch, format!("The package must be named @{slug}/….")),
            CatalogueError::NameCollision(name) => Self::new(Code::NameCollision, format!("The name {name} is taken.")),
            CatalogueError::TypeMismatch { name, existing } => {
                Self::new(Code::TypeMismatch, format!("{name} exists as a package of type {}.", existing.as_str()))
            }
            CatalogueError::IntegrityMismatch(version) => {
                Self::new(Code::IntegrityMismatch, format!("Version {version} exists with other contents; publish a higher version."))
            }
            CatalogueError::NotForward { given, highest } => {
                Self::new(Code::VersionNotForward, format!("Version {given} is not above {highest}, the highest that exists."))
            }
            CatalogueError::Unresolved(problems) => Self::listing(
                Code::PackageError,
                problems.iter().map(|problem| Violation::new("/dependencies", "missing_dependency", problem.to_string())).collect(),
            ),
            CatalogueError::Archive(source) => (*source).into(),
            CatalogueError::Store(source) => source.into(),
            CatalogueError::SystemPackage { .. } | CatalogueError::SystemPackageChanged { .. } | CatalogueError::Damaged(_) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<VaultServiceError> for Problem {
    fn from(error: VaultServiceError) -> Self {
        match error {
            VaultServiceError::Store(source) => source.into(),
            VaultServiceError::Vault(_) | VaultServiceError::Gone | VaultServiceError::WrongMasterKey => Self::internal(&error),
        }
    }
}

impl From<FieldsError> for Problem {
    fn from(error: FieldsError) -> Self {
        match error {
            FieldsError::OtherMode(mode) => Self::new(
                Code::InvalidRequest,
                format!("This provider connects through {mode}; this route stores fields of providers that have them."),
            ),
            FieldsError::Invalid(problems) => Self::validation(
                problems
                    .into_iter()
                    .map(|problem| Violation::new(format!("/credentials/{}", problem.field), "invalid_value", problem.message))
                    .collect(),
            ),
        }
    }
}

/// About the `url` of the body that stores a proxy.
impl From<ProxyAddressError> for Problem {
    fn from(error: ProxyAddressError) -> Self {
        let code = match error {
            ProxyAddressError::TooLong => "out_of_range",
            ProxyAddressError::Invalid(_) => "invalid_format",
            ProxyAddressError::Refused(_) => "blocked_url",
        };
        Self::invalid("/url", code, error.to_string())
    }
}
