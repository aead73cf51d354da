//! A bundle of the public services, and timestamps that OpenSSL made, in `fixtures/`: the bundle is
//! npm's record of how `sigstore` 2.0.0 was built.

use serde_json::{Value, json};

use super::*;

const BUNDLE: &str = include_str!("fixtures/npm.bundle.json");
const ROOT: &str = include_str!("fixtures/public.trusted_root.json");
const TIMESTAMPS: &str = include_str!("fixtures/timestamps.json");

fn builder() -> Identity {
    Identity {
        subject: "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml\
                  @refs/heads/main"
            .into(),
        issuer: "https://token.actions.githubusercontent.com".into(),
    }
}

fn keyless(root: &Value) -> Keyless {
    Keyless {
        root: TrustedRoot::read(&root.to_string()).expect("a trusted root"),
        identities: vec![builder()],
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn verified(keyless: &Keyless, bundle: &str) -> Result<Proven, Refusal> {
    let bundle = Bundle::read(bundle)?;
    keyless.verified(&bundle, &bundle.dsse_envelope.open()?)
}

fn refusal(keyless: &Keyless, bundle: &Value) -> Refusal {
    let outcome = verified(keyless, &bundle.to_string());
    outcome.err().expect("a refusal")
}

/// Changes the letter in the middle of a text of the bundle.
fn flipped(pointer: &str) -> Value {
    let mut bundle = read(BUNDLE);
    let text = bundle.pointer_mut(pointer).expect(pointer);
    let mut changed = text.as_str().expect("a text").to_owned();
    let at = changed.len() / 2;
    let other = if changed.as_bytes()[at] == b'1' {
        "2"
    } else {
        "1"
    };
    changed.replace_range(at..=at, other);
    *text = changed.into();
    bundle
}

#[test]
fn a_bundle_of_the_public_services_verifies_and_says_who_and_when() {
    let proven = verified(&keyless(&read(ROOT)), BUNDLE).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(proven.by, builder().into());
    assert_eq!(proven.at.to_string(), "2023-08-18T16:05:35Z");
}

#[test]
fn each_class_of_bytes_is_refused_for_its_own_reason() {
    let keyless = keyless(&read(ROOT));
    const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
    let entry = |field: &str| format!("{ENTRY}/{field}");
    for pointer in ["/dsseEnvelope/payload", "/dsseEnvelope/signatures/0/sig"] {
        let why = refusal(&keyless, &flipped(pointer));
        let told = matches!(why, Refusal::BadSignature);
        assert!(told, "{pointer}: {why:?}");
    }
    for pointer in ["/mediaType", "/dsseEnvelope/payloadType"] {
        let why = refusal(&keyless, &flipped(pointer));
        assert!(matches!(why, Refusal::UnknownMediaType(_)), "{why:?}");
    }
    for field in [
        "logIndex",
        "logId/keyId",
        "kindVersion/kind",
        "kindVersion/version",
        "integratedTime",
        "inclusionPromise/signedEntryTimestamp",
        "inclusionProof/rootHash",
        "inclusionProof/treeSize",
        "inclusionProof/logIndex",
        "inclusionProof/hashes/0",
        "inclusionProof/checkpoint/envelope",
        "canonicalizedBody",
    ] {
        let why = refusal(&keyless, &flipped(&entry(field)));
        let told = matches!(why, Refusal::Log(_) | Refusal::Malformed(_));
        assert!(told, "{field}: {why:?}");
    }
}

#[test]
fn no_byte_of_the_certificate_can_be_changed() {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let keyless = keyless(&read(ROOT));
    let mut bundle = read(BUNDLE);
    const POINTER: &str = "/verificationMaterial/x509CertificateChain/certificates/0/rawBytes";
    let text = bundle.pointer(POINTER).and_then(Value::as_str);
    let der = BASE64_STANDARD
        .decode(text.expect("a certificate"))
        .expect("Base64");
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        *bundle.pointer_mut(POINTER).expect("there") = BASE64_STANDARD.encode(changed).into();
        refusal(&keyless, &bundle);
    }
}

#[test]
fn another_identity_is_refused_and_named() {
    let mut keyless = keyless(&read(ROOT));
    for other in [
        Identity {
            subject: "ann@example.org".into(),
            ..builder()
        },
        Identity {
            issuer: "https://example.org".into(),
            ..builder()
        },
    ] {
        keyless.identities = vec![other];
        let why = refusal(&keyless, &read(BUNDLE));
        let Refusal::WrongIdentity { found } = why else {
            panic!("{why:?}");
        };
        assert!(found.contains("sigstore-js"), "{found}");
    }
}

#[test]
fn what_the_trusted_root_does_not_name_is_not_trusted() {
    let bundle = read(BUNDLE);
    let without = |part: &str| {
        let mut root = read(ROOT);
        root[part] = json!([]);
        keyless(&root)
    };
    let untrusted = refusal(&without("certificateAuthorities"), &bundle);
    assert!(
        matches!(untrusted, Refusal::Certificate(_)),
        "{untrusted:?}"
    );
    let untrusted = refusal(&without("tlogs"), &bundle);
    assert!(matches!(untrusted, Refusal::Log(_)), "{untrusted:?}");
    let mut root = read(ROOT);
    root["ctlogs"].as_array_mut().expect("a list").truncate(1);
    let untrusted = refusal(&keyless(&root), &bundle);
    assert!(
        matches!(untrusted, Refusal::Certificate(_)),
        "{untrusted:?}"
    );
    let mut root = read(ROOT);
    root["certificateAuthorities"][1]["validFor"]["end"] = "2023-01-01T00:00:00Z".into();
    let late = refusal(&keyless(&root), &bundle);
    assert!(matches!(late, Refusal::Certificate(_)), "{late:?}");
}

#[test]
fn a_certificate_without_proof_of_its_time_is_refused() {
    let mut bundle = read(BUNDLE);
    let material = &mut bundle["verificationMaterial"];
    material["tlogEntries"] = json!([]);
    let why = refusal(&keyless(&read(ROOT)), &bundle);
    assert_eq!(why, Refusal::Log("there is none".into()));
    let mut root = read(ROOT);
    root["tlogs"] = json!([]);
    assert_eq!(refusal(&keyless(&root), &bundle), Refusal::NoTime);
}

fn clock(chain: &[&Value]) -> TrustedRoot {
    let certificates: Vec<_> = chain.iter().map(|der| json!({ "rawBytes": der })).collect();
    let authority = json!({ "certChain": { "certificates": certificates } });
    let root = json!({ "timestampAuthorities": [authority] });
    TrustedRoot::read(&root.to_string()).expect("a trusted root")
}

fn timestamped(root: &TrustedRoot, answer: &str, signature: &str) -> Result<Timestamp, Refusal> {
    let material = json!({
        "timestampVerificationData": { "rfc3161Timestamps": [{ "signedTimestamp": answer }] },
    });
    let material = serde_json::from_value(material).expect("material");
    let times = timestamp::all(root, &material, signature.as_bytes())?;
    Ok(times[0])
}

#[test]
fn a_timestamp_holds_for_its_signature_when_a_trusted_authority_gave_it() {
    let made = read(TIMESTAMPS);
    let (own, above) = (&made["own"], &made["authority"]);
    for (answer, chain, trusted) in [
        (0, vec![above], true),
        (0, vec![own, above], true),
        (0, vec![own], true),
        (1, vec![own, above], true),
        (1, vec![above], false),
        (0, vec![], false),
    ] {
        let text = made["answers"][answer]["text"].as_str().expect("a text");
        let at = made["answers"][answer]["at"].as_str().expect("a text");
        let root = clock(&chain);
        let found = timestamped(&root, text, "a signature");
        assert_eq!(found.is_ok(), trusted, "{answer}: {found:?}");
        assert!(found.is_err() || found == Ok(at.parse().expect("a time")));
        let other = timestamped(&root, text, "another signature");
        assert!(matches!(other, Err(Refusal::Timestamp(_))), "{other:?}");
    }
}

#[test]
fn no_change_makes_another_time_of_a_timestamp_and_none_can_be_cut_off() {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let made = read(TIMESTAMPS);
    let root = clock(&[&made["own"], &made["authority"]]);
    let answer = made["answers"][1]["text"].as_str().expect("a text");
    let right = timestamped(&root, answer, "a signature").expect("it holds");
    let answer = BASE64_STANDARD.decode(answer).expect("Base64");
    let mut refused = 0;
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 1;
        let changed = BASE64_STANDARD.encode(changed);
        // Some bytes are outside of what is signed, and nothing is read from them.
        match timestamped(&root, &changed, "a signature") {
            Ok(time) => assert_eq!(time, right, "byte {at}"),
            Err(_) => refused += 1,
        }
        let cut = BASE64_STANDARD.encode(&answer[..at]);
        assert!(
            timestamped(&root, &cut, "a signature").is_err(),
            "cut at {at}"
        );
    }
    assert!(
        refused * 10 > answer.len() * 8,
        "{refused} of {}",
        answer.len()
    );
}
