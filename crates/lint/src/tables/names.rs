//! Names that stand for others, and names that say what a function does.

/// Longer beginnings first: what stands for what.
const ALIASES: [(&str, &str); 66] = [
    ("flask.request", "request"),
    ("quart.request", "request"),
    ("bottle.request", "request"),
    ("sanic.request", "request"),
    ("starlette.requests.Request", "request"),
    ("fastapi.Request", "request"),
    ("aiohttp.web.Request", "request"),
    ("django.http.HttpRequest", "request"),
    ("rest_framework.request.Request", "request"),
    ("ctx.request", "request"),
    ("ctx.req", "request"),
    ("context.request", "request"),
    ("context.req", "request"),
    ("fs/promises", "fs"),
    ("fs.promises", "fs"),
    ("fs-extra", "fs"),
    ("graceful-fs", "fs"),
    ("path.posix", "path"),
    ("requests.Session()", "requests"),
    ("requests.session()", "requests"),
    ("requests.sessions.Session()", "requests"),
    ("httpx.AsyncClient()", "httpx"),
    ("httpx.Client()", "httpx"),
    ("aiohttp.ClientSession()", "aiohttp"),
    ("urllib3.PoolManager()", "urllib3"),
    ("axios.create()", "axios"),
    ("node-fetch", "fetch"),
    ("cross-fetch", "fetch"),
    ("isomorphic-fetch", "fetch"),
    ("undici.fetch", "fetch"),
    ("got.extend()", "got"),
    ("streamlit.sidebar", "streamlit"),
    ("window.", ""),
    ("globalThis.", ""),
    ("self.location", "location"),
    ("document.location", "location"),
    ("global.", ""),
    ("express.Router()", "express()"),
    ("express.default()", "express()"),
    ("fastify()", "express()"),
    ("fastify.default()", "express()"),
    ("hono.Hono()", "express()"),
    ("koa-router()", "express()"),
    ("@koa/router()", "express()"),
    ("restify.createServer()", "express()"),
    ("polka()", "express()"),
    ("flask.Flask()", "flask()"),
    ("flask.Blueprint()", "flask()"),
    ("quart.Quart()", "flask()"),
    ("fastapi.FastAPI()", "fastapi()"),
    ("fastapi.APIRouter()", "fastapi()"),
    ("starlette.applications.Starlette()", "fastapi()"),
    ("aiohttp.web.RouteTableDef()", "flask()"),
    ("bottle.Bottle()", "flask()"),
    ("fastapi.responses.", "starlette.responses."),
    ("sqlalchemy.sql.text", "sqlalchemy.text"),
    ("sqlalchemy.sql.expression.text", "sqlalchemy.text"),
    ("flask.Markup", "markupsafe.Markup"),
    ("jinja2.Markup", "markupsafe.Markup"),
    ("jinja2.utils.markupsafe.Markup", "markupsafe.Markup"),
    ("flask.escape", "html.escape"),
    ("markupsafe.escape", "html.escape"),
    ("django.utils.html.escape", "html.escape"),
    ("os.path.", "path."),
    ("posixpath.", "path."),
    ("builtins.", ""),
];

/// A path as the tables write it.
pub(crate) fn canonical(path: &str) -> String {
    let mut path = path.trim_end_matches(".default").to_owned();
    if let Some(rest) = path.split_once(".default.") {
        path = format!("{}.{}", rest.0, rest.1);
    }
    for (from, to) in ALIASES {
        let Some(rest) = path.strip_prefix(from) else {
            continue;
        };
        if from.ends_with('.') || rest.is_empty() || rest.starts_with(['.', '(']) {
            return format!("{to}{rest}");
        }
    }
    path
}

fn has_word(name: &str, words: &[&str]) -> bool {
    let lower = name.to_ascii_lowercase();
    words.iter().any(|word| lower.contains(word))
}

/// Whether a function that is not part of the app makes its argument harmless, by its name.
pub(crate) fn is_cleaner(name: &str) -> bool {
    let words = [
        "escape",
        "sanitize",
        "sanitise",
        "purify",
        "bleach",
        "stripTags",
        "strip_tags",
    ];
    has_word(name, &words) && !has_word(name, &["unescape"])
}

/// Whether a function that is not part of the app checks its argument, by its name.
pub(crate) fn is_checker(name: &str) -> bool {
    let starts = [
        "is", "has", "check", "valid", "verify", "assert", "ensure", "allowed", "require",
    ];
    let lower = name.to_ascii_lowercase();
    let lower = lower.trim_start_matches('_');
    let speaks = [
        "safe",
        "allow",
        "valid",
        "permitted",
        "trusted",
        "internal",
        "private",
        "whitelist",
    ];
    starts.iter().any(|start| lower.starts_with(start)) && has_word(lower, &speaks)
}
