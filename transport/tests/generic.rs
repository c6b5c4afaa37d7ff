//! The controller of generic netlink against the live kernel.

use ringlink::codec::generic::{CONTROL, Control, ControlAttribute, ControlFlags, Family};
use ringlink::codec::reply::AttributeType;
use ringlink::codec::wire::Message;
use ringlink::error::Error;
use ringlink::generic::Generic;
use ringlink::{Config, EngineChoice};

mod kernel;

use kernel::{absent, asked_for, isolated, missing};

fn over_engines(name: &'static str, test: impl Fn(Generic) + Sync) {
    for engine in asked_for([EngineChoice::Syscall, EngineChoice::Ring]) {
        isolated(name, || match Generic::with(Config { engine, ..Config::default() }) {
            Err(error @ Error::NoRing { .. }) => missing(name, &error.to_string()),
            other => test(other.expect("a connection")),
        });
    }
}

#[test]
fn families_by_name() {
    over_engines("families_by_name", |mut generic| {
        let control = generic.family("nlctrl").expect("the controller");
        assert_eq!((control.id, control.version, control.header), (CONTROL.id, 2, 0));
        assert_eq!(control.groups.get("notify"), Some(&16));
        let get = control.commands.get(&3).expect("CTRL_CMD_GETFAMILY");
        assert!(get.contains(ControlFlags::CMD_CAP_DO | ControlFlags::CMD_CAP_DUMP));
        let all = generic.families().expect("all");
        assert!(all.contains(&control) && all.len() > 1);
        for family in &all {
            let again = generic.family(&family.name).expect("the same by its name");
            assert_eq!(&again, family);
        }
        assert_eq!(generic.number(&CONTROL), Ok(16));
        let error = generic.family("no such family").expect_err("none");
        assert!(error.is_not_found(), "{error}");
        assert_eq!(error.refused().expect("a refusal").request, "CTRL_CMD_GETFAMILY");
        static TOASTER: Family = Family { name: "toaster", id: 0, ..CONTROL };
        assert!(generic.number(&TOASTER).is_err_and(|error| error.is_not_found()));
        assert!(matches!(generic.subscribe("nlctrl", &["no such group"]), Err(Error::Configuration { .. })));
        let monitor = generic.subscribe("nlctrl", &["notify"]).expect("a monitor");
        assert_eq!(monitor.socket().memberships(), Ok(vec![16]));
    });
}

#[test]
fn policies_are_data() {
    over_engines("policies_are_data", |mut generic| {
        let policies = match generic.policies("nlctrl") {
            Err(error) if error.is_unsupported() => return absent("policies_are_data", &error.to_string()),
            other => other.expect("policies"),
        };
        let (get, _) = policies.commands.get(&3).expect("CTRL_CMD_GETFAMILY");
        let policy = policies.policies.get(&get.expect("a policy")).expect("told");
        let id = policy.get(&ControlAttribute::FAMILY_ID.number()).expect("checked");
        assert_eq!(id.kind, AttributeType::U16);
        let name = policy.get(&ControlAttribute::FAMILY_NAME.number()).expect("checked");
        assert_eq!((name.kind, name.length.1), (AttributeType::NUL_STRING, Some(15)));
    });
}

#[test]
fn messages_print_by_the_numbers_of_the_moment() {
    over_engines("messages_print", |mut generic| {
        let command = Control::GETFAMILY;
        let ask = |ask: &mut ringlink::codec::table::AttributeWriter<'_, '_, ControlAttribute>| {
            ask.put(ControlAttribute::FAMILY_NAME, "nlctrl");
        };
        let reply = generic.connection().get(command.operation(16), command.header(), ask).expect("an answer");
        let message: Message<'_> = reply.message();
        let tree = message.tree(&ringlink::codec::protocol::GENERIC).to_string();
        for part in ["CTRL_CMD_NEWFAMILY", "CTRL_ATTR_FAMILY_NAME: \"nlctrl\"", "CTRL_ATTR_MCAST_GRP_NAME: \"notify\""]
        {
            assert!(tree.contains(part), "{part} is not in {tree}");
        }
    });
}
