//! The head of a request to a sandbox's egress proxy: what goes on is read in one way only.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/egress.rs"]
#[allow(dead_code, unused_imports, unreachable_pub)]
mod egress;

fuzz_target!(|data: &[u8]| {
    let Some(end) = egress::head_end(data) else {
        return;
    };
    let Some((host, port, head)) = egress::parse(&data[..end]) else {
        return;
    };
    assert!(!host.is_empty() && port != 0);
    let Some(head) = head else {
        return;
    };
    let lines = head
        .strip_suffix(b"\r\n\r\n")
        .expect("an empty line at the end");
    let text = lines.split(|byte| *byte == b'\n').enumerate();
    let last = lines.split(|byte| *byte == b'\n').count() - 1;
    for (number, line) in text {
        let line = if number == last {
            line
        } else {
            line.strip_suffix(b"\r").expect("CRLF")
        };
        assert!(!line.is_empty() && !line.contains(&b'\r') && !line.contains(&0));
    }
});
