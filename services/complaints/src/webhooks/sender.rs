//! Sends one notice: connects to an address that may be called, posts, and reads the status. Nothing is kept open.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use barometer_proto::complaints::v1::DeliveryError;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
};
use tokio_rustls::TlsConnector;

use crate::{
    delivery::{Attempt, Patience},
    webhook::{Target, may_call},
};

/// What is read of an answer at most: its status and headers.
const MAX_ANSWER: usize = 64 * 1_024;
/// The addresses of a name that are tried.
const MAX_ADDRESSES: usize = 4;
/// How long one of them has to answer.
const CONNECTING: Duration = Duration::from_secs(3);

/// How notices are sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether private addresses may be called, and http spoken.
    pub allow_private: bool,
    /// Who vouches for receivers.
    pub authorities: Authorities,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// How long a delivery is tried.
    pub patience: Patience,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            allow_private: false,
            authorities: Authorities::default(),
            timeout: Duration::from_secs(10),
            patience: Patience::default(),
        }
    }
}

/// Who vouches for receivers.
#[derive(Clone, Debug, Default)]
pub enum Authorities {
    /// The public authorities that Mozilla trusts, as of the build.
    #[default]
    Public,
    /// These and no other.
    Own(Vec<CertificateDer<'static>>),
}

impl Authorities {
    /// Those of a PEM file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(file: &Path) -> Result<Self, String> {
        let broken = |error| format!("{}: {error}", file.display());
        let certificates: Vec<_> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(broken)?;
        let authorities = Authorities::Own(certificates);
        match authorities.roots() {
            Some(roots) if !roots.is_empty() => Ok(authorities),
            _ => Err(format!("{}: holds no certificate of an authority", file.display())),
        }
    }

    fn roots(&self) -> Option<RootCertStore> {
        match self {
            Authorities::Public => Some(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
            Authorities::Own(certificates) => {
                let mut roots = RootCertStore::empty();
                certificates.iter().try_for_each(|one| roots.add(one.clone())).ok().map(|()| roots)
            }
        }
    }
}

/// A notice, signed.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Of the delivery.
    pub(crate) id: String,
    /// Of this attempt, in seconds since 1970.
    pub(crate) seconds: i64,
    /// By each valid secret.
    pub(crate) signatures: String,
    pub(crate) body: String,
}

/// Sends notices. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sender {
    tls: TlsConnector,
    allow_private: bool,
    timeout: Duration,
}

impl Sender {
    /// By these settings.
    ///
    /// # Errors
    /// When the cryptography does not know its own versions of TLS.
    pub(crate) fn new(settings: &Settings) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = settings.authorities.roots().unwrap_or_else(RootCertStore::empty);
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = TlsConnector::from(Arc::new(config));
        Ok(Sender { tls, allow_private: settings.allow_private, timeout: settings.timeout })
    }

    /// Sends a notice to a URL.
    pub(crate) async fn send(&self, url: &str, letter: Letter) -> Attempt {
        // What was allowed when the webhook was created need not be now.
        let Ok(target) = Target::parse(url, self.allow_private) else {
            return Attempt::failed(DeliveryError::ForbiddenAddress);
        };
        match tokio::time::timeout(self.timeout, self.post(&target, letter)).await {
            Ok(Ok(status)) => Attempt::of_status(status.as_u16()),
            Ok(Err(error)) => Attempt::failed(error),
            Err(_late) => Attempt::failed(DeliveryError::Timeout),
        }
    }

    async fn post(&self, target: &Target, letter: Letter) -> Result<StatusCode, DeliveryError> {
        let stream = self.connect(target).await?;
        let request = request(target, letter)?;
        if !target.tls {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| DeliveryError::Name)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| DeliveryError::Tls)?;
        exchange(stream, request).await
    }

    /// To the addresses that the name has now, and to no other: what is checked is what is called.
    async fn connect(&self, target: &Target) -> Result<TcpStream, DeliveryError> {
        let found = lookup_host((target.host.as_str(), target.port)).await.map_err(|_| DeliveryError::Name)?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(DeliveryError::Name);
        }
        let allowed = found.into_iter().filter(|address| may_call(address.ip(), self.allow_private));
        let mut failed = DeliveryError::ForbiddenAddress;
        for address in allowed.take(MAX_ADDRESSES) {
            match tokio::time::timeout(CONNECTING, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(_)) | Err(_) => failed = DeliveryError::Connection,
            }
        }
        Err(failed)
    }
}

