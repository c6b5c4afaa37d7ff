//! `nft`: shows and changes the firewall's tables, chains, rules and sets, and tells of changes.
//!
//! The kernel keeps a rule as expressions that work on registers; [`decompile`] makes statements of them again. With
//! `--json` those are what `nft -j` prints (libnftables-json(5)), without it `nft`'s own words.
//!
//! What is absent: files of rules and JSON as input (`nft -f` reads them).

use ringlink::Connection;
use ringlink::socket::Protocol;

use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::session::Session;

mod json;
mod protocol;
mod types;

mod expression;
mod print;
mod statement;

mod decompile;
mod set;

mod list;
mod rows;
mod ruleset;

/// What `ringlink nft help` says.
pub(crate) const HELP: &str = "\
ringlink [--json] nft list ruleset [FAMILY]
ringlink [--json] nft list tables | chains | sets | maps | meters | flowtables | rules [FAMILY [TABLE]]
ringlink [--json] nft list counters | quotas | limits | secmarks | synproxys [FAMILY [TABLE]]
ringlink [--json] nft list ct helpers | timeouts | expectations [FAMILY [TABLE]]
ringlink [--json] nft list table [FAMILY] TABLE
ringlink [--json] nft list chain | set | map | meter | flowtable [FAMILY] TABLE NAME
ringlink [--json] nft list counter | quota | limit | secmark | synproxy | ct helper | ct timeout | ct expectation
    [FAMILY] TABLE NAME

FAMILY    ip | ip6 | inet | arp | bridge | netdev; without it, ip where something is named, else all
";

const EXPECTED: &str = "list";
const VERBS: &[&str] = &["list"];

/// Does what the words behind `nft` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return Err(words.refuse_end(EXPECTED)) };
    if keyword(word, VERBS).is_none() {
        return Err(words.refuse(EXPECTED));
    }
    // Interfaces are named by the numbers that rules have.
    session.learn_names()?;
    session.connection = Connection::with(Protocol::NETFILTER, session.config().clone())?;
    list::run(session, words)
}
