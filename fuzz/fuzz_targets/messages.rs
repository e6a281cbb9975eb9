//! What a captured sandbox may say: any bytes are a message of the tool host, or none, and an event of a run reads back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    _ = serde_json::from_slice::<wire::hands::FromHands>(bytes);
    if let Ok(event) = serde_json::from_slice::<wire::run_event::RunEvent>(bytes) {
        let text = serde_json::to_string(&event).expect("an event is JSON");
        assert_eq!(serde_json::from_str::<wire::run_event::RunEvent>(&text).expect("our own text"), event);
    }
});
