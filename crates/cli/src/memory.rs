//! The allocator, told to give memory back: a daemon and hundreds of supervisors lie idle most of
//! the time.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay` (mimalloc.h): how many milliseconds freed memory is kept for reuse.
const PURGE_DELAY: libc::c_int = 15;
const PURGE_AFTER_MILLIS: libc::c_long = 10;

/// From which size on the C library, which xz and SQLite allocate with, asks the system for a block of
/// its own and gives it back at once. Unset, the limit rises with each block that is freed, and an xz
/// dictionary of 8 MiB stays with each thread that once had one. Source: mallopt(3).
const OWN_BLOCK_BYTES: libc::c_int = 256 * 1024;

unsafe extern "C" {
    fn mi_option_set(option: libc::c_int, value: libc::c_long);
}

/// Makes the allocator return freed memory to the system soon. Transparent huge pages, which would
/// round every small heap up to 2 MiB, are off at compile time (`no_thp`).
pub(crate) fn keep_low() {
    // SAFETY: takes numbers only, before there is a second thread.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_BLOCK_BYTES) };
    // SAFETY: mimalloc's options may be set at any time; 15 names one of them.
    unsafe { mi_option_set(PURGE_DELAY, PURGE_AFTER_MILLIS) };
}
