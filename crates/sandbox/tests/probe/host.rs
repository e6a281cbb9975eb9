//! The probe as a tool host: one request per line, one answer per line. An attempt's name and argument are parted by a tab.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

/// Answers until the other side closes.
pub(crate) fn serve(socket: &UnixStream) -> io::Result<()> {
    let mut answers = socket.try_clone()?;
    for line in BufReader::new(socket).lines() {
        let answer = answer(&line?).unwrap_or_else(|error| format!("probe failed: {error}"));
        writeln!(answers, "{}", answer.replace('\n', "|"))?;
    }
    Ok(())
}

fn answer(line: &str) -> io::Result<String> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb {
        "attempt" => {
            let mut command = Command::new("/proc/self/exe");
            command.arg("attempt").args(rest.splitn(2, '\t'));
            Ok(describe(&command.output()?))
        }
        "sh" => Ok(describe(&Command::new("/bin/sh").args(["-c", rest]).stdin(Stdio::null()).output()?)),
        "descriptors" => descriptors(),
        "exit" => std::process::exit(rest.parse().unwrap_or(1)),
        "hoard" => hoard(),
        "abort" => std::process::abort(),
        _ => Ok(format!("unknown verb {verb}")),
    }
}

fn describe(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let text = text.trim_end();
    match (output.status.code(), output.status.signal()) {
        (Some(0), _) => text.to_owned(),
        (Some(code), _) => format!("exit {code} {text}{}", String::from_utf8_lossy(&output.stderr).trim_end()),
        (None, signal) => format!("signal {} {text}", signal.unwrap_or_default()),
    }
}

/// What the tool host itself holds open, besides the directory it lists with.
fn descriptors() -> io::Result<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let target = fs::read_link(entry?.path())?.display().to_string();
        let kind = target.split(':').next().unwrap_or_default().to_owned();
        if !kind.ends_with("/fd") {
            found.push(kind);
        }
    }
    found.sort();
    Ok(found.join(" "))
}

/// Takes memory until something stops it.
fn hoard() -> ! {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(vec![u8::try_from(kept.len() % 255).unwrap_or_default() | 1; 1024 * 1024]);
    }
}

/// Writes an outcome to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
