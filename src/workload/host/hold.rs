//! Memory that is really held: mapped, and every page of it touched.

use std::sync::Mutex;

/// The size of a page where pages are smallest.
const PAGE_BYTES: usize = 4096;

/// A mapping of ours.
struct Region {
    address: usize,
    bytes: usize,
}

static HELD: Mutex<Vec<Region>> = Mutex::new(Vec::new());

#[expect(unsafe_code, reason = "the allocator may keep freed memory; a mapping is given back for sure")]
mod c {
    use std::ffi::c_void;

    use super::{PAGE_BYTES, Region};

    const PROT_READ_WRITE: i32 = 0x3;
    const MAP_PRIVATE_ANONYMOUS: i32 = 0x22;

    unsafe extern "C" {
        fn mmap(
            address: *mut c_void,
            length: usize,
            protection: i32,
            flags: i32,
            file: i32,
            offset: i64,
        ) -> *mut c_void;
        fn munmap(address: *mut c_void, length: usize) -> i32;
    }

    /// Map and touch; `None` where the kernel refuses.
    pub fn take(bytes: usize) -> Option<Region> {
        // SAFETY: a new anonymous mapping, at an address of the kernel's choice.
        let start = unsafe { mmap(std::ptr::null_mut(), bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0) };
        if start.addr() == usize::MAX || start.is_null() {
            return None;
        }
        for offset in (0..bytes).step_by(PAGE_BYTES) {
            // SAFETY: the offset lies inside the mapping, which nobody else knows.
            unsafe { start.cast::<u8>().add(offset).write_volatile(1) };
        }
        Some(Region { address: start.expose_provenance(), bytes })
    }

    pub fn give_back(region: &Region) {
        // SAFETY: the region was mapped by `take` and is given back once.
        unsafe { munmap(std::ptr::with_exposed_provenance_mut(region.address), region.bytes) };
    }
}

/// Hold this much, more or less than before. False where the kernel gives no more.
pub fn hold(bytes: u64) -> bool {
    let Ok(mut held) = HELD.lock() else { return false };
    let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
    loop {
        let total: usize = held.iter().map(|region| region.bytes).sum();
        if total == wanted {
            return true;
        }
        if total < wanted {
            let Some(region) = c::take(wanted - total) else { return false };
            held.push(region);
        } else if let Some(region) = held.pop() {
            c::give_back(&region);
        }
    }
}
