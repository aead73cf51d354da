//! The media types that signed documents have, in registries and inside each other.

/// cosign's first form: a payload, whose signature is an annotation of the layer.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// A DSSE envelope.
pub const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// A Sigstore bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What an envelope holds: an in-toto statement.
pub const STATEMENT: &str = "application/vnd.in-toto+json";
/// An OCI image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI image's configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The configuration of a manifest that is no image: `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
