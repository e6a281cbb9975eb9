//! A sidecar that follows a script over real sockets, and a sandbox of two file descriptors and a flag.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::NanoUsd;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use runs::{Launch, Process, Sidecar};
use sandbox::{Exit, ExitCause, Handle, ProbeReport, Sandbox, SandboxError, SandboxSpec, Started, Unavailable};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::control::{FromSidecar, LedgerState, Outcome, ToSidecar};
use wire::message::Usage;
use wire::run_event::{LogLevel, RunEvent};

pub(crate) const USAGE: Usage = Usage { input: 100, output: 20, cache_read: 3, cache_write: 1 };

/// What a scripted sidecar does next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Log(&'static str),
    Event(RunEvent),
    Open(u64, i64),
    Settle(u64, i64),
    Delta(&'static str),
    /// Asks for the sandbox and takes its descriptors.
    Sandbox,
    History,
    /// The end.
    End(Outcome),
    /// Waits to be told to stop, then ends as told.
    Obey,
    /// Reads and does nothing more, whatever it is told.
    Hang,
    /// Ends without a word.
    Die,
}

pub(crate) type Script = Vec<Step>;

/// Starts scripted sidecars.
#[derive(Debug)]
pub(crate) struct FakeLaunch {
    script: Script,
    living: Arc<AtomicUsize>,
    launched: AtomicUsize,
    /// What the sidecars were told, printed, in order.
    pub(crate) told: Arc<Mutex<Vec<ToSidecar>>>,
    /// How many descriptors came with the sandbox.
    pub(crate) descriptors: Arc<AtomicUsize>,
    /// Kills each idle sidecar that waits for a run.
    pub(crate) plague: Mutex<CancellationToken>,
}

impl FakeLaunch {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            script,
            living: Arc::default(),
            launched: AtomicUsize::new(0),
            told: Arc::default(),
            descriptors: Arc::default(),
            plague: Mutex::default(),
        }
    }

    pub(crate) fn living(&self) -> usize {
        self.living.load(Ordering::SeqCst)
    }

    pub(crate) fn launched(&self) -> usize {
        self.launched.load(Ordering::SeqCst)
    }

    /// Whether a message like this was sent to any sidecar.
    pub(crate) fn was_told(&self, is_it: impl Fn(&ToSidecar) -> bool) -> bool {
        self.told.lock().unwrap().iter().any(is_it)
    }
}

#[async_trait]
impl Launch for FakeLaunch {
    async fn launch(&self) -> io::Result<Sidecar> {
        self.launched.fetch_add(1, Ordering::SeqCst);
        let (control, its_control) = UnixStream::pair()?;
        let (descriptors, its_descriptors) = std::os::unix::net::UnixStream::pair()?;
        let (kill, exited) = (CancellationToken::new(), CancellationToken::new());
        let fake = Fake {
            control: its_control,
            descriptors: its_descriptors.into(),
            told: self.told.clone(),
            received: self.descriptors.clone(),
            number: 0,
        };
        let (script, living, plague) = (self.script.clone(), self.living.clone(), self.plague.lock().unwrap().clone());
        living.fetch_add(1, Ordering::SeqCst);
        let (killed, gone) = (kill.clone(), exited.clone());
        tokio::spawn(async move {
            tokio::select! {
                // A peer that closes the socket first is no failure of the script.
                _ = fake.follow(script) => {}
                () = killed.cancelled() => {}
                () = plague.cancelled() => {}
            }
            living.fetch_sub(1, Ordering::SeqCst);
            gone.cancel();
        });
        Ok(Sidecar::new(control, descriptors.into(), Process::new(kill, exited)))
    }
}

struct Fake {
    control: UnixStream,
    descriptors: OwnedFd,
    told: Arc<Mutex<Vec<ToSidecar>>>,
    received: Arc<AtomicUsize>,
    number: u64,
}

