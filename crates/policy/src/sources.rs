//! The files of a policy.

use std::collections::BTreeMap;

use model::Digest;

/// How the names of test files end.
const TEST_END: &str = "_test.rego";

/// The files of a policy: names and texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// The text of the file `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Of all names and texts, tests too: what a load is recorded by.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for (name, text) in &self.0 {
            for part in [name, text] {
                bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        Digest::of(&bytes)
    }

    /// The files that decide.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(name, _)| !Self::is_test(name))
    }

    /// The files that hold the policy's own tests.
    pub fn tests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(name, _)| Self::is_test(name))
    }

    pub(crate) fn is_test(name: &str) -> bool {
        name.ends_with(TEST_END)
    }

    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        (self.0.iter()).map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for Sources {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(files: I) -> Self {
        let files = files.into_iter();
        Self(
            files
                .map(|(name, text)| (name.into(), text.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_tells_where_a_name_ends() {
        let one: Sources = [("a", "bc")].into_iter().collect();
        let two: Sources = [("ab", "c")].into_iter().collect();
        assert_ne!(one.digest(), two.digest());
        let same: Sources = [(String::from("a"), String::from("bc"))]
            .into_iter()
            .collect();
        assert_eq!(one.digest(), same.digest());
    }

    #[test]
    fn files_that_end_in_test_do_not_decide() {
        let files: Sources = [("a.rego", "1"), ("a_test.rego", "2")]
            .into_iter()
            .collect();
        assert_eq!(files.rules().collect::<Vec<_>>(), [("a.rego", "1")]);
        assert_eq!(files.tests().collect::<Vec<_>>(), [("a_test.rego", "2")]);
    }
}
