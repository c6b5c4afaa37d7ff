//! The first witness: the C headers installed on this machine. A compiler says of each name in the tables whether the
//! headers have it, then a program made of those they have prints what they say.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ringlink_codec::table::Layout;

use super::Findings;
use super::walk::{Tables, Values, c_name};
use crate::failure::{Context, Outcome};
use crate::process;

/// Where the tables' names come from. A header that is not installed is passed over.
const HEADERS: &[&str] = &[
    "stddef.h",
    "sys/socket.h",
    // Includes netinet/in.h, which fits together with linux/in.h only if it comes first.
    "linux/mptcp.h",
    "linux/types.h",
    "linux/netlink.h",
    "linux/genetlink.h",
    "linux/rtnetlink.h",
    "linux/if.h",
    "linux/if_link.h",
    "linux/if_addr.h",
    "linux/if_addrlabel.h",
    "linux/if_arp.h",
    "linux/if_bridge.h",
    "linux/if_bonding.h",
    "linux/if_ether.h",
    "linux/if_macsec.h",
    "linux/if_tun.h",
    "linux/if_tunnel.h",
    "linux/if_vlan.h",
    "linux/amt.h",
    "linux/audit.h",
    "linux/batman_adv.h",
    "linux/mctp.h",
    "linux/can/gw.h",
    "linux/can/netlink.h",
    "linux/cfm_bridge.h",
    "linux/cgroupstats.h",
    "linux/cn_proc.h",
    "linux/connector.h",
    "linux/dcbnl.h",
    "linux/ethtool.h",
    "linux/ethtool_netlink.h",
    "linux/fib_rules.h",
    "linux/filter.h",
    "linux/gtp.h",
    "linux/icmpv6.h",
    "linux/ife.h",
    "linux/ila.h",
    "linux/inet_diag.h",
    "linux/in.h",
    "linux/in6.h",
    "linux/in_route.h",
    "linux/ioam6_iptunnel.h",
    "linux/ip6_tunnel.h",
    "linux/ipv6_route.h",
    "linux/lwtunnel.h",
    "linux/mpls.h",
    "linux/mpls_iptunnel.h",
    "linux/mrp_bridge.h",
    "linux/mroute.h",
    "linux/mroute6.h",
    "linux/mptcp_pm.h",
    "linux/neighbour.h",
    "linux/netfilter.h",
    "linux/netfilter/nfnetlink.h",
    "linux/netfilter/nf_conntrack_common.h",
    "linux/netfilter/nf_conntrack_sctp.h",
    "linux/netfilter/nf_conntrack_tcp.h",
    "linux/netfilter/nf_conntrack_tuple_common.h",
    "linux/netfilter/nfnetlink_acct.h",
    "linux/netfilter/nfnetlink_conntrack.h",
    "linux/netfilter/nfnetlink_cthelper.h",
    "linux/netfilter/nfnetlink_cttimeout.h",
    "linux/netfilter/nfnetlink_hook.h",
    "linux/netfilter/nfnetlink_osf.h",
    "linux/netfilter/nfnetlink_log.h",
    "linux/netfilter/nfnetlink_queue.h",
    "linux/net_namespace.h",
    "linux/netconf.h",
    "linux/netdev.h",
    "linux/netfilter/nf_log.h",
    "linux/netfilter/nf_nat.h",
    "linux/netfilter/nf_synproxy.h",
    "linux/netfilter/nf_tables.h",
    "linux/netfilter/nf_tables_compat.h",
    "linux/netfilter/xt_LOG.h",
    "linux/netfilter/xt_TCPMSS.h",
    "linux/netfilter/xt_addrtype.h",
    "linux/netfilter/xt_comment.h",
    "linux/netfilter/xt_conntrack.h",
    "linux/netfilter/xt_limit.h",
    "linux/netfilter/xt_mark.h",
    "linux/netfilter/xt_multiport.h",
    "linux/netfilter/xt_state.h",
    "linux/netfilter/xt_tcpudp.h",
    "linux/netlink_diag.h",
    "linux/nexthop.h",
    "linux/packet_diag.h",
    "linux/rpl.h",
    "linux/rpl_iptunnel.h",
    "linux/seg6.h",
    "linux/seg6_hmac.h",
    "linux/seg6_iptunnel.h",
    "linux/seg6_local.h",
    "linux/smc_diag.h",
    "linux/sock_diag.h",
    "linux/taskstats.h",
    "linux/tcp.h",
    "linux/tcp_metrics.h",
    "linux/time_types.h",
    "linux/tipc_sockets_diag.h",
    "linux/tls.h",
    "linux/unix_diag.h",
    "linux/udp.h",
    "linux/veth.h",
    "linux/vm_sockets_diag.h",
    "linux/can/vxcan.h",
    "linux/wireguard.h",
    "linux/wwan.h",
    "linux/xdp_diag.h",
    "linux/xfrm.h",
    "linux/netfilter/ipset/ip_set.h",
    "linux/netfilter/ipset/ip_set_bitmap.h",
    "linux/netfilter/ipset/ip_set_hash.h",
    "linux/netfilter/ipset/ip_set_list.h",
    "linux/pkt_sched.h",
    "linux/pkt_cls.h",
    "linux/gen_stats.h",
    "linux/tc_ematch/tc_em_cmp.h",
    "linux/tc_ematch/tc_em_ipt.h",
    "linux/tc_ematch/tc_em_meta.h",
    "linux/tc_ematch/tc_em_nbyte.h",
    "linux/tc_ematch/tc_em_text.h",
    "linux/tc_act/tc_bpf.h",
    "linux/tc_act/tc_connmark.h",
    "linux/tc_act/tc_csum.h",
    "linux/tc_act/tc_ct.h",
    "linux/tc_act/tc_ctinfo.h",
    "linux/tc_act/tc_defact.h",
    "linux/tc_act/tc_gact.h",
    "linux/tc_act/tc_gate.h",
    "linux/tc_act/tc_ife.h",
    "linux/tc_act/tc_ipt.h",
    "linux/tc_act/tc_mirred.h",
    "linux/tc_act/tc_mpls.h",
    "linux/tc_act/tc_nat.h",
    "linux/tc_act/tc_pedit.h",
    "linux/tc_act/tc_sample.h",
    "linux/tc_act/tc_skbedit.h",
    "linux/tc_act/tc_skbmod.h",
    "linux/tc_act/tc_tunnel_key.h",
    "linux/tc_act/tc_vlan.h",
];

