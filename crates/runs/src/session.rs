//! A run that is going on: its sidecar's messages, its sandbox, its deadlines, in one loop.

use std::time::Duration;

use store::{ClaimedRun, RunEnding, RunEntry};
use tokio::time::Instant;
use wire::control::{FromSidecar, Outcome, ToSidecar};
use wire::run_event::{Failure, FailureCode, RunEvent};

use crate::executor::{Control, Executor};
use crate::follow::{Numbered, Recorded, Recorder};
use crate::history::history;
use crate::sandbox::{Seat, SeatEvent};
use crate::sidecar::link::Link;
use crate::sidecar::process::Process;
use crate::{endings, sandbox};

/// A run in its sidecar's hands.
pub(crate) struct Session<'r> {
    pub(crate) claimed: &'r ClaimedRun,
    pub(crate) control: &'r Control,
    pub(crate) link: Link,
    pub(crate) process: Process,
    /// `None` once it was closed.
    pub(crate) recorder: Option<Recorder>,
    pub(crate) seat: Seat,
    /// How the sandbox ended, if it ended by itself.
    pub(crate) sandbox_exit: Option<::sandbox::Exit>,
    pub(crate) deadline: Instant,
}

/// What following a run came to.
#[derive(Debug)]
pub(crate) enum Followed {
    Ended(RunEnding),
    /// Somebody else writes the end.
    LeaseLost,
}

/// Why the loop was left.
enum Left {
    /// The sidecar said how the run ended.
    Finished(Outcome),
    /// The sidecar's socket is closed.
    Gone,
    /// The sidecar did not stop within the grace, or broke the protocol.
    Kill(Failure),
    /// The record cannot be written any more.
    Unrecorded,
    LeaseLost,
}

/// What the sidecar's socket has brought.
enum Next {
    /// A row, which is with the recorder now.
    Taken,
    Message(FromSidecar),
    Gone,
    Unrecorded,
}

