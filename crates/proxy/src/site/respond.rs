//! From a file to a response: conditions, parts, types.

use std::io;

use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::find::{Found, Named, SiteRoot};
use super::path::{SitePath, with_slash};
use super::range::{Selection, select};
use super::{FileBody, Query, file_body, negotiate};
use crate::body::Body;
use crate::pages::{Form, Page};

/// Up to this size a file is read at once.
const WHOLE: u64 = 64 << 10;

impl SiteRoot {
    /// The file that a request names, as a response; `None` when there is none, or when the
    /// request does more than read.
    pub(crate) async fn serve(&self, query: Query<'_>) -> Option<Response<Body>> {
        if !query.is_read() {
            return None;
        }
        let path = SitePath::read(query.uri.path())?;
        match self.named(&path) {
            Ok(Named::Nothing) => None,
            Ok(Named::Folder) => Some(redirect(query)),
            Ok(Named::File(file, name)) => Some(self.send(file, name, query, StatusCode::OK).await),
            Err(cause) => Some(broken(&cause, query)),
        }
    }

    /// The page for a path without a file: the fallback page for people who navigate within a
    /// single-page application, else the site's `404.html` when it has one.
    pub(crate) async fn missing(&self, query: Query<'_>) -> Option<Response<Body>> {
        if let Some(page) = self.fallback(query).await {
            return Some(page);
        }
        let file = self.page("404.html").ok()??;
        let name = "404.html".to_owned();
        Some(self.send(file, name, query, StatusCode::NOT_FOUND).await)
    }

    /// The fallback page, when there is one and the request is somebody's navigation.
    pub(crate) async fn fallback(&self, query: Query<'_>) -> Option<Response<Body>> {
        let name = self.files.site.fallback.clone()?;
        let path = SitePath::read(query.uri.path())?;
        if !query.is_read() || path.has_kind() || Form::wanted(query.headers) == Form::Text {
            return None;
        }
        match self.page(&name) {
            Ok(Some(file)) => Some(self.send(file, name, query, StatusCode::OK).await),
            Ok(None) => None,
            Err(cause) => Some(broken(&cause, query)),
        }
    }

    /// The status that a GET for `path` gets from somebody who navigates.
    pub(crate) fn status(&self, path: &str) -> io::Result<u16> {
        let Some(path) = SitePath::read(path) else {
            return Ok(404);
        };
        Ok(match self.named(&path)? {
            Named::File(..) => 200,
            Named::Folder => 301,
            Named::Nothing if self.files.site.fallback.is_some() && !path.has_kind() => 200,
            Named::Nothing => 404,
        })
    }

    async fn send(
        &self,
        file: std::fs::File,
        name: String,
        query: Query<'_>,
        status: StatusCode,
    ) -> Response<Body> {
        // Parts are those of the plain file: media players ask for them.
        let accepted = match query.headers.contains_key(RANGE) {
            true => None,
            false => text(query.headers, &ACCEPT_ENCODING),
        };
        let response = match self.represent(file, name, accepted).await {
            Ok(found) => respond(found, query, status),
            Err(cause) => Err(cause),
        };
        response.unwrap_or_else(|cause| broken(&cause, query))
    }
}

fn respond(found: Found, query: Query<'_>, status: StatusCode) -> io::Result<Response<Body>> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(ETAG, value(&found.tag)?);
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static(negotiate::cache_control(&found.name)),
    );
    if found.varies {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if status == StatusCode::OK && matches(query.headers, &found.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    headers.insert(CONTENT_TYPE, value(&negotiate::content_type(&found.name))?);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(encoding) = found.encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.token()));
    }
    *response.status_mut() = status;
    match selection(query, &found, status) {
        Selection::Whole => fill(&mut response, found, query, None)?,
        Selection::Part(part) => {
            let range = format!("bytes {}-{}/{}", part.start, part.end - 1, found.size);
            response.headers_mut().insert(CONTENT_RANGE, value(&range)?);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            fill(&mut response, found, query, Some(part))?;
        }
        Selection::Unsatisfiable => {
            let range = value(&format!("bytes */{}", found.size))?;
            response.headers_mut().insert(CONTENT_RANGE, range);
            response.headers_mut().remove(CONTENT_TYPE);
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
        }
    }
    Ok(response)
}

/// Which part is sent. A range counts for a GET only, and with `If-Range` only for this very
/// content (RFC 9110, 13.1.5).
fn selection(query: Query<'_>, found: &Found, status: StatusCode) -> Selection {
    let same = match query.headers.get(IF_RANGE) {
        Some(tag) => tag.as_bytes() == found.tag.as_bytes(),
        None => true,
    };
    match text(query.headers, &RANGE) {
        Some(range) if same && status == StatusCode::OK && *query.method == Method::GET => {
            select(range, found.size)
        }
        _ => Selection::Whole,
    }
}

fn fill(
    response: &mut Response<Body>,
    found: Found,
    query: Query<'_>,
    part: Option<std::ops::Range<u64>>,
) -> io::Result<()> {
    let part = part.unwrap_or(0..found.size);
    let bytes = part.end - part.start;
    response.headers_mut().insert(CONTENT_LENGTH, bytes.into());
    if *query.method == Method::GET {
        *response.body_mut() = match bytes <= WHOLE {
            true => Body::whole(file_body::read(&found.file, part.start, bytes)?),
            false => Body::File(Box::new(FileBody::new(found.file, part))),
        };
    }
    Ok(())
}

/// Whether `If-None-Match` names this content (weak comparison, RFC 9110, 13.1.2).
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter();
    lists.filter_map(|list| list.to_str().ok()).any(|list| {
        let tags = list.split(',').map(str::trim);
        tags.map(|one| one.strip_prefix("W/").unwrap_or(one))
            .any(|one| one == tag || one == "*")
    })
}

fn redirect(query: Query<'_>) -> Response<Body> {
    let location = with_slash(query.uri.path(), query.uri.query());
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    // A folder may become a file in the next release.
    let no_cache = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(CACHE_CONTROL, no_cache);
    response
}

fn broken(cause: &io::Error, query: Query<'_>) -> Response<Body> {
    tracing::warn!(%cause, path = query.uri.path(), "a site's file cannot be read");
    Page::Broken.response(Form::wanted(query.headers))
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn value(text: &str) -> io::Result<HeaderValue> {
    HeaderValue::try_from(text).map_err(io::Error::other)
}
