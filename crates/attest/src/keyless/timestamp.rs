//! Signed timestamps.
//!
//! Source: RFC 3161, section 2.4.2; RFC 5652, section 5, for the envelope around it.

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerInfo};
use der::asn1::{AnyRef, ObjectIdentifier, OctetString, OctetStringRef};
use der::{Decode, Encode, Header, Reader, SliceReader};
use model::Timestamp;
use model::verification::Refusal;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::certificate::{Certificate, Purpose, hash_of};
use super::trusted_root::{Authority, TrustedRoot};
use crate::bundle::Material;
use crate::dsse;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

fn refused(why: impl ToString) -> Refusal {
    Refusal::Timestamp(why.to_string())
}

/// The times of a bundle's timestamps over `signature`. All of them must hold.
pub(super) fn all(
    root: &TrustedRoot,
    material: &Material,
    signature: &[u8],
) -> Result<Vec<Timestamp>, Refusal> {
    let timestamps = material.timestamp_verification_data.iter();
    let timestamps = timestamps.flat_map(|data| &data.rfc3161_timestamps);
    let times = timestamps.map(|one| {
        let answer = dsse::decode("signedTimestamp", &one.signed_timestamp)?;
        verified(root, &answer, signature)
    });
    times.collect()
}

/// The time of a timestamp authority's answer, when a trusted one gave it for `signature`.
fn verified(root: &TrustedRoot, answer: &[u8], signature: &[u8]) -> Result<Timestamp, Refusal> {
    let signed = token(answer)?;
    let content = signed.encap_content_info.econtent.as_ref();
    let content = content.ok_or_else(|| refused("it is empty"))?;
    let content: OctetString = content.decode_as().map_err(refused)?;
    if signed.encap_content_info.econtent_type != TST_INFO {
        return Err(refused("it holds no time"));
    }
    let info = Info::read(content.as_bytes()).map_err(refused)?;
    let hash = hash_of(&info.algorithm.oid).map_err(refused)?;
    if hash.of(signature) != info.hash {
        return Err(refused("it is for another signature"));
    }
    let [signer] = signed.signer_infos.0.as_slice() else {
        return Err(refused("it has not one signer"));
    };
    let message = attributes(signer, content.as_bytes())?;
    for authority in &root.timestamp_authorities {
        if is_signed_by(authority, &signed, signer, &message, info.time)? {
            return Ok(info.time);
        }
    }
    Err(refused("no trusted authority gave it"))
}

/// The token in an answer: `SEQUENCE { status, token }`.
fn token(answer: &[u8]) -> Result<SignedData, Refusal> {
    let read = || -> der::Result<ContentInfo> {
        let mut reader = SliceReader::new(answer)?;
        let content = reader.sequence(|inside| {
            let _status: AnyRef<'_> = inside.decode()?;
            inside.decode()
        })?;
        reader.finish(content)
    };
    let content = read().map_err(refused)?;
    if content.content_type != SIGNED_DATA {
        return Err(refused("it is not signed"));
    }
    content.content.decode_as().map_err(refused)
}

/// What a timestamp says.
struct Info {
    algorithm: AlgorithmIdentifierOwned,
    hash: Vec<u8>,
    time: Timestamp,
}

impl Info {
    /// Reads a TSTInfo, as far as the time; what comes after it limits nothing.
    fn read(content: &[u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(content)?;
        let info = reader.sequence(|inside| {
            let _version: u8 = inside.decode()?;
            let _policy: ObjectIdentifier = inside.decode()?;
            let (algorithm, hash) = inside.sequence(|imprint| {
                let algorithm = imprint.decode()?;
                let hash: OctetStringRef<'_> = imprint.decode()?;
                Ok((algorithm, hash.as_bytes().to_vec()))
            })?;
            let _serial: AnyRef<'_> = inside.decode()?;
            let header = Header::decode(inside)?;
            let time = time(header, inside.read_slice(header.length)?)?;
            while !inside.is_finished() {
                let _rest: AnyRef<'_> = inside.decode()?;
            }
            Ok(Self {
                algorithm,
                hash,
                time,
            })
        })?;
        reader.finish(info)
    }
}

/// A GeneralizedTime, which may have fractions of seconds here (RFC 3161).
fn time(header: Header, text: &[u8]) -> der::Result<Timestamp> {
    let wrong = || der::Tag::GeneralizedTime.value_error();
    header.tag.assert_eq(der::Tag::GeneralizedTime)?;
    let text = std::str::from_utf8(text).map_err(|_| wrong())?;
    let (date, clock) = text.split_at_checked(8).ok_or_else(wrong)?;
    if !date.bytes().all(|byte| byte.is_ascii_digit()) || !clock.ends_with('Z') {
        return Err(wrong());
    }
    format!("{date}T{clock}").parse().map_err(|_| wrong())
}

/// What the authority signed: the attributes, which name the content by its hash.
fn attributes(signer: &SignerInfo, content: &[u8]) -> Result<Vec<u8>, Refusal> {
    let attributes = signer.signed_attrs.as_ref();
    let attributes = attributes.ok_or_else(|| refused("it has no signed attributes"))?;
    let value = |id: ObjectIdentifier| {
        let found = attributes.iter().find(|attribute| attribute.oid == id);
        found.and_then(|attribute| attribute.values.iter().next())
    };
    let kind = value(CONTENT_TYPE).and_then(|kind| kind.decode_as().ok());
    let digest: Option<OctetString> = value(MESSAGE_DIGEST).and_then(|one| one.decode_as().ok());
    let hash = hash_of(&signer.digest_alg.oid).map_err(refused)?;
    let is_right = kind == Some(TST_INFO)
        && digest.is_some_and(|digest| digest.as_bytes() == hash.of(content));
    match is_right {
        true => attributes.to_der().map_err(refused),
        false => Err(refused("its attributes are for something else")),
    }
}

fn is_signed_by(
    authority: &Authority,
    signed: &SignedData,
    signer: &SignerInfo,
    message: &[u8],
    at: Timestamp,
) -> Result<bool, Refusal> {
    let hash = hash_of(&signer.digest_alg.oid).map_err(refused)?;
    for certificate in candidates(authority, signed)? {
        let key = certificate.key()?;
        let is_signer = key.signed_with(hash, message, signer.signature.as_bytes());
        if is_signer
            && certificate.is_for(Purpose::Timestamping)?
            && certificate.is_good(at)
            && vouches(authority, &certificate, at)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A trusted root may name the authority's own certificate first, or only those above it. Alone it
/// is trusted by itself.
fn vouches(authority: &Authority, own: &Certificate, at: Timestamp) -> Result<bool, Refusal> {
    match authority.chain.split_first() {
        Some((first, [])) if first == own => Ok(authority.valid.holds(at)),
        Some((first, above)) if first == own => {
            let (chain, valid) = (above.to_vec(), authority.valid.clone());
            Authority { chain, valid }.issued(own, at)
        }
        _ => authority.issued(own, at),
    }
}

fn candidates(authority: &Authority, signed: &SignedData) -> Result<Vec<Certificate>, Refusal> {
    let mut candidates: Vec<_> = authority.chain.first().cloned().into_iter().collect();
    for embedded in signed.certificates.iter().flat_map(|set| set.0.iter()) {
        if let CertificateChoices::Certificate(certificate) = embedded {
            candidates.push(Certificate::read(&certificate.to_der().map_err(refused)?)?);
        }
    }
    Ok(candidates)
}
