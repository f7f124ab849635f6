//! A receiver of webhooks: an HTTP server in this process that answers as it is told, and keeps what it got.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// With a status.
    Status(u16),
    /// With a status and the place of another one.
    Redirect,
    /// Not at all, but it holds the line.
    Hang,
    /// With its end.
    HangUp,
    /// With a status, and then with bytes without end.
    Flood,
}

/// What a receiver got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The path.
    pub path: String,
    /// By their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body, which is JSON.
    pub body: String,
}

impl Received {
    /// A header that must be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// A receiver, gone when dropped.
#[derive(Debug)]
pub struct Receiver {
    /// `http://127.0.0.1:port/hook`.
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    manner: Manner,
    received: Vec<Received>,
}

impl Receiver {
    /// One that answers in this manner.
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::on(listener, manner)
    }

    /// One at the port of a URL, where nobody listens.
    pub async fn start_at(url: &str, manner: Manner) -> Self {
        let port = url.split([':', '/']).nth(4).expect("a port");
        let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("the port is free");
        Self::on(listener, manner)
    }

    fn on(listener: TcpListener, manner: Manner) -> Self {
        let url = format!("http://{}/hook", listener.local_addr().expect("it is bound"));
        let inner = Arc::new(Mutex::new(Inner { manner, received: Vec::new() }));
        let task = tokio::spawn({
            let inner = inner.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, inner.clone()));
                }
            }
        });
        Receiver { url, inner, task }
    }

    /// Answers in another manner from now on.
    pub fn set(&self, manner: Manner) {
        self.inner.lock().expect("sound").manner = manner;
    }

    /// What it got until now.
    pub fn received(&self) -> Vec<Received> {
        self.inner.lock().expect("sound").received.clone()
    }

    /// The `type` of what it got.
    pub fn types(&self) -> Vec<String> {
        let name = |received: &Received| received.json()["type"].as_str().unwrap_or_default().to_owned();
        self.received().iter().map(name).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    let mut stream = BufReader::new(stream);
    let Some(received) = read(&mut stream).await else { return };
    let manner = {
        let mut inner = inner.lock().expect("sound");
        inner.received.push(received);
        inner.manner
    };
    let told = match manner {
        Manner::Status(status) => format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\nok"),
        Manner::Redirect => "HTTP/1.1 307 Elsewhere\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned(),
        Manner::Hang => return std::future::pending().await,
        Manner::HangUp => return,
        Manner::Flood => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
    };
    drop(stream.write_all(told.as_bytes()).await);
    while manner == Manner::Flood && stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
    drop(stream.shutdown().await);
}

/// A request with a body of a known length.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { path, headers, body: String::from_utf8(body).ok()? })
}