impl Session<'_> {
    /// Follows the run to its end.
    pub(crate) async fn follow(&mut self, executor: &Executor) -> Followed {
        let left = self.run(executor).await;
        let (failure, outcome) = match left {
            Left::Finished(outcome) => (None, Some(outcome)),
            Left::Gone => (Some(self.reason().unwrap_or_else(endings::sidecar_lost)), None),
            Left::Kill(failure) => {
                self.process.kill().await;
                (Some(failure), self.drain().await)
            }
            Left::Unrecorded => {
                self.process.kill().await;
                (Some(endings::internal()), None)
            }
            Left::LeaseLost => {
                self.recorder = None;
                self.process.kill().await;
                return Followed::LeaseLost;
            }
        };
        match self.close_record().await {
            Recorded::All => Followed::Ended(match outcome {
                Some(outcome) => self.ending(outcome),
                None => RunEnding::failed(failure.unwrap_or_else(endings::internal)),
            }),
            Recorded::LeaseLost => Followed::LeaseLost,
            Recorded::Broken(error) => {
                let run = self.claimed.lease.run();
                tracing::error!(run.id = %run, error = &error as &dyn std::error::Error, "could not write the record of run {run}");
                Followed::Ended(RunEnding::failed(endings::internal()))
            }
        }
    }

    /// Ends the process and the sandbox, and waits until both are gone.
    pub(crate) async fn clean_up(&mut self) {
        tokio::join!(self.process.kill(), self.seat.clear());
    }

    async fn run(&mut self, executor: &Executor) -> Left {
        let control = self.control;
        let mut is_late = false;
        let mut kill_at: Option<Instant> = None;
        loop {
            let Some(recorder) = &self.recorder else { return Left::Unrecorded };
            let link = &mut self.link;
            // Taking a row in needs room for it first; from the message on nothing waits, so this may be dropped at any time.
            let next = async {
                let Some(room) = recorder.room().await else { return Next::Unrecorded };
                match link.receive().await.map(sorted) {
                    None => Next::Gone,
                    Some(Sorted::Row(row)) => {
                        room.send(row);
                        Next::Taken
                    }
                    Some(Sorted::Other(message)) => Next::Message(message),
                }
            };
            tokio::select! {
                biased;
                () = control.lost.cancelled() => return Left::LeaseLost,
                () = recorder.ended() => return Left::Unrecorded,
                () = at(kill_at), if kill_at.is_some() => {
                    return Left::Kill(self.reason().unwrap_or_else(endings::internal));
                }
                failure = control.cancel.requested(), if kill_at.is_none() => {
                    kill_at = Some(Instant::now() + executor.grace);
                    // A sidecar that is gone closes its socket, which ends the loop.
                    if self.link.sender().send(ToSidecar::Cancel { failure }).is_err() {
                        return Left::Kill(self.reason().unwrap_or_else(endings::internal));
                    }
                }
                () = tokio::time::sleep_until(self.deadline), if !is_late => {
                    is_late = true;
                    control.cancel.request(endings::timed_out(self.claimed.spec.limits.timeout_ms));
                }
                event = self.seat.next() => {
                    if let Err(failure) = self.on_seat(event, executor).await {
                        return Left::Kill(failure);
                    }
                }
                next = next => match next {
                    Next::Taken => {}
                    Next::Unrecorded => return Left::Unrecorded,
                    Next::Gone => return Left::Gone,
                    Next::Message(FromSidecar::Ended(outcome)) => return Left::Finished(*outcome),
                    Next::Message(message) => {
                        if let Err(failure) = self.on_message(message, executor).await {
                            return Left::Kill(failure);
                        }
                    }
                },
            }
        }
    }

    /// Messages that are no rows. `Err`: the sidecar is of no use any more.
    async fn on_message(&mut self, message: FromSidecar, executor: &Executor) -> Result<(), Failure> {
        let run = self.claimed.lease.run();
        let answer = match message {
            FromSidecar::Delta { text } => {
                executor.store.pass_delta(run, &text);
                return Ok(());
            }
            FromSidecar::StartSandbox => {
                if self.seat.start(&executor.sandbox, &self.claimed.spec) {
                    return Ok(());
                }
                ToSidecar::SandboxFailed { message: "The sandbox was asked for twice.".to_owned() }
            }
            FromSidecar::History { number, limit, fields } => {
                let found = history(&executor.store, &self.claimed.scope, &self.claimed.spec, (limit, &fields)).await;
                let runs = found.unwrap_or_else(|error| {
                    tracing::error!(run.id = %run, error = &error as &dyn std::error::Error, "could not read the history for run {run}");
                    Vec::new()
                });
                ToSidecar::History { number, runs }
            }
            FromSidecar::Ready | FromSidecar::Event { .. } => {
                tracing::error!(run.id = %run, "the sidecar of run {run} sent what only the worker writes");
                return Err(endings::internal());
            }
            FromSidecar::LedgerOpen { .. } | FromSidecar::LedgerSettle { .. } | FromSidecar::Ended(_) => return Ok(()),
        };
        self.link.sender().send(answer).map_err(|_| self.reason().unwrap_or_else(endings::sidecar_lost))
    }

    async fn on_seat(&mut self, event: SeatEvent, executor: &Executor) -> Result<(), Failure> {
        let answer = match event {
            SeatEvent::Started { descriptors, duration } => {
                let rung = executor.sandbox.sandbox.rung().to_owned();
                let duration_ms = millis(duration);
                if let Some(recorder) = &self.recorder {
                    let event = RunEvent::SandboxStarted { rung: rung.clone(), duration_ms };
                    recorder.note(RunEntry::Event(event)).await;
                }
                match self.link.pass(&descriptors) {
                    Ok(()) => ToSidecar::SandboxStarted { rung, duration_ms },
                    Err(error) => ToSidecar::SandboxFailed { message: format!("The sandbox could not be handed over: {error}.") },
                }
            }
            SeatEvent::NotStarted(message) => ToSidecar::SandboxFailed { message: format!("The sandbox did not start: {message}.") },
            SeatEvent::Died(exit) => {
                let run = self.claimed.lease.run();
                tracing::info!(run.id = %run, exit.cause = ?exit.cause, exit.memory_kills = exit.memory_kills, "the sandbox of run {run} ended");
                // The sidecar's tool socket is closed now; whether the run can do without is for it to say.
                self.sandbox_exit = Some(exit);
                return Ok(());
            }
        };
        self.link.sender().send(answer).map_err(|_| self.reason().unwrap_or_else(endings::sidecar_lost))
    }

    /// What a killed sidecar had still sent: its rows count, and its last word if it had one.
    async fn drain(&mut self) -> Option<Outcome> {
        while let Some(message) = self.link.receive().await {
            match (sorted(message), &self.recorder) {
                (Sorted::Other(FromSidecar::Ended(outcome)), _) => return Some(*outcome),
                (Sorted::Row(row), Some(recorder)) => recorder.note(row.entry).await,
                _ => {}
            }
        }
        None
    }

    async fn close_record(&mut self) -> Recorded {
        let Some(recorder) = self.recorder.take() else { return Recorded::LeaseLost };
        tokio::select! {
            biased;
            end = recorder.close() => end,
            () = self.control.lost.cancelled() => Recorded::LeaseLost,
        }
    }

    /// The end that the sidecar tells, with what the worker knows about the sandbox.
    fn ending(&self, outcome: Outcome) -> RunEnding {
        let mut failure = outcome.failure;
        if let (Some(failure), Some(exit)) = (&mut failure, &self.sandbox_exit)
            && failure.code == FailureCode::SandboxFailed
        {
            failure.message = format!("{} {}", failure.message, sandbox::cause(exit));
        }
        RunEnding { failure, memories: outcome.memories }
    }

    /// Why the run was asked to stop, if it was.
    fn reason(&self) -> Option<Failure> {
        self.control.cancel.reason().cloned()
    }
}

/// A message of the sidecar: a row to write, or something else.
enum Sorted {
    Row(Numbered),
    Other(FromSidecar),
}

fn sorted(message: FromSidecar) -> Sorted {
    let (number, entry) = match message {
        // These are the worker's own.
        FromSidecar::Event {
            event: RunEvent::Created { .. } | RunEvent::Started { .. } | RunEvent::SandboxStarted { .. } | RunEvent::Ended { .. },
            ..
        } => return Sorted::Other(message),
        FromSidecar::Event { number, event } => (number, RunEntry::Event(event)),
        FromSidecar::LedgerOpen { number, entry, reserved } => (number, RunEntry::LedgerOpen { entry, reserved }),
        FromSidecar::LedgerSettle { number, entry, usage, cost, state } => (number, RunEntry::LedgerSettle { entry, usage, cost, state }),
        _ => return Sorted::Other(message),
    };
    Sorted::Row(Numbered { number: Some(number), entry })
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
