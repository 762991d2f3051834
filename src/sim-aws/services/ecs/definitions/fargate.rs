//! What Fargate can run: sizes, and which definitions are compatible with it.

use serde_json::Value;

use crate::input::text;

/// Whether Fargate has this size: CPU units and MiB. The table of `RegisterTaskDefinition` in the API's reference; the last row from the
/// developer guide.
pub(in super::super) fn is_size(cpu: u64, memory: u64) -> bool {
    let steps = |least: u64, most: u64, step: u64| (least..=most).contains(&memory) && memory.is_multiple_of(step);
    match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => steps(1024, 4096, 1024),
        1024 => steps(2048, 8192, 1024),
        2048 => steps(4096, 16_384, 1024),
        4096 => steps(8192, 30_720, 1024),
        8192 => steps(16_384, 61_440, 4096),
        16_384 => steps(32_768, 122_880, 8192),
        32_768 => steps(61_440, 249_856, 8192) || memory == 249_856,
        _ => false,
    }
}

/// CPU units: `256`, `.25 vCPU`, `1 vcpu`.
pub(super) fn cpu(written: &str) -> Option<u64> {
    let small = written.trim().to_ascii_lowercase();
    match small.strip_suffix("vcpu") {
        None => small.parse().ok(),
        Some(number) => thousands(number.trim()),
    }
}

/// MiB: `512`, `1GB`, `0.5 GB`, `512 MB`.
pub(super) fn memory(written: &str) -> Option<u64> {
    let small = written.trim().to_ascii_lowercase();
    if let Some(number) = small.strip_suffix("gb") {
        return thousands(number.trim());
    }
    small.strip_suffix("mb").unwrap_or(&small).trim().parse().ok()
}

/// So many times 1024.
fn thousands(number: &str) -> Option<u64> {
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && (0.0..1e6).contains(&number)).then(|| (number * 1024.0).round() as u64)
}

/// `compatibilities`.
pub(super) fn compatibilities(body: &Value) -> Vec<&'static str> {
    let size = text(body, "cpu").and_then(cpu).zip(text(body, "memory").and_then(memory));
    let fits = size.is_some_and(|(cpu, memory)| is_size(cpu, memory));
    let mut out = vec!["EC2"];
    if fits && text(body, "networkMode") == Some("awsvpc") {
        out.push("FARGATE");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_table() {
        assert!(is_size(256, 512) && is_size(512, 3072) && is_size(8192, 20_480));
        assert!(!is_size(512, 512) && !is_size(256, 1536) && !is_size(8192, 17_408) && !is_size(300, 512));
    }

    #[test]
    fn sizes_are_read_in_every_spelling() {
        assert_eq!((cpu(".25 vCPU"), cpu("1 vcpu"), cpu("512"), cpu("x")), (Some(256), Some(1024), Some(512), None));
        assert_eq!(
            (memory("0.5GB"), memory("2 GB"), memory("512 MB"), memory("512")),
            (Some(512), Some(2048), Some(512), Some(512))
        );
    }
}
