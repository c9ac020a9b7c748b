//! One HTTP GET on NATS's monitoring port, by hand: a client library would be the crate's largest
//! dependency.

use std::{
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};

const REQUEST: &[u8] = b"GET /healthz?js-enabled-only=true HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n";
const LIMIT: Duration = Duration::from_secs(2);
/// The true answer has under 300 bytes.
const LONGEST: usize = 16 << 10;

/// Whether the server says that it and JetStream are well.
pub(crate) async fn is_ok(address: SocketAddr) -> bool {
    matches!(timeout(LIMIT, get(address)).await, Ok(Ok(answer)) if says_ok(&answer))
}

fn says_ok(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let status = answer.split_whitespace().nth(1);
    status == Some("200") && answer.contains(r#""status":"ok""#)
}

/// Uses readiness only, which needs no feature of tokio but `net`.
async fn get(address: SocketAddr) -> Result<Vec<u8>> {
    let stream = TcpStream::connect(address).await?;
    let mut left = REQUEST;
    while !left.is_empty() {
        stream.writable().await?;
        match stream.try_write(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => left = &left[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() < LONGEST {
        stream.readable().await?;
        match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(answer),
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::other("the answer is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_that_says_ok_counts() {
        assert!(says_ok(b"HTTP/1.0 200 OK\r\n\r\n{\"status\":\"ok\"}"));
        assert!(!says_ok(b"HTTP/1.0 503 Service Unavailable\r\n\r\n{\"status\":\"ok\"}"));
        assert!(!says_ok(b"HTTP/1.0 200 OK\r\n\r\n{\"status\":\"unavailable\"}"));
        assert!(!says_ok(b""));
    }
}
