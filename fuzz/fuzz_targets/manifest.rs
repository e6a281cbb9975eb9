//! Any bytes are a manifest or a list of errors, each with a pointer that is one.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(errors) = afps::Manifest::parse(bytes) {
        assert!(!errors.to_string().is_empty());
    }
});
