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
use change::Verb;

mod json;
mod protocol;
mod types;

mod expression;
mod print;
mod statement;

mod decompile;
mod set;

mod element;
mod value;

mod compile;

mod change;
mod list;
mod monitor;
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

ringlink nft add | create | delete | destroy table [FAMILY] TABLE
ringlink nft add | create chain [FAMILY] TABLE CHAIN [{ type TYPE hook HOOK [device DEV] priority PRIO; [policy POLICY;] }]
ringlink nft delete | destroy chain [FAMILY] TABLE CHAIN
ringlink nft add | insert rule [FAMILY] TABLE CHAIN [handle N] STATEMENT …
ringlink nft delete | destroy rule [FAMILY] TABLE CHAIN handle N
ringlink nft add | create set | map [FAMILY] TABLE SET { type TYPE [. TYPE] [: TYPE]; [flags FLAG,…;] [timeout TIME;]
    [gc-interval TIME;] [size N;] [comment TEXT;] [elements = { … }] }
ringlink nft add | create | delete | destroy element [FAMILY] TABLE SET { KEY [timeout TIME] [comment TEXT] [: VALUE], … }
ringlink nft add | create | delete | destroy counter | quota | limit [FAMILY] TABLE NAME [[over] N UNIT | rate …]
ringlink nft delete | destroy set | map | flowtable [FAMILY] TABLE NAME
ringlink nft flush ruleset [FAMILY] | table [FAMILY] TABLE | chain | set | map [FAMILY] TABLE NAME
ringlink nft monitor [--json]

STATEMENT KEY [OP] VALUE | KEY [OP] { VALUE, … } | KEY [OP] @SET | KEY vmap { VALUE : VERDICT, … } | KEY vmap @MAP
          meta | ct NAME set VALUE | meta | ct NAME set KEY map { VALUE : VALUE, … } | meta | ct NAME set KEY map @MAP
          counter [name N] | limit rate [over] N/UNIT [burst N packets] | quota [over] N UNIT | notrack | comment TEXT
          log [prefix TEXT] [level L] [group N] [flags F] | reject [with …] | add | update | delete @SET { KEY [timeout T] }
          snat | dnat [ip | ip6] to ADDRESS[:PORT] | snat | dnat [ip | ip6] to KEY map { VALUE : ADDRESS, … } | … map @MAP
          masquerade | redirect [to :PORT] | accept | drop | continue | return | jump | goto CHAIN
KEY       ip | ip6 | arp | ether | tcp | udp | icmp … FIELD | meta NAME | ct NAME | iifname | oifname | iif | oif; several
          with . between are looked up together: ip saddr . tcp dport { 10.0.0.1 . 22, … }
OP        == | != | < | <= | > | >=, and before it & MASK
FAMILY    ip | ip6 | inet | arp | bridge | netdev; without it, ip where something is named, else all
";

const EXPECTED: &str = "list, add, create, insert, delete, destroy, flush or monitor";
const VERBS: &[&str] = &["list", "add", "create", "insert", "delete", "destroy", "flush", "monitor"];

/// Does what the words behind `nft` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return Err(words.refuse_end(EXPECTED)) };
    let Some(verb) = keyword(word, VERBS) else { return Err(words.refuse(EXPECTED)) };
    // Interfaces are named by the numbers that rules have.
    session.learn_names()?;
    session.connection = Connection::with(Protocol::NETFILTER, session.config().clone())?;
    let verb = match verb {
        "list" => return list::run(session, words),
        "monitor" => return monitor::run(session, words),
        "add" => Verb::Add,
        "create" => Verb::Create,
        "insert" => Verb::Insert,
        "delete" => Verb::Delete,
        "destroy" => Verb::Destroy,
        _ => Verb::Flush,
    };
    let mut line = Vec::new();
    while let Some(word) = words.next() {
        line.push(word);
    }
    let line = change::split(&line);
    change::run(session, verb, &mut Words::new(&line))
}
