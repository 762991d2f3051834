//! Records in a file that outlive the process: what the role `store` adds to a server.
//!
//! In the folder DATA lie `records` (a line `id checksum` for each), `salt` (made with the first start in an empty
//! folder; the checksums depend on it, so that records typed in elsewhere do not look like the old ones) and `lock`.

use std::collections::BTreeMap;

use crate::{
    DATA_IN_USE, End, FAILED, FileError, LockError, Machine, Settings, Stream, WriteMode, boot::NotStarted,
    server::Password, shared::Shared,
};

/// What a backup begins with.
const SALT_LINE: &str = "salt ";

/// An open store.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Store {
    data: String,
    salt: Shared<String>,
    password: Password,
    /// Held while the file is read and written, so that one id is stored once.
    writing: Shared<()>,
}

impl Store {
    /// Lock the folder, make it ready where it is empty, check what is in it.
    pub(crate) fn open(settings: &Settings, machine: &mut dyn Machine) -> Result<Self, NotStarted> {
        let data = settings.text("DATA").unwrap_or("/data").trim_end_matches('/').to_owned();
        let failed = |error: FileError| NotStarted {
            line: format!("cannot use the data folder {data}: {error}"),
            end: End::Exit(FAILED),
        };
        match machine.make_directory(&data) {
            Ok(()) | Err(FileError::Exists) => {}
            // A read-only root is no trouble where the folder is there already.
            Err(error) => drop(machine.stat(&data).map_err(|_| failed(error))?),
        }
        match machine.lock(&format!("{data}/lock")) {
            Ok(()) => {}
            Err(LockError::Held) => {
                let line = format!("the data folder {data} is in use by another store");
                return Err(NotStarted { line, end: End::Exit(DATA_IN_USE) });
            }
            Err(LockError::File(error)) => return Err(failed(error)),
        }
        let salt = salt(&data, machine).map_err(failed)?;
        let password = Password::read(settings, "PASSWORD", "PASSWORD_FILE");
        let store = Self { data, salt: Shared::new(salt), password, writing: Shared::new(()) };
        store.take_stock(&settings.list("SEED_RECORDS"), machine)?;
        Ok(store)
    }

    /// Seed an empty store, tell what is there.
    fn take_stock(&self, seeds: &[String], machine: &mut dyn Machine) -> Result<(), NotStarted> {
        let failed = |error: FileError| NotStarted {
            line: format!("cannot use {}: {error}", self.file()),
            end: End::Exit(FAILED),
        };
        if self.records(machine).map_err(failed)?.is_empty() {
            for id in seeds {
                self.append(id, machine).map_err(failed)?;
            }
        }
        let records = self.records(machine).map_err(failed)?;
        let damaged = records.values().filter(|whole| !**whole).count();
        machine.print(Stream::Out, &format!("{} records in {}", records.len() - damaged, self.file()));
        if damaged > 0 {
            machine.print(Stream::Err, &format!("{damaged} records are damaged and not served"));
        }
        Ok(())
    }

    /// Store a record; one that is there already stays as it is.
    pub(crate) fn append(&self, id: &str, machine: &mut dyn Machine) -> Result<(), FileError> {
        self.writing.with(|()| {
            if self.records(machine)?.get(id) == Some(&true) {
                return Ok(());
            }
            let line = format!("{id} {}\n", self.checksum(id));
            machine.write(&self.file(), line.as_bytes(), WriteMode::Append)
        })
    }

    /// A line `id checksum` for each whole record, by id.
    pub(crate) fn list(&self, machine: &mut dyn Machine) -> Result<String, FileError> {
        let records = self.records(machine)?;
        let whole = records.iter().filter(|(_, whole)| **whole);
        Ok(whole.map(|(id, _)| format!("{id} {}\n", self.checksum(id))).collect())
    }

    /// The password that callers must send, where there is one.
    pub(crate) fn password(&self, machine: &mut dyn Machine) -> Result<Option<String>, String> {
        self.password.now(machine)
    }

    fn checksum(&self, id: &str) -> String {
        self.salt.with(|salt| checksum(salt, id))
    }

    /// Ids, each with whether its checksum is right. The file is read anew each time: what it says is what counts.
    fn records(&self, machine: &mut dyn Machine) -> Result<BTreeMap<String, bool>, FileError> {
        let bytes = match machine.read(&self.file()) {
            Ok(bytes) => bytes,
            Err(FileError::NotFound) => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let mut records = BTreeMap::new();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let (id, sum) = line.split_once(' ').unwrap_or((line, ""));
            let whole = sum == self.checksum(id);
            let known: &mut bool = records.entry(id.to_owned()).or_default();
            *known |= whole;
        }
        Ok(records)
    }

    /// Where jobs are kept.
    pub(crate) fn jobs_file(&self) -> String {
        format!("{}/jobs", self.data)
    }