/// How long the compiler may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// One thing to ask the headers.
struct Probe {
    /// Who says so: the table.
    table: &'static str,
    /// What a person calls it (`IFLA_MTU`, `offsetof ifinfomsg.ifi_index`).
    name: String,
    /// The C expressions that say it; the first that compiles counts.
    expressions: Vec<String>,
    /// What the table says.
    ours: u64,
    kind: Kind,
}

/// What a difference means.
#[derive(Clone, Copy)]
enum Kind {
    /// Every difference is wrong.
    Number,
    /// One of a table's values: the header may write them all in another way.
    Value(Values),
    /// The struct's size: one of a newer kernel may be longer.
    Size(&'static Layout),
    /// A field's place or size.
    Field(&'static Layout),
}

/// Asks the installed headers for every name of the tables.
pub fn compare(tables: &Tables, findings: &mut Findings) -> Outcome {
    if !process::exists("cc") {
        println!("skipped: headers: there is no C compiler here");
        return Ok(());
    }
    let probes = probes(tables);
    let folder = Folder::make()?;
    let answers = ask(&probes, &folder.0)?;
    let sizes: BTreeMap<&str, u64> = probes
        .iter()
        .zip(&answers)
        .filter_map(|(probe, answer)| match (probe.kind, answer) {
            (Kind::Size(layout), Some(size)) => Some((layout.name, *size)),
            _ => None,
        })
        .collect();
    let manners = Manners::of(&probes, &answers);
    let mut confirmed = 0;
    for (probe, answer) in probes.iter().zip(&answers) {
        let Some(theirs) = answer.map(|answer| manners.read(probe, answer)) else {
            match probe.kind {
                Kind::Field(layout) if sizes.contains_key(layout.name) => findings.notes.push(format!(
                    "{}: struct {} in the installed headers cannot say: {}",
                    probe.table, layout.name, probe.name
                )),
                _ => findings.absent.push(probe.name.clone()),
            }
            continue;
        };
        if theirs == probe.ours {
            confirmed += 1;
            findings.confirmed.insert(probe.name.clone());
            continue;
        }
        let difference = format!(
            "{}: {} is {} in the table, {theirs} in the installed headers",
            probe.table, probe.name, probe.ours
        );
        match probe.kind {
            // Structs grow at their end: a longer one of ours is right where the older one ends between two fields.
            Kind::Size(layout) if ends_between_fields(layout, theirs) => findings.notes.push(difference),
            _ => findings.wrong.push(difference),
        }
    }
    println!(
        "headers: {} asked, {confirmed} confirmed, {} not in the installed headers",
        probes.len(),
        findings.absent.len()
    );
    Ok(())
}

/// How the headers write each table's values, where that is not as the table does.
struct Manners(BTreeMap<&'static str, Manner>);

/// A way to write values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// The number itself.
    Plain,
    /// The number as it lies in memory, big-endian.
    Swapped,
    /// The number of the bit (`BR_BOOLOPT_NO_LL_LEARN`).
    BitNumber,
}

impl Manners {
    /// The first way that explains all values of a table; a table with an error in it has the plain one.
    fn of(probes: &[Probe], answers: &[Option<u64>]) -> Self {
        let mut tables: BTreeMap<&str, Vec<(Values, u64, u64)>> = BTreeMap::new();
        for (probe, answer) in probes.iter().zip(answers) {
            if let (Kind::Value(values), Some(theirs)) = (probe.kind, answer) {
                tables.entry(probe.table).or_default().push((values, probe.ours, *theirs));
            }
        }
        let explains = |manner: Manner, rows: &[(Values, u64, u64)]| {
            rows.iter().all(|(values, ours, theirs)| manner.read(*values, *theirs) == *ours)
        };
        let manner = |rows: &[(Values, u64, u64)]| {
            [Manner::Plain, Manner::Swapped, Manner::BitNumber].into_iter().find(|manner| explains(*manner, rows))
        };
        Self(tables.into_iter().map(|(table, rows)| (table, manner(&rows).unwrap_or(Manner::Plain))).collect())
    }

    fn read(&self, probe: &Probe, answer: u64) -> u64 {
        match probe.kind {
            Kind::Value(values) => self.0.get(probe.table).copied().unwrap_or(Manner::Plain).read(values, answer),
            _ => answer,
        }
    }
}

impl Manner {
    /// A header's value in the table's way. The headers' numbers may be wider than the table's: -1 is.
    fn read(self, values: Values, theirs: u64) -> u64 {
        let unused = 64 - 8 * u32::from(values.width.clamp(1, 8));
        match self {
            Self::Swapped if values.big_endian && cfg!(target_endian = "little") => theirs.swap_bytes() >> unused,
            Self::BitNumber if values.table.bits => {
                u32::try_from(theirs).ok().and_then(|bit| 1_u64.checked_shl(bit)).unwrap_or(theirs)
            }
            _ => theirs & (u64::MAX >> unused),
        }
    }
}

/// Whether a struct of this size, which an older kernel may have, is a beginning of ours.
pub(super) fn ends_between_fields(layout: &Layout, size: u64) -> bool {
    layout.fields.iter().any(|field| u64::try_from(field.offset) == Ok(size))
}

fn probes(tables: &Tables) -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut number = |table, name: String, ours, kind| {
        probes.push(Probe { table, expressions: vec![name.clone()], name, ours, kind });
    };
    for (_, operations) in &tables.operations {
        for row in operations.rows {
            number(operations.name, c_name(row.name), u64::from(row.number), Kind::Number);
        }
    }
    for space in &tables.spaces {
        for row in space.rows() {
            number(space.name, c_name(row.name), u64::from(row.number), Kind::Number);
        }
    }
    for values in &tables.values {
        for (name, value) in values.rows() {
            number(values.table.name, name, value, Kind::Value(*values));
        }
    }
    // A struct within another one may have no name of its own.
    for layout in tables.layouts.iter().filter(|layout| !layout.name.is_empty()) {
        probes.extend(layout_probes(layout));
    }
    probes
}

fn layout_probes(layout: &'static Layout) -> Vec<Probe> {
    let c = format!("struct {}", layout.name);
    let probe = |name, expressions, ours: usize, kind| Probe {
        table: layout.name,
        name,
        expressions,
        ours: u64::try_from(ours).unwrap_or(u64::MAX),
        kind,
    };
    let mut probes =
        vec![probe(format!("sizeof {}", layout.name), vec![format!("sizeof({c})")], layout.size, Kind::Size(layout))];
    for field in layout.fields.iter().filter(|field| !field.is_padding()) {
        let members = members(layout.prefix, field.name);
        let shown = members.first().map_or(field.name, String::as_str);
        probes.push(probe(
            format!("offsetof {}.{shown}", layout.name),
            members.iter().map(|member| format!("offsetof({c}, {member})")).collect(),
            field.offset,
            Kind::Field(layout),
        ));
        probes.push(probe(
            format!("sizeof {}.{shown}", layout.name),
            members.iter().map(|member| format!("sizeof((({c} *)0)->{member})")).collect(),
            field.size,
            Kind::Field(layout),
        ));
    }
    probes
}

/// The C names that a Rust field may stand for: `type` is no Rust name, so `kind` stands for it; other keywords end in
/// an underscore; not every member has its struct's prefix; and some have capitals (`Wlog`, `def_DP`), which no Rust
/// field has.
fn members(prefix: &str, field: &str) -> Vec<String> {
    let bare = field.trim_start_matches("r#").trim_end_matches('_');
    let mut members = vec![format!("{prefix}{bare}")];
    if bare == "kind" {
        members.push(format!("{prefix}type"));
    }
    if !prefix.is_empty() {
        members.push(bare.to_owned());
    }
    let word = bare.rfind('_').map_or(0, |at| at + 1);
    members.push(format!("{prefix}{}{}", bare[..1].to_uppercase(), &bare[1..]));
    members.push(format!("{prefix}{}{}", &bare[..word], bare[word..].to_uppercase()));
    members
}

/// What the headers say to each probe; `None` where they do not know the name.
fn ask(probes: &[Probe], folder: &Path) -> Outcome<Vec<Option<u64>>> {
    let expressions: Vec<&str> = probes.iter().flat_map(|probe| probe.expressions.iter().map(String::as_str)).collect();
    let known = known(&expressions, folder)?;
    let values = values(&expressions, &known, folder)?;
    let mut answers = values.into_iter();
    Ok(probes.iter().map(|probe| answers.by_ref().take(probe.expressions.len()).fold(None, Option::or)).collect())
}

/// Which expressions compile: each stands on a line of its own, and the compiler names the lines it does not like.
fn known(expressions: &[&str], folder: &Path) -> Outcome<Vec<bool>> {
    let mut text = preamble();
    text.push_str("#line 1 \"probes\"\n");
    for (at, expression) in expressions.iter().enumerate() {
        let _ = writeln!(text, "static const unsigned long long probe_{at} = (unsigned long long)({expression});");
    }
    let source = folder.join("known.c");
    fs::write(&source, text).context(|| format!("cannot write {}", source.display()))?;
    let mut command = Command::new("cc");
    command.args(["-fsyntax-only", "-fmax-errors=0", "-w", "-std=gnu11"]).arg(&source).env("LC_ALL", "C");
    let done = process::run(&mut command, PATIENCE)?.context(|| "the C compiler does not end")?;
    let errors = String::from_utf8_lossy(&done.err);
    let mut known = vec![true; expressions.len()];
    for line in errors.lines().filter(|line| line.contains("error:")) {
        let slot = probe_line(line).and_then(|number| number.checked_sub(1)).and_then(|at| known.get_mut(at));
        *slot.context(|| format!("the installed headers do not compile together: {line}"))? = false;
    }
    Ok(known)
}

/// The number of the probe that an error of the compiler is about (`probes:17:53: error: …`).
fn probe_line(error: &str) -> Option<usize> {
    error.strip_prefix("probes:")?.split(':').next()?.parse().ok()
}

/// What each known expression is.
fn values(expressions: &[&str], known: &[bool], folder: &Path) -> Outcome<Vec<Option<u64>>> {
    let mut text = preamble();
    text.push_str("int printf(const char *, ...);\nstatic const unsigned long long values[] = {\n");
    for (expression, _) in expressions.iter().zip(known).filter(|(_, known)| **known) {
        let _ = writeln!(text, "(unsigned long long)({expression}),");
    }
    text.push_str("0};\nint main(void) {\n");
    text.push_str("for (unsigned long at = 0; at + 1 < sizeof values / sizeof *values; at++)\n");
    text.push_str("printf(\"%llu\\n\", values[at]);\nreturn 0; }\n");
    let (source, program) = (folder.join("values.c"), folder.join("values"));
    fs::write(&source, text).context(|| format!("cannot write {}", source.display()))?;
    process::must(Command::new("cc").args(["-w", "-std=gnu11", "-o"]).arg(&program).arg(&source), PATIENCE)?;
    let printed = process::must(&mut Command::new(&program), PATIENCE)?;
    let mut lines = printed.lines();
    known
        .iter()
        .map(|known| match known {
            false => Ok(None),
            true => {
                let line = lines.next().context(|| "the program that prints the headers' values ended early")?;
                line.parse().map(Some).context(|| format!("the headers' value {line}"))
            }
        })
        .collect()
}

fn preamble() -> String {
    let mut text = String::new();
    for header in HEADERS {
        let _ = writeln!(text, "#if __has_include(<{header}>)\n#include <{header}>\n#endif");
    }
    text
}

/// A folder for the generated C, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("ringlink-audit-{}", std::process::id()));
        fs::create_dir_all(&path).context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use ringlink_codec::table::ValueTable;

