//! Why a volume cannot be mounted, in kubelet's words.

/// One volume's trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The message of the event FailedMount.
    pub(super) message: String,
    /// The step itself failed, and is made again after its usual time; otherwise the mount alone is, ever more slowly.
    pub(super) is_of_step: bool,
}

impl Trouble {
    fn of(operation: &str, shown: &str, why: &str) -> Self {
        Self { message: format!("{operation} failed for volume \"{shown}\" : {why}"), is_of_step: false }
    }

    /// The volume's own set-up failed. `shown` is the volume's name, for a claim its persistent volume's.
    pub(super) fn set_up(shown: &str, why: impl AsRef<str>) -> Self {
        Self::of("MountVolume.SetUp", shown, why.as_ref())
    }

    /// Already its preparation failed.
    pub(super) fn new_mounter(shown: &str, why: impl AsRef<str>) -> Self {
        Self::of("MountVolume.NewMounter initialization", shown, why.as_ref())
    }

    /// The driver of the volume is not there.
    pub(super) fn mount_device(shown: &str, why: impl AsRef<str>) -> Self {
        Self::of("MountVolume.MountDevice", shown, why.as_ref())
    }

    /// What the pod's volume refers to could not be made out. `volume` is its name in the pod.
    pub(super) fn unprocessed(volume: &str, why: &str) -> Self {
        let message = format!(
            "Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[], failed to process \
             volumes=[{volume}]: {why}"
        );
        Self { message, is_of_step: true }
    }
}
