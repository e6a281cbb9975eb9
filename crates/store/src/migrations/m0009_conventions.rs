//! Idempotency records also keep where the created object is, and the intent of a request that is calling out.
//!
//! `leased_until` is set as long as there is no answer; `status` is 0 then.

use async_trait::async_trait;
use sea_orm::{DbErr, DeriveMigrationName};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use super::ddl;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const SQL: &str = "
ALTER TABLE idempotency_records ADD COLUMN location TEXT;
ALTER TABLE idempotency_records ADD COLUMN attempt {int} NOT NULL DEFAULT 0;
ALTER TABLE idempotency_records ADD COLUMN resumes {bool} NOT NULL DEFAULT FALSE;
ALTER TABLE idempotency_records ADD COLUMN intent {bytes};
ALTER TABLE idempotency_records ADD COLUMN leased_until {time};
";

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        ddl::run(manager, SQL).await
    }
}
