//! Valid messages of any family, made up from the tables, and messages with one thing wrong (feature `arbitrary`).
//!
//! For fuzzers of kernels, of mocks, and of this library: what an [`Unstructured`] gives decides which attributes a message
//! has and what is in them. Each payload is as its row says; where something beside it chooses what it is, both fit together.
//!
//! ```
//! use arbitrary::Unstructured;
//! use ringlink_codec::generate::Bounds;
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::protocol::ROUTE;
//! use ringlink_codec::route::Rtm;
//! use ringlink_codec::wire::Writer;
//!
//! let mut source = Unstructured::new(&[0x5a; 512]);
//! let mut buffer = [0; 4096];
//! let mut writer = Writer::new(&mut buffer);
//! let row = Rtm::OPERATIONS.row(Rtm::NEWLINK.kind.0).unwrap();
//! let header = MessageHeader { kind: Rtm::NEWLINK.kind, flags: Flags::REQUEST, ..MessageHeader::default() };
//! Bounds::default().message(&mut source, header, row, &[], &mut writer)?;
//! let message = Message::parse(writer.finish()?)?;
//! assert!(message.body(Rtm::NEWLINK)?.attributes.raw().all(|attribute| attribute.is_ok()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use arbitrary::{Result, Unstructured};

use crate::generic::Numbers;
use crate::protocol::{Numbering, Protocol};
use crate::reply::choose;
use crate::table::{
    By, ChoiceTable, Layout, OperationRow, Operations, Row, Selector, Shape, SockAddr, Space, ValueTable, Verb, close,
    open,
};
use crate::wire::{
    ATTRIBUTE_HEADER, Flags, Message, MessageHeader, MessageType, RawAttribute, RawAttributes, Writer, align, short,
};

/// How large a generated message may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How deep nests may be.
    pub depth: u8,
    /// How many attributes a nest may have, about.
    pub attributes: u8,
    /// How long texts and bytes may be.
    pub bytes: u8,
    /// How many items a list may have.
    pub items: u8,
}

impl Default for Bounds {
    /// Some kilobytes at most.
    fn default() -> Self {
        Self { depth: 4, attributes: 6, bytes: 24, items: 3 }
    }
}

const REQUEST: MessageHeader = unnumbered(Flags::REQUEST, 0);
const ANSWER: MessageHeader = unnumbered(Flags::NONE, 1);
const EVENT: MessageHeader = unnumbered(Flags::NONE, 0);

const fn unnumbered(flags: Flags, port: u32) -> MessageHeader {
    MessageHeader { length: 0, kind: MessageType(0), flags, sequence: 0, port }
}

/// Among how many siblings of one run choices may be made; further ones are left out.
const CHOOSERS: usize = 4;

/// What the run of attributes that is being written belongs to.
#[derive(Clone, Copy)]
struct Place<'h> {
    /// The fixed header before it, which may choose among payloads.
    header: &'h [u8],
    /// How many nests are around it.
    depth: u8,
}

impl Bounds {
    /// Writes a message of any kind that a protocol has tables for; nothing where it has none. Of generic netlink these are
    /// the families that have a number.
    ///
    /// # Errors
    ///
    /// If the source is refused; one that has ended makes for messages without attributes. A buffer that is too small is
    /// the writer's to tell.
    pub fn any(
        &self,
        source: &mut Unstructured<'_>,
        protocol: &Protocol,
        numbers: Numbers<'_>,
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        match protocol.numbering {
            Numbering::Types(tables) => {
                let table = *source.choose(tables)?;
                self.of(source, table, REQUEST, &[], writer)
            }
            Numbering::Families(families) => {
                let family = source.choose(families)?;
                let (table, message) = *source.choose(&[(family.requests, REQUEST), (family.answers, ANSWER)])?;
                self.of(source, table, message, &[family.number], writer)
            }
            Numbering::Commands => {
                let (number, family) = *source.choose(numbers.0)?;
                let tables = [(family.requests, REQUEST), (family.answers, ANSWER), (family.events, EVENT)];
                let (table, message) = *source.choose(&tables)?;
                self.of(source, table, MessageHeader { kind: MessageType(number), ..message }, &[], writer)
            }
            Numbering::Structs(structs) if !structs.operations.is_empty() => {
                let table = *source.choose(structs.operations)?;
                self.of(source, table, REQUEST, &[], writer)
            }
            Numbering::Structs(_) | Numbering::Datagrams => Ok(()),
        }
    }

