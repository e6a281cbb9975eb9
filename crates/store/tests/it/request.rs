//! A request that may be repeated, as the API makes one.

use domain::RequestId;
use store::{
    AppScope, AuditFacts, Claim, Claimed, Earlier, EndUserFilter, IdempotencyKey, NewEndUser, Opened, Page, Store, StoreError, Write,
    WriteContext,
};

use crate::world::{Tenant, World};

/// `POST /api/end-users` by one user.
#[derive(Clone, Copy)]
pub(crate) struct Request<'t> {
    tenant: &'t Tenant,
    key: &'static str,
    body: u8,
}

impl<'t> Request<'t> {
    pub(crate) fn new(tenant: &'t Tenant, key: &'static str) -> Self {
        Self { tenant, key, body: 1 }
    }

    /// The same key with another body.
    pub(crate) fn changed(self) -> Self {
        Self { body: 2, ..self }
    }

    pub(crate) fn scope(&self) -> &'t AppScope {
        &self.tenant.scope
    }

    pub(crate) async fn try_claim(&self, store: &Store) -> Result<Claimed, StoreError> {
        let key = IdempotencyKey {
            key: self.key.to_owned(),
            org: Some(self.tenant.org),
            app: Some(self.tenant.app),
            principal: "usr_1".to_owned(),
            method: "POST".to_owned(),
            path: "/api/end-users".to_owned(),
            fingerprint: [self.body; 32],
        };
        store.claim(&key).await
    }

    /// Claims the key, which must be free.
    pub(crate) async fn claimed(&self, store: &Store) -> Claim {
        match self.try_claim(store).await.unwrap() {
            Claimed::Fresh(claim) => claim,
            Claimed::Earlier(earlier) => panic!("{earlier:?}"),
        }
    }

    /// What a repetition is told.
    pub(crate) async fn earlier(&self, store: &Store) -> Option<Earlier> {
        match self.try_claim(store).await.unwrap() {
            Claimed::Fresh(_) => None,
            Claimed::Earlier(earlier) => Some(earlier),
        }
    }

    pub(crate) async fn begin(&self, store: &Store, claim: &Claim) -> Opened<AppScope> {
        self.try_begin(store, claim).await.unwrap()
    }

    pub(crate) async fn try_begin(&self, store: &Store, claim: &Claim) -> Result<Opened<AppScope>, StoreError> {
        let facts = AuditFacts {
            request: RequestId::new(store.ids()),
            key: None,
            user: None,
            end_user: None,
            permission: "end-users:write".to_owned(),
            method: "POST".to_owned(),
            route: "/api/end-users".to_owned(),
            subject: None,
            path: "/api/end-users".to_owned(),
            ip: None,
            user_agent: None,
            recorded: store::Recorded::default(),
        };
        store.begin_write(self.scope(), WriteContext::of(facts).under(Some(claim.clone()))).await
    }

    /// Claims the key and opens its write.
    pub(crate) async fn open(&self, store: &Store) -> Write<AppScope> {
        let claim = self.claimed(store).await;
        self.begin(store, &claim).await.fresh().unwrap()
    }
}

/// The change that the requests of these tests make.
pub(crate) async fn create(write: &Write<AppScope>) {
    write.end_users().create(NewEndUser::default()).await.unwrap();
}

/// Changes and audit rows of the tenant.
pub(crate) async fn counts(world: &World, tenant: &Tenant) -> (u64, u64) {
    let read = world.store.read(&tenant.scope).await.unwrap();
    (read.end_users().list(&EndUserFilter::default(), Page::FIRST).await.unwrap().total, read.audit_log(Page::FIRST).await.unwrap().total)
}
