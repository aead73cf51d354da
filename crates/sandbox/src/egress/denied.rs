//! What was asked for and not given.

use std::collections::BTreeSet;

use model::instance::DeniedEgress;

/// How many different hosts and ports are remembered; an app that asks for more is guessing.
const MOST: usize = 256;

/// Each denied host and port once.
#[derive(Debug, Default)]
pub(super) struct Denied {
    seen: BTreeSet<DeniedEgress>,
    fresh: Vec<DeniedEgress>,
}

impl Denied {
    /// Remembers one, unless it is known or there are too many.
    pub(super) fn note(&mut self, host: &str, port: u16) {
        let denied = DeniedEgress {
            host: host.to_owned(),
            port,
        };
        if self.seen.len() < MOST && self.seen.insert(denied.clone()) {
            self.fresh.push(denied);
        }
    }

    /// Those that were not taken yet, in the order in which they were asked for.
    pub(super) fn take(&mut self) -> Vec<DeniedEgress> {
        std::mem::take(&mut self.fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_and_their_number_is_bounded() {
        let mut denied = Denied::default();
        denied.note("a.example", 443);
        denied.note("a.example", 443);
        denied.note("a.example", 80);
        assert_eq!(denied.take().len(), 2);
        denied.note("a.example", 443);
        assert_eq!(denied.take(), []);
        for guess in 0..1000 {
            denied.note(&format!("h{guess}.example"), 443);
        }
        assert_eq!(denied.take().len(), MOST - 2);
    }
}