    /// A message of a table. Where all are of one type already, the row's number is a command and stands first in the header.
    fn of(
        &self,
        source: &mut Unstructured<'_>,
        table: &Operations,
        message: MessageHeader,
        lead: &[u8],
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        if table.rows.is_empty() {
            return Ok(());
        }
        let row = source.choose(table.rows)?;
        let [command, _] = row.number.to_le_bytes();
        match message.kind {
            MessageType(0) => {
                let kind = MessageType(table.first | row.number);
                self.message(source, MessageHeader { kind, ..message }, row, lead, writer)
            }
            _ => self.message(source, message, row, &[command], writer),
        }
    }

    /// Writes a message with this header, as its row says; a request, where the flags say that it is one, has flags beside
    /// them that fit what it asks. The fixed header begins with the bytes of `lead`, the rest of it is made up.
    ///
    /// # Errors
    ///
    /// As [`any`](Self::any).
    pub fn message(
        &self,
        source: &mut Unstructured<'_>,
        message: MessageHeader,
        row: &OperationRow,
        lead: &[u8],
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        let more = match row.verb {
            _ if !message.flags.contains(Flags::REQUEST) => Flags::NONE,
            Verb::Get => *source.choose(&[Flags::NONE, Flags::DUMP])?,
            Verb::New => *source.choose(&[Flags::NONE, Flags::CREATE, Flags::REPLACE, Flags::EXCLUSIVE])?,
            _ => Flags::NONE,
        };
        let sequence = source.arbitrary()?;
        let start = open(writer, message.kind, more, MessageHeader { sequence, ..message });
        let mut header = [0; 512];
        let length = self.header(source, row.header, lead, &mut header)?;
        let header = header.get(..length).unwrap_or_default();
        writer.bytes(header);
        writer.pad();
        self.run(source, (row.space)(), Place { header, depth: 0 }, writer)?;
        close(writer, start);
        Ok(())
    }

    /// Makes up a struct; returns how many bytes of `buffer` it has.
    fn header(&self, source: &mut Unstructured<'_>, layout: &Layout, lead: &[u8], buffer: &mut [u8]) -> Result<usize> {
        let mut writer = Writer::new(buffer);
        self.record(source, layout, &mut writer)?;
        for (at, byte) in lead.iter().enumerate() {
            writer.patch(at, [*byte]);
        }
        if let Some(at) = layout.tail {
            // No bytes between struct and attributes.
            writer.patch(at, [0; 2]);
        }
        Ok(writer.finish().map_or(0, |bytes| bytes.len()))
    }

    /// Writes a run of attributes of a space, by ascending numbers.
    fn run(
        &self,
        source: &mut Unstructured<'_>,
        space: &'static Space,
        place: Place<'_>,
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        let count = short(space.rows().count());
        let start = writer.length();
        let mut choosers = heapless::Vec::<u16, CHOOSERS>::new();
        let chooser = |row: &Row| match once(row.shape) {
            Shape::Choice(table) => match table().by {
                By::Sibling(number) => Some(number),
                By::Header(_) => None,
            },
            _ => None,
        };
        // First what chooses: then it stands there whatever else does.
        for row in space.rows() {
            let Some(number) = chooser(&row) else { continue };
            if choosers.contains(&number) || choosers.push(number).is_err() || source.ratio(1_u8, 4)? {
                continue;
            }
            if let (Shape::Choice(table), Some(sibling)) = (once(row.shape), space.row(number)) {
                self.select(source, table(), sibling, writer)?;
            }
        }
        for row in space.rows() {
            // A source that has ended draws 0, and wants none.
            let wanted = (1..=u32::from(self.attributes)).contains(&source.int_in_range(0..=count)?);
            if wanted && !choosers.contains(&row.number) {
                self.attribute(source, space, row, start, place, writer)?;
            }
        }
        Ok(())
    }

    /// Writes the attribute that chooses among payloads.
    fn select(
        &self,
        source: &mut Unstructured<'_>,
        table: &ChoiceTable,
        sibling: Row,
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        if table.rows.is_empty() {
            return Ok(());
        }
        let alternative = source.choose(table.rows)?;
        if alternative.selectors.is_empty() {
            return Ok(());
        }
        let start = writer.open(sibling.number);
        match source.choose(alternative.selectors)? {
            Selector::Text(text) => {
                writer.bytes(text.as_bytes());
                writer.array([0]);
            }
            Selector::Number(number) => numeral(sibling.shape, *number, writer),
            Selector::Any => self.value(source, sibling.shape, writer)?,
        }
        writer.close(start);
        Ok(())
    }

