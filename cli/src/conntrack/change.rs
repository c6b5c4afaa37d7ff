//! What changes connections, and what asks for one.

use std::fs;
use std::io;

use ringlink::codec::netfilter::conntrack::{
    ConnectionMessage, ConnectionView, Conntrack, Cta, DccpInfo, Endpoints, Help, ProtoInfo, Protocol, SctpInfo,
    SctpState, Status, TcpFlags, TcpFlagsMask, TcpInfo,
};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::route;
use ringlink::codec::table::{AttributeWriter, Operation};

use super::words::{State, Wanted, verb};
use super::{Chosen, chosen, labels, name, print};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::session::{Session, warn};

/// Asks for one connection, by its tuple or that of the answers to it.
pub(super) fn get(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, verb::GET, session.options.family())?;
    let (key, tuple) = match (wanted.original.is_named(), wanted.reply.is_named()) {
        (true, _) => (Cta::TUPLE_ORIG, wanted.original_tuple()),
        (_, true) => (Cta::TUPLE_REPLY, wanted.reply.tuple(wanted.protocol)),
        _ => return Err(words.refuse_end("-s ADDRESS -d ADDRESS, or -r ADDRESS -q ADDRESS of the answers")),
    };
    let tuple = whole(tuple, words)?;
    let Session { connection, output, .. } = session;
    let reply = connection.get(Conntrack::GET, NetfilterHeader::of(wanted.family), |question| {
        question.nest(key, |nest| tuple.write(nest));
        question.put_some(Cta::ZONE, wanted.zone);
    });
    let reply = match reply {
        Err(error) if error.is_not_found() => return Err(Failure::Input("there is no such connection".to_owned())),
        reply => reply?,
    };
    let view = ConnectionView::read(reply.body())?;
    output.row(|row| print::connection(row, &view, wanted.shown, None));
    Ok(())
}

/// A tuple with all that its protocol has.
fn whole(tuple: Endpoints, words: &Words<'_>) -> Result<Endpoints, Failure> {
    let expect = |missing: &str| Err(words.refuse_end(missing));
    match tuple.protocol {
        None => expect("-p PROTO"),
        Some(Protocol::TCP | Protocol::UDP | Protocol::UDPLITE | Protocol::SCTP | Protocol::DCCP)
            if tuple.source_port.is_none() || tuple.destination_port.is_none() =>
        {
            expect("--sport PORT --dport PORT (of the answers --reply-port-src, --reply-port-dst)")
        }
        Some(Protocol::GRE) if tuple.source_port.is_none() || tuple.destination_port.is_none() => {
            expect("--srckey KEY --dstkey KEY")
        }
        Some(Protocol::ICMP | Protocol::ICMPV6) if tuple.icmp_type.is_none() => expect("--icmp-type N"),
        Some(Protocol::ICMP | Protocol::ICMPV6) => {
            Ok(Endpoints { icmp_code: tuple.icmp_code.or(Some(0)), icmp_id: tuple.icmp_id.or(Some(0)), ..tuple })
        }
        Some(_) => Ok(tuple),
    }
}

/// A connection that is to be made.
struct Draft {
    wanted: Wanted,
    timeout: u32,
    original: Endpoints,
    reply: Endpoints,
    /// Whether one that is there already is an error.
    new: bool,
}

impl Draft {
    fn read(words: &mut Words<'_>, new: bool, family: route::Family) -> Result<Self, Failure> {
        let wanted = Wanted::read(words, verb::CREATE, family)?;
        if !wanted.original.is_named() {
            return Err(words.refuse_end("-s ADDRESS -d ADDRESS"));
        }
        let Some(timeout) = wanted.timeout else { return Err(words.refuse_end("-t SECONDS")) };
        let original = whole(wanted.original_tuple(), words)?;
        let told = wanted.reply.tuple(wanted.protocol);
        let back = original.reversed();
        let reply = Endpoints {
            source: told.source.or(back.source),
            destination: told.destination.or(back.destination),
            source_port: told.source_port.or(back.source_port),
            destination_port: told.destination_port.or(back.destination_port),
            zone: told.zone,
            ..back
        };
        Ok(Self { wanted, timeout, original, reply, new })
    }

    fn operation(&self) -> Operation<ConnectionMessage> {
        let operation = Conntrack::NEW.create();
        if self.new { operation.exclusive() } else { operation }
    }

    fn header(&self) -> NetfilterHeader {
        NetfilterHeader::of(self.wanted.family)
    }

