//! Linux, without a C library: where the program starts, and the calls it makes. All of its `unsafe` is here.

use core::arch::{asm, global_asm};
use core::num::NonZeroU32;

use crate::DATAGRAM;

/// Descriptor of what is told.
pub const OUTPUT: i32 = 1;

/// Descriptor of what went wrong.
pub const ERRORS: i32 = 2;

const AF_NETLINK: usize = 16;
const SOCK_RAW: usize = 3;
const SOCK_CLOEXEC: usize = 0o2_000_000;
const MSG_TRUNC: usize = 0x20;
const EINTR: i32 = 4;
const ENOBUFS: i32 = 105;

/// Numbers of system calls.
struct Calls {
    socket: usize,
    bind: usize,
    getsockname: usize,
    sendto: usize,
    recvfrom: usize,
    write: usize,
    exit_group: usize,
}

#[cfg(target_arch = "x86_64")]
const CALLS: Calls =
    Calls { socket: 41, bind: 49, getsockname: 51, sendto: 44, recvfrom: 45, write: 1, exit_group: 231 };
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
const CALLS: Calls =
    Calls { socket: 198, bind: 200, getsockname: 204, sendto: 206, recvfrom: 207, write: 64, exit_group: 94 };
#[cfg(target_arch = "arm")]
const CALLS: Calls =
    Calls { socket: 281, bind: 282, getsockname: 286, sendto: 290, recvfrom: 292, write: 4, exit_group: 248 };
#[cfg(target_arch = "s390x")]
const CALLS: Calls =
    Calls { socket: 359, bind: 361, getsockname: 367, sendto: 369, recvfrom: 371, write: 4, exit_group: 248 };

// The kernel starts a program with the count of its arguments on top of the stack, then their addresses.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "mov rdi, rsp", "and rsp, -16", "call {start}", start = sym start);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x0, sp", "bl {start}", start = sym start);
#[cfg(target_arch = "riscv64")]
global_asm!(".globl _start", "_start:", "mv a0, sp", "call {start}", start = sym start);
#[cfg(target_arch = "arm")]
global_asm!(".globl _start", "_start:", "mov r0, sp", "bic sp, sp, #7", "bl {start}", start = sym start);
#[cfg(target_arch = "s390x")]
global_asm!(".globl _start", "_start:", "lgr %r2, %r15", "aghi %r15, -160", "brasl %r14, {start}", start = sym start);

/// The one buffer. Nothing but `start` names it.
static mut BUFFER: [u8; DATAGRAM] = [0; DATAGRAM];

extern "C" fn start(stack: *const usize) -> ! {
    // SAFETY: the kernel has put the count there, and behind it so many addresses of texts that end with NUL.
    let changes = unsafe {
        match *stack {
            0 | 1 => None,
            _ => number(*stack.add(2) as *const u8),
        }
    };
    // SAFETY: this function runs once, and nothing else names the buffer.
    let buffer = unsafe { &mut *(&raw mut BUFFER) };
    let status = crate::run(changes, buffer);
    call(CALLS.exit_group, [status as usize, 0, 0, 0, 0, 0]);
    loop {}
}

/// The decimal number that a text ends with NUL behind; `None` for 0 and for what is no number.
///
/// # Safety
///
/// The text ends with NUL.
unsafe fn number(mut text: *const u8) -> Option<NonZeroU32> {
    let mut number = 0_u32;
    loop {
        // SAFETY: the caller says that there is a NUL, and none was met before.
        match unsafe { text.read() } {
            0 => return NonZeroU32::new(number),
            digit @ b'0'..=b'9' => number = number.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?,
            _ => return None,
        }
        // SAFETY: there is more of the text, at least its NUL.
        text = unsafe { text.add(1) };
    }
}

/// A panic would have to call what does not exist: a binary that links has none.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn ringlink_agent_has_code_that_panics() -> !;
    }
    // SAFETY: this is never linked.
    unsafe { ringlink_agent_has_code_that_panics() }
}

/// A system call that the kernel refused.
pub struct Fault {
    /// Which.
    pub call: &'static str,
    /// Why.
    pub errno: i32,
}

impl Fault {
    /// Whether the socket's buffer was full, and messages were lost.
    pub fn is_overrun(&self) -> bool {
        self.errno == ENOBUFS
    }
}

