//! What stands for a person in an entry that is never erased.

use sha2::{Digest, Sha256};

/// A hash that stands for something personal, such as an address.
///
/// The salt, random and kept beside the person in the ledger, is what erases them: without it the
/// hash can no longer be told from any other, not even by trying all addresses.
pub fn stand_in(salt: &[u8; 32], personal: &str) -> String {
    let hash = Sha256::new()
        .chain_update(salt)
        .chain_update(personal)
        .finalize();
    model::Digest::from_bytes(hash.into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_stand_in_for_each_salt() {
        let same = stand_in(&[1; 32], "ann@example.org");
        assert_eq!(stand_in(&[1; 32], "ann@example.org"), same);
        assert_ne!(stand_in(&[2; 32], "ann@example.org"), same);
        assert_ne!(stand_in(&[1; 32], "bob@example.org"), same);
    }
}
