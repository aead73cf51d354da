//! Paragraphs of fields, as Debian's control files and Python's metadata have them.
//!
//! Source: deb822(5).

/// A field with its continuation lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    /// Trimmed at both ends; continuation lines keep their indentation.
    pub(crate) value: &'a str,
}

/// One paragraph.
#[derive(Debug, Default)]
pub(crate) struct Paragraph<'a>(Vec<Field<'a>>);

impl<'a> Paragraph<'a> {
    /// The value of the first field of that name. Names ignore case.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let mut same = self.0.iter();
        let found = same.find(|field| field.name.eq_ignore_ascii_case(name));
        found.map(|field| field.value)
    }

    /// The values of all fields of that name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let same = self.0.iter();
        same.filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    }

    /// Lines that are no field and continue none.
    pub(crate) fn is_odd(&self) -> bool {
        self.0.iter().any(|field| field.name.is_empty())
    }
}

/// The paragraphs of `text`: what empty lines part.
pub(crate) fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut paragraph = Paragraph::default();
        while !rest.is_empty() {
            let (line, _) = split_line(rest);
            if line.trim().is_empty() {
                rest = split_line(rest).1;
                match paragraph.0.is_empty() {
                    true => continue,
                    false => break,
                }
            }
            let (field, after) = take_field(rest);
            rest = after;
            paragraph.0.extend(field);
        }
        (!paragraph.0.is_empty()).then_some(paragraph)
    })
}

/// The first field of `text`, unless it is a comment, and what follows it.
fn take_field(text: &str) -> (Option<Field<'_>>, &str) {
    let mut end = text.len() - split_line(text).1.len();
    while let Some(next) = text[end..]
        .chars()
        .next()
        .filter(|c| matches!(c, ' ' | '\t'))
    {
        let line = split_line(&text[end..]).0;
        // dpkg writes empty lines as ` .`; one of blanks alone ends the paragraph.
        if line[next.len_utf8()..].trim().is_empty() {
            break;
        }
        end = text.len() - split_line(&text[end..]).1.len();
    }
    let (entry, after) = text.split_at(end);
    if entry.starts_with('#') {
        return (None, after);
    }
    let field = match entry.split_once(':') {
        Some((name, value)) if is_name(name) => Field {
            name,
            value: value.trim(),
        },
        _ => Field {
            name: "",
            value: entry.trim(),
        },
    };
    (Some(field), after)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

fn split_line(text: &str) -> (&str, &str) {
    match text.find('\n') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_continuation_lines_and_paragraphs_end_at_empty_ones() {
        let text =
            "\n\nPackage: a\nDepends: b,\n c\n# a comment\nVersion: 1\n \nPackage: d\r\nodd line\n";
        let all: Vec<_> = paragraphs(text).collect();
        assert_eq!(all.len(), 2);
        for (name, value) in [
            ("package", Some("a")),
            ("Depends", Some("b,\n c")),
            ("Version", Some("1")),
            ("Pack", None),
        ] {
            assert_eq!(all[0].get(name), value, "{name}");
        }
        assert_eq!(all[1].get("Package"), Some("d"));
        assert!(all[1].is_odd() && !all[0].is_odd());
        assert_eq!(paragraphs("").count(), 0);
        assert_eq!(paragraphs(" \n\t\n").count(), 0);
        assert_eq!(paragraphs(": x\n : y").count(), 1);
    }
}