    /// Writes an attribute, or several of the same number where they may repeat. The run began at `start`.
    fn attribute(
        &self,
        source: &mut Unstructured<'_>,
        space: &'static Space,
        row: Row,
        start: usize,
        place: Place<'_>,
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        let count = match row.shape {
            Shape::Many(_) => source.int_in_range(1..=self.items.max(1))?,
            _ => 1,
        };
        let shape = match once(row.shape) {
            // What a payload is that something chooses is read from what was written.
            Shape::Choice(table) => {
                let written = RawAttributes::new(writer.written(start), 0);
                match choose(table(), space, written, place.header) {
                    Some(row) => row.shape,
                    None => return Ok(()),
                }
            }
            shape => shape,
        };
        for _ in 0..count {
            self.whole(source, row.number, shape, place, writer)?;
        }
        Ok(())
    }

    /// Writes one attribute with its header.
    fn whole(
        &self,
        source: &mut Unstructured<'_>,
        number: u16,
        shape: Shape,
        place: Place<'_>,
        writer: &mut Writer<'_>,
    ) -> Result<()> {
        let nest = matches!(shape, Shape::Nest(_) | Shape::Headed(..) | Shape::Indexed(_));
        let holds = nest || matches!(shape, Shape::Records(..));
        if matches!(shape, Shape::Pad) || (holds && place.depth >= self.depth) {
            return Ok(());
        }
        let start = writer.open(number | if nest { RawAttribute::NESTED } else { 0 });
        let inner = Place { depth: place.depth.saturating_add(1), ..place };
        match shape {
            Shape::Nest(space) => self.run(source, space(), inner, writer)?,
            Shape::Headed(layout, space) => {
                let mut header = [0; 512];
                let length = self.header(source, layout, &[], &mut header)?;
                let header = header.get(..length).unwrap_or_default();
                writer.bytes(header);
                writer.pad();
                self.run(source, space(), Place { header, ..inner }, writer)?;
            }
            Shape::Indexed(of) => {
                for index in 1..=source.int_in_range(0..=u16::from(self.items))? {
                    self.whole(source, index, *of, inner, writer)?;
                }
            }
            Shape::Records(layout, space) => {
                for _ in 0..source.int_in_range(0..=self.items)? {
                    let start = writer.length();
                    self.record(source, layout, writer)?;
                    writer.pad();
                    self.run(source, space(), inner, writer)?;
                    let length = writer.length().saturating_sub(start);
                    writer.patch(start, u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes());
                }
            }
            shape => self.value(source, shape, writer)?,
        }
        writer.close(start);
        Ok(())
    }

    /// Writes a payload that holds no attributes.
    fn value(&self, source: &mut Unstructured<'_>, shape: Shape, writer: &mut Writer<'_>) -> Result<()> {
        match shape {
            Shape::Text => {
                self.text(source, self.bytes.into(), writer)?;
                writer.array([0]);
            }
            Shape::Bytes | Shape::Secret => self.some(source, writer)?,
            Shape::Hardware => {
                let length = *source.choose(&[6, 6, 8, 20])?;
                random(source, length, writer)?;
            }
            Shape::Address => {
                let length = *source.choose(&[4, 16])?;
                random(source, length, writer)?;
            }
            Shape::SocketAddress => {
                let address = core::net::SocketAddr::new(
                    match source.arbitrary()? {
                        true => core::net::IpAddr::from(source.arbitrary::<[u8; 4]>()?),
                        false => core::net::IpAddr::from(source.arbitrary::<[u8; 16]>()?),
                    },
                    source.arbitrary()?,
                );
                crate::table::Encode::<SockAddr>::encode(address, writer);
            }
            Shape::Uint => {
                let number: u64 = source.arbitrary()?;
                match u32::try_from(number) {
                    Ok(small) => writer.array(small.to_ne_bytes()),
                    Err(_) => writer.array(number.to_ne_bytes()),
                }
            }
            Shape::Sint => {
                let number: i64 = source.arbitrary()?;
                match i32::try_from(number) {
                    Ok(small) => writer.array(small.to_ne_bytes()),
                    Err(_) => writer.array(number.to_ne_bytes()),
                }
            }
            Shape::Prefixed(layout) | Shape::Keyed(layout) => {
                self.record(source, layout, writer)?;
                self.some(source, writer)?;
            }
            Shape::Followed(layout, of, size) => {
                self.record(source, layout, writer)?;
                self.value(source, Shape::Packed(of, size), writer)?;
            }
            Shape::Packed(of, size) => {
                for _ in 0..source.int_in_range(0..=self.items)? {
                    self.fixed(source, *of, size.into(), writer)?;
                }
            }
            Shape::Tlvs => {
                for _ in 0..source.int_in_range(0..=self.items)? {
                    let length = source.int_in_range(0..=self.bytes)?;
                    writer.array([source.arbitrary()?, length]);
                    random(source, length.into(), writer)?;
                }
            }
            Shape::Named(table, Shape::Uint) => {
                let number = named(source, table)?;
                match u32::try_from(number) {
                    Ok(small) => writer.array(small.to_ne_bytes()),
                    Err(_) => writer.array(number.to_ne_bytes()),
                }
            }
            shape => self.fixed(source, shape, size_of_shape(shape), writer)?,
        }
        Ok(())
    }

