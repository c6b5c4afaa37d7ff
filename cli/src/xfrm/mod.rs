//! `xfrm`: shows and changes IPsec's states and policies, and tells of them.
//!
//! Keys are hidden unless `--show-keys` asks for them. Of the command line, they are taken out before anything else looks
//! at it, so that no message can repeat one.

use ringlink::Connection;
use ringlink::codec::xfrm::Family;
use ringlink::socket::Protocol;

use crate::arguments::{Options, Words, keyword};
use crate::failure::Failure;
use crate::session::Session;

mod words;

mod print;

mod monitor;
mod policy;
mod state;

/// What `ringlink xfrm help` says.
pub(crate) const HELP: &str = "\
ringlink xfrm state [list] [ID] [mode MODE] [reqid N] [flag FLAG …]
ringlink xfrm state add|update ID [ALGO …] [mode MODE] [mark N [mask N]] [reqid N] [seq N] [replay-window N]
    [replay-seq N] [replay-oseq N] [replay-seq-hi N] [replay-oseq-hi N] [flag FLAG …] [extra-flag XFLAG …]
    [sel SELECTOR] [limit LIMIT N] … [encap TYPE SPORT DPORT ADDR] [coa ADDR] [ctx TEXT] [if_id N] [tfcpad N]
    [output-mark N [mask N]] [offload [crypto|packet] dev DEV dir in|out]
ringlink xfrm state allocspi ID [mode MODE] [mark N [mask N]] [reqid N] [seq N] [min N max N]
ringlink xfrm state get|del ID [mark N [mask N]]
ringlink xfrm state deleteall [ID] [mode MODE] [reqid N] [flag FLAG …]
ringlink xfrm state flush [proto PROTO] | count
ringlink xfrm policy [list] [nosock] [SELECTOR] [dir DIR] [index N] [ptype PTYPE] [action ACTION] [priority N] [flag F …]
ringlink xfrm policy add|update SELECTOR dir DIR [ctx TEXT] [mark N [mask N]] [index N] [ptype PTYPE]
    [action ACTION] [priority N] [flag localok|icmp …] [if_id N] [limit LIMIT N] … [tmpl TMPL] …
ringlink xfrm policy get|del {SELECTOR | index N} dir DIR [ctx TEXT] [mark N [mask N]] [ptype PTYPE] [if_id N]
ringlink xfrm policy deleteall [what list takes] | flush [ptype PTYPE] | count | getdefault
ringlink xfrm policy set [hthresh4 LOCAL REMOTE] [hthresh6 LOCAL REMOTE] | setdefault DIR block|accept …
ringlink xfrm monitor [all | acquire | expire | SA | aevent | policy | report | migrate | mapping] …

ID        [src ADDR] [dst ADDR] [proto PROTO] [spi N]
PROTO     esp | ah | comp | route2 | hao
ALGO      enc|auth NAME KEY | auth-trunc NAME KEY BITS | aead NAME KEY BITS | comp NAME
KEY       0x and digits, or text
MODE      transport | tunnel | beet | ro | in_trigger | iptfs
FLAG      noecn | decap-dscp | nopmtudisc | wildrecv | icmp | af-unspec | align4 | esn
XFLAG     dont-encap-dscp | oseq-may-wrap
SELECTOR  [src PREFIX] [dst PREFIX] [dev DEV] [proto NAME [sport N] [dport N] [type N] [code N] [key N]]
LIMIT     time-soft | time-hard | time-use-soft | time-use-hard | byte-soft | byte-hard | packet-soft | packet-hard
TYPE      espinudp | espinudp-nonike | espintcp
DIR       in | out | fwd
PTYPE     main | sub
ACTION    allow | block
TMPL      ID [mode MODE] [reqid N] [level required|use]

Keys are shown with --show-keys only. Times are UTC.
";

const EXPECTED: &str = "state, policy or monitor";
const OBJECTS: &[&str] = &["state", "sa", "policy", "monitor"];

/// Does what the words behind `xfrm` say.
pub(crate) fn run(session: &mut Session, words: &[String]) -> Result<(), Failure> {
    let (words, keys) = words::conceal(words);
    let mut words = Words::new(&words);
    // Past `xfrm` itself.
    words.next();
    let Some(word) = words.next() else { return Err(words.refuse_end(EXPECTED)) };
    match keyword(word, OBJECTS) {
        Some("monitor") => monitor::run(session, &mut words),
        Some("policy") => policy::run(session, &mut words),
        Some(_) => state::run(session, &mut words, &keys),
        None => Err(words.refuse(EXPECTED)),
    }
}

/// From now on, the session's connection is one for IPsec. Interfaces are to be looked up before.
fn connect(session: &mut Session) -> Result<(), Failure> {
    session.connection = Connection::with(Protocol::XFRM, session.config().clone())?;
    Ok(())
}

/// The family that the options ask for.
fn family(options: &Options) -> Family {
    Family(u16::from(options.family().0))
}

/// What a request says where no address says a family: IPv4, as `ip` has it.
fn some_family(family: Family) -> Family {
    if family == Family::UNSPEC { Family::INET } else { family }
}

/// Sends what waits, and tells the first refusal.
fn finish(batch: ringlink::connection::Batch<'_>) -> Result<(), Failure> {
    let outcomes = batch.finish()?;
    for failure in outcomes.failures() {
        // What is gone already is as good.
        if !ringlink::Error::Refused(Box::new(failure.refused.clone())).is_not_found() {
            return Err(Failure::Input(failure.refused.to_string()));
        }
    }
    Ok(())
}
