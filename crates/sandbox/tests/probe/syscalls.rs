//! Raw system calls, by number, and what the kernel says to them.
#![expect(unsafe_code, reason = "an attacker does not use safe wrappers")]

use std::io;

use nix::errno::Errno;

/// Makes a system call; `ok <result>` or the error's name.
pub(crate) fn call(number: i64, arguments: &[i64]) -> String {
    let mut padded = [0_i64; 6];
    padded[..arguments.len()].copy_from_slice(arguments);
    // SAFETY: the probe's own process is all that a wrong argument could harm.
    let result = unsafe { libc::syscall(number, padded[0], padded[1], padded[2], padded[3], padded[4], padded[5]) };
    if result == -1 { name(&io::Error::last_os_error()) } else { format!("ok {result}") }
}

/// The address of some bytes, as an argument of [`call`].
pub(crate) fn pointer(text: &'static [u8]) -> i64 {
    text.as_ptr() as i64
}

/// A system call through the 32-bit gate. Never returns where a filter checks the architecture.
#[cfg(target_arch = "x86_64")]
pub(crate) fn through_the_32_bit_gate() -> String {
    let result: i64;
    // SAFETY: getpid of the 32-bit table changes nothing but the registers named.
    unsafe {
        std::arch::asm!("int 0x80", inlateout("rax") 20_i64 => result, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    format!("ok {result}")
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn through_the_32_bit_gate() -> String {
    std::process::abort()
}

/// `EPERM`, `ENOENT`, ….
pub(crate) fn name(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |number| format!("{:?}", Errno::from_raw(number)))
}