    fn put(&self, connection: &mut AttributeWriter<'_, '_, Cta>) {
        let Self { wanted, timeout, original, reply, .. } = self;
        connection.nest(Cta::TUPLE_ORIG, |tuple| original.write(tuple));
        connection.nest(Cta::TUPLE_REPLY, |tuple| reply.write(tuple));
        connection.put(Cta::TIMEOUT, *timeout);
        // It is confirmed, and the kernel lets nobody say otherwise.
        connection.put_some(Cta::STATUS, wanted.status.map(|status| status | Status::CONFIRMED));
        connection.put_some(Cta::MARK, wanted.mark.map(|(mark, _)| mark));
        connection.put_some(Cta::ZONE, wanted.zone);
        for (key, target) in [(Cta::NAT_SRC, wanted.source_nat), (Cta::NAT_DST, wanted.destination_nat)] {
            if let Some(target) = target {
                connection.nest(key, |nat| target.write(nat));
            }
        }
        if let Some(helper) = &wanted.helper {
            connection.nest(Cta::HELP, |help| help.put(Help::NAME, helper.as_str()));
        }
        put_protocol(connection, wanted);
        put_labels(connection, wanted);
    }
}

/// Makes a connection; `new`: one that is there already is an error.
pub(super) fn create(session: &mut Session, words: &mut Words<'_>, new: bool) -> Result<(), Failure> {
    let draft = Draft::read(words, new, session.options.family())?;
    let warning = session.connection.apply(draft.operation(), draft.header(), |connection| draft.put(connection))?;
    if let Some(warning) = warning {
        warn(format_args!("{warning}"));
    }
    Ok(())
}

/// Makes the connections that the lines of a file name, as `list -o save` shows them.
pub(super) fn load(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let path = words.value("a file, or - for standard input")?;
    super::nothing_more(words)?;
    let text = match path {
        "-" => io::read_to_string(io::stdin()),
        path => fs::read_to_string(path),
    };
    let text = text.map_err(|error| Failure::Input(format!("{path}: {error}")))?;
    let family = session.options.family();
    let mut batch = session.connection.batch();
    let mut numbers = Vec::new();
    for (number, line) in (1_usize..).zip(text.lines()) {
        let line: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut words = Words::new(&line);
        let new = match words.next() {
            None => continue,
            Some(word) if word.starts_with('#') => continue,
            Some("-A" | "--add") => false,
            Some("-I" | "--create") => true,
            Some(word) => {
                return Err(Failure::Input(format!("{path}, line {number}: `{word}`: expected -A or -I")));
            }
        };
        let draft = Draft::read(&mut words, new, family)
            .map_err(|failure| Failure::Input(format!("{path}, line {number}: {failure}")))?;
        batch.add(draft.operation(), draft.header(), |connection| draft.put(connection))?;
        numbers.push(number);
    }
    let outcomes = batch.finish()?;
    let failures = outcomes.failures();
    for failure in failures {
        let number = numbers.get(failure.index).copied().unwrap_or(0);
        warn(format_args!("{path}, line {number}: {}", failure.refused));
    }
    match failures.first() {
        None => Ok(()),
        Some(first) => Err(Failure::Library(ringlink::Error::Refused(Box::new(first.refused.clone())))),
    }
}

fn put_protocol(connection: &mut AttributeWriter<'_, '_, Cta>, wanted: &Wanted) {
    let Wanted { protocol, state, role, tags, .. } = wanted;
    match (*protocol, *state) {
        (Some(Protocol::TCP), state) => connection.nest(Cta::PROTOINFO, |info| {
            info.nest(ProtoInfo::TCP, |tcp| {
                if let Some(State::Tcp(state)) = state {
                    tcp.put(TcpInfo::STATE, state);
                }
                // The kernel has not seen the windows, so they are not to be checked. conntrack(8) does the same.
                let liberal = TcpFlags::SACK_PERM | TcpFlags::BE_LIBERAL;
                let flags = TcpFlagsMask { flags: liberal, mask: liberal };
                tcp.put(TcpInfo::FLAGS_ORIGINAL, flags);
                tcp.put(TcpInfo::FLAGS_REPLY, flags);
            });
        }),
        (Some(Protocol::DCCP), Some(State::Dccp(state))) => connection.nest(Cta::PROTOINFO, |info| {
            info.nest(ProtoInfo::DCCP, |dccp| {
                dccp.put(DccpInfo::STATE, state);
                dccp.put(DccpInfo::ROLE, role.unwrap_or_default());
            });
        }),
        (Some(Protocol::SCTP), state) if state.is_some() || *tags != [None, None] => {
            connection.nest(Cta::PROTOINFO, |info| {
                info.nest(ProtoInfo::SCTP, |sctp| {
                    // The kernel takes all three or none.
                    let State::Sctp(state) = state.unwrap_or(State::Sctp(SctpState::NONE)) else { return };
                    sctp.put(SctpInfo::STATE, state);
                    sctp.put(SctpInfo::VTAG_ORIGINAL, tags[0].unwrap_or(0));
                    sctp.put(SctpInfo::VTAG_REPLY, tags[1].unwrap_or(0));
                });
            });
        }
        _ => {}
    }
}

/// Writes labels that are to be set, and which bits change.
fn put_labels(connection: &mut AttributeWriter<'_, '_, Cta>, wanted: &Wanted) {
    if wanted.label_add.is_empty() && wanted.label_remove.is_none() {
        return;
    }
    let added = labels::bytes(wanted.label_add.iter().copied());
    let changed = match &wanted.label_remove {
        Some(all) if all.is_empty() => [u8::MAX; 16],
        removed => labels::bytes(wanted.label_add.iter().chain(removed.iter().flatten()).copied()),
    };
    connection.put(Cta::LABELS, &added);
    connection.put(Cta::LABELS_MASK, &changed);
}

