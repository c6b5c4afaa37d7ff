//! The family against the live kernel, in a network namespace of its own.

use netlink::codec::generic::Numbers;
use netlink::codec::protocol::GENERIC;
use netlink::codec::reply::Errno;
use netlink::codec::table::Table;
use netlink::generic::Generic;
use own_family::{IOAM6, Ioam, IoamRequest};

fn missing(need: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "own family: {need}");
    println!("skipped: own family: {need}");
}

/// Runs a test in a thread of its own in a network namespace of its own, which ends with it.
fn isolated(test: impl FnOnce(Generic) + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: no pointers are passed; only this thread moves.
            if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
                return missing("needs CAP_SYS_ADMIN");
            }
            let mut generic = Generic::open().expect("a connection");
            match generic.family(IOAM6.name) {
                Err(error) if error.is_not_found() => println!("absent: IOAM6"),
                other => {
                    other.expect("the family");
                    test(generic);
                }
            }
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn requests_answers_and_printing_by_its_own_rows() {
    isolated(|mut generic| {
        let add = generic.apply(IoamRequest::ADD_NAMESPACE, |namespace| {
            namespace.put(Ioam::NS_ID, 7);
            namespace.put(Ioam::NS_DATA, 0xdead_beef);
        });
        add.expect("made");
        let schema = generic.apply(IoamRequest::ADD_SCHEMA, |schema| {
            schema.put(Ioam::SC_ID, 9);
            schema.put(Ioam::SC_DATA, b"four");
        });
        schema.expect("made");
        let set = generic.apply(IoamRequest::NS_SET_SCHEMA, |namespace| {
            namespace.put(Ioam::NS_ID, 7);
            namespace.put(Ioam::SC_ID, 9);
        });
        set.expect("set");

        let number = generic.number(&IOAM6).expect("a number");
        let mut namespaces = generic.dump(IoamRequest::DUMP_NAMESPACES, |_| {}).expect("begun");
        let message = namespaces.next_message().expect("whole").expect("one");
        let namespace = message.answer(IoamRequest::DUMP_NAMESPACES.operation(number)).expect("an answer");
        let read = namespace.attributes.read((Ioam::NS_ID, Ioam::NS_DATA, Ioam::SC_ID)).expect("whole");
        assert_eq!(read, (Some(7), Some(0xdead_beef), Some(9)));
        let printed = message.tree(&GENERIC).with(Numbers(&[(number, &IOAM6)])).to_string();
        for part in ["IOAM6_CMD_DUMP_NAMESPACES", "IOAM6_ATTR_NS_ID: 7", "IOAM6_ATTR_SC_ID: 9"] {
            assert!(printed.contains(part), "{part} is not in {printed}");
        }
        assert!(namespaces.next().expect("whole").is_none());
        drop(namespaces);
        let mut schemas = generic.dump(IoamRequest::DUMP_SCHEMAS, |_| {}).expect("begun");
        let schema = schemas.next().expect("whole").expect("one");
        assert_eq!(schema.attributes.get(Ioam::SC_DATA), Ok(Some(&b"four"[..])));
    });
}

#[test]
fn refusals_have_its_names() {
    isolated(|mut generic| {
        let error =
            generic.apply(IoamRequest::ADD_NAMESPACE, |namespace| namespace.put_raw(1, &[7])).expect_err("one byte");
        let refused = error.refused().expect("a refusal");
        assert_eq!(
            (refused.request, refused.path.to_string().as_str()),
            ("IOAM6_CMD_ADD_NAMESPACE", "IOAM6_ATTR_NS_ID")
        );
        assert!(error.to_string().ends_with(", at IOAM6_ATTR_NS_ID"), "{error}");
        let error = generic.apply(IoamRequest::DEL_NAMESPACE, |namespace| namespace.put(Ioam::NS_ID, 4711));
        assert!(error.as_ref().is_err_and(|error| error.is_not_found()), "{error:?}");
        let error = generic.apply(IoamRequest::DEL_NAMESPACE, |_| {}).expect_err("which?");
        let refused = error.refused().expect("a refusal");
        assert_eq!((refused.request, refused.errno), ("IOAM6_CMD_DEL_NAMESPACE", Errno::INVAL));
        // What the kernel has rules for, there are rows for.
        let policies = generic.policies(IOAM6.name).expect("policies");
        let ruled: Vec<u16> = policies.policies.values().flat_map(|rules| rules.keys().copied()).collect();
        assert!(ruled.contains(&Ioam::NS_ID.number()));
        for number in ruled {
            assert!(Ioam::space().row(number).is_some(), "attribute {number}");
        }
    });
}
