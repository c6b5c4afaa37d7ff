//! A line of text, put together in a buffer of its own. `core::fmt` would be half of the program.

use crate::system;

/// What a line may have; the rest of a longer one is left out.
const LONGEST: usize = 192;

/// A line that is being written.
pub struct Line {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Line {
    /// An empty one.
    pub fn new() -> Self {
        Self { bytes: [0; LONGEST], length: 0 }
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        bytes.iter().for_each(|byte| self.byte(*byte));
        self
    }

    /// Appends text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Appends a decimal number.
    pub fn number(&mut self, number: u32) -> &mut Self {
        let mut power = 1_000_000_000;
        let mut begun = false;
        while power > 0 {
            let digit = (number / power) % 10;
            begun |= digit > 0 || power == 1;
            if begun {
                self.digit(digit);
            }
            power /= 10;
        }
        self
    }

    /// Appends bytes in hexadecimal, with colons in between.
    pub fn hexadecimal(&mut self, bytes: &[u8]) -> &mut Self {
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 {
                self.byte(b':');
            }
            self.digit(u32::from(byte >> 4));
            self.digit(u32::from(byte & 15));
        }
        self
    }

    /// Appends an address: four bytes as IPv4, others as groups of two bytes.
    pub fn address(&mut self, octets: &[u8]) -> &mut Self {
        if octets.len() == 4 {
            for (at, octet) in octets.iter().enumerate() {
                if at > 0 {
                    self.byte(b'.');
                }
                self.number(u32::from(*octet));
            }
            return self;
        }
        for (at, octet) in octets.iter().enumerate() {
            if at > 0 && at % 2 == 0 {
                self.byte(b':');
            }
            self.digit(u32::from(octet >> 4));
            self.digit(u32::from(octet & 15));
        }
        self
    }

    /// Ends the line and writes it to a descriptor.
    pub fn say(&mut self, descriptor: i32) {
        self.byte(b'\n');
        system::write(descriptor, self.bytes.get(..self.length).unwrap_or_default());
    }

    fn digit(&mut self, digit: u32) {
        self.bytes(b"0123456789abcdef".get(digit as usize..).and_then(|rest| rest.get(..1)).unwrap_or_default());
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }
}
