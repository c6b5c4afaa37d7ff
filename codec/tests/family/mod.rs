//! A family declared outside the codec, with a row of every shape there is.

#![allow(dead_code, reason = "each test uses its part")]

use std::net::{Ipv4Addr, Ipv6Addr};

use ringlink_codec::table::*;
use ringlink_codec::{choices, flags, operations, record, space, values};

record! {
    /// The fixed header.
    pub ThingHeader, "thing", "t_" {
        /// Chooses [`Thing::BY_HEADER`].
        family: u8,
        /// Nothing.
        pad: [u8; 3],
        /// A number.
        index: u32,
    }
}

record! {
    /// A struct with fields of both byte orders and an array.
    pub Point, "point", "p_" {
        /// Native.
        x: u16,
        /// Big-endian.
        y: Be16,
        /// Numbers.
        z: [u16; 2],
        /// A named number.
        color: Color,
    }
}

record! {
    /// A record that begins with its length.
    pub Hop, "hop", "h_" {
        /// Length, attributes included.
        len: u16,
        /// Nothing.
        pad: u16,
        /// Which.
        index: u32,
    }
}

values! {
    /// Numbers with names.
    pub Color(u32), "COLOR_" {
        /// Red.
        RED = 1,
        /// Green.
        GREEN = 2,
    }
}

values! {
    /// Two-byte numbers with names, big-endian on the wire.
    pub Ether(u16), "ETH_P_" {
        /// IPv4.
        IP = 0x0800,
        /// VLAN.
        Q8021 = 0x8100,
    }
}

flags! {
    /// Bits with names.
    pub Bits(u16), "BIT_" {
        /// One.
        ONE = 1,
        /// Two.
        TWO = 2,
    }
}

choices! {
    /// By a name beside it.
    pub ByName, by Sibling 40 {
        "inner" => Nest<Inner>,
        "number" | "count" => u32,
    }
}

choices! {
    /// By a number beside it.
    pub ByNumber, by Sibling 42 {
        1 => Nest<Inner>,
        2 => Point,
        else => Bytes,
    }
}

choices! {
    /// By the fixed header's first byte.
    pub ByHeader, by Header 0 {
        7 => Nest<Inner>,
        else => u32,
    }
}

space! {
    /// One attribute of each shape.
    pub Thing, "THING_" {
        /// A byte.
        U8: u8 = 1,
        /// Two bytes.
        U16: u16 = 2,
        /// Four bytes.
        U32: u32 = 3,
        /// Eight bytes.
        U64: u64 = 4,
        /// A signed byte.
        S8: i8 = 5,
        /// Signed, two bytes.
        S16: i16 = 6,
        /// Signed, four bytes.
        S32: i32 = 7,
        /// Signed, eight bytes.
        S64: i64 = 8,
        /// Big-endian, two bytes.
        BE16: Be16 = 9,
        /// Big-endian, four bytes.
        BE32: Be32 = 10,
        /// Big-endian, eight bytes.
        BE64: Be64 = 11,
        /// Four or eight bytes.
        UINT: Uint = 12,
        /// Signed, four or eight bytes.
        SINT: Sint = 13,
        /// Text with a NUL.
        STR: Str = 14,
        /// Text without one.
        BARE: BareStr = 15,
        /// Bytes.
        BYTES: Bytes = 16,
        /// Presence.
        FLAG: Flag = 17,
        /// A hardware address.
        HARDWARE: Hardware = 18,
        /// An address by its length.
        INET: Inet = 19,
        /// IPv4.
        IPV4: Ipv4Addr = 20,
        /// IPv6.
        IPV6: Ipv6Addr = 21,
        /// A struct.
        POINT: Point = 22,
        /// A named number.
        COLOR: Color = 23,
        /// A named number, big-endian.
        ETHER: Be<Ether> = 24,
        /// Named bits.
        BITS: Bits = 25,
        /// Bits and which count.
        BITFIELD: Bitfield32 = 26,
        /// Attributes.
        NEST: Nest<Inner> = 27,
        /// The same space again.
        SELF: Nest<Thing> = 28,
        /// Attributes whose numbers count.
        INDEXED: Indexed<Nest<Inner>> = 29,
        /// Numbers one behind the other.
        PACKED: Packed<u32> = 30,
        /// Structs one behind the other.
        POINTS: Packed<Point> = 31,
        /// A struct, then attributes.
        HEADED: Headed<ThingHeader, Thing> = 32,
        /// A struct, then bytes.
        PREFIXED: Prefixed<Point> = 33,
        /// Structs with lengths, each with attributes.
        RECORDS: Records<Hop, Inner> = 34,
        /// May stand several times.
        MANY: Many<Str> = 35,
        /// A nest that may stand several times.
        NESTS: Many<Nest<Inner>> = 36,
        /// Type, length, bytes.
        TLVS: Tlvs = 37,
        /// Nothing.
        PAD: Pad = 38,
        /// Numbers of a fixed count.
        ARRAY: [u16; 3] = 39,
        /// Chooses the next.
        NAME: Str = 40,
        /// By name.
        BY_NAME: Choice<ByName> = 41,
        /// Chooses the next.
        NUMBER: Be32 = 42,
        /// By number.
        BY_NUMBER: Choice<ByNumber> = 43,
        /// By header.
        BY_HEADER: Choice<ByHeader> = 44,
        /// A struct, then numbers.
        FOLLOWED: Followed<Point, u16> = 45,
    }
}

