//! Events of devices as a kernel told them and as udev writes them; forged and damaged ones.

mod support;

use ringlink_codec::uevent::{self, Uevent};
use ringlink_codec::wire::ErrorKind;

const EVENTS: &str = include_str!("event_captures/uevent.hex");

fn line(event: &Uevent<'_>) -> String {
    let properties = event.properties.into_iter().map(|property| property.unwrap());
    let told: Vec<String> = properties
        .filter(|(name, _)| *name != "SEQNUM" && *name != "ACTION" && *name != "DEVPATH")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert!(event.sequence().is_some() && event.get("ACTION") == Some(event.action));
    assert_eq!(event.get("DEVPATH"), Some(event.devpath));
    format!("{} {} {}", event.action, event.devpath, told.join(" "))
}

#[test]
fn captured_events() {
    let found: Vec<String> =
        support::messages(EVENTS).iter().map(|bytes| line(&Uevent::from_kernel(bytes).unwrap())).collect();
    assert_eq!(found, EXPECTED);
}

const EXPECTED: &[&str] = &[
    "add /devices/virtual/net/d1 SUBSYSTEM=net INTERFACE=d1 IFINDEX=2",
    "add /devices/virtual/net/d0 SUBSYSTEM=net INTERFACE=d0 IFINDEX=3",
    "move /devices/virtual/net/d2 SUBSYSTEM=net DEVPATH_OLD=/devices/virtual/net/d0 INTERFACE=d2 IFINDEX=3",
    "remove /devices/virtual/net/d2 SUBSYSTEM=net INTERFACE=d2 IFINDEX=3",
    "remove /devices/virtual/net/d1 SUBSYSTEM=net INTERFACE=d1 IFINDEX=2",
    "change /devices/virtual/net/lo SUBSYSTEM=net SYNTH_UUID=1f2e3d4c-0000-1111-2222-333344445555 SYNTH_ARG_A=b INTERFACE=lo IFINDEX=1",
];

#[test]
fn what_is_not_the_kernels() {
    for (bytes, offset) in
        [(&b""[..], 0), (b"add@/devices/x", 0), (b"add\0", 0), (b"@/devices/x\0", 0), (b"libudev\0\xfe\xed\xca\xfe", 0)]
    {
        assert_eq!(Uevent::from_kernel(bytes).unwrap_err().offset, offset, "{bytes:?}");
    }
    // Without properties; one without a name's end; one without its own end.
    assert_eq!(Uevent::from_kernel(b"add@\0").unwrap().properties.count(), 0);
    for (bytes, kind, offset) in [
        (&b"add@/x\0A=1\0B\0C=2\0"[..], ErrorKind::Unexpected, 11),
        (b"add@/x\0A=1\0B=2", ErrorKind::MessageTruncated { found: 3 }, 11),
    ] {
        let found: Vec<_> = Uevent::from_kernel(bytes).unwrap().properties.collect();
        assert_eq!(found.len(), 2);
        let error = found[1].unwrap_err();
        assert_eq!((error.kind, error.offset), (kind, offset));
    }
}

/// As systemd's udevd writes it: with hashes, tags, and properties of its own.
fn udev() -> Vec<u8> {
    let properties = [
        ("ACTION", "change"),
        ("DEVPATH", "/devices/pci0000:00/0000:00:04.0/virtio1/block/vda"),
        ("SUBSYSTEM", "block"),
        ("DEVTYPE", "disk"),
        ("ID_PART_TABLE_TYPE", "gpt"),
        ("TAGS", ":systemd:"),
        ("SEQNUM", "99"),
    ];
    uevent::write_udev(&mut [0; 512], &properties).unwrap().to_vec()
}

#[test]
fn udevs_events() {
    let bytes = udev();
    let event = Uevent::from_udev(&bytes).unwrap();
    assert_eq!((event.action.to_str(), event.sequence()), (Some("change"), Some(99)));
    assert_eq!(event.subsystem().and_then(|text| text.to_str()), Some("block"));
    assert_eq!(event.properties.count(), 7);
    let header = event.header.unwrap();
    assert_eq!(header.filter_devtype_hash.get(), uevent::hash(b"disk"));
    // A later header may be longer: the properties stand where it says.
    let mut longer = bytes.clone();
    longer.splice(40..40, [0; 8]);
    longer[12..16].copy_from_slice(&48_u32.to_ne_bytes());
    longer[16..20].copy_from_slice(&48_u32.to_ne_bytes());
    assert_eq!(Uevent::from_udev(&longer).unwrap().properties.count(), 7);
    for (at, value, kind, offset) in [
        (0, 0, ErrorKind::Unexpected, 0),
        (8, 0, ErrorKind::Unexpected, 8),
        (16, 8, ErrorKind::RecordLength { length: header.properties_len, available: 227 }, 16),
        (16, 41, ErrorKind::RecordLength { length: header.properties_len, available: 227 }, 16),
    ] {
        let mut damaged = bytes.clone();
        damaged[at] = value;
        if at == 16 && cfg!(target_endian = "big") {
            continue;
        }
        let error = Uevent::from_udev(&damaged).unwrap_err();
        assert_eq!((error.offset, std::mem::discriminant(&error.kind)), (offset, std::mem::discriminant(&kind)));
    }
    for length in 0..bytes.len() {
        assert!(Uevent::from_udev(&bytes[..length]).is_err());
        let mut buffer = vec![0; length];
        let error = uevent::write_udev(&mut buffer, &[("ACTION", "add"), ("LONG", &"x".repeat(200))]).unwrap_err();
        assert_eq!(error.needed(), Some(257));
    }
}

#[test]
fn hashes_are_murmurs() {
    // As Austin Appleby's MurmurHash2 gives them, with seed 0.
    for (bytes, hash) in MURMUR {
        assert_eq!(uevent::hash(bytes), *hash, "{bytes:?}");
    }
}

const MURMUR: &[(&[u8], u32)] = &[
    (b"", 0x00000000),
    (b"net", 0xa74d3cc8),
    (b"block", 0xf0031db7),
    (b"usb_device", 0x27f8f50c),
    (b"disk", 0x7bcbc5ee),
    (b"virtio", 0x1d9942ce),
];

#[test]
fn damage() {
    let mut samples = support::messages(EVENTS);
    samples.push(udev());
    for bytes in samples {
        support::every_damage(&bytes, |damaged| {
            for event in [Uevent::from_kernel(damaged), Uevent::from_udev(damaged)].into_iter().flatten() {
                assert!(event.properties.count() <= damaged.len());
                let _ = (event.sequence(), event.get("X"));
            }
        });
    }
}
