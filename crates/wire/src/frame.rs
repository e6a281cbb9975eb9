//! Frames on the local sockets: a big-endian `u32` length, then that many bytes of JSON.
//!
//! Both sides bound what they read: the peer in the sandbox is not trusted.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The largest frame that is read or written, in bytes. Larger payloads are split by their sender.
pub const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, value)?;
    let length = bytes.len() - 4;
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "frame is too large to send"));
    }
    bytes[..4].copy_from_slice(&u32::try_from(length).map_err(io::Error::other)?.to_be_bytes());
    Ok(bytes)
}

fn checked_length(header: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_be_bytes(header) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "peer announced a frame that is too large"));
    }
    Ok(length)
}

/// Writes one frame and flushes it.
pub fn write_frame<T: Serialize>(writer: &mut impl Write, value: &T) -> io::Result<()> {
    writer.write_all(&encode(value)?)?;
    writer.flush()
}

/// Reads one frame. `None` when the peer has closed the socket between frames.
pub fn read_frame<T: DeserializeOwned>(reader: &mut impl Read) -> io::Result<Option<T>> {
    let mut header = [0; 4];
    match reader.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut body = vec![0; checked_length(header)?];
    reader.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

/// Writes one frame and flushes it. Not cancel-safe: a dropped future may leave half a frame behind.
pub async fn send<T: Serialize>(writer: &mut (impl AsyncWrite + Unpin), value: &T) -> io::Result<()> {
    writer.write_all(&encode(value)?).await?;
    writer.flush().await
}

/// Reads one frame; `None` at a clean end. Not cancel-safe: keep the future, or give up the socket.
pub async fn receive<T: DeserializeOwned>(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<T>> {
    let mut header = [0; 4];
    match reader.read_exact(&mut header).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut body = vec![0; checked_length(header)?];
    reader.read_exact(&mut body).await?;
    Ok(Some(serde_json::from_slice(&body)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_survives_the_socket_and_an_end_is_none() {
        let mut wire = Vec::new();
        write_frame(&mut wire, &serde_json::json!({"a": 1})).expect("writes");
        let mut reader = wire.as_slice();
        assert_eq!(read_frame::<serde_json::Value>(&mut reader).expect("reads"), Some(serde_json::json!({"a": 1})));
        assert_eq!(read_frame::<serde_json::Value>(&mut reader).expect("ends"), None);
    }

    #[test]
    fn an_announced_giant_is_refused_before_any_memory_is_taken() {
        let error = read_frame::<serde_json::Value>(&mut [0xff, 0xff, 0xff, 0xff].as_slice()).expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
