//! The codec by the clock: every captured message of each object read, written and printed. `cargo bench --bench codec`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use ringlink_benches::capture::{Work, messages, work};
use ringlink_benches::object::Object;

fn codec(criterion: &mut Criterion) {
    for object in Object::ALL {
        let messages = messages(object);
        let mut group = criterion.benchmark_group(object.word());
        group.throughput(Throughput::Elements(messages.len() as u64));
        for what in Work::ALL {
            group.bench_function(what.word(), |bencher| {
                bencher.iter(|| {
                    let each = |message: &Vec<u8>| work(object, what, black_box(message)).unwrap_or(0);
                    messages.iter().map(each).sum::<u64>()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
