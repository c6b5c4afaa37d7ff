//! What the compiler takes for granted: a C library has it, and there is none here.
//!
//! Bytes one by one, by volatile access: otherwise the compiler would see what such a loop is and call the function that
//! contains it.

/// # Safety
///
/// As `memcpy(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    for at in 0..count {
        // SAFETY: the caller says that both have `count` bytes.
        unsafe { to.add(at).write_volatile(from.add(at).read()) };
    }
    to
}

/// # Safety
///
/// As `memmove(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    let backwards = to.addr().wrapping_sub(from.addr()) < count;
    for step in 0..count {
        let at = if backwards { count - 1 - step } else { step };
        // SAFETY: the caller says that both have `count` bytes; no byte is overwritten before it is read.
        unsafe { to.add(at).write_volatile(from.add(at).read()) };
    }
    to
}

/// # Safety
///
/// As `memset(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    for at in 0..count {
        // SAFETY: the caller says that there are `count` bytes. C's `memset` takes the number's low byte.
        unsafe { to.add(at).write_volatile(byte as u8) };
    }
    to
}

/// # Safety
///
/// As `memcmp(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, two: *const u8, count: usize) -> i32 {
    for at in 0..count {
        // SAFETY: the caller says that both have `count` bytes.
        let (left, right) = unsafe { (one.add(at).read_volatile(), two.add(at).read_volatile()) };
        if left != right {
            return i32::from(left) - i32::from(right);
        }
    }
    0
}

/// # Safety
///
/// As `bcmp(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(one: *const u8, two: *const u8, count: usize) -> i32 {
    // SAFETY: the caller says what memcmp asks for.
    unsafe { memcmp(one, two, count) }
}
