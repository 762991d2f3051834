//! The workload's image, made by breakfix itself: an archive with one layer, under every name a lab needs.
//!
//! Pure: bytes in, bytes out. Loading is a target's. The archive is an OCI layout and a `docker save` archive at once, so
//! that `POST /images/load` of any engine, `podman load` and containerd's import (`kind load image-archive`) all take it.

mod archive;
mod config;
mod layer;
mod reference;

pub use archive::{Archive, CREATED_SECONDS, Image, Parts, archive, parts};
pub use config::{ImageConfig, REFERENCE_LABEL, WORKLOAD_LABEL, image_config};
pub use reference::{Reference, ReferenceError};

/// The architecture that the embedded program was built for, in the words of images (`amd64`, `arm64`).
pub fn architecture() -> &'static str {
    architecture_named(std::env::consts::ARCH)
}

/// The images' word for an architecture that Rust or `uname` names; one that is not known here is its own word.
pub fn architecture_named(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "armv7l" => "arm",
        "powerpc64le" | "ppc64le" => "ppc64le",
        other => other,
    }
}

/// The program inside every image of ours.
///
/// # Errors
/// This breakfix was built where it could not be compiled.
pub fn program() -> Result<&'static [u8], NoProgram> {
    breakfix_workload::PROGRAM.ok_or(NoProgram { why: breakfix_workload::PROGRAM_MISSING })
}

/// There is no program for containers in this breakfix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this breakfix was built without the program for containers ({why}); build it on Linux, on the engine's architecture"
)]
pub struct NoProgram {
    why: &'static str,
}
