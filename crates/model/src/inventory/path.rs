//! By which way a package came in.

use std::collections::{HashMap, VecDeque};

/// The ways to all packages that something leads to.
#[derive(Debug, Clone)]
pub struct Paths<'a> {
    came_from: HashMap<&'a str, Option<&'a str>>,
}

/// The shortest way from what is asked for to each package that it brings in, both ends included.
///
/// Packages may need each other in circles. Of two ways of one length, the one that is named first
/// counts. What nothing leads to has no way.
pub fn paths<'a, N>(
    roots: impl IntoIterator<Item = &'a str>,
    needs: impl Fn(&'a str) -> N,
) -> Paths<'a>
where
    N: IntoIterator<Item = &'a str>,
{
    let mut came_from: HashMap<&str, Option<&str>> = HashMap::new();
    let mut open = VecDeque::new();
    for root in roots {
        if came_from.insert(root, None).is_none() {
            open.push_back(root);
        }
    }
    while let Some(package) = open.pop_front() {
        for needed in needs(package) {
            if !came_from.contains_key(needed) {
                came_from.insert(needed, Some(package));
                open.push_back(needed);
            }
        }
    }
    Paths { came_from }
}

impl<'a> Paths<'a> {
    /// The way to a package; none when nothing leads there.
    pub fn to(&self, package: &str) -> Option<Vec<&'a str>> {
        let (package, _) = self.came_from.get_key_value(package)?;
        let steps = std::iter::successors(Some(*package), |step| self.came_from[step]);
        let mut way: Vec<_> = steps.collect();
        way.reverse();
        Some(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way_is_told_and_circles_end() {
        let needs = |package: &str| -> Vec<&'static str> {
            match package {
                "app" => vec!["a", "b"],
                "a" => vec!["c"],
                "b" => vec!["d"],
                "c" => vec!["d", "a"],
                "d" => vec!["app", "e"],
                _ => vec![],
            }
        };
        let ways = paths(["app", "app"], needs);
        for (package, way) in [
            ("app", Some(vec!["app"])),
            ("c", Some(vec!["app", "a", "c"])),
            ("e", Some(vec!["app", "b", "d", "e"])),
            ("x", None),
        ] {
            assert_eq!(ways.to(package), way, "{package}");
        }
    }

    #[test]
    fn a_long_chain_is_followed_without_a_stack() {
        let names: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
        let next = |package: &str| {
            let next = package.parse::<usize>().ok()?;
            names.get(next + 1).map(String::as_str)
        };
        let ways = paths([names[0].as_str()], next);
        assert_eq!(ways.to("99999").map(|way| way.len()), Some(names.len()));
    }
}
