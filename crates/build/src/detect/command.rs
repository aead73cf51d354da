//! Commands as people write them, as programs and their arguments.

/// Signs that need a shell. `=` counts in the first word only (`PORT=1 node x`).
const SHELL_SIGNS: &[char] = &[
    '$', '&', '|', ';', '<', '>', '(', ')', '`', '\\', '"', '\'', '*', '?', '[', '#', '~', '\n',
];

/// A shell command as a program's arguments; through a shell only when it needs one.
pub(super) fn shell(text: &str) -> Vec<String> {
    let text = text.trim();
    let mut words = text.split_whitespace();
    let assigns = words.next().is_some_and(|first| first.contains('='));
    if !assigns && !text.contains(SHELL_SIGNS) {
        return words_of(text);
    }
    vec!["/bin/sh".into(), "-c".into(), text.into()]
}

/// Words that are known to need no shell.
pub(super) fn words_of(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_used_only_where_it_is_needed() {
        for (text, expected) in [
            ("node server.js", vec!["node", "server.js"]),
            ("  python  app.py ", vec!["python", "app.py"]),
            (
                "gunicorn -b 0.0.0.0:$PORT a:b",
                vec!["/bin/sh", "-c", "gunicorn -b 0.0.0.0:$PORT a:b"],
            ),
            ("A=1 node x.js", vec!["/bin/sh", "-c", "A=1 node x.js"]),
            ("node x.js --a=b", vec!["node", "x.js", "--a=b"]),
        ] {
            assert_eq!(shell(text), expected);
        }
    }
}
