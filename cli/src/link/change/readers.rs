//! How words of a kind become its attributes: a table of words, and one function for each way to read a value.

use std::net::IpAddr;

use ringlink::codec::route::{BridgeOptions, BridgeOptionsChange, EtherType, Family, Vxlan, VxlanPortRange};
use ringlink::codec::table::{AttributeWriter, Be, Be16, Be32, Encode, Flag, Hardware, Indexed, Key, Value};

use super::Reader;
use crate::arguments::{Number, address, number as number_of};
use crate::failure::Failure;

/// Declares the words of a kind: each word, how its value is read, the attribute it becomes.
///
/// ```text
/// words! {
///     /// Words of a bridge.
///     bridge: Bridge {
///         "hello_time" => number(HELLO_TIME),
///         "mode" => one_of(MODE, MODES, BondMode),
///     }
/// }
/// ```
///
/// It becomes a method `bridge` of [`Reader`] that reads words to the end and writes their attributes.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident: $space:ident {
        $($($word:literal)|+ => $read:ident($key:ident $(, $more:expr)*),)*
    }) => {
        impl Reader<'_, '_> {
            $(#[$meta])*
            pub(super) fn $name(&mut self, data: &mut AttributeWriter<'_, '_, $space>) -> Result<(), Failure> {
                while let Some(word) = self.words.next() {
                    match word {
                        $($($word)|+ => readers::$read(self, data, $space::$key $(, $more)*)?,)*
                        _ => return Err(self.words.refuse(concat!("one of", $($(" ", $word),+),*))),
                    }
                }
                Ok(())
            }
        }
    };
}

pub(super) use words;

/// A number.
pub(super) fn number<S, V: Value + Number + Encode<V>>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, V>,
) -> Result<(), Failure> {
    data.put(key, reader.words.number::<V>()?);
    Ok(())
}

/// A number of a set of values.
pub(super) fn value<S, V: Value + Encode<V>, N: Number>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, V>,
    make: fn(N) -> V,
) -> Result<(), Failure> {
    data.put(key, make(reader.words.number()?));
    Ok(())
}

/// A word of a list, by its place there, or the number.
pub(super) fn one_of<S, V: Value + Encode<V>, N: Number + TryFrom<usize>>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, V>,
    names: &'static [&'static str],
    make: fn(N) -> V,
) -> Result<(), Failure> {
    let named = |word: &str| match names.iter().position(|name| *name == word) {
        Some(place) => N::try_from(place).ok(),
        None => number_of(word),
    };
    let word = reader.words.parse("a word or number that this takes", named)?;
    data.put(key, make(word));
    Ok(())
}

/// A port, or another number of 16 bits that travels big-endian.
pub(super) fn port<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, Be16>,
) -> Result<(), Failure> {
    data.put(key, reader.words.number::<u16>()?);
    Ok(())
}

/// A flow label of 20 bits.
pub(super) fn label<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, Be32>,
) -> Result<(), Failure> {
    let label = |word: &str| number_of::<u32>(word).filter(|label| *label <= 0xf_ffff);
    data.put(key, reader.words.parse("a flow label (0 to 0xfffff)", label)?);
    Ok(())
}

/// `on` or `off`.
pub(super) fn on_off<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, u8>,
) -> Result<(), Failure> {
    data.put(key, u8::from(reader.on()?));
    Ok(())
}

/// The word alone says a number: 1 for `proxy`, 0 for `noproxy`.
pub(super) fn fixed<S>(
    _: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, u8>,
    value: u8,
) -> Result<(), Failure> {
    data.put(key, value);
    Ok(())
}

/// The word alone is it.
pub(super) fn present<S>(
    _: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, Flag>,
) -> Result<(), Failure> {
    data.put(key, ());
    Ok(())
}

/// A word and the number it stands for, or a number.
pub(super) fn or_number<S, V: Value + Number + Encode<V>>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, V>,
    word: &'static str,
    meaning: V,
) -> Result<(), Failure> {
    match reader.words.take(word) {
        true => data.put(key, meaning),
        false => data.put(key, reader.words.number::<V>()?),
    }
    Ok(())
}

/// A hardware address.
pub(super) fn hardware<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, Hardware>,
) -> Result<(), Failure> {
    data.put(key, reader.hardware()?.as_slice());
    Ok(())
}

