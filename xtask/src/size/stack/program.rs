//! A program as the linker left it: its functions, their frames, and which calls which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::failure::{Context, Outcome};
use crate::process;

/// What a function is for; each kind has a bar of its own. What calls a later one is of that kind, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Reads or writes messages.
    #[default]
    Reads,
    /// Compiles filters for sockets.
    Filters,
    /// Prints.
    Prints,
}

/// A function of a program.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Its names: functions that do the same stand there once.
    pub names: Vec<String>,
    /// Bytes of stack that it takes itself, without the return address.
    pub frame: u64,
    /// What it calls, by address.
    pub calls: BTreeSet<u64>,
    /// Where it goes on when its own frame is gone.
    pub jumps: BTreeSet<u64>,
    /// Functions whose address it uses otherwise.
    pub takes: BTreeSet<u64>,
    /// What it is for.
    pub kind: Kind,
    /// Its calls through a register or through memory.
    pub indirect: usize,
}

impl Function {
    /// One of its names.
    pub fn name(&self) -> &str {
        self.names.first().map_or("?", String::as_str)
    }

    /// What it calls or goes on with.
    pub fn callees(&self) -> impl Iterator<Item = &u64> {
        self.calls.iter().chain(&self.jumps)
    }

    /// Whether it is the codec's, or an instance of what is.
    pub fn is_codec(&self) -> bool {
        self.names.iter().any(|name| name.trim_start_matches(['<', '&']).starts_with("ringlink_codec::"))
    }
}

/// A program: functions by their start.
#[derive(Debug, Default)]
pub struct Program {
    /// All of its functions.
    pub functions: BTreeMap<u64, Function>,
    /// Functions whose address is data.
    pub data: BTreeSet<u64>,
}

impl Program {
    /// Reads an executable file for x86-64, by way of binutils.
    pub fn read(path: &Path) -> Outcome<Self> {
        let image = Image::read(&std::fs::read(path).context(|| format!("cannot read {}", path.display()))?)
            .context(|| format!("{} is no program of 64 bits", path.display()))?;
        let tool = |name: &str, options: &[&str]| {
            process::must(Command::new(name).args(options).arg(path), Duration::from_secs(300))
        };
        let mut functions = BTreeMap::<u64, Function>::new();
        for line in tool("nm", &["--demangle", "--defined-only"])?.lines() {
            if let [start, "t" | "T" | "w" | "W", name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] {
                let start = u64::from_str_radix(start, 16).unwrap_or(0);
                functions.entry(start).or_default().names.push(name.to_owned());
            }
        }
        let code = tool("objdump", &["--disassemble", "--no-show-raw-insn"])?;
        disassembly(&code, &mut functions, &|address| image.word(address));
        let stated = image.section(".stack_sizes").context(|| "the program does not state its frames")?;
        for (start, frame) in frames(stated) {
            functions.entry(start).or_default().frame = frame;
        }
        let words = image.data().flat_map(|bytes| bytes.chunks_exact(8).filter_map(|word| word.try_into().ok()));
        let data = words.map(u64::from_le_bytes).filter(|word| functions.contains_key(word)).collect();
        sort(&mut functions);
        Ok(Self { functions, data })
    }

    /// Functions that may be called through a table or a register: those whose address is data, or is used by the codec, or by
    /// what such functions call.
    pub fn in_tables(&self) -> BTreeSet<u64> {
        let codec =
            self.functions.iter().filter(|(_, one)| one.names.iter().any(|name| name.contains("ringlink_codec")));
        let mut found = self.data.clone();
        let mut open: Vec<u64> = codec.map(|(start, _)| *start).chain(found.iter().copied()).collect();
        let mut seen = BTreeSet::new();
        while let Some(start) = open.pop() {
            if let Some(one) = self.functions.get(&start).filter(|_| seen.insert(start)) {
                found.extend(&one.takes);
                open.extend(one.callees().chain(&one.takes));
            }
        }
        found
    }
}

/// Says of each function what it is for, by its names and by what it calls.
fn sort(functions: &mut BTreeMap<u64, Function>) {
    for one in functions.values_mut() {
        let named = |words: &[&str]| one.names.iter().any(|name| words.iter().any(|word| name.contains(word)));
        one.kind = match () {
            () if named(&["::fmt", "::print::"]) => Kind::Prints,
            () if named(&["::diag::filter::"]) => Kind::Filters,
            () => Kind::Reads,
        };
    }
    let starts: Vec<u64> = functions.keys().copied().collect();
    let mut changed = true;
    while changed {
        changed = false;
        for start in &starts {
            let worst = functions[start].callees().filter_map(|callee| functions.get(callee)).map(|one| one.kind).max();
            if let Some(one) = functions.get_mut(start).filter(|one| worst > Some(one.kind)) {
                one.kind = worst.unwrap_or_default();
                changed = true;
            }
        }
    }
}

