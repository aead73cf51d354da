//! The head of a request to a sandbox's egress proxy: what goes on is read in one way only.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports, unreachable_pub)]
mod egress {
    #[path = "../../../crates/sandbox/src/egress/address.rs"]
    mod address;
    #[path = "../../../crates/sandbox/src/egress/head.rs"]
    mod head;
    #[path = "../../../crates/sandbox/src/egress/refusal.rs"]
    mod refusal;
    #[path = "../../../crates/sandbox/src/egress/rules.rs"]
    mod rules;

    pub(super) fn head_end(bytes: &[u8]) -> Option<usize> {
        head::end(bytes, 0)
    }

    /// Host, port and the head that goes on, of a request that is understood.
    pub(super) fn parse(bytes: &[u8]) -> Option<(String, u16, Option<Vec<u8>>)> {
        let request = head::parse(bytes).ok()?;
        let head = match request.way {
            head::Way::Tunnel => None,
            head::Way::Forward { head, .. } => Some(head),
        };
        Some((request.host, request.port, head))
    }
}

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
    let lines = head.strip_suffix(b"\r\n\r\n").expect("an empty line at the end");
    let text = lines.split(|byte| *byte == b'\n').enumerate();
    let last = lines.split(|byte| *byte == b'\n').count() - 1;
    for (number, line) in text {
        let line = if number == last { line } else { line.strip_suffix(b"\r").expect("CRLF") };
        assert!(!line.is_empty() && !line.contains(&b'\r') && !line.contains(&0));
    }
});
