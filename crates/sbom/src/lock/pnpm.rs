//! pnpm's lock file. It is written by one program in one form, so its lines are read without a
//! parser of YAML.

use super::{Named, at_version};

/// The packages that the lock names: the keys of its table `packages`.
pub(super) fn read(text: &str) -> Vec<Named> {
    let table = text
        .lines()
        .skip_while(|line| line.trim_end() != "packages:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with(' '));
    let keys = table.filter_map(|line| {
        let key = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with(' '))?;
        let key = key
            .trim_end()
            .strip_suffix(':')
            .or(key.split(": ").next())?;
        let key = key.trim_matches('\'').trim_matches('"');
        let key = key.strip_prefix('/').unwrap_or(key);
        // In parentheses stand the peers that it was installed beside.
        let key = key.split('(').next().unwrap_or(key);
        at_version(key)
    });
    keys.map(|(name, version)| Named::npm(name, version))
        .collect()
}
