//! A program that prints a line: what the standard library takes of the sizes of the others.

fn main() {
    println!("{} arguments", std::env::args().len());
}
