//! The results' table and plots, from the files that the benches wrote: `report FOLDER TABLE CRITERION`, where the last is
//! criterion's folder. Run by `cargo xtask bench`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use ringlink_benches::capture::{self, Work};
use ringlink_benches::object::Object;
use ringlink_benches::record::{Record, Row, seconds};
use ringlink_benches::{Outcome, workload};
use serde_json::Value;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, table, criterion] = &arguments[..] else {
        return Err("usage: report FOLDER TABLE CRITERION".into());
    };
    let folder = Path::new(folder);
    let mut records = Vec::new();
    let mut environment = BTreeMap::new();
    for (name, _) in workload::ALL {
        let file = folder.join(format!("{name}.json"));
        if file.exists() {
            let (record, from) = Record::read(&file)?;
            plot(&record, &folder.join(format!("{name}.svg")))?;
            environment = from;
            records.push(record);
        }
    }
    let costs = fs::read(folder.join("costs.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let costs: Value = costs.unwrap_or_default();
    let codec = codec(&folder.join("codec.json"), Path::new(criterion))?;
    let plots = folder.file_name().and_then(|name| name.to_str()).unwrap_or("results");
    fs::write(table, text(&records, &environment, &costs, &codec, plots)?)?;
    Ok(())
}

/// What the codec takes for a captured message, in nanoseconds: the medians that criterion has, kept in a file of ours.
fn codec(file: &Path, criterion: &Path) -> Outcome<Value> {
    let mut times = serde_json::Map::new();
    for object in Object::ALL {
        let messages = capture::messages(object).len() as f64;
        for work in Work::ALL {
            let name = format!("{}/{}", object.word(), work.word());
            let Ok(bytes) = fs::read(criterion.join(&name).join("new/estimates.json")) else { continue };
            let estimates: Value = serde_json::from_slice(&bytes)?;
            if let Some(median) = estimates["median"]["point_estimate"].as_f64() {
                times.insert(name, (median / messages).into());
            }
        }
    }
    if !times.is_empty() {
        fs::write(file, format!("{:#}\n", Value::Object(times)))?;
    }
    Ok(fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

const INTRODUCTION: &str = "\
# Results

Made by `cargo xtask bench`, in network namespaces of their own. Each workload is run by everybody in turn, the order moving on
from round to round; each in a process of its own. Times are medians, and a ratio is the median of the ratios to the first
row in the same round. *Processor* is user and kernel time of all threads. *Memory* is the most a process had beyond what it began
with. *Allocations* are those of one turn. A library that reads reads the same fields as all others, and adds them up: a
row that read something else says so. In the plots the bar is the median, the line reaches from the first quartile to the third.

Times belong to this machine: compare rows, not pages.
";

fn text(
    records: &[Record],
    environment: &BTreeMap<String, String>,
    costs: &Value,
    codec: &Value,
    plots: &str,
) -> Result<String, std::fmt::Error> {
    let mut out = format!("{INTRODUCTION}\n| | |\n|---|---|\n");
    for (name, value) in environment {
        writeln!(out, "| {name} | {value} |")?;
    }
    bars(&mut out, records, costs)?;
    writeln!(out, "\n## By the clock\n")?;
    for record in records {
        write!(out, "{record}")?;
        writeln!(out, "![{}]({plots}/{}.svg)\n", record.title, record.name)?;
    }
    figures(&mut out, costs)?;
    times(&mut out, codec)?;
    Ok(out)
}

/// A time of one row against another's in the same workload.
struct Bar {
    what: &'static str,
    workload: &'static str,
    row: &'static str,
    against: &'static str,
    most: f64,
}

const BARS: [Bar; 16] = [
    bar("1,000,000 routes against the bare loop", "routes-1m", "ringlink", "bare recv", 1.05),
    bar("1,000,000 routes against netlink-socket2", "routes-1m", "ringlink", "netlink-socket2", 0.85),
    bar("1,000,000 routes against rtnetlink", "routes-1m", "ringlink", "rtnetlink", 0.45),
    bar(
        "moderate work, overlapped, against the loop",
        "routes-1m-moderate",
        "ringlink overlapped",
        "bare recv",
        1.0 / 1.5,
    ),
    bar("heavy work, overlapped, against the loop", "routes-1m-heavy", "ringlink overlapped", "bare recv", 1.0 / 1.5),
    bar("event drain against recvmsg", "event-drain", "ringlink ring", "bare recvmsg", 0.70),
    bar("event drain against recvmmsg", "event-drain", "ringlink ring", "bare recvmmsg", 0.95),
    bar("event drain against epoll + recvmsg", "event-drain", "ringlink ring", "bare epoll + recvmsg", 0.50),
    bar("look-ups, batched, against one by one", "look-ups-50k", "ringlink batched", "bare one by one", 1.0 / 1.6),
    bar("routes added against ip -batch", "add-200k", "ringlink", "ip -batch routes", 0.25),
    bar("routes added against a bare batched loop", "add-200k", "ringlink", "bare batched", 1.03),
    bar("routes deleted against a bare batched loop", "delete-200k", "ringlink", "bare batched", 1.03),
    bar(
        "256 namespaces, kept open, against connections",
        "namespaces-256",
        "ringlink fleet kept",
        "ringlink kept",
        0.50,
    ),
    bar("256 namespaces, kept open, against bare sockets", "namespaces-256", "ringlink fleet kept", "bare kept", 0.50),
    bar("route show against ip", "show-200k", "ringlink -j route show", "ip -j route show", 1.0),
    bar("detailed route show against ip", "show-200k-details", "ringlink -j -d", "ip -j -d route show", 1.0),
];

const fn bar(what: &'static str, workload: &'static str, row: &'static str, against: &'static str, most: f64) -> Bar {
    Bar { what, workload, row, against, most }
}

/// What the design is held to; of several rows whose names begin as the bar says, the best counts.
fn bars(out: &mut String, records: &[Record], costs: &Value) -> std::fmt::Result {
    writeln!(out, "\n## Against the bars\n\n| what | measured | bar | |\n|---|--:|--:|---|")?;
    for Bar { what, workload, row, against, most } in BARS {
        let Some(record) = records.iter().find(|record| record.name == workload) else { continue };
        let ratio = |name: &str| {
            let rows = record.rows.iter().filter(|row| row.name.starts_with(name) && row.failure.is_none());
            rows.map(|row| row.ratio).min_by(f64::total_cmp)
        };
        let (Some(own), Some(other)) = (ratio(row), ratio(against)) else { continue };
        let verdict = if own / other <= most { "holds" } else { "**missed**" };
        writeln!(out, "| {what} | {:.2} × | ≤ {most:.2} × | {verdict} |", own / other)?;
    }
    let large = records.iter().find(|record| record.name == "routes-1m");
    if let Some(row) = large.and_then(|record| record.rows.iter().find(|row| row.name == "ringlink tiny")) {
        let verdict = if row.memory <= 1024 { "holds" } else { "**missed**" };
        writeln!(out, "| memory of a tiny profile, 1,000,000 routes | {} KiB | ≤ 1,024 KiB | {verdict} |", row.memory)?;
    }
    let figure = |name: &str| costs["figures"][name].as_u64();
    if let Some(own) = figure("codec/plain/keys/instructions") {
        let verdict = if own <= 200 { "holds" } else { "**missed**" };
        writeln!(out, "| reading a route by typed keys | {own} instructions | ≤ 200 | {verdict} |")?;
    }
    let calls = figure("routes/ringlink ring/system-calls").zip(figure("routes/bare recv/system-calls"));
    if let Some((own, bare)) = calls {
        let verdict = if own * 20 <= bare { "holds" } else { "**missed**" };
        writeln!(out, "| system calls of a dump on the ring | {own} of {bare} | ≤ 5 % | {verdict} |")?;
    }
    Ok(())
}

/// What does not drift.
fn figures(out: &mut String, costs: &Value) -> std::fmt::Result {
    let Some(figures) = costs["figures"].as_object() else { return Ok(()) };
    let value = |name: String| figures.get(&name).map_or(String::new(), Value::to_string);
    writeln!(out, "## What does not drift\n")?;
    writeln!(
        out,
        "User instructions by callgrind, system calls by ptrace. A dump is one of 20,000 routes; memory is what a process had at the most beyond an idle one.\n"
    )?;
    writeln!(
        out,
        "| | instructions a route | system calls a dump | allocations a dump | memory | instructions a look-up | system \
         calls for 1,000 look-ups |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|")?;
    let names = figures.keys().filter_map(|key| key.strip_prefix("routes/")?.strip_suffix("/system-calls"));
    let mut names: Vec<&str> = names.collect();
    let rank = |name: &str| ["bare", "ringlink"].iter().position(|first| name.starts_with(first)).unwrap_or(2);
    names.sort_by_key(|name| (rank(name), *name));
    for name in names {
        writeln!(
            out,
            "| {name} | {} | {} | {} | {} KiB | {} | {} |",
            value(format!("routes/{name}/instructions")),
            value(format!("routes/{name}/system-calls")),
            value(format!("routes/{name}/allocations")),
            value(format!("routes/{name}/memory-kib")),
            value(format!("look-ups/{name}/instructions")),
            value(format!("look-ups/{name}/system-calls")),
        )?;
    }
    writeln!(
        out,
        "\nInstructions of the codec for a captured message. Reading by keys and views comes on top of finding its body.\n"
    )?;
    writeln!(out, "| | found | keys | view | build | tree | JSON |\n|---|--:|--:|--:|--:|--:|--:|")?;
    for object in ["plain", "link", "address", "route", "neighbour", "rule"] {
        let shown = if object == "plain" { "route of a large table" } else { object };
        write!(out, "| {shown}")?;
        for work in ["nothing", "keys", "view", "build", "tree", "json"] {
            write!(out, " | {}", value(format!("codec/{object}/{work}/instructions")))?;
        }
        writeln!(out, " |")?;
    }
    for (what, name) in
        [("dumps links and routes", "size/dump/bytes"), ("prints links by their tables", "size/print/bytes")]
    {
        writeln!(
            out,
            "\nA program that {what} has {} bytes of code and data more than one that does nothing.",
            value(name.to_owned())
        )?;
    }
    Ok(())
}

/// The codec by criterion's clock.
fn times(out: &mut String, codec: &Value) -> std::fmt::Result {
    if codec.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(());
    }
    writeln!(out, "\n## The codec by the clock\n\nTime for one captured message, by criterion.\n")?;
    writeln!(out, "| | found | keys | view | build | tree | JSON |\n|---|--:|--:|--:|--:|--:|--:|")?;
    for object in Object::ALL {
        write!(out, "| {}", object.word())?;
        for work in Work::ALL {
            let time = codec[format!("{}/{}", object.word(), work.word())].as_f64();
            write!(out, " | {}", time.map_or(String::new(), |time| seconds(time * 1e-9)))?;
        }
        writeln!(out, " |")?;
    }
    Ok(())
}

/// Pixels of the parts of a plot.
const WIDTH: i32 = 900;
const NAMES: i32 = 220;
const VALUES: i32 = 190;
const LINE: i32 = 26;
const HEAD: i32 = 44;

/// One bar for each row by the clock that decides, for one unit.
fn plot(record: &Record, file: &Path) -> Outcome {
    let rows: Vec<&Row> = record.rows.iter().filter(|row| row.failure.is_none()).collect();
    let each = |time: f64| time / record.count as f64;
    let longest = rows.iter().map(|row| row.high.max(row.time(&record.clock))).fold(0.0, f64::max);
    let place = |time: f64| NAMES + ((time / longest) * f64::from(WIDTH - NAMES - VALUES)).round() as i32;
    let height = HEAD + LINE * i32::try_from(rows.len())? + 10;
    let area = SVGBackend::new(file, (u32::try_from(WIDTH)?, u32::try_from(height)?)).into_drawing_area();
    area.fill(&WHITE)?;
    let font = |size: i32| ("sans-serif", size).into_font().color(&BLACK);
    let title = format!("{}: {} time for one {}", record.title, record.clock, record.unit);
    area.draw(&Text::new(title, (12, 14), font(20)))?;
    for (at, row) in (0..).zip(&rows) {
        let (top, time) = (HEAD + LINE * at, row.time(&record.clock));
        let colour = match row.name.split(' ').next() {
            Some("bare") => RGBColor(140, 140, 140),
            Some("ringlink") => RGBColor(38, 110, 190),
            _ => RGBColor(222, 150, 70),
        };
        let middle = top + LINE / 2;
        let name = font(17).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(row.name.clone(), (NAMES - 8, middle), name))?;
        area.draw(&Rectangle::new([(NAMES, top + 4), (place(time), top + LINE - 4)], colour.filled()))?;
        area.draw(&PathElement::new([(place(row.low), middle), (place(row.high), middle)], BLACK.stroke_width(2)))?;
        let value = format!("{}   {:.2} ×", seconds(each(time)), row.ratio);
        let right = place(row.high.max(time)) + 8;
        area.draw(&Text::new(value, (right, middle), font(17).pos(Pos::new(HPos::Left, VPos::Center))))?;
    }
    area.present()?;
    Ok(())
}
