//! What the edge itself says to people: short pages in plain words.

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::body::Body;

/// A page of the edge's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page<'a> {
    /// The host names no app.
    NoSuchApp,
    /// The host names a release that has gone.
    NoSuchRelease,
    /// The app has nobody who serves it; its own words.
    Down(&'a str),
    /// The app was held for too long, or its release ended.
    TakingOver,
    /// The app refuses connections or broke off.
    Unreachable,
    /// The app did not answer in time.
    TooSlow,
    /// The host may not be asked for here.
    WrongHost,
    /// The request makes no sense.
    BadRequest(&'a str),
    /// The request's body is too large.
    TooLarge,
    /// The client sent its body too slowly.
    SlowClient,
    /// The site has no such file.
    NoSuchFile,
    /// A site takes no such method.
    NoSuchMethod,
    /// The edge itself failed.
    Broken,
}

impl Page<'_> {
    fn status(self) -> StatusCode {
        match self {
            Self::NoSuchApp | Self::NoSuchRelease | Self::NoSuchFile => StatusCode::NOT_FOUND,
            Self::Down(_) | Self::TakingOver => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable => StatusCode::BAD_GATEWAY,
            Self::TooSlow => StatusCode::GATEWAY_TIMEOUT,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowClient => StatusCode::REQUEST_TIMEOUT,
            Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::NoSuchApp => "There is no app at this address",
            Self::NoSuchRelease => "This release is not running",
            Self::Down(_) => "This app is not running",
            Self::TakingOver => "This app is changing over",
            Self::Unreachable => "This app did not answer",
            Self::TooSlow => "This app took too long",
            Self::WrongHost => "This address belongs to something else",
            Self::BadRequest(_) => "This request cannot be understood",
            Self::TooLarge => "This upload is too large",
            Self::SlowClient => "This upload took too long",
            Self::NoSuchFile => "There is no such page",
            Self::NoSuchMethod => "This page can only be read",
            Self::Broken => "Something went wrong",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::NoSuchApp => "Check the spelling, or run `mayfly list` to see your apps.",
            Self::NoSuchRelease => "It may have been replaced by a newer one.",
            Self::Down(_) => "",
            Self::TakingOver => "Please try again in a moment.",
            Self::Unreachable => "It may be restarting. Run `mayfly logs` to see what it says.",
            Self::TooSlow => "Run `mayfly logs` to see what it is busy with.",
            Self::WrongHost => "Use the address that `mayfly status` prints.",
            Self::BadRequest(_) => "",
            Self::TooLarge => "The server allows less for one request.",
            Self::SlowClient => "Please send it again.",
            Self::NoSuchFile => "Check the spelling of the address.",
            Self::NoSuchMethod => "It takes GET and HEAD requests.",
            Self::Broken => "Run `mayfly doctor` on the machine that serves it.",
        }
    }

    fn words(self) -> String {
        match self {
            Self::Down(words) if !words.is_empty() => words.to_owned(),
            Self::Down(_) => "Please try again in a moment.".to_owned(),
            Self::BadRequest(why) => why.to_owned(),
            other => other.text().to_owned(),
        }
    }

    /// The page as a response.
    pub(crate) fn response(self, form: Form) -> Response<Body> {
        let (kind, text) = match form {
            Form::Html => ("text/html; charset=utf-8", self.html()),
            Form::Text => (
                "text/plain; charset=utf-8",
                format!("{}\n{}\n", self.title(), self.words()),
            ),
        };
        let mut response = Response::new(Body::whole(text));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Down(_) | Self::TakingOver => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
            }
            Self::NoSuchMethod => {
                headers.insert(http::header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            _ => {}
        }
        response
    }

    fn html(self) -> String {
        let (title, words) = (escape(self.title()), escape(&self.words()));
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto;\
             padding:0 1rem;color-scheme:light dark}}p{{white-space:pre-line}}</style>\
             <h1>{title}</h1><p>{words}</p></html>\n"
        )
    }
}

/// How a client likes to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A page, for people who navigate.
    Html,
    /// Plain text, for programs.
    Text,
}

impl Form {
    /// Browsers name `text/html` when somebody navigates; `*/*` is what programs say.
    pub(crate) fn wanted(request: &HeaderMap) -> Self {
        let kind = |item: &[u8]| item.trim_ascii().get(..9).map(<[u8]>::to_ascii_lowercase);
        let html = |value: &HeaderValue| {
            let mut items = value.as_bytes().split(|b| *b == b',');
            items.any(|item| kind(item).as_deref() == Some(b"text/html"))
        };
        match request.get_all(ACCEPT).iter().any(html) {
            true => Self::Html,
            false => Self::Text,
        }
    }
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\n' => {}
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_app_cannot_become_markup() {
        let page = Page::Down("<script>alert(1)</script>\u{1b}").html();
        assert!(
            page.contains("&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
            "{page}"
        );
        assert!(!page.contains('\u{1b}'));
    }

    #[test]
    fn html_goes_only_to_those_who_ask_for_it() {
        for (accept, form) in [
            ("text/html,application/xhtml+xml", Form::Html),
            ("application/json, TEXT/HTML;q=0.9", Form::Html),
            ("*/*", Form::Text),
            ("application/json", Form::Text),
            ("text/htm", Form::Text),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Form::wanted(&headers), form, "{accept}");
        }
    }
}
