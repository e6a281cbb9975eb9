//! One command from start to end.

use std::io::{self, PipeReader, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use serde::Deserialize;
use serde_json::json;
use wire::hands::{Call, ToolOutcome};
use wire::message::Block;

use crate::control::{CallControl, Stop};
use crate::workspace::Workspace;

use super::spill::{Collected, Spill};
use super::{Shell, tree};

const SHELLS: [&str; 3] = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"];
const PLAIN_SHELL: &str = "/bin/sh";
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The kernel takes no longer argument (MAX_ARG_STRLEN, 32 pages).
const MAX_COMMAND_BYTES: usize = 128 * 1024 - 1;
/// Between the request to end and the kill.
const TERMINATE: Duration = Duration::from_secs(2);
/// How long output may still come after the shell has ended; background processes hold the pipe open for ever.
const DRAIN: Duration = Duration::from_millis(200);

#[derive(Debug, thiserror::Error)]
pub(super) enum ShellError {
    #[error("the arguments do not fit the tool: {0}")]
    Arguments(#[source] serde_json::Error),
    #[error("timeout must be a positive number of seconds")]
    Timeout,
    #[error("the command is longer than 128 KiB; write it to a file and run that")]
    TooLong,
    #[error("there is no shell here: neither bash nor /bin/sh")]
    NoShell,
    #[error("the command could not be started: {0}")]
    Start(#[source] io::Error),
}

#[derive(Deserialize)]
struct Arguments {
    command: String,
    /// Seconds.
    timeout: Option<f64>,
}

enum Event {
    Exited(io::Result<ExitStatus>),
    OutputEnded,
    Cancelled,
}

pub(super) fn run(shell: &Shell, workspace: &Workspace, call: Call, control: &Arc<CallControl>) -> Result<ToolOutcome, ShellError> {
    let number = call.call;
    let Arguments { command, timeout } = serde_json::from_value(call.arguments).map_err(ShellError::Arguments)?;
    let deadline = match timeout {
        Some(seconds) => control.deadline().min(Instant::now() + time(seconds).ok_or(ShellError::Timeout)?),
        None => control.deadline(),
    };
    if command.len() > MAX_COMMAND_BYTES {
        return Err(ShellError::TooLong);
    }
    let (program, note) = match SHELLS.into_iter().find(|path| Path::new(path).exists()) {
        Some(bash) => (bash, None),
        None if Path::new(PLAIN_SHELL).exists() => (PLAIN_SHELL, Some("[bash is not installed here; the command ran with /bin/sh]\n")),
        None => return Err(ShellError::NoShell),
    };
    let started = Instant::now();
    let (output, writer) = io::pipe().map_err(ShellError::Start)?;
    let mark = tree::mark(number);
    let child = {
        let mut prepared = Command::new(program);
        prepared.arg("-c").arg(&command).current_dir(workspace.root()).process_group(0).stdin(Stdio::null());
        prepared.env_clear().env("PATH", PATH).env("HOME", workspace.root()).env("LANG", "C.UTF-8").envs(shell.environment.iter());
        prepared.env("PWD", workspace.root()).env(tree::MARK, mark.trim_start_matches(tree::MARK).trim_matches(['=', '\0']));
        prepared.stdout(writer.try_clone().map_err(ShellError::Start)?).stderr(writer);
        shell.children.spawn(&mut prepared).map_err(ShellError::Start)?
        // `prepared` ends here and with it our ends of the pipe, or the output would never end.
    };
    let group = Pid::from_raw(child.id().cast_signed());
    let spill = Arc::new(Mutex::new(Spill::new(workspace.root().join(format!(".pi/output/bash-{number}.log")))));
    let (sender, events) = channel();
    let threads = start_threads(shell.children.waiter(child), output, &spill, &sender);
    if let Err(error) = threads {
        tree::kill_tree(group, &mark);
        return Err(ShellError::Start(error));
    }
    control.on_cancel(move || notify(&sender, Event::Cancelled));

    let (stop, status) = follow(&events, deadline, group, &mark);
    let collected = spill.lock().unwrap_or_else(PoisonError::into_inner).close();
    if let Some(file) = &collected.file {
        shell.keep(file.clone());
    }
    Ok(report(&collected, workspace, note, &Ended { stop, status, time: started.elapsed() }))
}

fn time(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).map(|time| time.min(Duration::from_hours(24)))
}

/// The time that a command asks for itself.
pub(super) fn asked_time(call: &Call) -> Option<Duration> {
    time(call.arguments.get("timeout")?.as_f64()?)
}

fn start_threads(
    wait: impl FnOnce() -> io::Result<ExitStatus> + Send + 'static,
    output: PipeReader,
    spill: &Arc<Mutex<Spill>>,
    events: &Sender<Event>,
) -> io::Result<()> {
    let (exited, ended, spill) = (events.clone(), events.clone(), Arc::clone(spill));
    thread::Builder::new().name("bash-wait".to_owned()).spawn(move || notify(&exited, Event::Exited(wait())))?;
    thread::Builder::new().name("bash-output".to_owned()).spawn(move || {
        drain(output, &spill);
        notify(&ended, Event::OutputEnded);
    })?;
    Ok(())
}

/// Reads until the last holder of the pipe is gone. After the call the rest is thrown away, so that background processes can go on writing.
fn drain(mut output: PipeReader, spill: &Mutex<Spill>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match output.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => spill.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn notify(events: &Sender<Event>, event: Event) {
    // The call may have been answered already.
    let _answered = events.send(event);
}

/// Waits for the end; stops the command at its deadline or on cancel. The status is missing when it could not be learned.
fn follow(events: &Receiver<Event>, deadline: Instant, group: Pid, mark: &str) -> (Option<Stop>, Option<ExitStatus>) {
    let (mut status, mut output_ended) = (None, false);
    let stop = loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Exited(result)) => {
                status = result.ok();
                break None;
            }
            Ok(Event::OutputEnded) => output_ended = true,
            Ok(Event::Cancelled) => break Some(Stop::Cancelled),
            Err(RecvTimeoutError::Timeout) => break Some(Stop::TimedOut),
            Err(RecvTimeoutError::Disconnected) => break None,
        }
    };
    let mut wait = |time: Duration, need_exit: bool| {
        let until = Instant::now() + time;
        while !output_ended || (need_exit && status.is_none()) {
            match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Exited(result)) => status = result.ok(),
                Ok(Event::OutputEnded) => output_ended = true,
                Ok(Event::Cancelled) => {}
                Err(_) => return false,
            }
        }
        true
    };
    if stop.is_some() {
        tree::terminate(group, mark);
        wait(TERMINATE, true);
        tree::kill_tree(group, mark);
        wait(TERMINATE, true);
    } else {
        wait(DRAIN, false);
    }
    (stop, status)
}