fn request(target: &Target, letter: Letter) -> Result<Request<Full<Bytes>>, DeliveryError> {
    let Letter { id, seconds, signatures, body } = letter;
    Request::post(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::USER_AGENT, concat!("barometer/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signatures)
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| DeliveryError::Protocol)
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<StatusCode, DeliveryError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(stream);
    let connected = http1::Builder::new().max_buf_size(MAX_ANSWER).handshake(io).await;
    let (mut sender, connection) = connected.map_err(|_| DeliveryError::Protocol)?;
    // Ends with this call: nothing of the answer is wanted but its status.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    let answer = sender.send_request(request).await.map_err(|_| DeliveryError::Protocol)?;
    Ok(answer.status())
}

#[cfg(test)]
mod tests {
    use rustls::{ServerConfig, pki_types::PrivateKeyDer};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;

    fn certificates(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/webhooks/certificates").join(name)
    }

    fn letter() -> Letter {
        Letter { id: "1".to_owned(), seconds: 2, signatures: "v1,x".to_owned(), body: "{}".to_owned() }
    }

    /// A receiver that proves to be `localhost`, and takes everything.
    async fn secure_receiver() -> u16 {
        let chain = CertificateDer::pem_file_iter(certificates("localhost.pem")).expect("the file");
        let chain = chain.collect::<Result<_, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_file(certificates("localhost.key")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("versions").with_no_client_auth().with_single_cert(chain, key).expect("it fits");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let mut some = [0; 4_096];
                        drop(stream.read(&mut some).await);
                        drop(stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await);
                        drop(stream.flush().await);
                    }
                });
            }
        });
        port
    }

    #[tokio::test]
    async fn receivers_prove_who_they_are() {
        let port = secure_receiver().await;
        let own = Authorities::read(&certificates("authority.pem")).expect("an authority");
        let of = |authorities: Authorities| Settings { allow_private: true, authorities, ..Settings::default() };
        let trusting = Sender::new(&of(own.clone())).expect("a sender");
        let sent = trusting.send(&format!("https://localhost:{port}/"), letter()).await;
        assert_eq!(sent, Attempt::of_status(204));
        // By another name, or vouched for by nobody known.
        let sent = trusting.send(&format!("https://127.0.0.1:{port}/"), letter()).await;
        assert_eq!(sent, Attempt::failed(DeliveryError::Tls));
        let others = Sender::new(&of(Authorities::Public)).expect("a sender");
        let sent = others.send(&format!("https://localhost:{port}/"), letter()).await;
        assert_eq!(sent, Attempt::failed(DeliveryError::Tls));
        // A name that is private is not called, whatever stands behind it.
        let strict = Sender::new(&Settings { authorities: own, ..Settings::default() }).expect("a sender");
        let sent = strict.send(&format!("https://localhost:{port}/"), letter()).await;
        assert_eq!(sent, Attempt::failed(DeliveryError::ForbiddenAddress));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_apart() {
        let sender =
            Sender::new(&Settings { allow_private: true, timeout: Duration::from_millis(300), ..Settings::default() });
        let sender = sender.expect("a sender");
        let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound").port();
        let send = async |url: String| sender.send(&url, letter()).await;
        let failed = |error| Attempt::failed(error);
        assert_eq!(send(format!("http://127.0.0.1:{nobody}/")).await, failed(DeliveryError::Connection));
        assert_eq!(send("http://no-such-name.invalid/".to_owned()).await.status, 0);

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let answers: [&[u8]; 4] = [b"no HTTP at all\r\n\r\n", b"", b"HTTP/1.1 302 Found\r\nlocation: /b\r\n\r\n", b"-"];
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.expect("a caller");
                let mut some = [0; 4_096];
                drop(stream.read(&mut some).await);
                if answer == b"-" {
                    // Says nothing, and holds the line.
                    std::future::pending::<()>().await;
                }
                drop(stream.write_all(answer).await);
            }
        });
        let url = || format!("http://127.0.0.1:{port}/");
        assert_eq!(send(url()).await, failed(DeliveryError::Protocol));
        assert_eq!(send(url()).await, failed(DeliveryError::Protocol));
        assert_eq!(send(url()).await, Attempt { error: DeliveryError::Redirect, status: 302 });
        assert_eq!(send(url()).await, failed(DeliveryError::Timeout));
    }

    #[test]
    fn a_file_without_authorities_is_refused() {
        assert!(Authorities::read(&certificates("localhost.key")).is_err());
        assert!(Authorities::read(&certificates("nowhere.pem")).is_err());
    }
}