    /// Writes a value of fixed size, in a struct or alone.
    fn fixed(&self, source: &mut Unstructured<'_>, shape: Shape, size: usize, writer: &mut Writer<'_>) -> Result<()> {
        match shape {
            Shape::Named(table, base) => {
                let number = named(source, table)?;
                numeral(*base, number, writer);
            }
            Shape::Record(layout) => self.record(source, layout, writer)?,
            Shape::Array(of, count) => {
                let each = size.checked_div(usize::from(count)).unwrap_or(0);
                for _ in 0..count {
                    self.fixed(source, *of, each, writer)?;
                }
            }
            Shape::Text => {
                let start = writer.length();
                self.text(source, size.saturating_sub(1), writer)?;
                let end = start.saturating_add(size);
                while writer.length() < end {
                    writer.array([0]);
                }
            }
            _ => random(source, size, writer)?,
        }
        Ok(())
    }

    /// Writes a struct.
    fn record(&self, source: &mut Unstructured<'_>, layout: &Layout, writer: &mut Writer<'_>) -> Result<()> {
        for field in layout.fields {
            match field.is_padding() {
                true => (0..field.size).for_each(|_| writer.array([0])),
                false => self.fixed(source, field.shape, field.size, writer)?,
            }
        }
        Ok(())
    }

    /// Writes letters and digits, at most `most`.
    fn text(&self, source: &mut Unstructured<'_>, most: usize, writer: &mut Writer<'_>) -> Result<()> {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.";
        let most = most.min(self.bytes.into());
        for _ in 0..source.int_in_range(most.min(1)..=most)? {
            writer.array([*source.choose(LETTERS)?]);
        }
        Ok(())
    }

    /// Writes bytes of any number.
    fn some(&self, source: &mut Unstructured<'_>, writer: &mut Writer<'_>) -> Result<()> {
        let length = source.int_in_range(0..=self.bytes)?;
        random(source, length.into(), writer)
    }
}

/// What an attribute holds that may stand several times.
fn once(shape: Shape) -> Shape {
    if let Shape::Many(of) = shape { *of } else { shape }
}

/// Writes so many bytes; zeros where the source has ended.
fn random(source: &mut Unstructured<'_>, length: usize, writer: &mut Writer<'_>) -> Result<()> {
    for _ in 0..length {
        writer.array([source.arbitrary::<u8>()?]);
    }
    Ok(())
}

/// A number that has a name, mostly.
fn named(source: &mut Unstructured<'_>, table: &ValueTable) -> Result<u64> {
    if table.rows.is_empty() || source.ratio(1_u8, 8)? {
        return source.arbitrary();
    }
    let mut number = source.choose(table.rows)?.value;
    if table.bits {
        for _ in 0..source.int_in_range(0..=2_u8)? {
            number |= source.choose(table.rows)?.value;
        }
    }
    Ok(number)
}

/// Writes a number as its shape says.
fn numeral(shape: Shape, number: u64, writer: &mut Writer<'_>) {
    match shape {
        Shape::Named(_, base) => numeral(*base, number, writer),
        Shape::BigEndian(size) | Shape::SignedBigEndian(size) => {
            let bytes = number.to_be_bytes();
            writer.bytes(bytes.get(8_usize.saturating_sub(size.into())..).unwrap_or_default());
        }
        shape => {
            let bytes = number.to_le_bytes();
            let least = bytes.get(..size_of_shape(shape).min(8)).unwrap_or_default();
            match cfg!(target_endian = "little") {
                true => writer.bytes(least),
                false => least.iter().rev().for_each(|byte| writer.array([*byte])),
            }
        }
    }
}