    /// Does something while nobody else writes.
    pub(crate) fn alone<T>(&self, work: impl FnOnce() -> T) -> T {
        self.writing.with(|()| work())
    }

    /// Everything as text: the salt, then the records as they stand in the file.
    pub(crate) fn backup(&self, machine: &mut dyn Machine) -> Result<String, FileError> {
        let records = match machine.read(&self.file()) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(FileError::NotFound) => String::new(),
            Err(error) => return Err(error),
        };
        let salt = self.salt.with(|salt| salt.clone());
        Ok(format!("{SALT_LINE}{salt}\n{records}"))
    }

    /// Takes over a backup, where it says anything new; the number of its records.
    pub(crate) fn restore(&self, backup: &str, machine: &mut dyn Machine) -> Result<usize, FileError> {
        let damaged = || FileError::Other("that is no backup of a store".to_owned());
        let (salt, records) =
            backup.strip_prefix(SALT_LINE).and_then(|rest| rest.split_once('\n')).ok_or_else(damaged)?;
        if self.backup(machine)? != backup {
            self.writing.with(|()| {
                machine.write(&format!("{}/salt", self.data), format!("{salt}\n").as_bytes(), WriteMode::Replace)?;
                machine.write(&self.file(), records.as_bytes(), WriteMode::Replace)
            })?;
            self.salt.with(|own| salt.clone_into(own));
        }
        Ok(records.lines().count())
    }

    fn file(&self) -> String {
        format!("{}/records", self.data)
    }
}

/// The folder's salt, made where there is none.
fn salt(data: &str, machine: &mut dyn Machine) -> Result<String, FileError> {
    let path = format!("{data}/salt");
    match machine.read(&path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).trim().to_owned()),
        Err(FileError::NotFound) => {
            let salt = format!("{:016x}{:016x}", machine.random(), machine.random());
            machine.write(&path, format!("{salt}\n").as_bytes(), WriteMode::Replace)?;
            Ok(salt)
        }
        Err(error) => Err(error),
    }
}

/// FNV-1a over salt and id, stirred once more. It tells mistakes and guesses apart from the real thing; it is no
/// protection against somebody who reads the salt.
pub(crate) fn checksum(salt: &str, id: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in salt.bytes().chain(*b" ").chain(id.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The finaliser of splitmix64, so that ids that differ in one letter have nothing in common.
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    format!("{:016x}", hash ^ (hash >> 31))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryMachine;

    fn open(machine: &mut MemoryMachine, env: &[(&str, &str)]) -> Result<Store, NotStarted> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Store::open(&Settings::read(&[], env).unwrap(), machine)
    }

    #[test]
    fn records_outlive_the_store_and_are_stored_once() {
        let mut machine = MemoryMachine::new();
        let store = open(&mut machine, &[("SEED_RECORDS", "o-1,o-2")]).unwrap();
        store.append("o-3", &mut machine).unwrap();
        store.append("o-3", &mut machine).unwrap();
        let before = store.list(&mut machine).unwrap();
        assert_eq!(before.lines().count(), 3);
        machine.release_locks();
        let again = open(&mut machine, &[("SEED_RECORDS", "o-9")]).unwrap();
        assert_eq!(again.list(&mut machine).unwrap(), before, "seeds are for an empty store only");
    }

    #[test]
    fn typed_in_records_differ_from_the_old_ones() {
        let (mut old, mut new) = (MemoryMachine::new(), MemoryMachine::with_seed(7));
        let one = open(&mut old, &[("SEED_RECORDS", "o-1")]).unwrap().list(&mut old).unwrap();
        let two = open(&mut new, &[("SEED_RECORDS", "o-1")]).unwrap().list(&mut new).unwrap();
        assert_ne!(one, two);
        new.files.append("/data/records", b"o-5 0000000000000000\n");
        new.release_locks();
        assert_eq!(open(&mut new, &[]).unwrap().list(&mut new).unwrap(), two, "a guessed line is not served");
    }

    #[test]
    fn a_backup_carries_everything_over() {
        let (mut one, mut two) = (MemoryMachine::new(), MemoryMachine::with_seed(7));
        let leader = open(&mut one, &[("SEED_RECORDS", "o-1,o-2")]).unwrap();
        let follower = open(&mut two, &[]).unwrap();
        let backup = leader.backup(&mut one).unwrap();
        assert_eq!(follower.restore(&backup, &mut two).unwrap(), 2);
        assert_eq!(follower.list(&mut two).unwrap(), leader.list(&mut one).unwrap(), "checksums too");
        assert!(follower.restore("o-9 x", &mut two).is_err());
    }

    #[test]
    fn a_second_store_does_not_start() {
        let mut machine = MemoryMachine::new();
        open(&mut machine, &[]).unwrap();
        let refusal = open(&mut machine, &[]).unwrap_err();
        assert_eq!(refusal.end, End::Exit(DATA_IN_USE));
    }
}