/// `struct sockaddr_nl`.
#[repr(C)]
#[derive(Default)]
struct Address {
    family: u16,
    pad: u16,
    port: u32,
    groups: u32,
}

const ADDRESS: usize = size_of::<Address>();

/// A socket of NETLINK_ROUTE. The process's end closes it.
pub struct Socket {
    descriptor: usize,
    /// Its port id.
    pub port: u32,
}

/// A datagram in the buffer.
pub struct Received {
    /// Its bytes, as far as they are in the buffer.
    pub length: usize,
    /// Whether there were more.
    pub cut: bool,
    /// Port id of who sent it.
    pub sender: u32,
}

impl Socket {
    /// Opens one that hears the groups of this mask.
    pub fn open(groups: u32) -> Result<Self, Fault> {
        let descriptor = checked("socket", call(CALLS.socket, [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0, 0, 0, 0]))?;
        let mut address = Address { family: AF_NETLINK as u16, groups, ..Address::default() };
        let place = &raw mut address as usize;
        checked("bind", call(CALLS.bind, [descriptor, place, ADDRESS, 0, 0, 0]))?;
        let mut length = ADDRESS as u32;
        checked("getsockname", call(CALLS.getsockname, [descriptor, place, &raw mut length as usize, 0, 0, 0]))?;
        Ok(Self { descriptor, port: address.port })
    }

    /// Sends a datagram to the kernel.
    pub fn send(&self, bytes: &[u8]) -> Result<(), Fault> {
        let address = Address { family: AF_NETLINK as u16, ..Address::default() };
        let place = &raw const address as usize;
        let arguments = [self.descriptor, bytes.as_ptr() as usize, bytes.len(), 0, place, ADDRESS];
        checked("sendto", call(CALLS.sendto, arguments)).map(drop)
    }

    /// Waits for a datagram.
    pub fn receive(&self, buffer: &mut [u8; DATAGRAM]) -> Result<Received, Fault> {
        let mut address = Address::default();
        let mut length = ADDRESS as u32;
        let [place, size] = [&raw mut address as usize, &raw mut length as usize];
        loop {
            let arguments = [self.descriptor, buffer.as_mut_ptr() as usize, buffer.len(), MSG_TRUNC, place, size];
            match checked("recvfrom", call(CALLS.recvfrom, arguments)) {
                Err(Fault { errno: EINTR, .. }) => {}
                Err(fault) => return Err(fault),
                Ok(length) => {
                    let cut = length > buffer.len();
                    return Ok(Received { length: length.min(buffer.len()), cut, sender: address.port });
                }
            }
        }
    }
}

/// Writes bytes; where nobody reads them, they are gone.
pub fn write(descriptor: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match checked("write", call(CALLS.write, [descriptor as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0]))
        {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Fault { errno: EINTR, .. }) => {}
            Err(_) => return,
        }
    }
}

fn checked(name: &'static str, result: isize) -> Result<usize, Fault> {
    match result {
        failed @ -4095..0 => Err(Fault { call: name, errno: -(failed as i32) }),
        result => Ok(result as usize),
    }
}

/// A system call. Callers hand out addresses of memory that they own and that is as long as they say.
fn call(number: usize, [a, b, c, d, e, f]: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel reads and writes what the arguments name, which the callers own, and keeps all registers but those
    // that are said to be lost.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e,
            in("r9") f, lateout("rcx") _, lateout("r11") _, options(nostack));
        #[cfg(target_arch = "aarch64")]
        asm!("svc 0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c, in("x3") d, in("x4") e,
            in("x5") f, options(nostack));
        #[cfg(target_arch = "riscv64")]
        asm!("ecall", in("a7") number, inlateout("a0") a => result, in("a1") b, in("a2") c, in("a3") d, in("a4") e,
            in("a5") f, options(nostack));
        #[cfg(target_arch = "arm")]
        asm!("svc 0", in("r7") number, inlateout("r0") a => result, in("r1") b, in("r2") c, in("r3") d, in("r4") e,
            in("r5") f, options(nostack));
        #[cfg(target_arch = "s390x")]
        asm!("svc 0", in("r1") number, inlateout("r2") a => result, in("r3") b, in("r4") c, in("r5") d, in("r6") e,
            in("r7") f, options(nostack));
    }
    result
}
