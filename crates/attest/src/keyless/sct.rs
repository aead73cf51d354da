//! Proof that a certificate was made public.
//!
//! Source: RFC 6962, sections 3.2 and 3.3.

use der::Decode;
use der::Encode;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use model::Timestamp;
use model::signing_key::KeyId;
use model::verification::Refusal;

use super::certificate::{Certificate, refused};
use super::trusted_root::TrustedRoot;
use crate::public_key::Hash;

const EXTENSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// Whether a trusted certificate log has seen the certificate. Where no such log is named, none is
/// asked for.
pub(super) fn check(
    root: &TrustedRoot,
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<(), Refusal> {
    if root.certificate_logs.is_empty() {
        return Ok(());
    }
    let list = certificate.extension(EXTENSION);
    let list = list.ok_or_else(|| refused("no certificate log has seen it"))?;
    let list = OctetStringRef::from_der(list).map_err(refused)?;
    let seen = receipts(list.as_bytes()).ok_or_else(|| refused("its log receipt is cut off"))?;
    let entry = entry(certificate, issuer)?;
    match seen.iter().any(|receipt| receipt.holds(root, &entry)) {
        true => Ok(()),
        false => Err(refused("no trusted certificate log has seen it")),
    }
}

struct Receipt<'a> {
    log: &'a [u8],
    time: [u8; 8],
    extensions: &'a [u8],
    hash: u8,
    signature: &'a [u8],
}

impl Receipt<'_> {
    fn holds(&self, root: &TrustedRoot, entry: &[u8]) -> bool {
        const VERSION_AND_KIND: [u8; 2] = [0, 0];
        let length = u16::try_from(self.extensions.len()).unwrap_or(u16::MAX);
        let message = [
            &VERSION_AND_KIND,
            self.time.as_slice(),
            entry,
            &length.to_be_bytes(),
            self.extensions,
        ]
        .concat();
        let hash = match self.hash {
            4 => Hash::Sha256,
            5 => Hash::Sha384,
            _ => return false,
        };
        let millis = i64::try_from(u64::from_be_bytes(self.time)).unwrap_or(i64::MAX);
        let Ok(at) = Timestamp::from_millisecond(millis) else {
            return false;
        };
        let mut logs = root.certificate_logs.iter();
        logs.any(|log| {
            log.id == self.log
                && log.valid.holds(at)
                && log.key.signed_with(hash, &message, self.signature)
        })
    }
}

/// What a log signs: the certificate as it was before the receipt was put into it.
fn entry(certificate: &Certificate, issuer: &Certificate) -> Result<Vec<u8>, Refusal> {
    const PRECERTIFICATE: [u8; 2] = [0, 1];
    let mut before = certificate.parsed.tbs_certificate.clone();
    if let Some(extensions) = &mut before.extensions {
        extensions.retain(|extension| extension.extn_id != EXTENSION);
    }
    let before = before.to_der().map_err(refused)?;
    let length = u32::try_from(before.len()).map_err(refused)?.to_be_bytes();
    let issuer = KeyId::of(issuer.key()?.der());
    Ok([
        &PRECERTIFICATE,
        issuer.as_bytes().as_slice(),
        &length[1..],
        &before,
    ]
    .concat())
}

fn receipts(list: &[u8]) -> Option<Vec<Receipt<'_>>> {
    let (mut rest, after) = sized(list)?;
    let mut receipts = Vec::new();
    while !rest.is_empty() {
        let (one, next) = sized(rest)?;
        receipts.push(receipt(one)?);
        rest = next;
    }
    after.is_empty().then_some(receipts)
}

fn receipt(bytes: &[u8]) -> Option<Receipt<'_>> {
    let (0, rest) = bytes
        .split_first()
        .map(|(version, rest)| (*version, rest))?
    else {
        return None;
    };
    let (log, rest) = rest.split_at_checked(32)?;
    let (time, rest) = rest.split_first_chunk()?;
    let (extensions, rest) = sized(rest)?;
    let ([hash, _kind], rest) = rest.split_first_chunk()?;
    let (signature, rest) = sized(rest)?;
    rest.is_empty().then_some(Receipt {
        log,
        time: *time,
        extensions,
        hash: *hash,
        signature,
    })
}

/// Bytes with their length in two bytes before them, and what follows.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}
