//! Sockets of AF_UNIX.

use super::{SocketMemory, SocketShutdown, SocketState, SocketStates, SocketType};
use crate::route::Family;
use crate::table::{Body, Bytes, Operation, Packed};
use crate::wire::Error;
use crate::{flags, operations, record, space};

// include/uapi/linux/sock_diag.h
operations! {
    /// What AF_UNIX is asked.
    pub UnixDiag, "" {
        /// Sockets: all of some states, or the one with this inode.
        SOCK_DIAG_BY_FAMILY: get (UnixRequestHeader, UnixSocket) => ANSWER (UnixHeader, UnixSocket) = 20,
    }
}

impl UnixDiag {
    const ANSWER: Operation<UnixMessage> = UnixAnswer::SOCK_DIAG_BY_FAMILY;
}

// include/uapi/linux/sock_diag.h
operations! {
    /// What is told of AF_UNIX.
    pub UnixAnswer, "" {
        /// A socket.
        SOCK_DIAG_BY_FAMILY: new (UnixHeader, UnixSocket) = 20,
    }
}

/// Header and attributes of an answer.
pub type UnixMessage = (UnixHeader, UnixSocket);

record! {
    /// What a request begins with (`struct unix_diag_req`, include/uapi/linux/unix_diag.h).
    pub UnixRequestHeader, "unix_diag_req", "udiag_" {
        /// `UNIX`.
        sdiag_family: Family,
        /// 0.
        sdiag_protocol: u8,
        /// Nothing.
        pad: u16,
        /// In a dump: sockets of these states.
        states: SocketStates,
        /// Of one socket: its inode.
        ino: u32,
        /// What is to be told beyond the header.
        show: UnixShow,
        /// Of one socket: its cookie, or [`NO_COOKIE`](super::NO_COOKIE).
        cookie: [u32; 2],
    }
}

// include/uapi/linux/unix_diag.h
flags! {
    /// What is to be told of a socket beyond the header.
    pub UnixShow(u32), "UDIAG_SHOW_" {
        /// Its name.
        NAME = 0x1,
        /// The file it is bound to.
        VFS = 0x2,
        /// The inode of its peer.
        PEER = 0x4,
        /// Of one that listens, the sockets that wait.
        ICONS = 0x8,
        /// Its queues.
        RQLEN = 0x10,
        /// Its memory.
        MEMINFO = 0x20,
        /// The user whose it is.
        UID = 0x40,
    }
}

record! {
    /// What an answer begins with (`struct unix_diag_msg`, include/uapi/linux/unix_diag.h).
    pub UnixHeader, "unix_diag_msg", "udiag_" {
        /// `UNIX`.
        family: Family,
        /// Stream, datagrams or packets (`udiag_type` in C).
        kind: SocketType,
        /// State.
        state: SocketState,
        /// Nothing.
        pad: u8,
        /// Its inode.
        ino: u32,
        /// Its cookie.
        cookie: [u32; 2],
    }
}

space! {
    /// What is told of a socket (include/uapi/linux/unix_diag.h; net/unix/diag.c).
    pub UnixSocket, "UNIX_DIAG_" {
        /// Its name: a path, or behind a NUL any bytes.
        NAME: Bytes = 0,
        /// The file it is bound to.
        VFS: UnixFile = 1,
        /// The inode of its peer.
        PEER: u32 = 2,
        /// Of one that listens, the inodes of the sockets that wait.
        ICONS: Packed<u32> = 3,
        /// Its queues.
        RQLEN: UnixQueues = 4,
        /// Its memory.
        MEMINFO: SocketMemory = 5,
        /// Which directions are closed.
        SHUTDOWN: SocketShutdown = 6,
        /// The user whose it is.
        UID: u32 = 7,
    }
}

record! {
    /// The file that a socket is bound to (`struct unix_diag_vfs`, include/uapi/linux/unix_diag.h).
    pub UnixFile, "unix_diag_vfs", "udiag_vfs_" {
        /// Its inode.
        ino: u32,
        /// Its device, as the kernel counts them: 20 bits minor, above them the major number.
        dev: u32,
    }
}

record! {
    /// A socket's queues (`struct unix_diag_rqlen`, include/uapi/linux/unix_diag.h).
    pub UnixQueues, "unix_diag_rqlen", "udiag_" {
        /// Bytes that wait to be read; of one that listens, connections that wait.
        rqueue: u32,
        /// Bytes sent that the peer has not read; of one that listens, how many connections may wait.
        wqueue: u32,
    }
}

/// What most programs want to know of a socket, borrowed from its message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnixSocketView<'a> {
    /// Type, state, inode, cookie.
    pub header: UnixHeader,
    /// Its name: a path, or behind a NUL any bytes.
    pub name: Option<&'a [u8]>,
    /// The file it is bound to.
    pub file: Option<UnixFile>,
    /// The inode of its peer.
    pub peer: Option<u32>,
    /// Its queues.
    pub queues: Option<UnixQueues>,
    /// Its memory.
    pub memory: Option<SocketMemory>,
    /// Which directions are closed.
    pub shutdown: Option<SocketShutdown>,
    /// The user whose it is.
    pub uid: Option<u32>,
}

impl<'a> UnixSocketView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, UnixMessage>) -> Result<Self, Error> {
        let (name, file, peer, queues, memory, shutdown, uid) = body.attributes.read((
            UnixSocket::NAME,
            UnixSocket::VFS,
            UnixSocket::PEER,
            UnixSocket::RQLEN,
            UnixSocket::MEMINFO,
            UnixSocket::SHUTDOWN,
            UnixSocket::UID,
        ))?;
        Ok(Self { header: body.header, name, file, peer, queues, memory, shutdown, uid })
    }
}
