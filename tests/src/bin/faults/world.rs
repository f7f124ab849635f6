//! The suite as it runs in production: each service in processes of its own, replicas on PostgreSQL, links between all.

pub(crate) mod link;
pub(crate) mod process;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use barometer_chassis::testing::{Cluster, DatabaseKind};
use tonic::transport::{Channel, Endpoint};

use self::{
    link::{Link, Targets},
    process::Process,
};

/// A service: its name, and the services whose links it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) health: &'static str,
    calls: &'static [&'static str],
    /// Whether it keeps a database.
    pub(crate) keeps: bool,
}

/// The services in the order of their calls: who is called stands first.
pub(crate) const SERVICES: [Service; 4] = [
    Service { name: "customers", health: barometer_customers::GRPC_NAME, calls: &[], keeps: true },
    Service { name: "surveys", health: barometer_surveys::GRPC_NAME, calls: &["customers"], keeps: true },
    Service {
        name: "complaints",
        health: barometer_complaints::GRPC_NAME,
        calls: &["customers", "surveys"],
        keeps: true,
    },
    Service {
        name: "metrics",
        health: barometer_metrics::GRPC_NAME,
        calls: &["customers", "surveys", "complaints"],
        keeps: false,
    },
];

/// The database of the cluster that the services share.
pub(crate) const DATABASE: &str = "suite";

/// All that runs.
#[derive(Debug)]
pub(crate) struct World {
    /// Data and logs of the processes.
    pub(crate) folder: PathBuf,
    /// The server of the databases, on PostgreSQL.
    pub(crate) cluster: Option<Cluster>,
    pub(crate) processes: Vec<Arc<Process>>,
    /// Links between processes, to the database, and those of callers.
    pub(crate) links: Vec<Arc<Link>>,
}

impl World {
    pub(crate) async fn start(kind: DatabaseKind, program: &Path, folder: PathBuf) -> std::io::Result<Self> {
        let cluster = match kind {
            DatabaseKind::Sqlite => None,
            DatabaseKind::Postgres => Some(Cluster::start().await),
        };
        let mut world = World { folder, cluster, processes: Vec::new(), links: Vec::new() };
        let database = Arc::new(Targets::default());
        if let Some(cluster) = &world.cluster {
            let url = cluster.create_database(DATABASE).await;
            let address = url.split('@').nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
            database.set("postgres", address.parse().map_err(std::io::Error::other)?);
        }
        let targets: Vec<_> = SERVICES.iter().map(|service| (service.name, Arc::new(Targets::default()))).collect();
        let targets_of =
            |name: &str| targets.iter().find(|(other, _)| *other == name).map(|(_, targets)| targets.clone());
        for service in &SERVICES {
            let replicas: &[&str] = if world.cluster.is_some() { &["a", "b"] } else { &["a"] };
            for replica in replicas {
                let name = format!("{}-{replica}", service.name);
                let mut flags = vec!["serve".to_owned(), service.name.to_owned()];
                for called in service.calls {
                    let link =
                        Link::open(format!("{name} to {called}"), targets_of(called).unwrap_or_default()).await?;
                    flags.extend([format!("--{called}-endpoint"), link.url()]);
                    world.links.push(Arc::new(link));
                }
                if service.keeps && world.cluster.is_some() {
                    let link = Link::open(format!("{name} to postgres"), database.clone()).await?;
                    flags.extend([
                        "--database-url".to_owned(),
                        format!("postgres://postgres@{}/{DATABASE}", link.address),
                    ]);
                    world.links.push(Arc::new(link));
                }
                let folder = world.folder.join(&name);
                std::fs::create_dir_all(&folder)?;
                flags.extend(["--data-dir".to_owned(), folder.display().to_string()]);
                flags.extend(COMMON.map(ToOwned::to_owned));
                let targets = targets_of(service.name).unwrap_or_default();
                world.processes.push(Process::start(&name, service.name, program, folder, flags, targets));
            }
            let link = Link::open(format!("callers to {}", service.name), targets_of(service.name).unwrap_or_default());
            world.links.push(Arc::new(link.await?));
        }
        Ok(world)
    }

    /// The processes of a service.
    pub(crate) fn replicas<'w>(&'w self, service: &'w str) -> impl Iterator<Item = &'w Arc<Process>> {
        self.processes.iter().filter(move |process| process.service == service)
    }

    /// A caller's connection to a service, over the link of callers.
    pub(crate) fn call(&self, service: &str) -> Channel {
        let name = format!("callers to {service}");
        let link = self.links.iter().find(|link| link.name == name).expect("every service has a link");
        connect(link.url())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.processes.iter().for_each(|process| process.finish());
    }
}

const COMMON: [&str; 10] = [
    "--listen",
    "127.0.0.1:0",
    "--drain-pause",
    "100ms",
    "--snapshot-every-seconds",
    "5",
    "--snapshot-every-facts",
    "20000",
    "--log-level",
    "info",
];

/// A connection as a careful caller makes it: one that is dead is noticed.
pub(crate) fn connect(url: String) -> Channel {
    let endpoint = Endpoint::from_shared(url).expect("a URL");
    endpoint
        .connect_timeout(Duration::from_secs(2))
        .http2_keep_alive_interval(Duration::from_secs(2))
        .keep_alive_timeout(Duration::from_secs(3))
        .keep_alive_while_idle(true)
        .connect_lazy()
}
