//! The app's routes: evidence for the tests that run against it.

use model::digest::Digest;
use model::route::Route;

use crate::finding::Maker;
use crate::place::Lines;
use crate::taint::{Covers, FoundRoute};

/// Words in a handler that check who calls.
const CHECKS: [&str; 43] = [
    "not in session",
    "current_user",
    "is_authenticated",
    "req.user",
    "request.user",
    "session[\"user",
    "session['user",
    "session.get(\"user",
    "session.get('user",
    "session.user",
    "session.admin",
    "\" in session",
    "' in session",
    "session[\"logged",
    "session['logged",
    "session.get(\"logged",
    "session.get('logged",
    "authorization",
    "Authorization",
    "x-api-key",
    "X-API-Key",
    "verify_token",
    "verifyToken",
    "getServerSession",
    "getSession(",
    "auth()",
    "getToken(",
    "require_login",
    "requireAuth",
    "jwt.verify",
    "jwt.decode",
    "compare_digest",
    "timingSafeEqual",
    "check_password",
    "is_admin",
    "isAdmin",
    "login_required",
    "getUser(",
    "currentUser",
    "ctx.state.user",
    "PermissionDenied",
    "session.loggedIn",
    "session.authenticated",
];

/// Words in the name of a decorator, dependency or middleware that checks who calls.
const GUARDS: [&str; 22] = [
    "auth",
    "login",
    "require",
    "protect",
    "guard",
    "jwt",
    "token",
    "session",
    "admin",
    "user",
    "permission",
    "verify",
    "signed_in",
    "signedin",
    "member",
    "role",
    "api_key",
    "apikey",
    "security",
    "credential",
    "access",
    "owner",
];

/// Whether a name is that of a guard.
pub(crate) fn is_guard(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let not = lower.contains("csrf")
        || lower == "session"
        || lower == "require"
        || lower.contains("get_session")
        || lower.contains("author") && !lower.contains("authoriz")
        || lower.contains("user_agent");
    !not && GUARDS.iter().any(|word| lower.contains(word))
}

/// The routes, sorted, each with what guards it.
pub(crate) fn routes(found: &[FoundRoute], units: &[usize], maker: &mut Maker) -> Vec<Route> {
    let fences = fences(found, units, maker);
    let mut routes = Vec::new();
    for route in found.iter().filter(|route| route.method != "USE") {
        let file = units[route.unit as usize];
        let (line, handler, text) = {
            let bytes = maker.text(file);
            let line = Lines::of(bytes).place(route.span.start).line;
            let start = (route.span.start as usize).min(bytes.len());
            let end = (route.span.end as usize).clamp(start, bytes.len());
            let text = String::from_utf8_lossy(&bytes[start..end]).into_owned();
            (line, Digest::of(&bytes[start..end]), text)
        };
        let mut guards: Vec<String> = route
            .guards
            .iter()
            .filter(|name| is_guard(name))
            .cloned()
            .collect();
        guards.extend(before(route, &fences));
        if guards.is_empty() {
            let check = CHECKS.iter().find(|check| text.contains(**check));
            guards.extend(check.map(|check| (*check).to_owned()));
        }
        guards.sort();
        guards.dedup();
        routes.push(Route {
            method: route.method.clone(),
            path: route.path.clone(),
            parameters: parameters(&route.path),
            guards,
            file: maker.path(file).to_owned(),
            line,
            handler,
        });
    }
    routes.sort();
    routes.dedup();
    routes
}

/// What stands before other routes, and by which guards it lets nobody pass.
struct Fence<'a> {
    at: &'a FoundRoute,
    guards: Vec<String>,
}

fn fences<'a>(found: &'a [FoundRoute], units: &[usize], maker: &mut Maker) -> Vec<Fence<'a>> {
    let mut fences = Vec::new();
    for at in found.iter().filter(|route| route.covers != Covers::Itself) {
        let named = at.guards.iter();
        let named = named.filter(|name| is_guard(name) && !is_setup(name));
        let mut guards: Vec<String> = named.cloned().collect();
        let bytes = maker.text(units[at.unit as usize]);
        let start = (at.span.start as usize).min(bytes.len());
        let end = (at.span.end as usize).clamp(start, bytes.len());
        let text = String::from_utf8_lossy(&bytes[start..end]);
        let check = CHECKS.iter().find(|check| text.contains(**check));
        guards.extend(check.map(|check| (*check).to_owned()));
        fences.push(Fence { at, guards });
    }
    fences
}

/// Guards before a route: of middleware above it, of what runs before every request, and of what the
/// router that it belongs to is mounted behind.
fn before(route: &FoundRoute, fences: &[Fence]) -> Vec<String> {
    let mut names = above(route.at_unit, route.at.start, &route.path, fences);
    for fence in fences {
        match fence.at.covers {
            Covers::All => names.extend(fence.guards.iter().cloned()),
            Covers::Unit(unit) if unit == route.at_unit => {
                names.extend(fence.guards.iter().cloned());
                let at = fence.at;
                names.extend(above(at.at_unit, at.at.start, &at.path, fences));
            }
            _ => {}
        }
    }
    names
}

/// Guards of middleware above a place, in the same file: `app.use(requireLogin)`.
fn above(unit: u32, start: u32, path: &str, fences: &[Fence]) -> Vec<String> {
    let covers = |fence: &&Fence| {
        let at = fence.at;
        at.covers == Covers::Below
            && at.at_unit == unit
            && at.at.start < start
            && path.starts_with(at.path.trim_end_matches('/'))
    };
    let guards = fences.iter().filter(covers).flat_map(|fence| &fence.guards);
    guards.cloned().collect()
}

/// Middleware that only makes sessions possible.
fn is_setup(name: &str) -> bool {
    matches!(
        name,
        "session"
            | "cookieSession"
            | "expressSession"
            | "initialize"
            | "passport"
            | "userRouter"
            | "authRouter"
            | "authRoutes"
            | "usersRouter"
            | "userRoutes"
    ) || name.ends_with("Router")
        || name.ends_with("Routes")
}

/// The parameters of a path: `<int:id>`, `{id}`, `:id`, `[id]`.
fn parameters(path: &str) -> Vec<String> {
    let mut parameters = Vec::new();
    for part in path.split('/') {
        let inner = part.trim_matches(['<', '>', '{', '}', '[', ']']);
        let is_parameter = part.starts_with(['<', '{', ':', '[']);
        if is_parameter {
            let name = match part.starts_with('<') {
                true => inner.rsplit(':').next().unwrap_or_default(),
                false => inner
                    .trim_start_matches(':')
                    .split(':')
                    .next()
                    .unwrap_or_default(),
            };
            parameters.push(name.trim_start_matches("...").to_owned());
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_each_framework_writes_them() {
        for (path, expected) in [
            ("/users/<int:id>/x", vec!["id"]),
            ("/users/{user_id}", vec!["user_id"]),
            ("/a/:b/:c", vec!["b", "c"]),
            ("/blog/[...slug]", vec!["slug"]),
            ("/plain", vec![]),
        ] {
            assert_eq!(parameters(path), expected, "{path}");
        }
    }

    #[test]
    fn guards_are_known_by_their_name() {
        for (name, expected) in [
            ("login_required", true),
            ("requireAuth", true),
            ("get_current_user", true),
            ("csrf_exempt", false),
            ("get_session", false),
            ("limiter", false),
        ] {
            assert_eq!(is_guard(name), expected, "{name}");
        }
    }
}
