//! Answers and refusals: the only place that knows which status and code stand for what.
//!
//! Source: OCI distribution-spec 1.1, "Error Codes".

use axum::Json;
use axum::http::header::{
    CONTENT_TYPE, HeaderName, LOCATION, RANGE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ports::blob_store::is_disk_full;
use ports::{BlobError, LedgerError};
use serde_json::json;
use store::registry::{NameError, RegistryError};

use super::path::PathError;

/// The digest of what an answer is about.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// `/v2/`: there is a registry, and the caller may use it.
pub(super) fn base() -> Response {
    Json(json!({})).into_response()
}

/// An answer of a status and headers alone.
pub(super) fn bare<const N: usize>(
    status: StatusCode,
    headers: [(HeaderName, String); N],
) -> Response {
    (status, headers).into_response()
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The caller has to show who it is; `challenge` says how.
    pub(super) fn unauthorized(challenge: String) -> Self {
        let text = "log in first: the password is a token that `mayfly token` makes";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", text).with(WWW_AUTHENTICATE, challenge)
    }

    /// The caller is known, and may not.
    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "DENIED", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        let text = "this cannot be done here";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", text)
    }

    pub(super) fn bad_upload(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", message)
    }

    /// Tells where the upload stands, beside why it is refused.
    pub(super) fn of_upload(self, location: String) -> Self {
        self.with(LOCATION, location)
    }

    fn broken(error: &dyn std::error::Error, status: StatusCode) -> Self {
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        tracing::error!(%error, ?causes, "the registry failed");
        // What failed inside is nothing for a client.
        Self::new(status, "UNKNOWN", "the registry failed; its log says why")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = json!({ "code": self.code, "message": self.message });
        let mut response = (self.status, Json(json!({ "errors": [error] }))).into_response();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

impl From<PathError> for Refusal {
    fn from(error: PathError) -> Self {
        match error {
            PathError::Unknown => {
                let text = "the registry has nothing at this path";
                Self::new(StatusCode::NOT_FOUND, "NAME_UNKNOWN", text)
            }
            PathError::Name(error) => error.into(),
        }
    }
}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Self {
        let (status, code) = match error {
            NameError::Repository | NameError::Tag => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
            NameError::Digest => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
            NameError::Upload => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        use RegistryError as E;
        let (status, code) = match &error {
            E::BlobUnknown(_) => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
            E::ManifestUnknown(_) => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            E::RepositoryUnknown(_) => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            E::UploadUnknown => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            E::UploadBusy => (StatusCode::CONFLICT, "BLOB_UPLOAD_INVALID"),
            E::TooManyUploads(_) => (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS"),
            E::OutOfOrder { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            E::SizeMismatch => (StatusCode::BAD_REQUEST, "SIZE_INVALID"),
            E::DigestMismatch(_) => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
            E::BlobTooLarge(_) | E::ManifestTooLarge(_) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID")
            }
            E::ManifestInvalid(_) => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            E::Name(name) => return name.clone().into(),
            E::Ledger(_) | E::Blob(_) | E::Upload(_) => {
                return Self::broken(&error, broken_status(&error));
            }
        };
        let refusal = Self::new(status, code, error.to_string());
        match error {
            E::OutOfOrder { offset } => refusal.with(RANGE, received(offset)),
            E::TooManyUploads(_) => refusal.with(RETRY_AFTER, "10"),
            _ => refusal,
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        RegistryError::from(error).into()
    }
}

fn broken_status(error: &RegistryError) -> StatusCode {
    let full = match error {
        RegistryError::Ledger(LedgerError::DiskFull) => true,
        RegistryError::Blob(BlobError::Io(cause)) | RegistryError::Upload(cause) => {
            is_disk_full(cause)
        }
        _ => false,
    };
    match full {
        true => StatusCode::INSUFFICIENT_STORAGE,
        false => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The bytes of an upload that came, as its header `Range`. Nothing at all is `0-0`, as everybody
/// writes it.
pub(super) fn received(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}
