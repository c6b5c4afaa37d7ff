//! Does one thing with captured messages as often as it is told: run under callgrind with two counts, the difference is
//! what one time costs. `codec OBJECT WORK COUNT`; the object `plain` is the route that large tables are full of.

use std::hint::black_box;

use ringlink_benches::Outcome;
use ringlink_benches::capture::{self, Work};
use ringlink_benches::measure::{Counting, allocations};
use ringlink_benches::object::Object;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [object, work, count] = &arguments[..] else {
        return Err("usage: codec OBJECT WORK COUNT".into());
    };
    let (object, messages) = match object.as_str() {
        "plain" => (Object::Route, vec![capture::PLAIN_ROUTE.to_vec()]),
        other => {
            let object: Object = other.parse()?;
            (object, capture::messages(object))
        }
    };
    let (work, count): (Work, usize) = (work.parse()?, count.parse()?);
    let before = allocations();
    let mut sum = 0;
    for message in messages.iter().cycle().take(count * messages.len()) {
        sum += capture::work(object, work, black_box(message))?;
    }
    println!("messages={} sum={sum} allocations={}", count * messages.len(), allocations() - before);
    Ok(())
}