/// The index of an interface, by its name.
pub(super) fn interface<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, u32>,
) -> Result<(), Failure> {
    let name = reader.words.value("an interface")?;
    data.put(key, reader.session.interface(name)?);
    Ok(())
}

/// An address, into the attribute of its family.
pub(super) fn end<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    four: Key<S, std::net::Ipv4Addr>,
    six: Key<S, std::net::Ipv6Addr>,
) -> Result<(), Failure> {
    match reader.words.address(Family::UNSPEC)? {
        IpAddr::V4(address) => data.put(four, address),
        IpAddr::V6(address) => data.put(six, address),
    }
    Ok(())
}

/// Addresses of one family with commas between.
pub(super) fn addresses<S, V: Value + Copy + Encode<V>>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, Indexed<V>>,
    family: Family,
    make: fn(IpAddr) -> Option<V>,
) -> Result<(), Failure> {
    let list = reader.words.parse("addresses with commas between", |word| {
        word.split(',').map(|word| make(address(word, family)?)).collect::<Option<Vec<V>>>()
    })?;
    data.indexed(key, |targets| {
        for (index, target) in (0..).zip(list) {
            targets.put(index, target);
        }
    });
    Ok(())
}

/// No interface.
pub(super) fn no_interface<S>(
    _: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, u32>,
) -> Result<(), Failure> {
    data.put(key, 0);
    Ok(())
}

/// A routing table, by name or number.
pub(super) fn table<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, u32>,
) -> Result<(), Failure> {
    let tables = reader.session.names.tables();
    data.put(key, reader.words.parse("a routing table's name or number", |word| tables.number(word))?);
    Ok(())
}

/// The protocol of a VLAN tag.
pub(super) fn vlan_protocol<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, Be<EtherType>>,
) -> Result<(), Failure> {
    let named = |word: &str| vlan_protocol_named(word).or_else(|| number_of(word).map(EtherType));
    data.put(key, reader.words.parse("802.1Q or 802.1ad", named)?);
    Ok(())
}

/// The two protocols of VLAN tags that have names.
pub(super) fn vlan_protocol_named(word: &str) -> Option<EtherType> {
    match word {
        word if word.eq_ignore_ascii_case("802.1q") => Some(EtherType::_8021Q),
        word if word.eq_ignore_ascii_case("802.1ad") => Some(EtherType::_8021AD),
        _ => None,
    }
}

/// An option of a bridge that is a bit: 1 or 0.
pub(super) fn bridge_option<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, BridgeOptionsChange>,
    bit: BridgeOptions,
) -> Result<(), Failure> {
    let on = reader.words.number::<u8>()? != 0;
    // The last occurrence of an attribute counts: it has the options before it, too.
    let BridgeOptionsChange { val, mask } = &mut reader.bridge_options;
    *mask = *mask | bit;
    if on {
        *val = *val | bit;
    }
    data.put(key, reader.bridge_options);
    Ok(())
}

/// Hops that the outer packet may make, or `inherit`, which is written by `inherit`.
pub(super) fn hops_or_inherit<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, u8>,
    inherit: fn(&mut AttributeWriter<'_, '_, S>),
) -> Result<(), Failure> {
    match reader.words.peek() {
        Some("inherit") => inherit(data),
        Some("auto") => data.put(key, 0),
        _ => return number(reader, data, key),
    }
    reader.words.next();
    Ok(())
}

/// Two ports: the lowest and the highest.
pub(super) fn port_range<S>(
    reader: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, S>,
    key: Key<S, VxlanPortRange>,
) -> Result<(), Failure> {
    let (low, high) = (reader.words.number::<u16>()?, reader.words.number::<u16>()?);
    data.put(key, VxlanPortRange { low: low.into(), high: high.into() });
    Ok(())
}

/// Ends and ids come with each packet: then there is nothing to learn.
pub(super) fn external(
    _: &mut Reader<'_, '_>,
    data: &mut AttributeWriter<'_, '_, Vxlan>,
    key: Key<Vxlan, u8>,
    on: u8,
) -> Result<(), Failure> {
    data.put(key, on);
    data.put(Vxlan::LEARNING, 0);
    Ok(())
}