/// Changes connections that are there.
pub(super) fn update(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut wanted = Wanted::read(words, verb::UPDATE, session.options.family())?;
    // They are what is to be, not what is looked for.
    let (mark, status) = (wanted.mark.take(), wanted.status.take());
    let labels = !wanted.label_add.is_empty() || wanted.label_remove.is_some();
    if mark.is_none() && status.is_none() && wanted.timeout.is_none() && !labels {
        return Err(words.refuse_end("-t SECONDS, -m MARK, -u STATUS, --label-add LABEL or --label-del"));
    }
    change(session, &wanted, Conntrack::NEW, |request, view| {
        request.put_some(Cta::TIMEOUT, wanted.timeout);
        if let Some((mark, mask)) = mark {
            request.put(Cta::MARK, mark);
            request.put_some(Cta::MARK_MASK, mask);
        }
        // Bits are only added: the kernel takes none away.
        request.put_some(Cta::STATUS, status.map(|status| status | view.status.unwrap_or_default()));
        put_labels(request, &wanted);
    })
}

/// Deletes connections.
pub(super) fn delete(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, verb::DELETE, session.options.family())?;
    if !wanted.is_choosy() {
        return Err(words.refuse_end("which connections (`flush` deletes all)"));
    }
    change(session, &wanted, Conntrack::DELETE, |_, _| {})
}

/// Has every connection that is chosen changed, and shows those that were.
fn change(
    session: &mut Session,
    wanted: &Wanted,
    operation: Operation<ConnectionMessage>,
    fill: impl Fn(&mut AttributeWriter<'_, '_, Cta>, &ConnectionView<'_>),
) -> Result<(), Failure> {
    let all = chosen(session, wanted)?;
    let views = || all.iter().flat_map(Chosen::iter).filter_map(|body| ConnectionView::read(body).ok());
    let mut batch = session.connection.batch();
    for view in views() {
        batch.add(operation, NetfilterHeader::of(view.header.nfgen_family), |request| {
            name(request, &view);
            fill(request, &view);
        })?;
    }
    let outcomes = batch.finish()?;
    let mut refused = None;
    for (view, outcome) in views().zip(outcomes.iter()) {
        match outcome {
            Ok(()) => session.output.row(|row| print::connection(row, &view, wanted.shown, None)),
            // It ended by itself.
            Err(error) if error.errno.is_not_found() => {}
            Err(error) => {
                refused.get_or_insert_with(|| error.clone());
            }
        }
    }
    match refused {
        Some(refused) => Err(Failure::Library(ringlink::Error::Refused(Box::new(refused)))),
        None => Ok(()),
    }
}

/// Shows connections and has them count from 0 again: those that are chosen, one by one, because the kernel would do so to
/// all that it cannot tell from them.
pub(super) fn zero(session: &mut Session, wanted: &Wanted) -> Result<(), Failure> {
    let all = chosen(session, wanted)?;
    let Session { connection, output, .. } = session;
    let mut lookups = connection.lookups(Conntrack::GET_CTRZERO, |_, answer| {
        match answer {
            Ok(body) => {
                let view = ConnectionView::read(body)?;
                output.row(|row| print::connection(row, &view, wanted.shown, None));
            }
            // It ended by itself.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    });
    for view in all.iter().flat_map(Chosen::iter).filter_map(|body| ConnectionView::read(body).ok()) {
        lookups.add(NetfilterHeader::of(view.header.nfgen_family), |question| name(question, &view))?;
    }
    lookups.finish()?;
    Ok(())
}

/// Deletes all connections, or all of a family.
pub(super) fn flush(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let header = flushed(session, words)?;
    session.connection.apply(Conntrack::DELETE, header, |_| {})?;
    Ok(())
}

/// The header of a request that deletes all: the kernel looks at the family from version 1 on.
fn flushed(session: &Session, words: &mut Words<'_>) -> Result<NetfilterHeader, Failure> {
    let family = match (words.next(), session.options.family()) {
        (None, route::Family::INET) => Family::IPV4,
        (None, route::Family::INET6) => Family::IPV6,
        (None, _) => Family::UNSPEC,
        (Some("-f" | "--family"), _) => words.parse("ipv4 or ipv6", |word| match word {
            "ipv4" | "inet" => Some(Family::IPV4),
            "ipv6" | "inet6" => Some(Family::IPV6),
            _ => None,
        })?,
        (Some(word), _) => {
            return Err(Failure::Usage(format!("`{word}`: expected -f FAMILY or nothing (`delete` takes a choice)")));
        }
    };
    super::nothing_more(words)?;
    Ok(NetfilterHeader { version: u8::from(family != Family::UNSPEC), ..NetfilterHeader::of(family) })
}
