//! What a package depends on.
//!
//! Source: Debian policy, 7.1.

/// The most alternatives and relations that one field may have.
const MOST: usize = 2_000;

/// `libc6 (>= 2.34), a | b:any` as names: each relation with its alternatives.
pub(super) fn relations(field: &str) -> Vec<Vec<String>> {
    let relations = field.split(',').take(MOST).map(|relation| {
        let names = relation.split('|').take(MOST).map(bare_name);
        names.filter(|name| !name.is_empty()).collect::<Vec<_>>()
    });
    relations.filter(|names| !names.is_empty()).collect()
}

fn bare_name(relation: &str) -> String {
    let name = relation.trim();
    let end = name.find(|c: char| " (:[<\n\t".contains(c));
    name[..end.unwrap_or(name.len())].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_architectures_are_no_part_of_a_name() {
        let read = relations("libc6 (>= 2.34), a | b:any,\n c [amd64] <!nocheck>, , |");
        let names: Vec<Vec<&str>> = read
            .iter()
            .map(|names| names.iter().map(String::as_str).collect())
            .collect();
        assert_eq!(names, [vec!["libc6"], vec!["a", "b"], vec!["c"]]);
    }
}