/// How many bytes a shape has, where that is fixed.
fn size_of_shape(shape: Shape) -> usize {
    match shape {
        Shape::Unsigned(size) | Shape::Signed(size) | Shape::BigEndian(size) | Shape::SignedBigEndian(size) => {
            size.into()
        }
        Shape::Named(_, base) => size_of_shape(*base),
        Shape::Ipv4 => 4,
        Shape::Ipv6 => 16,
        Shape::Record(layout) => layout.size,
        Shape::Array(of, count) => size_of_shape(*of).saturating_mul(count.into()),
        Shape::Uint | Shape::Sint => 4,
        _ => 0,
    }
}

/// What was done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where, in bytes from the start of the message.
    pub offset: u32,
    /// What.
    pub kind: DamageKind,
}

/// What may be wrong in one place of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// An attribute says another length than it has.
    Length,
    /// An attribute is of another type.
    Type,
    /// A byte of a payload is another.
    Payload,
}

/// Breaks one place of a well-formed message, and leaves all others as they are. `None` where it has no attributes.
///
/// # Errors
///
/// If the source is refused.
pub fn damage(source: &mut Unstructured<'_>, message: &mut [u8], row: &OperationRow) -> Result<Option<Damage>> {
    let Ok(parsed) = Message::parse(message) else { return Ok(None) };
    let header = row.header.length(parsed.payload);
    let attributes = parsed.raw_attributes(header);
    let count = places((row.space)(), attributes, parsed.payload, 0, &mut |_| ());
    if count == 0 {
        return Ok(None);
    }
    let mut left = source.int_in_range(0..=count.saturating_sub(1))?;
    let mut found = None;
    places((row.space)(), attributes, parsed.payload, 0, &mut |raw| {
        if left == 0 && found.is_none() {
            found = Some((raw.payload.offset, raw.payload.bytes.len()));
        }
        left = left.saturating_sub(1);
    });
    let Some((payload, length)) = found else { return Ok(None) };
    let kind = *source.choose(&[DamageKind::Length, DamageKind::Type, DamageKind::Payload])?;
    let (offset, kind) = match (kind, u32::try_from(length)) {
        (DamageKind::Length, _) => (payload.saturating_sub(short(ATTRIBUTE_HEADER)), kind),
        (DamageKind::Payload, Ok(length @ 1..)) => {
            (payload.saturating_add(source.int_in_range(0..=length.saturating_sub(1))?), kind)
        }
        _ => (payload.saturating_sub(2), DamageKind::Type),
    };
    let at = usize::try_from(offset).unwrap_or(usize::MAX);
    let bytes: [u8; 2] = source.arbitrary()?;
    let width = if kind == DamageKind::Payload { 1 } else { 2 };
    for (place, byte) in message.get_mut(at..).unwrap_or_default().iter_mut().zip(bytes).take(width) {
        // Never what it was.
        *place ^= byte.max(1);
    }
    Ok(Some(Damage { offset, kind }))
}

/// Goes to all attributes, nests' included, and counts them.
fn places(
    space: &'static Space,
    run: RawAttributes<'_>,
    header: &[u8],
    depth: usize,
    each: &mut impl FnMut(RawAttribute<'_>),
) -> usize {
    let mut count = 0_usize;
    for raw in run.map_while(core::result::Result::ok) {
        each(raw);
        count = count.saturating_add(1);
        let mut shape = space.row(raw.number()).map_or(Shape::Bytes, |row| row.shape);
        for _ in 0..2 {
            shape = match shape {
                Shape::Many(of) => *of,
                Shape::Choice(table) => choose(table(), space, run, header).map_or(Shape::Bytes, |row| row.shape),
                shape => shape,
            };
        }
        let (inner, start) = match shape {
            Shape::Nest(space) => (space(), 0),
            Shape::Headed(layout, space) => (space(), align(layout.size)),
            _ => continue,
        };
        if depth < crate::reply::DEPTH {
            let bytes = raw.payload.bytes.get(start..).unwrap_or_default();
            let run = RawAttributes::new(bytes, raw.payload.offset.saturating_add(short(start)));
            let header = if start > 0 { raw.payload.bytes } else { header };
            count = count.saturating_add(places(inner, run, header, depth.saturating_add(1), each));
        }
    }
    count
}
