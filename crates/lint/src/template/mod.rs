//! Templates: Jinja, Django, EJS, Handlebars, Nunjucks. Where each shows something without escaping.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::ir::Span;

/// A place where a template shows something as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Show {
    /// What is shown, as written.
    pub(crate) expression: String,
    /// The variable that it comes from.
    pub(crate) root: String,
    /// Where.
    pub(crate) span: Span,
    /// The rule that speaks of it.
    pub(crate) rule: String,
}

/// Where a template shows something without escaping.
pub(crate) fn shows(path: &str, text: &str) -> Vec<Show> {
    let mut shows = Vec::new();
    let is_ejs = path.ends_with(".ejs") || text.contains("<%");
    if is_ejs {
        ejs(text, &mut shows);
    }
    if path.ends_with(".hbs")
        || path.ends_with(".handlebars")
        || path.ends_with(".mustache")
        || text.contains("{{{")
    {
        handlebars(text, &mut shows);
    }
    if text.contains("{{") {
        jinja(text, &mut shows);
    }
    shows
}

fn ejs(text: &str, shows: &mut Vec<Show>) {
    let names = ejs_names(text);
    for (start, end, inner) in between(text, "<%-", "%>") {
        let expression = inner.trim();
        if expression.starts_with("include") || is_harmless(expression) {
            continue;
        }
        shows.push(show(expression, &names, start, end, "ejs-unescaped"));
    }
}

/// `comments.forEach(c =>`, `for (const c of comments)`
fn ejs_names(text: &str) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for (_, _, inner) in between(text, "<%", "%>") {
        for method in [".forEach(", ".map("] {
            if let Some((list, rest)) = inner.split_once(method) {
                let rest = rest
                    .trim_start()
                    .trim_start_matches("function")
                    .trim_start_matches(['(', ' ']);
                names.insert(word(rest), root(list));
            }
        }
        if let Some((head, list)) = inner.split_once(" of ")
            && let Some(name) = head.split_whitespace().last()
        {
            names.insert(name.to_owned(), root(list));
        }
    }
    names
}

fn handlebars(text: &str, shows: &mut Vec<Show>) {
    let mut names = HashMap::new();
    for (_, _, inner) in between(text, "{{#each", "}}") {
        names.insert("this".to_owned(), root(inner));
        names.insert(String::new(), root(inner));
    }
    for (start, end, inner) in between(text, "{{{", "}}}") {
        let expression = inner.trim();
        let is_slot = matches!(expression, "body" | "yield" | "content" | "block");
        if !is_slot && !is_harmless(expression) {
            shows.push(show(expression, &names, start, end, "handlebars-unescaped"));
        }
    }
}

fn jinja(text: &str, shows: &mut Vec<Show>) {
    let mut names = HashMap::new();
    for (_, _, inner) in between(text, "{%", "%}") {
        let inner = inner.trim_matches(['-', ' ']);
        if let Some(rest) = inner.strip_prefix("for ")
            && let Some((name, list)) = rest.split_once(" in ")
        {
            for name in name.split(',') {
                names.insert(name.trim().to_owned(), root(list));
            }
        }
        if let Some(rest) = inner.strip_prefix("set ")
            && let Some((name, value)) = rest.split_once('=')
        {
            names.insert(name.trim().to_owned(), root(value));
        }
    }
    let unescaped = unescaped_ranges(text);
    for (start, end, inner) in between(text, "{{", "}}") {
        if inner.starts_with('{') {
            continue;
        }
        let is_open = unescaped
            .iter()
            .any(|(from, to)| start >= *from && start < *to);
        let filters: Vec<&str> = inner
            .split('|')
            .skip(1)
            .map(|filter| word(filter.trim_start()))
            .map(known_filter)
            .collect();
        let is_safe = filters.contains(&"safe") || filters.contains(&"safeseq");
        let is_clean = filters.iter().any(|filter| {
            matches!(
                *filter,
                "escape"
                    | "e"
                    | "striptags"
                    | "tojson"
                    | "urlencode"
                    | "int"
                    | "length"
                    | "forceescape"
                    | "json_script"
            )
        });
        if (is_safe || (is_open && !inner.contains("csrf") && !inner.contains('(')))
            && !is_clean
            && !is_harmless(inner)
        {
            shows.push(show(inner.trim(), &names, start, end, "jinja-unescaped"));
        }
    }
}

