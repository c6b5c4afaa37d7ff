//! Each macro in a crate that knows the library under another name only.

use netlink::codec::prelude::*;
use netlink::codec::table::{Choice, Headed, Nest, Records, Str, Table};
use netlink::codec::{choices, flags, operations, record, space, values};

record! {
    /// A struct.
    pub MachineHeader, "machine", "m_" {
        /// Which.
        slot: u32,
        /// How hot.
        heat: Heat,
        /// What it does.
        state: State,
    }
}

record! {
    /// A struct with its length.
    pub Slice, "slice", "s_" {
        /// Bytes of it and its attributes.
        len: u16,
        /// Which.
        number: u16,
    }
}

values! {
    /// Numbers.
    pub Heat(u16), "HEAT_" {
        /// Cold.
        COLD = 0,
        /// Hot.
        HOT = 1,
    }
}

flags! {
    /// Bits.
    pub State(u16), "STATE_" {
        /// On.
        ON = 1,
        /// Full.
        FULL = 2,
    }
}

choices! {
    /// By the kind beside it.
    pub Data, by Sibling 1 {
        "toaster" => Nest<Machine>,
        "kettle" => u32,
    }
}

space! {
    /// Attributes.
    pub Machine, "MACHINE_" {
        /// What it is.
        KIND: Str = 1,
        /// What that has.
        DATA: Choice<Data> = 2,
        /// How hot.
        HEAT: Heat = 3,
        /// What is in it.
        SLICES: Records<Slice, Machine> = 4,
        /// Another.
        OTHER: Headed<MachineHeader, Machine> = 5,
    }
}

operations! {
    /// Messages.
    pub MachineMessage, "MACHINE_MSG_" {
        /// It is there.
        NEW: new (MachineHeader, Machine) = 16,
        /// Which is there?
        GET: get (MachineHeader, Machine) => NEW (MachineHeader, Machine) = 17,
    }
}

#[test]
fn what_is_written_is_read_and_printed() {
    let header = MachineHeader { slot: 3, heat: Heat::HOT, state: State::ON | State::FULL };
    let mut buffer = Buffer::<256>::new();
    let bytes = buffer.message(MachineMessage::NEW, header, |machine| {
        machine.put(Machine::KIND, "toaster");
        machine.choose(Machine::DATA, Machine, |data| data.put(Machine::HEAT, Heat::COLD));
        machine.records(Machine::SLICES, |slices| {
            slices.add(Slice { number: 1, ..Slice::default() }, |slice| slice.put(Machine::HEAT, Heat(9)));
        });
        machine.headed(Machine::OTHER, header, |other| other.put(Machine::KIND, "kettle"));
    });
    let message = Message::parse(bytes.expect("room")).expect("whole");
    let machine = message.answer(MachineMessage::GET).expect("an answer");
    assert_eq!(machine.header, header);
    let data = machine.attributes.chosen(Machine::DATA, Machine).expect("whole").expect("a toaster's");
    assert_eq!(data.get(Machine::HEAT), Ok(Some(Heat::COLD)));
    let printed = format!("{:?}", machine.attributes);
    for part in ["MACHINE_KIND", "MACHINE_DATA", "\"COLD\"", "MACHINE_SLICES", "ON|FULL"] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
    assert_eq!(Machine::space().row(2).map(|row| row.name), Some("MACHINE_DATA"));
    assert_eq!(MachineMessage::GET.name, "MACHINE_MSG_GET");
}
