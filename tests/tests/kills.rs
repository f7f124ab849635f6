//! SIGKILL at any moment, of the client and of the server: afterwards all figures equal those of a clean run.

#![allow(clippy::disallowed_methods, reason = "threads wait for processes here, without a runtime")]

use std::{fmt::Write, fs, path::Path, process::Command, time::Duration};

use barometer_chassis::testing::{DatabaseKind, TestDatabase};
use barometer_tests::process::{Server, program, query, run, start};
use serde_json::Value;

const ROWS: usize = 12_000;

/// Purchases of 900 customers over two years, many of them equal to the letter, a return among ten.
fn purchases(folder: &Path) -> &'static str {
    let mut csv = "buyer,day,paid\n".to_owned();
    for row in 0..ROWS {
        let (buyer, day) = ((row * row) % 900, (row * 7) % 730);
        let date = jiff::civil::date(2023, 1, 1) + jiff::Span::new().days(i64::try_from(day).expect("small"));
        let paid = if row % 10 == 9 { "-3.5".to_owned() } else { format!("{}.25", row % 40) };
        writeln!(csv, "c-{buyer},{date},{paid}").expect("to a string");
    }
    fs::write(folder.join("purchases.csv"), csv).expect("a file");
    "purchases.csv"
}

const IMPORT: [&str; 8] =
    ["--map", "customer=buyer", "--map", "time=day", "--map", "amount=paid", "--set", "currency=EUR"];

fn import(endpoint: &str, file: &str, folder: &Path) -> String {
    let output = run(endpoint, &[&["import", "purchases", file][..], &IMPORT].concat(), folder);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Figures that notice a purchase that is missing, double or another's; without when they were revised, which is now.
fn figures(endpoint: &str, folder: &Path) -> Vec<Value> {
    let range = ["--from", "2023-01-01", "--to", "2025-01-01"];
    [
        vec!["revenue", "--every", "month"],
        vec!["purchases", "--every", "quarter"],
        vec!["repeat_purchase_rate", "--param", "basis=orders"],
        vec!["cohort_retention"],
        vec!["customers"],
    ]
    .into_iter()
    .map(|metric| {
        let mut rows = query(endpoint, &[&metric[..], &range].concat(), folder);
        for row in rows.as_array_mut().expect("rows") {
            row.as_object_mut().expect("a row").remove("revised").expect("it says when");
        }
        rows
    })
    .collect()
}

/// Waits until the figures hold every row.
fn settled(endpoint: &str, folder: &Path) -> Vec<Value> {
    for _ in 0..600 {
        let rows = query(endpoint, &["purchases", "--from", "2023-01-01", "--to", "2025-01-01"], folder);
        let count = |name: &str| rows[0]["counts"][name].as_f64().unwrap_or_default();
        if count("sales") + count("returns") >= ROWS as f64 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    figures(endpoint, folder)
}

fn clean_run(kind: DatabaseKind) -> Vec<Value> {
    let world = World::new(kind);
    let server = Server::start(&world.database, &[]);
    import(&server.endpoint, world.file, world.folder());
    settled(&server.endpoint, world.folder())
}

/// A database, and a folder with the file.
struct World {
    database: TestDatabase,
    file: &'static str,
}

impl World {
    fn new(kind: DatabaseKind) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let database = runtime.block_on(TestDatabase::new(kind));
        let file = purchases(database.directory());
        World { database, file }
    }

    fn folder(&self) -> &Path {
        self.database.directory()
    }
}

fn killed_run(kind: DatabaseKind) {
    let expected = clean_run(kind);
    let world = World::new(kind);
    // Clients and servers die after ever other times, so that they die at ever other places.
    for round in 0..6_u64 {
        let server = Server::start(&world.database, &[]);
        let mut client =
            start(&server.endpoint, &[&["import", "purchases", world.file][..], &IMPORT].concat(), world.folder());
        std::thread::sleep(Duration::from_millis(40 + 110 * round));
        if round % 2 == 0 {
            drop(client.kill());
            drop(client.wait());
            server.kill();
        } else {
            server.kill();
            drop(client.kill());
            drop(client.wait());
        }
    }
    let server = Server::start(&world.database, &[]);
    import(&server.endpoint, world.file, world.folder());
    assert_eq!(settled(&server.endpoint, world.folder()), expected);

    let again = import(&server.endpoint, world.file, world.folder());
    let recorded: Vec<_> = again.lines().filter_map(|line| line.strip_prefix("recorded")).map(str::trim).collect();
    assert_eq!(recorded, ["0"], "{again}");
    assert_eq!(settled(&server.endpoint, world.folder()), expected);

    // From the snapshot that an orderly end wrote, and from nothing.
    server.kill();
    drop(fs::remove_dir_all(world.folder().join("metrics")));
    let server = Server::start(&world.database, &[]);
    assert_eq!(settled(&server.endpoint, world.folder()), expected);
}

#[test]
fn a_data_directory_is_of_one_process_until_it_ends() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let database = runtime.block_on(TestDatabase::new(DatabaseKind::Sqlite));
    let first = Server::start(&database, &[]);
    let port_file = database.directory().join("second");
    let second = Command::new(program())
        .args(["serve", "--listen", "127.0.0.1:0", "--port-file"])
        .arg(&port_file)
        .arg("--data-dir")
        .arg(database.directory())
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(69), "{said}");
    let directory = database.directory().join("metrics");
    assert!(said.contains(&format!("another process uses {}", directory.display())), "{said}");
    assert!(!port_file.exists(), "it never listened");
    // Who is killed gives nothing back by itself.
    first.kill();
    drop(Server::start(&database, &[]));
}

#[test]
fn killed_at_any_moment_the_figures_equal_those_of_a_clean_run_on_sqlite() {
    killed_run(DatabaseKind::Sqlite);
}

#[test]
fn killed_at_any_moment_the_figures_equal_those_of_a_clean_run_on_postgres() {
    killed_run(DatabaseKind::Postgres);
}