fn known_filter(word: String) -> &'static str {
    const KNOWN: [&str; 11] = [
        "safe",
        "safeseq",
        "escape",
        "e",
        "striptags",
        "tojson",
        "urlencode",
        "int",
        "length",
        "forceescape",
        "json_script",
    ];
    KNOWN
        .iter()
        .find(|known| **known == word)
        .copied()
        .unwrap_or("")
}

/// `{% autoescape false %} … {% endautoescape %}`
fn unescaped_ranges(text: &str) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    for (start, end, inner) in between(text, "{%", "%}") {
        let inner = inner.trim_matches(['-', ' ']);
        if matches!(
            inner,
            "autoescape false" | "autoescape off" | "autoescape False"
        ) {
            let close = text[end..]
                .find("endautoescape")
                .map_or(text.len(), |at| end + at);
            ranges.push((start, close));
        }
    }
    ranges
}

/// Texts and calls that no input reaches.
fn is_harmless(expression: &str) -> bool {
    let expression = expression.trim();
    let is_text = expression.starts_with(['"', '\'']) && !expression.contains('+');
    is_text
        || expression.contains("JSON.stringify") && expression.contains("replace")
        || expression.starts_with("super(")
        || expression.starts_with("caller(")
        || expression.starts_with("self.")
        || expression.starts_with("url_for")
        || expression.starts_with("csrf")
        || crate::tables::is_cleaner(expression)
}

fn show(
    expression: &str,
    names: &HashMap<String, String>,
    start: usize,
    end: usize,
    rule: &str,
) -> Show {
    let mut root = root(expression);
    for _ in 0..4 {
        match names.get(&root) {
            Some(from) if *from != root => root = from.clone(),
            _ => break,
        }
    }
    Show {
        expression: expression.to_owned(),
        root,
        span: Span {
            start: start as u32,
            end: end as u32,
        },
        rule: rule.to_owned(),
    }
}

/// The variable that an expression begins with.
fn root(expression: &str) -> String {
    let mut rest = expression.trim_start();
    for before in ["locals.", "typeof "] {
        rest = rest.strip_prefix(before).unwrap_or(rest);
    }
    // `marked(post.body)`: what is shown is what the call is given.
    let name = word(rest);
    if let Some(inner) = rest
        .get(name.len()..)
        .and_then(|rest| rest.strip_prefix('('))
    {
        return root(inner);
    }
    name
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_' || *letter == '$')
        .collect()
}

/// What lies between two marks: start, end, and the text between.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> Vec<(usize, usize, &'a str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(open).map(|start| at + start) {
        let inner = start + open.len();
        let Some(end) = text[inner..].find(close).map(|end| inner + end) else {
            break;
        };
        found.push((start, end + close.len(), &text[inner..end]));
        at = end + close.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(path: &str, text: &str) -> Vec<String> {
        shows(path, text)
            .into_iter()
            .map(|show| show.root)
            .collect()
    }

    #[test]
    fn what_is_shown_without_escaping_is_found_with_its_variable() {
        for (path, text, expected) in [
            ("a.html", "{{ bio }} {{ bio|safe }}", vec!["bio"]),
            (
                "a.html",
                "{% for c in comments %}{{ c.text | safe }}{% endfor %}",
                vec!["comments"],
            ),
            (
                "a.html",
                "{% autoescape false %}{{ x }}{% endautoescape %}{{ y }}",
                vec!["x"],
            ),
            ("a.html", "{{ data|tojson|safe }}", vec![]),
            (
                "a.ejs",
                "<%= name %><%- name %><%- include('x') %>",
                vec!["name"],
            ),
            (
                "a.ejs",
                "<% items.forEach(function(i) { %><%- i.t %><% }) %>",
                vec!["items"],
            ),
            ("a.hbs", "{{name}}{{{name}}}{{{body}}}", vec!["name"]),
            (
                "a.hbs",
                "{{#each posts}}{{{this.text}}}{{/each}}",
                vec!["posts"],
            ),
        ] {
            assert_eq!(roots(path, text), expected, "{text}");
        }
    }
}
