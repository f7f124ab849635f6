//! The barometer program.
fn main() {}
