//! Names that are one slip away from a name that everybody knows: what typosquatters register.
//!
//! The lists are small and written by hand; a name that is on none is no reproach, and one that is
//! near is a hint.

use crate::ecosystem::Ecosystem;

const PYPI: &str = include_str!("popular/pypi.txt");
const NPM: &str = include_str!("popular/npm.txt");

/// Shorter names are near each other by chance.
const SHORTEST: usize = 5;

/// The popular name that `name` is one edit away from: a letter too many or too few, another one, or
/// two that changed places. None when the name is popular itself.
pub fn near_popular(ecosystem: &Ecosystem, name: &str) -> Option<&'static str> {
    let list = match ecosystem {
        Ecosystem::Pypi => PYPI,
        Ecosystem::Npm => NPM,
        _ => return None,
    };
    let key = ecosystem.key(None, name);
    let name = key.rsplit('\0').next().unwrap_or_default();
    let popular = || list.split_whitespace();
    if name.len() > 64 || popular().any(|known| known == name) {
        return None;
    }
    let is_near = |known: &&str| {
        let lengths = known.len().abs_diff(name.len());
        known.len() >= SHORTEST && lengths <= 1 && strsim::osa_distance(known, name) == 1
    };
    popular().find(is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_from_a_popular_name_is_near() {
        for (ecosystem, name, near) in [
            (Ecosystem::Pypi, "reqeusts", Some("requests")),
            (Ecosystem::Pypi, "request", Some("requests")),
            (Ecosystem::Pypi, "Python_Dotenv", None),
            (Ecosystem::Pypi, "python-dotnev", Some("python-dotenv")),
            (Ecosystem::Pypi, "requests", None),
            (Ecosystem::Pypi, "flask-restx", None),
            (Ecosystem::Pypi, "sex", None),
            (Ecosystem::Npm, "expres", Some("express")),
            (Ecosystem::Npm, "lodahs", Some("lodash")),
            (Ecosystem::Npm, "request", None),
            (Ecosystem::Npm, "d4", None),
            (Ecosystem::Cargo, "serd", None),
        ] {
            assert_eq!(near_popular(&ecosystem, name), near, "{name}");
        }
        assert_eq!(near_popular(&Ecosystem::Npm, &"a".repeat(100_000)), None);
    }

    #[test]
    fn no_popular_name_is_near_another_one_by_the_lists_own_rule() {
        for (ecosystem, list) in [(Ecosystem::Pypi, PYPI), (Ecosystem::Npm, NPM)] {
            let names: Vec<_> = list.split_whitespace().collect();
            assert!(names.len() > 200);
            for name in names {
                assert_eq!(near_popular(&ecosystem, name), None, "{name}");
            }
        }
    }
}
