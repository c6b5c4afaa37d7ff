//! The codec's public functions, as rustdoc knows them, under names by which the linker's are found.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::failure::{Context, Outcome};
use crate::{nightly, process};

/// All of them, and whether each is generic: what is, is only in a program where it is called.
pub fn functions(place: &Path) -> Outcome<BTreeMap<String, bool>> {
    let mut command = nightly::cargo(&["rustdoc", "--quiet", "--locked", "--package", "ringlink-codec", "--lib", "--"]);
    command.args(["-Zunstable-options", "--output-format", "json"]).env("CARGO_TARGET_DIR", place);
    process::must(&mut command, Duration::from_secs(600))?;
    let path = place.join("doc/ringlink_codec.json");
    let file = File::open(&path).context(|| format!("cannot read {}", path.display()))?;
    let told: Value = serde_json::from_reader(BufReader::new(file)).context(|| "what rustdoc wrote")?;
    listed(&told).context(|| "rustdoc tells of functions in another way than it did")
}

fn listed(told: &Value) -> Option<BTreeMap<String, bool>> {
    let index = told["index"].as_object()?;
    let path = |id: &Value| {
        let path = &told["paths"][id.to_string()];
        let words: Option<Vec<&str>> = path["path"].as_array()?.iter().map(Value::as_str).collect();
        words.filter(|_| path["crate_id"] == 0).map(|words| words.join("::"))
    };
    let generic = |of: &Value| {
        let mut parameters = of["generics"]["params"].as_array().into_iter().flatten();
        parameters.any(|parameter| parameter["kind"].get("lifetime").is_none())
    };
    let mut found = BTreeMap::new();
    for item in index.values() {
        let block = &item["inner"]["impl"];
        if let Some(name) = path(&item["id"]).filter(|_| item["inner"].get("function").is_some()) {
            found.insert(name, generic(&item["inner"]["function"]));
        }
        let made = block["is_synthetic"] == true || !block["blanket_impl"].is_null();
        let Some(of) = path(&block["for"]["resolved_path"]["id"]).filter(|_| !made) else { continue };
        let implemented = block["trait"]["path"].as_str().and_then(|name| name.rsplit("::").next());
        for method in block["items"].as_array()?.iter().filter_map(|id| index.get(&id.to_string())) {
            let function = &method["inner"]["function"];
            if function.is_null() || (implemented.is_none() && method["visibility"] != "public") {
                continue;
            }
            let name = method["name"].as_str()?;
            let key = match implemented {
                Some(implemented) => format!("{of} as {implemented}::{name}"),
                None => format!("{of}::{name}"),
            };
            *found.entry(key).or_insert(true) &= generic(block) || generic(function);
        }
    }
    Some(found)
}

/// A linker's name, `<a::B<u8> as c::D<E>>::f::<g>`, as it stands above: `a::B as D::f`.
pub fn key(name: &str) -> String {
    let Some(inner) = name.strip_prefix('<') else { return plain(name) };
    let mut depth = 1_usize;
    let mut end = inner.len();
    for (at, letter) in inner.char_indices() {
        depth = match letter {
            '<' => depth + 1,
            '>' if !inner[..at].ends_with('-') => depth - 1,
            _ => depth,
        };
        if depth == 0 {
            end = at;
            break;
        }
    }
    let (of, method) = (plain(&inner[..end]), plain(inner.get(end + 1..).unwrap_or_default()));
    match of.split_once(" as ") {
        Some((of, implemented)) => format!("{of} as {}{method}", implemented.rsplit("::").next().unwrap_or_default()),
        None => format!("{of}{method}"),
    }
}

/// A path without what stands in pointed brackets.
fn plain(path: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::new();
    for (at, letter) in path.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' if !path[..at].ends_with('-') => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(letter),
            _ => {}
        }
    }
    while let Some(shorter) = out.strip_suffix("::") {
        out.truncate(shorter.len());
    }
    out.replace("::::", "::")
}

/// A name's module, and the rest.
pub fn module_and_name(key: &str) -> (&str, &str) {
    let path = key.split(' ').next().unwrap_or(key);
    let kind = path.split("::").find(|word| word.starts_with(char::is_uppercase));
    let name = kind.or(path.rsplit("::").next()).unwrap_or(path);
    let at = path.find(&format!("::{name}")).unwrap_or(0);
    (&key[..at], key[at..].trim_start_matches("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        for (name, wanted) in [
            ("c::m::f", "c::m::f"),
            ("c::m::f::<u8, fn(c::X) -> u8>", "c::m::f"),
            ("<c::m::A>::f", "c::m::A::f"),
            ("<c::m::A<c::K<u8>, 4>>::f::<c::B>", "c::m::A::f"),
            ("<c::m::A<u8> as core::cmp::PartialEq<c::B>>::eq", "c::m::A as PartialEq::eq"),
            ("<c::m::A>::f::{closure#0}", "c::m::A::f::{closure#0}"),
        ] {
            assert_eq!(key(name), wanted);
        }
        assert_eq!(module_and_name("c::m::A as PartialEq::eq"), ("c::m", "A as PartialEq::eq"));
        assert_eq!(module_and_name("c::m::f"), ("c::m", "f"));
    }

    #[test]
    fn public_functions_are_listed() {
        let told = serde_json::json!({
            "paths": {
                "1": {"crate_id": 0, "path": ["c", "A"]},
                "2": {"crate_id": 0, "path": ["c", "f"]},
                "8": {"crate_id": 1, "path": ["d", "Z"]},
            },
            "index": {
                "2": {"id": 2, "name": "f", "inner": {"function": {"generics": {"params": [{"kind": {"type": {}}}]}}}},
                "3": {"id": 3, "inner": {"impl": {"is_synthetic": false, "blanket_impl": null, "trait": null, "items": [4, 5],
                    "for": {"resolved_path": {"id": 1}}, "generics": {"params": [{"kind": {"lifetime": {}}}]}}}},
                "4": {"id": 4, "name": "g", "visibility": "public", "inner": {"function": {"generics": {"params": []}}}},
                "5": {"id": 5, "name": "h", "visibility": "default", "inner": {"function": {"generics": {"params": []}}}},
                "6": {"id": 6, "inner": {"impl": {"is_synthetic": false, "blanket_impl": null, "trait": {"path": "Drop"},
                    "items": [5], "for": {"resolved_path": {"id": 1}}, "generics": {"params": []}}}},
            },
        });
        let wanted = [("c::A as Drop::h", false), ("c::A::g", false), ("c::f", true)];
        assert_eq!(listed(&told), Some(wanted.map(|(name, generic)| (name.to_owned(), generic)).into()));
    }
}
