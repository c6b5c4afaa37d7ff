//! What can go wrong, in words that a person can act on, and the exit code that says of what kind it was.

use std::fmt;
use std::io;

use ringlink::codec;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The words on the command line make no sense: what was found, what was expected.
    Usage(String),
    /// Something that was named, or read, is not what it should be.
    Input(String),
    /// The library or the kernel says no.
    Library(ringlink::Error),
    /// The kernel says no, in an object's own words.
    Kernel(String),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Failure {
    /// The exit code: 1 for usage and input, 2 where the kernel refused, as `ip` has it. A reader that went away is no
    /// failure.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Usage(_) | Self::Input(_) | Self::Output(_) => 1,
            Self::Library(ringlink::Error::Namespace { .. } | ringlink::Error::NoRing { .. }) => 1,
            Self::Library(_) | Self::Kernel(_) => 2,
        }
    }

    /// Whether there is anything to say.
    pub(crate) fn is_silent(&self) -> bool {
        self.code() == 0
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        let error = match self {
            Self::Usage(_) => {
                return Some("`ringlink help` shows the words there are, `ringlink OBJECT help` those of an object");
            }
            Self::Library(error) => error,
            Self::Input(_) | Self::Kernel(_) | Self::Output(_) => return None,
        };
        if error.refused().is_some() && error.is_permission() {
            return Some(
                "changing the network needs CAP_NET_ADMIN: run it as root, or in a namespace of your own (`unshare -Urn`)",
            );
        }
        let Some(refused) = error.refused() else {
            return match error {
                ringlink::Error::System { call: "setsockopt", .. } if error.is_permission() => Some(
                    "hearing this needs CAP_NET_ADMIN (audit CAP_AUDIT_READ, all namespaces CAP_NET_BROADCAST): run it as root, or in a namespace of your own (`unshare -Urn`)",
                ),
                ringlink::Error::NoRing { .. } => {
                    Some("without `--engine ring`, system calls are used where there is no ring")
                }
                _ => None,
            };
        };
        match refused.request {
            "RTM_NEWLINK" if error.is_unsupported() => {
                Some("the kernel has no such kind of interface; perhaps its module is missing (`modprobe KIND`)")
            }
            _ if error.is_unsupported() => Some("this kernel was built without it, or its module is not loaded"),
            "RTM_NEWROUTE" | "RTM_NEWADDR" | "RTM_NEWNEIGH" if error.already_exists() => {
                Some("`replace` in place of `add` changes what is there")
            }
            "IPCTNL_MSG_CT_NEW" if error.already_exists() => Some(
                "`conntrack update` changes a connection that is there; the answers of two may not be the same either",
            ),
            "RTM_DELROUTE" if error.is_not_found() => Some(
                "`ringlink route show table all` shows the routes there are; one of several is chosen by its metric, type or `via`",
            ),
            "RTM_NEWROUTE" if refused.errno == codec::reply::Errno::NETUNREACH => {
                Some("the gateway must be reachable by a route that is there; `onlink` skips that check")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Input(text) | Self::Kernel(text) => f.write_str(text),
            Self::Library(error) => error.fmt(f),
            Self::Output(error) => write!(f, "standard output: {error}"),
        }
    }
}

impl From<ringlink::Error> for Failure {
    fn from(error: ringlink::Error) -> Self {
        Self::Library(error)
    }
}

impl From<codec::Error> for Failure {
    fn from(error: codec::Error) -> Self {
        Self::Library(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
