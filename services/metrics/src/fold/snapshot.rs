//! Snapshots: the whole state in one file, so that a start need not read everything again.
//!
//! A snapshot is never needed. One that is damaged, or of another shape, is left aside.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use barometer_chassis::{clock::Micros, shutdown::Shutdown};
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tokio::time::Instant;

use super::{Fold, State};

/// What a snapshot begins with.
const MAGIC: &[u8; 16] = b"barometer fold 1";
/// How often it is looked whether a snapshot is due.
const LOOK: Duration = Duration::from_secs(1);
const HASH: usize = blake3::OUT_LEN;

/// The sources of everything that is in a snapshot: a change of any of them makes another shape.
const SHAPE: [(&str, &str); 38] = [
    ("chassis/clock.rs", include_str!("../../../chassis/src/clock.rs")),
    ("chassis/position.rs", include_str!("../../../chassis/src/position.rs")),
    ("columns.rs", include_str!("../columns.rs")),
    ("columns/attributes.rs", include_str!("../columns/attributes.rs")),
    ("columns/by_person.rs", include_str!("../columns/by_person.rs")),
    ("columns/cases.rs", include_str!("../columns/cases.rs")),
    ("columns/choice.rs", include_str!("../columns/choice.rs")),
    ("columns/clocks.rs", include_str!("../columns/clocks.rs")),
    ("columns/cold.rs", include_str!("../columns/cold.rs")),
    ("columns/costs.rs", include_str!("../columns/costs.rs")),
    ("columns/customers.rs", include_str!("../columns/customers.rs")),
    ("columns/days.rs", include_str!("../columns/days.rs")),
    ("columns/follow_ups.rs", include_str!("../columns/follow_ups.rs")),
    ("columns/claims.rs", include_str!("../columns/claims.rs")),
    ("columns/escalations.rs", include_str!("../columns/escalations.rs")),
    ("columns/declared.rs", include_str!("../columns/declared.rs")),
    ("columns/dictionary.rs", include_str!("../columns/dictionary.rs")),
    ("columns/hand_offs.rs", include_str!("../columns/hand_offs.rs")),
    ("columns/interactions.rs", include_str!("../columns/interactions.rs")),
    ("columns/invitations.rs", include_str!("../columns/invitations.rs")),
    ("columns/memberships.rs", include_str!("../columns/memberships.rs")),
    ("columns/people.rs", include_str!("../columns/people.rs")),
    ("columns/promises.rs", include_str!("../columns/promises.rs")),
    ("columns/purchases.rs", include_str!("../columns/purchases.rs")),
    ("columns/redresses.rs", include_str!("../columns/redresses.rs")),
    ("columns/referrals.rs", include_str!("../columns/referrals.rs")),
    ("columns/responses.rs", include_str!("../columns/responses.rs")),
    ("columns/revisions.rs", include_str!("../columns/revisions.rs")),
    ("columns/rows.rs", include_str!("../columns/rows.rs")),
    ("columns/subscriptions.rs", include_str!("../columns/subscriptions.rs")),
    ("columns/surveys.rs", include_str!("../columns/surveys.rs")),
    ("columns/timelines.rs", include_str!("../columns/timelines.rs")),
    ("columns/times.rs", include_str!("../columns/times.rs")),
    ("columns/turns.rs", include_str!("../columns/turns.rs")),
    ("fold.rs", include_str!("../fold.rs")),
    ("fold/reached.rs", include_str!("reached.rs")),
    ("fold/source.rs", include_str!("source.rs")),
    ("rules/course.rs", include_str!("../rules/course.rs")),
];

/// Where snapshots are kept, and when one is due.
#[derive(Debug)]
pub(crate) struct Snapshots {
    path: PathBuf,
    every_facts: u64,
    every_time: Duration,
    last: Mutex<Option<Micros>>,
}

impl Snapshots {
    /// Snapshots in a directory, which is made: one after so many facts, or when facts came and so much time went by.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub(crate) fn new(directory: &Path, every_facts: u64, every_time: Duration) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Snapshots { path: directory.join("fold.snapshot"), every_facts, every_time, last: Mutex::default() })
    }

    /// When the last one was written.
    pub(super) fn last(&self) -> Option<Micros> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of the last one; nothing when there is none that fits.
    pub(super) fn load(&self) -> Option<State> {
        let written = match written_at(&self.path) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, "the snapshot can not be read: everything is read again");
                return None;
            }
        };
        match read(&self.path) {
            Ok(state) => {
                self.set_last(written);
                Some(state)
            }
            Err(error) => {
                tracing::warn!(%error, "the snapshot is left aside: everything is read again");
                None
            }
        }
    }

    fn set_last(&self, at: Option<Micros>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

impl Fold {
    /// Writes snapshots when they are due, until `shutdown`.
    pub(super) async fn write_snapshots(self: Arc<Self>, shutdown: Shutdown) {
        let (mut written, mut since) = (*self.progress.borrow(), Instant::now());
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            let taken = *self.progress.borrow();
            let due = taken - written >= self.snapshots.every_facts || since.elapsed() >= self.snapshots.every_time;
            if taken != written && due {
                self.write_snapshot().await;
                (written, since) = (taken, Instant::now());
            }
        }
    }

    /// Writes a snapshot. Queries go on meanwhile, the watchers wait. A failure is told; the last one then stays.
    pub(super) async fn write_snapshot(self: &Arc<Self>) {
        let _alone = self.changing.lock().await;
        let fold = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || write(&fold.snapshots.path, &fold.read())).await;
        match written {
            Ok(Ok(())) => self.snapshots.set_last(Some(Micros::now())),
            Ok(Err(error)) => tracing::warn!(%error, "no snapshot was written"),
            Err(error) => tracing::error!(%error, "no snapshot was written"),
        }
    }
}

