//! States and policies read whole.

use core::net::IpAddr;

use super::{
    Acquire, Address, AeadAlgorithm, Algorithm, AuthAlgorithm, Encap, Expire, ExtraFlags, Lifetime, Mark, Offload,
    PolicyExpire, PolicyId, PolicyInfo, PolicyKind, PolicyMessage, ReplayState, ReplayStateEsn, SecurityContext,
    StateDirection, StateId, StateInfo, StateMessage, Template, Xfrm, Xfrma,
};
use crate::table::{Attributes, Body, Fixed, Key, PackedItems, SecretBytes, Table};
use crate::wire::{Error, ErrorKind, MESSAGE_HEADER, Message};

/// A state, from any message that tells of one: that it is there, changed, gone or at its limits.
#[derive(Clone, Debug)]
pub struct StateView<'a> {
    /// What is fixed.
    pub info: StateInfo,
    /// At its limits: whether it is gone.
    pub hard: Option<bool>,
    /// Mark that packets must have.
    pub mark: Option<Mark>,
    /// Digest and its key.
    pub auth: Option<(Algorithm, SecretBytes<'a>)>,
    /// Digest, how much of it is sent, and its key.
    pub auth_truncated: Option<(AuthAlgorithm, SecretBytes<'a>)>,
    /// Cipher that authenticates, too, and its key.
    pub aead: Option<(AeadAlgorithm, SecretBytes<'a>)>,
    /// Cipher and its key.
    pub crypt: Option<(Algorithm, SecretBytes<'a>)>,
    /// Compression.
    pub compression: Option<Algorithm>,
    /// What packets are wrapped in.
    pub encap: Option<Encap>,
    /// Care-of address of Mobile IPv6.
    pub care_of: Option<Address>,
    /// When it was last used, in seconds since 1970.
    pub last_used: Option<u64>,
    /// Security label and its text.
    pub security: Option<(SecurityContext, &'a [u8])>,
    /// Sequence numbers of 32 bits.
    pub replay: Option<ReplayState>,
    /// Sequence numbers of up to 64 bits, and the words of the window.
    pub replay_esn: Option<(ReplayStateEsn, &'a [u8])>,
    /// What else is special about it.
    pub extra_flags: ExtraFlags,
    /// A device that takes part.
    pub offload: Option<Offload>,
    /// Mark that packets get, and which of its bits are set.
    pub set_mark: Option<Mark>,
    /// Number of the interface it belongs to.
    pub if_id: Option<u32>,
    /// Bytes to which packets are padded.
    pub padding: Option<u32>,
    /// Which packets it is for.
    pub direction: Option<StateDirection>,
}

impl<'a> StateView<'a> {
    /// Reads a state that is there.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, StateMessage>) -> Result<Self, Error> {
        Self::with(&body.header, None, body.attributes)
    }

    /// Reads a state from whatever message tells of one.
    ///
    /// # Errors
    ///
    /// If the message is none that tells of a state, is broken, or says that a state is gone and not which.
    pub fn of(message: Message<'a>) -> Result<Self, Error> {
        match message.header.kind {
            kind if kind == Xfrm::NEWSA.kind || kind == Xfrm::UPDSA.kind => Self::read(Body::of(message)),
            kind if kind == Xfrm::DELSA.kind => {
                let Body { attributes, .. } = message.body(Xfrm::DELSA)?;
                let info = attributes.get(Xfrma::SA)?;
                Self::with(&info.ok_or_else(|| absent(Xfrma::SA, size_of::<StateId>()))?, None, attributes)
            }
            _ => {
                let Body { header: Expire { state, hard, .. }, attributes, .. } = message.body(Xfrm::EXPIRE)?;
                Self::with(&state, Some(hard != 0), attributes)
            }
        }
    }

    fn with(info: &StateInfo, hard: Option<bool>, attributes: Attributes<'a, Xfrma>) -> Result<Self, Error> {
        let (
            (mark, auth, auth_truncated, aead, crypt, compression, encap, care_of, last_used, security),
            (replay, replay_esn, extra_flags, offload, set_mark, set_mask, if_id, padding, direction),
        ) = attributes.read((
            (
                Xfrma::MARK,
                Xfrma::ALG_AUTH,
                Xfrma::ALG_AUTH_TRUNC,
                Xfrma::ALG_AEAD,
                Xfrma::ALG_CRYPT,
                Xfrma::ALG_COMP,
                Xfrma::ENCAP,
                Xfrma::COADDR,
                Xfrma::LASTUSED,
                Xfrma::SEC_CTX,
            ),
            (
                Xfrma::REPLAY_VAL,
                Xfrma::REPLAY_ESN_VAL,
                Xfrma::SA_EXTRA_FLAGS,
                Xfrma::OFFLOAD_DEV,
                Xfrma::SET_MARK,
                Xfrma::SET_MARK_MASK,
                Xfrma::IF_ID,
                Xfrma::TFCPAD,
                Xfrma::SA_DIR,
            ),
        ))?;
        Ok(Self {
            info: *info,
            hard,
            mark,
            auth: auth.map(|(algorithm, key)| (algorithm, algorithm.key(key))),
            auth_truncated: auth_truncated.map(|(algorithm, key)| (algorithm, algorithm.key(key))),
            aead: aead.map(|(algorithm, key)| (algorithm, algorithm.key(key))),
            crypt: crypt.map(|(algorithm, key)| (algorithm, algorithm.key(key))),
            compression: compression.map(|(algorithm, _)| algorithm),
            encap,
            care_of,
            last_used,
            security,
            replay,
            replay_esn,
            extra_flags: extra_flags.unwrap_or_default(),
            offload,
            set_mark: set_mark.map(|v| Mark { v, m: set_mask.unwrap_or(u32::MAX) }),
            if_id,
            padding,
            direction,
        })
    }

    /// Source of the outer packet.
    #[must_use]
    pub fn source(&self) -> Option<IpAddr> {
        self.info.saddr.ip(self.info.family)
    }

    /// Destination of the outer packet.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        self.info.id.daddr.ip(self.info.family)
    }

    /// What it has lived through.
    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        self.info.curlft
    }
}

/// A policy, from any message that tells of one: that it is there, changed, gone, at its limits, or wants a state.
#[derive(Clone, Debug)]
pub struct PolicyView<'a> {
    /// What is fixed.
    pub info: PolicyInfo,
    /// At its limits: whether it is gone.
    pub hard: Option<bool>,
    /// Which of the tables it is in; kernels without sub-policies do not say.
    pub kind: Option<PolicyKind>,
    /// Mark that packets must have.
    pub mark: Option<Mark>,
    /// States that packets have to have, the innermost first.
    pub templates: Option<PackedItems<'a, Template>>,
    /// Security label and its text.
    pub security: Option<(SecurityContext, &'a [u8])>,
    /// Number of the interface it belongs to.
    pub if_id: Option<u32>,
    /// A device that takes part.
    pub offload: Option<Offload>,
}

impl<'a> PolicyView<'a> {
    /// Reads a policy that is there.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, PolicyMessage>) -> Result<Self, Error> {
        Self::with(body.header, None, body.attributes)
    }

    /// Reads a policy from whatever message tells of one.
    ///
    /// # Errors
    ///
    /// If the message is none that tells of a policy, is broken, or says that a policy is gone and not which.
    pub fn of(message: Message<'a>) -> Result<Self, Error> {
        match message.header.kind {
            kind if kind == Xfrm::NEWPOLICY.kind || kind == Xfrm::UPDPOLICY.kind => Self::read(Body::of(message)),
            kind if kind == Xfrm::DELPOLICY.kind => {
                let Body { attributes, .. } = message.body(Xfrm::DELPOLICY)?;
                let info = attributes.get(Xfrma::POLICY)?;
                Self::with(info.ok_or_else(|| absent(Xfrma::POLICY, size_of::<PolicyId>()))?, None, attributes)
            }
            kind if kind == Xfrm::ACQUIRE.kind => {
                let Body { header: Acquire { policy, .. }, attributes, .. } = message.body(Xfrm::ACQUIRE)?;
                Self::with(policy, None, attributes)
            }
            _ => {
                let Body { header: PolicyExpire { pol, hard, .. }, attributes, .. } = message.body(Xfrm::POLEXPIRE)?;
                Self::with(pol, Some(hard != 0), attributes)
            }
        }
    }

    fn with(info: PolicyInfo, hard: Option<bool>, attributes: Attributes<'a, Xfrma>) -> Result<Self, Error> {
        let (kind, mark, templates, security, if_id, offload) = attributes.read((
            Xfrma::POLICY_TYPE,
            Xfrma::MARK,
            Xfrma::TMPL,
            Xfrma::SEC_CTX,
            Xfrma::IF_ID,
            Xfrma::OFFLOAD_DEV,
        ))?;
        Ok(Self { info, hard, kind: kind.map(|kind| kind.kind), mark, templates, security, if_id, offload })
    }
}

/// The error for a message that says something is gone, and not what.
#[cold]
fn absent<V: Fixed>(key: Key<Xfrma, V>, header: usize) -> Error {
    let expected = u32::try_from(V::SIZE).unwrap_or(u32::MAX);
    let offset = u32::try_from(header.saturating_add(MESSAGE_HEADER)).unwrap_or(u32::MAX);
    let name = Xfrma::space().row(key.number()).map_or("", |row| row.name);
    Error { kind: ErrorKind::PayloadLength { found: 0, expected }, offset, attribute: key.number(), name }
}
