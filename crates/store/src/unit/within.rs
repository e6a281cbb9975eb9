//! A write of an organization that has to reach into its applications: to delete one, or to end what a member has left in them.

use domain::AppId;

use super::{Unit, Writing};
use crate::StoreError;
use crate::scope::{Bounds, OrgScope, Sight};
use crate::scoped::Tenant;

impl Unit<OrgScope, Writing> {
    /// The rows of one application of this organization. Until [`Self::leave_application`] the database, too, holds the transaction
    /// to that application.
    pub(crate) async fn enter_application(&self, app: AppId) -> Result<Tenant<'_, Writing>, StoreError> {
        let bounds = Bounds { org: self.scope.org(), sight: Sight::Application(app) };
        self.store.engine.enter(&self.transaction, bounds).await?;
        Ok(Tenant { bounds, ..self.tenant() })
    }

    /// Back to the rows of the organization.
    pub(crate) async fn leave_application(&self) -> Result<(), StoreError> {
        self.store.engine.enter(&self.transaction, self.tenant().bounds).await
    }
}
