//! Reads the paragraphs of Debian's control files (deb822).

/// The value of `field` in a paragraph, its continuation lines included. Names ignore case.
pub(super) fn field<'a>(paragraph: &'a str, field: &str) -> Option<&'a str> {
    let mut rest = paragraph;
    while !rest.is_empty() {
        let length = value_end(rest);
        let (entry, after) = rest.split_at(length);
        rest = after;
        if let Some((name, value)) = entry.split_once(':')
            && name.eq_ignore_ascii_case(field)
        {
            return Some(value.trim());
        }
    }
    None
}

/// The length of the first field with its continuation lines.
fn value_end(text: &str) -> usize {
    let mut from = 0;
    while let Some(newline) = text[from..].find('\n') {
        let next = from + newline + 1;
        if !text[next..].starts_with([' ', '\t', '#']) {
            return next;
        }
        from = next;
    }
    text.len()
}

/// The paragraphs of a text: what empty lines part.
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            found.push(String::new());
        } else if let Some(last) = found.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    found.retain(|paragraph| !paragraph.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_with_its_continuation_lines() {
        let text = "Package: a\nDepends: b,\n c\nVersion: 1\n";
        for (name, value) in [
            ("Package", Some("a")),
            ("depends", Some("b,\n c")),
            ("Version", Some("1")),
            ("Pack", None),
            ("c", None),
        ] {
            assert_eq!(field(text, name), value, "{name}");
        }
        assert_eq!(paragraphs("a: 1\n\n \nb: 2\nc: 3").len(), 2);
    }
}
