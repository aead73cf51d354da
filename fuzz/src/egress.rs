//! The parts of the egress proxy that read what a sandbox sends.

#[path = "../../crates/sandbox/src/egress/address.rs"]
mod address;
#[path = "../../crates/sandbox/src/egress/head.rs"]
mod head;
#[path = "../../crates/sandbox/src/egress/refusal.rs"]
mod refusal;
#[path = "../../crates/sandbox/src/egress/rules.rs"]
mod rules;

pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    head::end(bytes, 0)
}

/// Host, port and the head that goes on, of a request that is understood.
pub(crate) fn parse(bytes: &[u8]) -> Option<(String, u16, Option<Vec<u8>>)> {
    let request = head::parse(bytes).ok()?;
    let head = match request.way {
        head::Way::Tunnel => None,
        head::Way::Forward { head, .. } => Some(head),
    };
    Some((request.host, request.port, head))
}
