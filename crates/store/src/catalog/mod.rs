//! What runs are made of: packages and their versions, what an application has installed, models and their providers' keys, outbound
//! proxies.

mod installations;
mod models;
mod packages;
mod provider_keys;
mod proxies;
mod versions;

pub use self::installations::{Installation, InstallationChange, Installations, NewInstallation};
pub use self::models::{Model, ModelChange, Models, NewModel};
pub(crate) use self::packages::find as find_package;
pub use self::packages::{NewPackage, Package, PackageFilter, Packages};
pub use self::provider_keys::{NewProviderKey, ProviderKey, ProviderKeyChange, ProviderKeys};
pub use self::proxies::{NewProxy, Proxies, Proxy, ProxyAddress, ProxyChange};
pub use self::versions::{NewPackageVersion, PackageVersion, Versions};
