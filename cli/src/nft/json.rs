//! JSON, written straight into a buffer.

use ringlink::codec::Text;

use crate::output::decimal;

/// A buffer that JSON is written into. Members and items set their commas themselves.
#[derive(Debug, Default)]
pub(super) struct Json {
    pub(super) bytes: Vec<u8>,
}

impl Json {
    /// An object.
    pub(super) fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.comma();
        self.bytes.push(b'{');
        fill(self);
        self.bytes.push(b'}');
    }

    /// A list.
    pub(super) fn list(&mut self, fill: impl FnOnce(&mut Self)) {
        self.comma();
        self.bytes.push(b'[');
        fill(self);
        self.bytes.push(b']');
    }

    /// The name of a member, whose value comes next.
    pub(super) fn key(&mut self, key: &str) {
        self.comma();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    /// A member with text.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.string(value);
    }

    /// A member with a number.
    pub(super) fn number(&mut self, key: &str, value: impl Into<u64>) {
        self.key(key);
        decimal(&mut self.bytes, value.into());
    }

    /// A member that is true.
    pub(super) fn yes(&mut self, key: &str) {
        self.key(key);
        self.raw(b"true");
    }

    /// A member with an object.
    pub(super) fn member(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.object(fill);
    }

    /// An object of one member, whose value `fill` writes.
    pub(super) fn only(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.object(|json| {
            json.key(key);
            fill(json);
        });
    }

    /// An object of one member, an object.
    pub(super) fn tagged(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.object(|json| json.member(key, fill));
    }

    /// An object of one member that says nothing more.
    pub(super) fn bare(&mut self, key: &str) {
        self.only(key, |json| json.raw(b"null"));
    }

    /// A string.
    pub(super) fn string(&mut self, value: &str) {
        self.comma();
        let plain = value.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b'"' && byte != b'\\');
        if plain {
            self.bytes.push(b'"');
            self.bytes.extend_from_slice(value.as_bytes());
            self.bytes.push(b'"');
        } else {
            // Writing a string to a vector cannot fail.
            let _ = serde_json::to_writer(&mut self.bytes, value);
        }
    }

    /// A string of any bytes.
    pub(super) fn bytes(&mut self, value: &[u8]) {
        match std::str::from_utf8(value) {
            Ok(text) => self.string(text),
            Err(_) => self.string(&Text::from_bytes(value).to_string()),
        }
    }

    /// A number.
    pub(super) fn integer(&mut self, value: u64) {
        self.comma();
        decimal(&mut self.bytes, value);
    }

    /// A number that may be negative.
    pub(super) fn signed(&mut self, value: i64) {
        self.comma();
        if value < 0 {
            self.bytes.push(b'-');
        }
        decimal(&mut self.bytes, value.unsigned_abs());
    }

    /// Names: one alone, several as a list, nothing for none.
    pub(super) fn names<'n>(&mut self, key: &str, names: impl IntoIterator<Item = &'n str>) {
        let names: Vec<&str> = names.into_iter().collect();
        match names.as_slice() {
            [] => {}
            [name] => self.text(key, name),
            names => {
                self.key(key);
                self.list(|json| names.iter().for_each(|name| json.string(name)));
            }
        }
    }

    /// What stands as it is.
    pub(super) fn raw(&mut self, value: &[u8]) {
        self.comma();
        self.bytes.extend_from_slice(value);
    }

    fn comma(&mut self) {
        if !matches!(self.bytes.last(), None | Some(b'{' | b'[' | b':' | b',' | b'\n')) {
            self.bytes.push(b',');
        }
    }
}
