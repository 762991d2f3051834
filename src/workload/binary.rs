//! The program for real systems, as bytes: what `build.rs` made of this library and `main.rs`.

include!(concat!(env!("OUT_DIR"), "/binary.rs"));
