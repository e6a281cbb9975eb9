//! Carries out one claimed run: prepare → begin → follow → settle → clean up, one method each.
//!
//! Whatever happens, the run gets one end through the finaliser (unless the lease is lost: then somebody else writes it), and
//! neither process nor sandbox outlives it.

use std::sync::Arc;
use std::time::Duration;

use store::{Appended, ClaimedRun, RunEnding, RunEntry, Store, StoreError, WriteContext};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::control::{Start, ToSidecar};
use wire::hands::File;
use wire::run_event::{Failure, FailureCode, RunEvent};

use crate::credentials::{CredentialError, CredentialSource, RunSecrets};
use crate::files::{self, FilesError};
use crate::follow::{Recorder, RecorderParts};
use crate::sandbox::{SandboxSource, Seat};
use crate::session::{Followed, Session};
use crate::sidecar::link::Link;
use crate::sidecar::pool::Pool;
use crate::sidecar::process::Sidecar;
use crate::{endings, finaliser};

/// What every run is carried out with.
pub(crate) struct Executor {
    pub(crate) store: Store,
    pub(crate) pool: Pool,
    pub(crate) sandbox: SandboxSource,
    pub(crate) credentials: Arc<dyn CredentialSource>,
    /// `OUTBOUND_ALLOW`, for the sidecar.
    pub(crate) outbound_allow: String,
    /// What a run that was asked to stop may still take.
    pub(crate) grace: Duration,
}

/// How a run is told to stop from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    /// End soon, with this failure.
    pub(crate) cancel: agent::Cancel,
    /// The lease is lost: stop at once and write nothing.
    pub(crate) lost: CancellationToken,
}

/// A run that can be handed over.
struct Prepared {
    files: Vec<File>,
    secrets: RunSecrets,
    sidecar: Sidecar,
}

/// Why a run is not followed to its end.
enum Stop {
    End(RunEnding),
    /// Not started, and this server stops: another one takes the run.
    Requeue,
    LeaseLost,
}

impl Executor {
    /// Carries the run out and writes its end.
    pub(crate) async fn execute(&self, claimed: &ClaimedRun, control: &Control) {
        let begun = match self.prepare(claimed, control).await {
            Ok(prepared) => self.begin(claimed, prepared, control).await,
            Err(stop) => Err(stop),
        };
        match begun {
            Ok(mut session) => {
                let followed = session.follow(self).await;
                tokio::join!(session.clean_up(), self.settle(claimed, followed));
            }
            Err(Stop::End(ending)) => self.settle(claimed, Followed::Ended(ending)).await,
            Err(Stop::LeaseLost) => self.settle(claimed, Followed::LeaseLost).await,
            Err(Stop::Requeue) => self.give_back(claimed).await,
        }
    }

    /// Collects what the sidecar is handed: files, secrets, and the sidecar itself, at the same time.
    async fn prepare(&self, claimed: &ClaimedRun, control: &Control) -> Result<Prepared, Stop> {
        let spec = &claimed.spec;
        let collected = async {
            let files = async { files::workspace(self.store.blobs(), spec).await.map_err(|error| self.files_failure(claimed, &error)) };
            let secrets =
                async { self.credentials.open(&claimed.scope, spec).await.map_err(|error| self.secrets_failure(claimed, &error)) };
            let sidecar = async {
                self.pool.take().await.map_err(|error| {
                    tracing::error!(run.id = %spec.run, %error, "could not start a sidecar for run {}", spec.run);
                    endings::internal()
                })
            };
            let (files, secrets, sidecar) = tokio::try_join!(files, secrets, sidecar)?;
            Ok(Prepared { files, secrets, sidecar })
        };
        tokio::select! {
            biased;
            () = control.lost.cancelled() => Err(Stop::LeaseLost),
            failure = control.cancel.requested() => Err(match failure.code {
                FailureCode::ServerRestarted => Stop::Requeue,
                _ => Stop::End(RunEnding::failed(failure)),
            }),
            prepared = collected => prepared.map_err(|failure| Stop::End(RunEnding::failed(failure))),
        }
    }

