//! Routes that change something, and ask nobody who they are.

use model::finding::Confidence;
use model::route::Route;

use crate::finding::{At, Maker};
use crate::ir::Span;
use crate::place::Lines;
use crate::settings::{Access, Settings};

/// Words in the path of a route that is open by its nature.
const OPEN: [&str; 22] = [
    "login",
    "logout",
    "signin",
    "sign-in",
    "signup",
    "sign-up",
    "register",
    "auth",
    "token",
    "webhook",
    "callback",
    "health",
    "contact",
    "subscribe",
    "reset",
    "forgot",
    "verify",
    "oauth",
    "session",
    "search",
    "feedback",
    "csrf",
];

/// Adds a finding for each route that changes something and has no guard, where it matters: other
/// routes have one, or everybody can reach the app.
pub(crate) fn add(maker: &mut Maker, routes: &[Route], settings: &Settings) {
    let is_guarded = |route: &&Route| !route.guards.is_empty();
    let guarded = routes.iter().filter(is_guarded).count();
    let is_public = settings.access == Access::Public;
    if guarded == 0 && !is_public {
        return;
    }
    let open = routes
        .iter()
        .filter(|route| route.is_mutating() && route.guards.is_empty());
    let mut last: Option<(String, u32)> = None;
    for route in open.filter(|route| !is_open(&route.path)) {
        let Some(file) = maker.file(&route.file) else {
            continue;
        };
        let at = (route.file.clone(), route.line);
        if last.as_ref() == Some(&at) {
            continue;
        }
        last = Some(at);
        // Of many open routes and one guarded one, which is the mistake?
        let confidence = match guarded * 2 >= routes.len() || is_public {
            true => Confidence::High,
            false => Confidence::Medium,
        };
        let span = line_span(maker, file, route.line);
        let rule = match route.method == "DELETE" || guarded > 0 {
            true => "missing-authentication",
            false => "public-mutation",
        };
        maker.add(
            rule,
            At {
                file,
                span: Some(span),
            },
            Some(confidence),
            vec![],
        );
    }
}

fn is_open(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    OPEN.iter().any(|word| lower.contains(word))
}

fn line_span(maker: &mut Maker, file: usize, line: u32) -> Span {
    let text = maker.text(file);
    let lines = Lines::of(text);
    let mut start = 0;
    for _ in 1..line {
        start = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at + 1);
    }
    let length = lines.line(line).len();
    Span {
        start: start as u32,
        end: (start + length) as u32,
    }
}