/// What `objdump` tells of the code, put to the functions. A function's frame is what it pushes and subtracts, in all its branches.
fn disassembly(text: &str, functions: &mut BTreeMap<u64, Function>, word: &dyn Fn(u64) -> Option<u64>) {
    let starts: BTreeSet<u64> = functions.keys().copied().collect();
    let mut current = 0;
    for line in text.lines() {
        let Some((_, code)) = line.split_once(":\t") else {
            let start = line.split_once(" <").and_then(|(start, _)| u64::from_str_radix(start, 16).ok());
            current = start.filter(|start| starts.contains(start)).unwrap_or(current);
            continue;
        };
        let Some(function) = functions.get_mut(&current) else { continue };
        let mut words = code.split_whitespace().skip_while(|word| ["bnd", "notrack", "rep", "lock"].contains(word));
        let (operation, operand) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let behind = code.split_once("# ").and_then(|(_, place)| hex(place));
        let call = operation == "call";
        if call || operation.starts_with('j') {
            // Through the linker's table of addresses is as good as directly.
            let target = match operand.strip_prefix('*') {
                None => hex(operand),
                Some(place) if place.ends_with("(%rip)") => behind.and_then(word).filter(|to| starts.contains(to)),
                Some(_) => None,
            };
            let Some(target) = target else {
                function.indirect += 1;
                continue;
            };
            // A jump within a function is none of these; where there is no function, it ends.
            let into = starts.range(..=target).next_back().copied().filter(|_| target != 0);
            match into {
                Some(into) if call => function.calls.extend([into]),
                Some(into) if into != current => function.jumps.extend([into]),
                _ => {}
            };
            continue;
        }
        let immediate =
            operand.strip_prefix("$0x").map(|number| number.split(',').next().unwrap_or(number)).and_then(hex);
        function.takes.extend([immediate, behind].into_iter().flatten().filter(|number| starts.contains(number)));
        function.frame += match (operation, immediate) {
            ("push", _) => 8,
            ("sub", Some(bytes)) if operand.ends_with(",%rsp") => bytes,
            ("add", Some(bytes)) if operand.ends_with(",%rsp") && bytes > u64::MAX / 2 => bytes.wrapping_neg(),
            _ => 0,
        };
    }
}

fn hex(text: &str) -> Option<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(text.len());
    u64::from_str_radix(text.get(..end)?, 16).ok()
}

/// Addresses and frames of `.stack_sizes`: eight bytes and a number of seven bits a byte.
fn frames(mut bytes: &[u8]) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    while let Some((address, rest)) = bytes.split_first_chunk() {
        let length = rest.iter().position(|byte| byte & 0x80 == 0).map_or(rest.len(), |last| last + 1);
        let (size, rest) = rest.split_at(length);
        let frame = size.iter().rev().fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
        found.push((u64::from_le_bytes(*address), frame));
        bytes = rest;
    }
    found
}

/// The sections of a file: name, address, bytes.
struct Image(Vec<(String, u64, Vec<u8>)>);

impl Image {
    /// Reads an ELF file of 64 bits, little-endian.
    fn read(file: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8], at: usize, size: usize| -> Option<usize> {
            let bytes = bytes.get(at..at + size)?;
            usize::try_from(bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))).ok()
        };
        file.strip_prefix(b"\x7fELF\x02\x01")?;
        let (table, size) = (number(file, 0x28, 8)?, number(file, 0x3a, 2)?);
        let headers: Vec<&[u8]> = file.get(table..)?.chunks_exact(size).take(number(file, 0x3c, 2)?).collect();
        let content = |header: &[u8]| {
            // What is only zeros at the start is not in the file.
            let length = if number(header, 4, 4)? == 8 { 0 } else { number(header, 0x20, 8)? };
            file.get(number(header, 0x18, 8)?..)?.get(..length)
        };
        let names = content(headers.get(number(file, 0x3e, 2)?)?)?;
        let section = |header: &&[u8]| {
            let name = names.get(number(header, 0, 4)?..)?.split(|byte| *byte == 0).next()?;
            let address = u64::try_from(number(header, 0x10, 8)?).ok()?;
            Some((String::from_utf8_lossy(name).into_owned(), address, content(header)?.to_vec()))
        };
        headers.iter().map(section).collect::<Option<_>>().map(Self)
    }

    fn section(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(one, ..)| one == name).map(|(.., bytes)| bytes.as_slice())
    }

    /// What may hold addresses, but for the linker's own table of them.
    fn data(&self) -> impl Iterator<Item = &[u8]> {
        [".rodata", ".data.rel.ro", ".data"].into_iter().filter_map(|name| self.section(name))
    }

    /// The eight bytes at an address.
    fn word(&self, address: u64) -> Option<u64> {
        self.0.iter().filter(|(_, start, _)| *start != 0).find_map(|(_, start, bytes)| {
            let at = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read() {
        let bytes = [&7_u64.to_le_bytes()[..], &[0x18], &9_u64.to_le_bytes(), &[0xe8, 0x2d]].concat();
        assert_eq!(frames(&bytes), [(7, 24), (9, 5864)]);
    }

    #[test]
    fn code_is_read() {
        let text = "0000000000000010 <a>:\n  10:\tpush   %rbx\n  11:\tsub    $0x28,%rsp\n  12:\tmov    $0x30,%edi\n  \
                    13:\tcall   20 <b>\n  14:\tjne    12 <a+0x2>\n  15:\tcall   *0x18(%rax)\n  \
                    16:\tcall   *0x1000(%rip)        # 1016 <_GOT>\n  17:\tjmp    30 <c>\n";
        let mut functions: BTreeMap<u64, Function> =
            [0x10, 0x20, 0x30].into_iter().map(|start| (start, Function::default())).collect();
        disassembly(text, &mut functions, &|address| (address == 0x1016).then_some(0x30));
        let wanted = Function {
            frame: 48,
            calls: BTreeSet::from([0x20, 0x30]),
            jumps: BTreeSet::from([0x30]),
            takes: BTreeSet::from([0x30]),
            indirect: 1,
            ..Function::default()
        };
        assert_eq!(functions[&0x10], wanted);
    }
}
