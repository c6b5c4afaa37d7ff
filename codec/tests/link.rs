//! x
mod support;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::ROUTE;
#[test]
fn show() {
    for entry in std::fs::read_dir("tests/captures").unwrap() {
        let path = entry.unwrap().path();
        if !path.to_str().unwrap().contains("link_") || path.to_str().unwrap().contains("lookup") { continue }
        let text = std::fs::read_to_string(&path).unwrap();
        println!("=== {path:?}");
        for m in support::messages(&text) { println!("{}", Message::parse(&m).unwrap().tree(&ROUTE)); }
    }
}