space! {
    /// What nests hold.
    pub Inner, "INNER_" {
        /// A number.
        ID: u32 = 1,
        /// A name.
        LABEL: Str = 2,
    }
}

/// The family's only format.
pub type ThingMessage = (ThingHeader, Thing);

operations! {
    /// The family's messages.
    pub Op, "OP_" {
        /// It is there.
        NEW: new ThingMessage = 16,
        /// Tell about it.
        GET: get ThingMessage => NEW ThingMessage = 17,
        /// It is gone.
        DEL: delete ThingMessage = 18,
    }
}

/// The family as a protocol, for the printer.
pub static PROTOCOL: ringlink_codec::protocol::Protocol = ringlink_codec::protocol::Protocol {
    number: 31,
    name: "NETLINK_THING",
    numbering: ringlink_codec::protocol::Numbering::Types(&[Op::OPERATIONS]),
};

/// One attribute of each shape, written.
pub fn fill(thing: &mut AttributeWriter<'_, '_, Thing>) {
    thing.put(Thing::U8, 1);
    thing.put(Thing::U16, 0x1234);
    thing.put(Thing::U32, 0x1234_5678);
    thing.put(Thing::U64, 0x1122_3344_5566_7788);
    thing.put(Thing::S8, -1);
    thing.put(Thing::S16, -2);
    thing.put(Thing::S32, -3);
    thing.put(Thing::S64, -4);
    thing.put(Thing::BE16, 0x1234);
    thing.put(Thing::BE32, 0x1234_5678);
    thing.put(Thing::BE64, 0x1122_3344_5566_7788);
    thing.put(Thing::UINT, 5);
    thing.put(Thing::SINT, -5);
    thing.put(Thing::STR, "text");
    thing.put(Thing::BARE, "bare");
    thing.put(Thing::BYTES, &[1, 2, 3][..]);
    thing.put(Thing::FLAG, ());
    thing.put(Thing::HARDWARE, [2, 0, 0, 0, 0, 1]);
    thing.put(Thing::INET, Ipv4Addr::new(10, 0, 0, 1));
    thing.put(Thing::IPV4, Ipv4Addr::new(10, 0, 0, 2));
    thing.put(Thing::IPV6, Ipv6Addr::LOCALHOST);
    thing.put(Thing::POINT, point());
    thing.put(Thing::COLOR, Color::GREEN);
    thing.put(Thing::ETHER, Ether::Q8021);
    thing.put(Thing::BITS, Bits::ONE | Bits(0x10));
    thing.put(Thing::BITFIELD, Bitfield32 { value: 1, selector: 3 });
    thing.nest(Thing::NEST, |inner| inner.put(Inner::ID, 6));
    thing.nest(Thing::SELF, |thing| thing.nest(Thing::SELF, |thing| thing.put(Thing::U8, 2)));
    thing.indexed(Thing::INDEXED, |list| {
        list.nest(1, |inner| inner.put(Inner::ID, 7));
        list.nest(2, |inner| inner.put(Inner::LABEL, "two"));
    });
    thing.put(Thing::PACKED, &[8, 9][..]);
    thing.put(Thing::POINTS, &[point(), point()][..]);
    thing.headed(Thing::HEADED, ThingHeader { family: 7, ..Default::default() }, |thing| {
        thing.choose(Thing::BY_HEADER, Inner, |inner| inner.put(Inner::ID, 10));
    });
    thing.put(Thing::PREFIXED, (point(), &[0xaa, 0xbb][..]));
    thing.records(Thing::RECORDS, |hops| {
        hops.add(Hop { index: 1, ..Default::default() }, |inner| inner.put(Inner::LABEL, "first"));
        hops.add(Hop { index: 2, ..Default::default() }, |_| {});
    });
    thing.add(Thing::MANY, "one");
    thing.add(Thing::MANY, "two");
    thing.nest(Thing::NESTS, |inner| inner.put(Inner::ID, 11));
    thing.nest(Thing::NESTS, |inner| inner.put(Inner::ID, 12));
    thing.put(Thing::TLVS, &[(1, &[0xcc][..]), (2, &[][..])][..]);
    thing.put(Thing::PAD, ());
    thing.put(Thing::ARRAY, [1, 2, 3]);
    thing.put(Thing::NAME, "inner");
    thing.choose(Thing::BY_NAME, Inner, |inner| inner.put(Inner::ID, 13));
    thing.put(Thing::NUMBER, 2);
    thing.put_chosen::<_, Point>(Thing::BY_NUMBER, point());
    thing.put_chosen::<_, u32>(Thing::BY_HEADER, 14);
    thing.put(Thing::FOLLOWED, (point(), &[15, 16][..]));
}

/// A point with something in each field.
pub fn point() -> Point {
    Point { x: 1, y: Be16::new(2), z: [3, 4], color: Color::RED }
}

/// A whole message with one attribute of each shape.
pub fn message() -> Vec<u8> {
    let mut buffer = vec![0; 4096];
    let header = ThingHeader { index: 99, ..Default::default() };
    Op::NEW.write(&mut buffer, header, |thing| fill(thing)).expect("4 KiB are enough").to_vec()
}