    use super::*;

    #[test]
    fn a_field_is_looked_for_under_its_c_names() {
        assert_eq!(members("ifi_", "index"), ["ifi_index", "index", "ifi_Index", "ifi_INDEX"]);
        assert_eq!(members("ifi_", "kind"), ["ifi_kind", "ifi_type", "kind", "ifi_Kind", "ifi_KIND"]);
        assert_eq!(members("", "use_"), ["use", "Use", "USE"]);
        assert_eq!(members("a_", "r#type"), ["a_type", "type", "a_Type", "a_TYPE"]);
        assert_eq!(members("", "def_dp"), ["def_dp", "Def_dp", "def_DP"]);
    }

    #[test]
    fn values_may_be_written_in_another_way() {
        fn table(bits: bool) -> &'static ValueTable {
            match bits {
                true => &ValueTable { name: "T", prefix: "T_", bits: true, rows: &[] },
                false => &ValueTable { name: "T", prefix: "T_", bits: false, rows: &[] },
            }
        }
        let manner = |bits, big_endian, rows: &[(u64, u64)]| {
            let values = Values { table: table(bits), width: 2, big_endian };
            let probe = |(ours, _): &(u64, u64)| Probe {
                table: "T",
                name: String::new(),
                expressions: Vec::new(),
                ours: *ours,
                kind: Kind::Value(values),
            };
            let probes: Vec<Probe> = rows.iter().map(probe).collect();
            let answers: Vec<Option<u64>> = rows.iter().map(|(_, theirs)| Some(*theirs)).collect();
            Manners::of(&probes, &answers).0["T"]
        };
        assert_eq!(manner(true, false, &[(1, 1), (0xffff, u64::MAX)]), Manner::Plain);
        assert_eq!(manner(true, false, &[(1, 0), (2, 1), (4, 2)]), Manner::BitNumber);
        assert_eq!(manner(false, false, &[(1, 0), (2, 1)]), Manner::Plain);
        // One value that is wrong does not change how all others are read.
        assert_eq!(manner(true, false, &[(2, 1), (4, 4)]), Manner::Plain);
        if cfg!(target_endian = "little") {
            assert_eq!(manner(false, true, &[(0x8000, 0x80), (1, 0x100)]), Manner::Swapped);
        }
    }

    #[test]
    fn the_compilers_lines_are_read() {
        assert_eq!(probe_line("probes:17:53: error: 'X' undeclared here (not in a function)"), Some(17));
        assert_eq!(probe_line("/usr/include/linux/if.h:3:1: error: no"), None);
    }

    #[test]
    fn headers_answer_what_they_know() {
        if !process::exists("cc") {
            println!("skipped: headers_answer_what_they_know: there is no C compiler here");
            return;
        }
        let folder = Folder::make().expect("a folder");
        let expressions = ["NLMSG_DONE", "NO_SUCH_NAME", "sizeof(struct nlmsghdr)", "NO_SUCH_NAME", "-1"];
        let known = known(&expressions, &folder.0).expect("compiles");
        assert_eq!(known[..3], [true, false, true]);
        let values = values(&expressions[..3], &known[..3], &folder.0).expect("runs");
        assert_eq!(values, [Some(3), None, Some(16)]);
    }
}