/// Writes the state to a file beside the last snapshot, and then in its place.
fn write(path: &Path, state: &State) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = Hashing { inner: BufWriter::new(File::create(&new)?), hasher: blake3::Hasher::new() };
    file.write_all(MAGIC)?;
    file.write_all(shape().as_bytes())?;
    let mut file = postcard::to_io(state, file).map_err(io::Error::other)?;
    let hash = file.hasher.finalize();
    file.inner.write_all(hash.as_bytes())?;
    file.inner.into_inner()?.sync_all()?;
    fs::rename(&new, path)?;
    // The rename is lasting once the directory is.
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

fn read(path: &Path) -> io::Result<State> {
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged");
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    let body = bytes.strip_prefix(MAGIC).ok_or_else(damaged)?;
    let (of_shape, _) = body.split_at_checked(HASH).ok_or_else(damaged)?;
    if of_shape != shape().as_bytes() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it was written by another version"));
    }
    let (hashed, hash) = bytes.split_at_checked(bytes.len().saturating_sub(HASH)).ok_or_else(damaged)?;
    if blake3::hash(hashed).as_bytes() != hash {
        return Err(damaged());
    }
    let state = hashed.get(MAGIC.len() + HASH..).ok_or_else(damaged)?;
    let mut state: State = postcard::from_bytes(state).map_err(io::Error::other)?;
    state.facts.restore();
    Ok(state)
}

fn written_at(path: &Path) -> io::Result<Option<Micros>> {
    let age = fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH).ok();
    Ok(age.and_then(|age| i64::try_from(age.as_micros()).ok()).map(Micros))
}

/// A hash of what a snapshot is made of: the types in it, and the contract by which facts become rows.
fn shape() -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for (_, source) in SHAPE {
        hasher.update(source.as_bytes());
    }
    hasher.update(&contract_of_facts());
    hasher.finalize()
}

/// The messages of the feeds with all that they are made of, without comments: by what else the contract says, and by how it
/// explains itself, rows are the same.
fn contract_of_facts() -> Vec<u8> {
    const FEEDS: [&str; 3] =
        ["barometer/customers/v1/fact.proto", "barometer/surveys/v1/fact.proto", "barometer/complaints/v1/fact.proto"];
    let Ok(set) = FileDescriptorSet::decode(barometer_proto::FILE_DESCRIPTOR_SET) else {
        return barometer_proto::FILE_DESCRIPTOR_SET.to_vec();
    };
    let mut names: BTreeSet<String> = FEEDS.map(str::to_owned).into();
    loop {
        let known = set.file.iter().filter(|file| names.contains(file.name()));
        let imported: BTreeSet<_> = known.flat_map(|file| &file.dependency).cloned().collect();
        if imported.is_subset(&names) {
            break;
        }
        names.extend(imported);
    }
    let files = set.file.into_iter().filter(|file| names.contains(file.name()));
    let file = files.map(|file| FileDescriptorProto { source_code_info: None, ..file }).collect();
    FileDescriptorSet { file }.encode_to_vec()
}

/// Hashes what is written.
struct Hashing<W> {
    inner: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_contract_only_facts_are_part_of_the_shape() {
        let set = FileDescriptorSet::decode(&*contract_of_facts()).expect("files");
        let names: Vec<_> = set.file.iter().map(|file| file.name().to_owned()).collect();
        for name in ["barometer/surveys/v1/fact.proto", "barometer/common/v1/money.proto"] {
            assert!(names.iter().any(|known| known == name), "{name} is not among {names:?}");
        }
        assert!(!names.iter().any(|name| name.contains("metrics")), "{names:?}");
        assert!(set.file.iter().all(|file| file.source_code_info.is_none()));
    }

    #[test]
    fn everything_in_a_snapshot_is_part_of_its_shape() {
        let columns = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/columns");
        let there: BTreeSet<_> = fs::read_dir(columns)
            .expect("the folder")
            .map(|entry| format!("columns/{}", entry.expect("a file").file_name().to_string_lossy()))
            .collect();
        let named: BTreeSet<_> = SHAPE.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert!(there.is_subset(&named), "{:?}", there.difference(&named));
    }
}
