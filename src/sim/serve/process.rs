//! The detached process of a session: started, found again, idle, ended. What it serves is its simulator's affair.

use std::{ffi::OsString, io, path::Path, time::Duration};

use super::{host::Host, world::Dated};
use crate::detached::{Folder, LaunchError, Ready};

/// A started process listens within a tenth of a second; a machine under load gets longer.
const START: Duration = Duration::from_secs(20);
/// A process that is asked to end has so long to save its state.
const END: Duration = Duration::from_secs(10);
/// An answer that was under way when the end came has so long to get out.
pub const LAST_WORDS: Duration = Duration::from_millis(20);
/// How often a process looks whether it is idle, at the least.
const IDLE_LOOK: Duration = Duration::from_secs(60);

/// Returns when nobody has asked for anything for so long.
pub async fn idle<W: Dated>(host: &Host<W>, after: Duration) {
    loop {
        let left = after.saturating_sub(host.idle());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.max(IDLE_LOOK.min(after))).await;
    }
}

/// Starts `PROGRAM VERB FOLDER` as a process that outlives this one, and waits until it listens. `folder` is absolute.
///
/// # Errors
/// It cannot be started, or does not get to listen; the error shows the end of its log.
pub fn launch(program: &Path, verb: &str, folder: &Path) -> Result<Ready, LaunchError> {
    let arguments = [OsString::from(verb), folder.as_os_str().to_owned()];
    Folder::new(folder).launch(program, &arguments, START)
}

/// Ends a folder's process, if there is one; its state is saved.
///
/// # Errors
/// As the system refuses.
pub fn stop(folder: &Path) -> io::Result<()> {
    Folder::new(folder).stop(END)
}
