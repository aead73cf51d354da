//! What the compiler calls without being asked, and a C library would have. Source: rustc's book,
//! "no_std: memory functions".

use core::ffi::c_int;

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    let mut at = 0;
    while at < count {
        // SAFETY: the caller names `count` bytes at both places.
        unsafe { *to.add(at) = *from.add(at) };
        at += 1;
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: c_int, count: usize) -> *mut u8 {
    let mut at = 0;
    while at < count {
        // SAFETY: the caller names `count` bytes there.
        unsafe { *to.add(at) = byte as u8 };
        at += 1;
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, count: usize) -> c_int {
    let mut at = 0;
    while at < count {
        // SAFETY: the caller names `count` bytes at both places.
        let (one, other) = unsafe { (*one.add(at), *other.add(at)) };
        if one != other {
            return c_int::from(one) - c_int::from(other);
        }
        at += 1;
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, count: usize) -> c_int {
    // SAFETY: the caller's promise is the same.
    unsafe { memcmp(one, other, count) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: the caller promises that a NUL ends it.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    length
}

/// `core` is compiled for unwinding and names this; nothing here unwinds.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
