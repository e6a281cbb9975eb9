//! Requests over keep-alive connections, one thread for each: closed loop (the next follows the answer) or paced.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::http;

/// An answer that takes longer ends the load with an error.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What to send.
#[derive(Clone, Debug)]
pub struct Plan {
    pub address: SocketAddr,
    /// Whole requests; connection `i` repeats request `i` modulo their number.
    pub requests: Vec<Vec<u8>>,
    pub connections: usize,
    /// Requests of each connection that are not measured, before all begin together.
    pub warmup: usize,
    pub stop: Stop,
    /// Time between the beginnings of two requests of one connection; zero is a closed loop.
    pub interval: Duration,
}

/// When a connection has done enough.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    Requests(usize),
    Time(Duration),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub latencies: Vec<Duration>,
    pub elapsed: Duration,
}

impl Outcome {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Carries out the plan. Any answer but 2xx is an error, with the answer in its text.
pub fn run(plan: &Plan) -> io::Result<Outcome> {
    let barrier = Barrier::new(plan.connections + 1);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..plan.connections)
            .map(|index| (index, &barrier))
            .map(|(index, barrier)| scope.spawn(move || one(plan, index, barrier)))
            .collect();
        barrier.wait();
        let begin = Instant::now();
        let mut latencies = Vec::new();
        for worker in workers {
            latencies.extend(worker.join().map_err(|_| io::Error::other("a thread of the load panicked"))??);
        }
        Ok(Outcome { latencies, elapsed: begin.elapsed() })
    })
}

fn one(plan: &Plan, index: usize, barrier: &Barrier) -> io::Result<Vec<Duration>> {
    let request = &plan.requests[index % plan.requests.len()];
    let ready = Connection::open(plan.address).and_then(|mut connection| {
        for _ in 0..plan.warmup {
            connection.exchange(request)?;
        }
        Ok(connection)
    });
    // Whatever came of the warm-up: the others wait.
    barrier.wait();
    let mut connection = ready?;
    let begin = Instant::now();
    let mut latencies = Vec::new();
    // Spreads the connections over the interval, so that they do not knock all at once.
    let offset =
        plan.interval.mul_f64(f64::from(u32::try_from(index).unwrap_or(0)) / f64::from(u32::try_from(plan.connections).unwrap_or(1)));
    loop {
        let done = u32::try_from(latencies.len()).unwrap_or(u32::MAX);
        let is_over = match plan.stop {
            Stop::Requests(most) => latencies.len() >= most,
            Stop::Time(time) => begin.elapsed() >= time,
        };
        if is_over {
            return Ok(latencies);
        }
        if !plan.interval.is_zero() {
            thread::sleep((offset + plan.interval * done).saturating_sub(begin.elapsed()));
        }
        let sent = Instant::now();
        connection.exchange(request)?;
        latencies.push(sent.elapsed());
    }
}

/// One keep-alive connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends a request and returns the body of its answer, which must be a 2xx.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        loop {
            let mut piece = [0; 16 * 1024];
            let read = self.stream.read(&mut piece)?;
            self.buffer.extend_from_slice(&piece[..read]);
            match http::answer(&self.buffer) {
                Ok(Some(answer)) if (200..300).contains(&answer.status) => return Ok(&self.buffer[answer.head..answer.end]),
                Ok(None) if read > 0 => {}
                Ok(None) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Some(_)) | Err(http::Malformed) => {
                    return Err(io::Error::other(format!("answered {}", String::from_utf8_lossy(&self.buffer))));
                }
            }
        }
    }
}

/// A request as bytes. `headers` are whole lines without their end.
pub fn request(method: &str, path: &str, headers: &[String], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if !body.is_empty() {
        let length = body.len().to_string();
        text.extend(["content-type: application/json\r\ncontent-length: ", &length, "\r\n"]);
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}