impl Fake {
    async fn follow(mut self, script: Script) -> io::Result<()> {
        self.say(&FromSidecar::Ready).await?;
        self.hear(|message| matches!(message, ToSidecar::Start(_))).await?;
        for step in script {
            match step {
                Step::Log(message) => {
                    let event = RunEvent::Log { level: LogLevel::Info, message: message.to_owned(), data: None };
                    self.row(|number| FromSidecar::Event { number, event }).await?;
                }
                Step::Event(event) => self.row(|number| FromSidecar::Event { number, event }).await?,
                Step::Open(entry, reserved) => {
                    self.row(|number| FromSidecar::LedgerOpen { number, entry, reserved: NanoUsd(reserved) }).await?;
                }
                Step::Settle(entry, cost) => {
                    let (cost, state) = (NanoUsd(cost), LedgerState::Priced);
                    self.row(|number| FromSidecar::LedgerSettle { number, entry, usage: USAGE, cost, state }).await?;
                }
                Step::Delta(text) => self.say(&FromSidecar::Delta { text: text.to_owned() }).await?,
                Step::Sandbox => {
                    self.say(&FromSidecar::StartSandbox).await?;
                    let is_answer =
                        |message: &ToSidecar| matches!(message, ToSidecar::SandboxStarted { .. } | ToSidecar::SandboxFailed { .. });
                    if let ToSidecar::SandboxStarted { .. } = self.hear(is_answer).await? {
                        self.take_descriptors()?;
                    }
                }
                Step::History => {
                    let fields = vec!["state".to_owned(), "result".to_owned()];
                    self.say(&FromSidecar::History { number: 77, limit: 10, fields }).await?;
                    self.hear(|message| matches!(message, ToSidecar::History { number: 77, .. })).await?;
                }
                Step::End(outcome) => {
                    self.say(&FromSidecar::Ended(Box::new(outcome))).await?;
                    // The real one lingers a moment, too.
                    self.hear(|_| false).await?;
                }
                Step::Obey => {
                    let told = self.hear(|message| matches!(message, ToSidecar::Cancel { .. })).await?;
                    let ToSidecar::Cancel { failure } = told else { unreachable!("heard above") };
                    self.say(&FromSidecar::Ended(Box::new(Outcome { failure: Some(failure), ..Outcome::default() }))).await?;
                }
                Step::Hang => {
                    self.hear(|_| false).await?;
                }
                Step::Die => return Ok(()),
            }
        }
        Ok(())
    }

    async fn say(&mut self, message: &FromSidecar) -> io::Result<()> {
        wire::frame::send(&mut self.control, message).await
    }

    async fn hear(&mut self, is_it: impl Fn(&ToSidecar) -> bool) -> io::Result<ToSidecar> {
        loop {
            let message: ToSidecar = wire::frame::receive(&mut self.control).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            self.told.lock().unwrap().push(message.clone());
            if is_it(&message) {
                return Ok(message);
            }
        }
    }

    async fn row(&mut self, message: impl FnOnce(u64) -> FromSidecar) -> io::Result<()> {
        self.number += 1;
        let wanted = self.number;
        self.say(&message(wanted)).await?;
        self.hear(|message| matches!(message, ToSidecar::Committed { number } if *number == wanted)).await?;
        Ok(())
    }

    fn take_descriptors(&self) -> io::Result<()> {
        let mut data = [0; 8];
        let mut space = nix::cmsg_space!([std::os::fd::RawFd; 3]);
        let mut buffers = [io::IoSliceMut::new(&mut data)];
        let message = recvmsg::<()>(self.descriptors.as_raw_fd(), &mut buffers, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
        for rights in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(descriptors) = rights {
                self.received.fetch_add(descriptors.len(), Ordering::SeqCst);
                descriptors.into_iter().try_for_each(nix::unistd::close)?;
            }
        }
        Ok(())
    }
}

/// Counts what stands.
#[derive(Debug, Default)]
pub(crate) struct FakeSandbox {
    standing: Arc<AtomicUsize>,
    pub(crate) refuses: std::sync::atomic::AtomicBool,
    /// Ends every sandbox as if it were out of memory.
    pub(crate) disaster: Mutex<CancellationToken>,
}

impl FakeSandbox {
    pub(crate) fn standing(&self) -> usize {
        self.standing.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Sandbox for FakeSandbox {
    fn rung(&self) -> &'static str {
        "fake"
    }

    async fn probe(&self) -> Result<ProbeReport, Unavailable> {
        Err(Unavailable { what: "a fake".to_owned(), remedy: "none".to_owned() })
    }

    async fn start(&self, _: SandboxSpec) -> Result<Started, SandboxError> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(SandboxError::Vanished);
        }
        let (tools, proxy) = nix::unistd::pipe().map_err(|error| SandboxError::Spawn(error.into()))?;
        let forward = tools.try_clone().map_err(SandboxError::Spawn)?;
        let (release, disaster) = (CancellationToken::new(), self.disaster.lock().unwrap().clone());
        let (sender, exit) = watch::channel(None);
        let (standing, released) = (self.standing.clone(), release.clone());
        standing.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            let cause = tokio::select! {
                () = released.cancelled() => ExitCause::Killed,
                () = disaster.cancelled() => ExitCause::OutOfMemory,
            };
            standing.fetch_sub(1, Ordering::SeqCst);
            // Nobody may be waiting, which is fine.
            sender.send_replace(Some(Exit { cause, memory_kills: 0 }));
        });
        Ok(Started { tools, proxy, forward, handle: Handle::new(move || release.cancel(), exit, None) })
    }
}