struct Ended {
    stop: Option<Stop>,
    status: Option<ExitStatus>,
    time: Duration,
}

fn report(collected: &Collected, workspace: &Workspace, note: Option<&str>, ended: &Ended) -> ToolOutcome {
    let mut text = note.unwrap_or_default().to_owned();
    text.push_str(if collected.text.is_empty() { "(no output)" } else { &collected.text });
    let mut say = |line: String| text.extend(["\n[", &line, "]"]);
    let file = collected.file.as_deref().map(|path| workspace.display(path));
    if collected.truncated {
        let whole = match (&file, &collected.failure) {
            (Some(file), _) if collected.kept_bytes < collected.total_bytes => {
                format!("the first {} bytes are in {file}", collected.kept_bytes)
            }
            (Some(file), _) => format!("the full output is in {file}"),
            (None, Some(error)) => format!("the full output could not be kept: {error}"),
            (None, None) => "the rest was not kept".to_owned(),
        };
        say(format!("Showing the end of {} bytes; {whole}", collected.total_bytes));
    }
    let code = ended.status.and_then(|status| status.code());
    let signal = ended.status.and_then(|status| status.signal());
    match (ended.stop, code, signal) {
        (Some(Stop::TimedOut), ..) => {
            say(format!("Command timed out after {} s; it and its children were killed", ended.time.as_secs_f32().round()));
        }
        (Some(Stop::Cancelled), ..) => say("Command was cancelled; it and its children were killed".to_owned()),
        (None, Some(0), _) => {}
        (None, Some(code), _) => say(format!("Command exited with code {code}")),
        (None, None, Some(signal)) => say(format!("Command was killed by signal {signal}")),
        (None, None, None) => say("The command's exit code could not be learned".to_owned()),
    }
    let details = json!({
        "exitCode": code, "signal": signal, "timedOut": ended.stop == Some(Stop::TimedOut), "cancelled": ended.stop == Some(Stop::Cancelled),
        "totalBytes": collected.total_bytes, "truncated": collected.truncated, "fullOutputPath": file,
    });
    ToolOutcome { content: vec![Block::text(text)], details: Some(details), is_error: ended.stop.is_some() || code != Some(0) }
}
