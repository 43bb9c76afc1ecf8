//! A small Lambda function without a runtime library, for the lab's own tests.
//!
//! It returns what it was given and its environment; `{"fail": true}` makes it report an error, `{"die": true}` end
//! without an answer and `{"hang": true}` never answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

const PREFIX: &str = "/2018-06-01/runtime/invocation";

fn main() -> std::io::Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(std::io::Error::other)?;
    println!("cold start");
    loop {
        let (request_id, event) = request(&api, "GET", &format!("{PREFIX}/next"), "")?;
        let asked = |what: &str| event[what] == true;
        eprintln!("invoked with {event}");
        if asked("die") {
            std::process::exit(7);
        }
        if asked("hang") {
            std::thread::park();
        }
        let (end, body) = if asked("fail") {
            ("error", json!({"errorType": "Asked", "errorMessage": "as asked"}))
        } else {
            let environment: serde_json::Map<String, Value> =
                std::env::vars().map(|(name, value)| (name, Value::String(value))).collect();
            ("response", json!({"event": event, "environment": environment, "process": std::process::id()}))
        };
        request(&api, "POST", &format!("{PREFIX}/{request_id}/{end}"), &body.to_string())?;
    }
}

/// One HTTP exchange: the request id the Runtime API names, and the body.
fn request(api: &str, method: &str, path: &str, body: &str) -> std::io::Result<(String, Value)> {
    let mut stream = TcpStream::connect(api)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut reader = BufReader::new(stream);
    let mut request_id = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some(("lambda-runtime-aws-request-id", id)) => request_id = id.to_owned(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = String::new();
    reader.read_to_string(&mut body)?;
    Ok((request_id, serde_json::from_str(&body).unwrap_or_default()))
}
