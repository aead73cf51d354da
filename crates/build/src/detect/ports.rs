//! Which port code listens on, as far as its text says.

use std::sync::LazyLock;

use regex::Regex;

/// The port that an app gets as `PORT` when nothing better is known.
pub(super) const DEFAULT_PORT: u16 = 8080;

/// What code says about its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PortClue {
    /// It takes the one that `PORT` names.
    FollowsPort,
    /// It has one of its own.
    Fixed(u16),
}

static FOLLOWS: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r#"environ(?:\.get\(|\[)\s*["']PORT["']|getenv\(\s*["']PORT["']|\benv\.PORT\b|env\[["']PORT["']\]|\{[^}\n]*\bPORT\b[^}\n]*\}\s*=\s*process\.env|Bun\.env\.PORT"#,
    )
});
/// Ways of writing a port, the surest first.
static FIXED: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        rule(r"\.listen\(\s*(?:\{\s*port\s*:\s*)?(\d{2,5})\b"),
        rule(r"(?:^|[^\w.])(?:server_)?port\s*[=:]\s*(\d{2,5})\b"),
        rule(
            r"\b(?:PORT|Port|SERVER_PORT|APP_PORT|HTTP_PORT)\s*(?::\s*\w+\s*)?=\s*(?:int\(|Number\()?\s*(\d{2,5})\b",
        ),
        rule(r#"\(\s*\(\s*["'][^"']*["']\s*,\s*(\d{2,5})\s*\)"#),
        rule(r#"--port[= ]+(\d{2,5})\b|["']--port["']\s*,\s*["'](\d{2,5})["']"#),
    ]
});

fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file, which the tests compile")
}

/// What `code` says about its port.
pub(super) fn port_of(code: &str) -> Option<PortClue> {
    if FOLLOWS.is_match(code) {
        return Some(PortClue::FollowsPort);
    }
    FIXED.iter().find_map(|rule| {
        let found = rule.captures(code)?;
        let digits = found.iter().skip(1).flatten().next()?;
        let port = digits.as_str().parse().ok().filter(|port| *port > 0)?;
        Some(PortClue::Fixed(port))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_as_people_write_them() {
        use PortClue::{Fixed, FollowsPort};
        for (code, expected) in [
            ("app.run(port=5000)", Some(Fixed(5000))),
            (
                "app.run(debug=True, host='0.0.0.0', port = 80)",
                Some(Fixed(80)),
            ),
            ("PORT = 80\nHTTPServer(('', PORT), H)", Some(Fixed(80))),
            ("HTTPServer((\"\", 8000), H)", Some(Fixed(8000))),
            ("server.listen(1234, 'localhost')", Some(Fixed(1234))),
            ("app.listen({ port: 3000 })", Some(Fixed(3000))),
            ("const PORT = 3000;\napp.listen(PORT)", Some(Fixed(3000))),
            ("const port = process.env.PORT || 4000", Some(FollowsPort)),
            ("const { PORT = 3000 } = process.env", Some(FollowsPort)),
            (
                "port = int(os.environ.get('PORT', 5000))",
                Some(FollowsPort),
            ),
            ("os.getenv(\"PORT\")", Some(FollowsPort)),
            ("PORT: int = 9000", Some(Fixed(9000))),
            ("uvicorn.run('a:b', port=99999)", None),
            ("smtp_port=587", None),
            ("print('hello')", None),
        ] {
            assert_eq!(port_of(code), expected, "{code}");
        }
    }
}
