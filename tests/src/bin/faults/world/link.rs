//! A link between two parties: a TCP proxy of our own, which can cut, stall, silence or lose what passes.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// How long a connection to a target may take to be made before the next target is tried.
const CONNECT: Duration = Duration::from_secs(2);

/// Where the processes of a service listen at the moment, by name. Those that do not are missing.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    addresses: Mutex<BTreeMap<String, SocketAddr>>,
}

impl Targets {
    pub(crate) fn set(&self, name: &str, address: SocketAddr) {
        self.lock().insert(name.to_owned(), address);
    }

    pub(crate) fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    fn all(&self) -> Vec<SocketAddr> {
        self.lock().values().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SocketAddr>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What passes at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passes {
    Everything,
    Nothing,
    OnlyRequests,
    OnlyAnswers,
}

/// What a link does with its connections. The counters count what happened to those that were open.
#[derive(Clone, Copy, Debug)]
struct Weather {
    passes: Passes,
    /// Whether new connections are closed at once.
    refuses: bool,
    cuts: u64,
    half_closes: u64,
    losses: u64,
}

/// A proxy with an address of its own that never changes. Each connection goes to the next of the targets that takes it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    accepting: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Link {
    pub(crate) async fn open(name: impl Into<String>, targets: Arc<Targets>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let fair = Weather { passes: Passes::Everything, refuses: false, cuts: 0, half_closes: 0, losses: 0 };
        let weather = Arc::new(watch::Sender::new(fair));
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, targets, weather.clone()));
        Ok(Link { name: name.into(), address, weather, accepting })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes all connections.
    pub(crate) fn cut(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Closes all connections towards the target; towards the caller they stay open.
    pub(crate) fn half_close(&self) {
        self.weather.send_modify(|weather| weather.half_closes += 1);
    }

    /// Nothing passes on the open connections any more, and neither side is ever told: as when a machine vanishes.
    pub(crate) fn lose(&self) {
        self.weather.send_modify(|weather| weather.losses += 1);
    }

    pub(crate) fn pass(&self, passes: Passes) {
        self.weather.send_modify(|weather| weather.passes = passes);
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        self.weather.send_modify(|weather| weather.refuses = refuses);
    }
}

async fn accept(listener: TcpListener, targets: Arc<Targets>, weather: Arc<watch::Sender<Weather>>) {
    let turn = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((caller, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if weather.borrow().refuses {
            continue;
        }
        let (targets, weather, turn) = (targets.clone(), weather.subscribe(), turn.clone());
        tokio::spawn(async move {
            let targets = targets.all();
            let first = turn.fetch_add(1, Ordering::Relaxed);
            for nth in 0..targets.len() {
                let target = targets[(first + nth) % targets.len()];
                if let Ok(Ok(target)) = tokio::time::timeout(CONNECT, TcpStream::connect(target)).await {
                    return carry(caller, target, weather).await;
                }
            }
        });
    }
}

/// Carries one connection until both sides have closed it or it is cut.
async fn carry(caller: TcpStream, target: TcpStream, mut weather: watch::Receiver<Weather>) {
    // It fails when the other side is gone already.
    let _ = (caller.set_nodelay(true), target.set_nodelay(true));
    let begun = *weather.borrow();
    let (from_caller, to_caller) = caller.into_split();
    let (from_target, to_target) = target.into_split();
    let requests = requests(from_caller, to_target, weather.clone());
    let answers = answers(from_target, to_caller, weather.clone());
    // The halves live as long as this future: a lost connection stays open for both sides.
    let carried = async { tokio::join!(requests, answers) };
    tokio::pin!(carried);
    loop {
        let now = *weather.borrow_and_update();
        if now.cuts != begun.cuts {
            return;
        }
        if now.losses != begun.losses {
            let gone = weather.changed().await.is_err();
            if gone {
                return;
            }
            continue;
        }
        tokio::select! {
            _ = &mut carried => return,
            changed = weather.changed() => if changed.is_err() { return },
        }
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let begun = weather.borrow().half_closes;
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            biased;
            () = half_closed(&mut weather, begun) => {
                let _gone = to.shutdown().await;
                // The caller goes on talking, to nobody.
                while from.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
                return;
            }
            read = from.read(&mut bytes) => read,
        };
        let passes = |weather: &Weather| matches!(weather.passes, Passes::Everything | Passes::OnlyRequests);
        if !forward(read, &bytes, &mut to, &mut weather, passes).await {
            return;
        }
    }
}

async fn half_closed(weather: &mut watch::Receiver<Weather>, before: u64) {
    // It ends with the link.
    let _over = weather.wait_for(|weather| weather.half_closes != before).await;
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut bytes).await;
        let passes = |weather: &Weather| matches!(weather.passes, Passes::Everything | Passes::OnlyAnswers);
        if !forward(read, &bytes, &mut to, &mut weather, passes).await {
            return;
        }
    }
}

/// Forwards what was read once it may pass; closes the other side when this one is closed. Whether it goes on.
async fn forward(
    read: std::io::Result<usize>,
    bytes: &[u8],
    to: &mut OwnedWriteHalf,
    weather: &mut watch::Receiver<Weather>,
    passes: impl Fn(&Weather) -> bool,
) -> bool {
    if weather.wait_for(passes).await.is_err() {
        return false;
    }
    match read {
        Ok(read) if read > 0 => to.write_all(&bytes[..read]).await.is_ok(),
        _ => {
            let _gone = to.shutdown().await;
            false
        }
    }
}
