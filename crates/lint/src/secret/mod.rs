//! Credentials in files: by the form that providers give theirs, and by names beside random texts.

mod assigned;
mod joined;
mod placeholder;
mod provider;

use crate::scan::Raw;

/// More of one file say nothing new.
const FINDINGS: usize = 50;

/// The credentials in a file, each masked.
pub(crate) fn scan(path: &str, text: &str) -> Vec<Raw> {
    let mut raws = provider::scan(text);
    if let Some((joined, places)) = joined::join(text) {
        for raw in provider::scan(&joined) {
            raws.push(places.back(raw));
        }
    }
    raws.extend(assigned::scan(path, text));
    raws.sort_by_key(|raw| (raw.span.start, rank(&raw.rule)));
    raws.dedup_by(|later, first| {
        later.span.start < first.span.end && later.span.end > first.span.start
    });
    raws.truncate(FINDINGS);
    raws
}

/// A provider's own form says more than a name beside a text.
fn rank(rule: &str) -> u8 {
    u8::from(rule == "secret-assigned")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<String> {
        scan(path, text).into_iter().map(|raw| raw.rule).collect()
    }

    /// Made up here, letter by letter, so that no scanner takes this file for a leak.
    fn made(prefix: &str, length: usize) -> String {
        let letters = "a8Kd02LqZx7Rt5Wm1Vn9Yb3Hc6Jg4Pf";
        prefix.to_owned() + &letters.chars().cycle().take(length).collect::<String>()
    }

    #[test]
    fn credentials_are_known_by_their_form() {
        for (text, rule) in [
            (
                format!("key = '{}'", made("sk-ant-api03-", 60)),
                "secret-anthropic",
            ),
            (format!("k: {}", made("ghp_", 36)), "secret-github"),
            (format!("STRIPE={}", made("sk_live_", 28)), "secret-stripe"),
            (
                format!("u = \"postgres://app:{}@db.example.net/x\"", made("", 16)),
                "secret-database-url",
            ),
            (
                format!("-----BEGIN RSA {} KEY-----\n{}\n", "PRIVATE", made("", 80)),
                "secret-private-key",
            ),
        ] {
            assert_eq!(rules("app.py", &text), [rule], "{text}");
        }
    }

    #[test]
    fn a_name_beside_a_random_text_is_a_credential() {
        let text = format!("API_SECRET = \"{}\"", made("", 32));
        assert_eq!(rules("app.py", &text), ["secret-assigned"]);
    }

    #[test]
    fn placeholders_and_texts_for_people_are_none() {
        for text in [
            "key = 'sk-ant-your-key-here-xxxxxxxxxxxxxxxxxxxxxxxx'",
            "API_KEY = \"changeme\"",
            "aws = 'AKIAIOSFODNN7EXAMPLE'",
            "password = \"Please type your password\"",
            "token = os.environ['TOKEN']",
            "u = 'postgres://user:password@localhost/db'",
            "api_key = \"${API_KEY}\"",
            "secret_name = \"projects/my-project/secrets/database-password\"",
        ] {
            assert_eq!(rules("app.py", text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_credential_over_several_lines_is_found() {
        let (one, two) = (made("ghp_", 12), made("", 24));
        let text = format!("t = (\"{one}\"\n     \"{two}\")\n");
        assert_eq!(rules("app.py", &text), ["secret-github"]);
        let text = format!("const t = '{one}' +\n  '{two}';\n");
        assert_eq!(rules("app.js", &text), ["secret-github"]);
    }

    #[test]
    fn a_value_is_never_shown() {
        let value = made("ghp_", 36);
        let found = scan("app.py", &format!("k = '{value}'"));
        let shown = found[0].masked.clone().expect("a mask");
        assert!(!shown.contains(&value[4..20]), "{shown}");
    }
}
