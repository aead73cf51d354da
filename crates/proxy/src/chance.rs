//! Cheap random numbers for drawing releases and naming requests; nothing secret hangs on them.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};

/// A generator of one worker (wyrand; public domain, by Wang Yi).
pub(crate) struct Chance(Cell<u64>);

impl Chance {
    /// A generator with a seed from the system.
    pub(crate) fn new() -> Self {
        Self(Cell::new(RandomState::new().build_hasher().finish()))
    }

    /// A generator that always gives the same numbers.
    #[cfg(test)]
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// The next 64 bits.
    pub(crate) fn bits(&self) -> u64 {
        let state = self.0.get().wrapping_add(0xa076_1d64_78bd_642f);
        self.0.set(state);
        let wide = u128::from(state) * u128::from(state ^ 0xe703_7ed1_a0b4_28db);
        (wide >> 64) as u64 ^ wide as u64
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: u32) -> u32 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_share_is_drawn_about_as_often_as_it_should_be() {
        let chance = Chance::new();
        let draws = 100_000;
        let below_five = (0..draws).filter(|_| chance.below(100) < 5).count();
        // 5 % of 100,000 with ten standard deviations of 69 on each side.
        assert!((4_300..5_700).contains(&below_five), "{below_five}");
    }
}
