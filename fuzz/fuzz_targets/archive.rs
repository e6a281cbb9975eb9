//! Any bytes are a package within its limits, or refused. A package that was accepted survives its own archive.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(package) = afps::read_archive(bytes) else { return };
    for (path, _) in package.files().iter() {
        assert!(!path.starts_with('/') && !path.contains('\\') && !path.split('/').any(|part| part == ".." || part.is_empty()), "{path}");
    }
    let again = package.to_archive().expect("an accepted package has an archive");
    let second = afps::read_archive(&again).expect("our own archive is accepted");
    assert!(second.files().iter().eq(package.files().iter()));
});
