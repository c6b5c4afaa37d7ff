//! Sockets between virtual machines and their hosts, and those of TIPC.

use super::{NoAttributes, SocketShutdown, SocketState, SocketStates, SocketType};
use crate::route::Family;
use crate::table::Operation;
use crate::{operations, record};

// include/uapi/linux/sock_diag.h
operations! {
    /// What AF_VSOCK is asked.
    pub VsockDiag, "" {
        /// All sockets of some states.
        SOCK_DIAG_BY_FAMILY: get (VsockRequestHeader, NoAttributes) => ANSWER (VsockHeader, NoAttributes) = 20,
    }
}

impl VsockDiag {
    const ANSWER: Operation<(VsockHeader, NoAttributes)> = VsockAnswer::SOCK_DIAG_BY_FAMILY;
}

// include/uapi/linux/sock_diag.h
operations! {
    /// What is told of AF_VSOCK.
    pub VsockAnswer, "" {
        /// A socket.
        SOCK_DIAG_BY_FAMILY: new (VsockHeader, NoAttributes) = 20,
    }
}

record! {
    /// What a request begins with (`struct vsock_diag_req`, include/uapi/linux/vm_sockets_diag.h).
    pub VsockRequestHeader, "vsock_diag_req", "vdiag_" {
        /// `VSOCK`.
        sdiag_family: Family,
        /// 0.
        sdiag_protocol: u8,
        /// Nothing.
        pad: u16,
        /// Sockets of these states.
        states: SocketStates,
        /// 0.
        ino: u32,
        /// 0.
        show: u32,
        /// Not looked at.
        cookie: [u32; 2],
    }
}

record! {
    /// An answer (`struct vsock_diag_msg`, include/uapi/linux/vm_sockets_diag.h).
    pub VsockHeader, "vsock_diag_msg", "vdiag_" {
        /// `VSOCK`.
        family: Family,
        /// Stream, datagrams or packets (`vdiag_type` in C).
        kind: SocketType,
        /// State.
        state: SocketState,
        /// Which directions are closed.
        shutdown: SocketShutdown,
        /// Own machine.
        src_cid: u32,
        /// Own port.
        src_port: u32,
        /// The peer's machine.
        dst_cid: u32,
        /// The peer's port.
        dst_port: u32,
        /// Its inode.
        ino: u32,
        /// Its cookie.
        cookie: [u32; 2],
    }
}

// include/uapi/linux/sock_diag.h
operations! {
    /// What AF_TIPC is asked.
    pub TipcDiag, "" {
        /// All sockets of some states.
        SOCK_DIAG_BY_FAMILY: get (TipcRequestHeader, NoAttributes) = 20,
    }
}

// The answers have no header and so no family: see the module's documentation.
operations! {
    /// What is told of AF_TIPC, as far as it can be told apart.
    pub TipcAnswer, "" {}
}

record! {
    /// What a request begins with (`struct tipc_sock_diag_req`, include/uapi/linux/tipc_sockets_diag.h).
    pub TipcRequestHeader, "tipc_sock_diag_req", "tidiag_" {
        /// `TIPC`.
        sdiag_family: Family,
        /// 0.
        sdiag_protocol: u8,
        /// Nothing.
        pad: u16,
        /// Sockets of these states.
        states: u32,
    }
}