    /// Marks the run as running, then hands it over. From here on the time counts.
    async fn begin<'r>(&self, claimed: &'r ClaimedRun, prepared: Prepared, control: &'r Control) -> Result<Session<'r>, Stop> {
        let spec = &claimed.spec;
        let egress = serde_json::to_value(&spec.egress).expect("a policy is JSON");
        let started = RunEvent::Started { rung: self.sandbox.sandbox.rung().to_owned(), egress };
        let deadline = Instant::now() + Duration::from_millis(spec.limits.timeout_ms);
        let appended = self.store.system().append_to_run(&claimed.lease, claimed.next_seq, &[RunEntry::Event(started)]).await;
        let next_seq = match appended {
            Ok(Appended::Committed { next_seq, .. }) => next_seq,
            // Cancelled while it was prepared, or recovered by another node.
            Ok(Appended::LeaseLost) => return Err(Stop::LeaseLost),
            Err(error) => {
                self.report(claimed, "mark the run as running", &error);
                return Err(Stop::End(RunEnding::failed(endings::internal())));
            }
        };
        let Prepared { files, secrets, sidecar: Sidecar { control: socket, descriptors, process } } = prepared;
        let link = Link::open(socket, descriptors);
        let recorder = Recorder::start(RecorderParts {
            store: self.store.clone(),
            lease: claimed.lease.clone(),
            next_seq,
            sidecar: link.sender().clone(),
            cancel: control.cancel.clone(),
        });
        let start = Start {
            spec: spec.clone(),
            files,
            model_key: secrets.model_key,
            credentials: secrets.credentials,
            proxy_url: secrets.proxy_url,
            outbound_allow: self.outbound_allow.clone(),
            deadline_ms: spec.limits.timeout_ms,
        };
        if link.sender().send(ToSidecar::Start(Box::new(start))).is_err() {
            tracing::debug!(run.id = %spec.run, "the sidecar died before it was given its run");
        }
        Ok(Session { claimed, control, link, process, recorder: Some(recorder), seat: Seat::Empty, sandbox_exit: None, deadline })
    }

    /// Writes the end.
    async fn settle(&self, claimed: &ClaimedRun, followed: Followed) {
        let run = claimed.lease.run();
        match followed {
            Followed::Ended(ending) => {
                if let Err(error) = finaliser::finish(&self.store, &claimed.scope, &claimed.lease, &ending).await {
                    // The lease runs out, and the run is recovered as `server_restarted`.
                    tracing::error!(run.id = %run, error = &error as &dyn std::error::Error, "could not write the end of run {run}");
                }
            }
            Followed::LeaseLost => tracing::warn!(run.id = %run, "run {run} is no longer this worker's; nothing more is written"),
        }
    }

    /// Ends a run whose task has panicked.
    pub(crate) async fn settle_panicked(&self, claimed: &ClaimedRun) {
        self.settle(claimed, Followed::Ended(RunEnding::failed(endings::internal()))).await;
    }

    async fn give_back(&self, claimed: &ClaimedRun) {
        let given_back = async {
            let write = self.store.write(&claimed.scope, WriteContext::internal()).await?;
            if write.runs().requeue(&claimed.lease).await? {
                write.commit().await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = given_back.await {
            // The lease runs out, and the run is queued again by whoever recovers it.
            self.report(claimed, "give the run back", &error);
        }
    }

    fn files_failure(&self, claimed: &ClaimedRun, error: &FilesError) -> Failure {
        match error {
            FilesError::Store(source) => {
                self.report(claimed, "read the run's packages", source);
                endings::internal()
            }
            _ => endings::not_prepared(error.to_string()),
        }
    }

    fn secrets_failure(&self, claimed: &ClaimedRun, error: &CredentialError) -> Failure {
        match error {
            CredentialError::Gone(message) => endings::not_prepared(message.clone()),
            CredentialError::Unavailable(_) => {
                self.report(claimed, "open the run's credentials", error);
                endings::internal()
            }
        }
    }

    #[expect(clippy::unused_self, reason = "a step of the executor")]
    fn report(&self, claimed: &ClaimedRun, doing: &str, error: &(dyn std::error::Error + 'static)) {
        tracing::error!(run.id = %claimed.lease.run(), error, "could not {doing}");
    }
}
