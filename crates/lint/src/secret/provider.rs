//! The forms that providers give their credentials.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use model::finding::Confidence;
use regex::Regex;

use super::placeholder::{entropy, is_placeholder, mask};
use crate::scan::Raw;

/// One form. The group `s`, where there is one, is the secret itself.
struct Form {
    rule: &'static str,
    /// A text that every one of them has.
    mark: &'static str,
    pattern: &'static str,
    confidence: Confidence,
}

const fn form(rule: &'static str, mark: &'static str, pattern: &'static str) -> Form {
    Form {
        rule,
        mark,
        pattern,
        confidence: Confidence::High,
    }
}

/// The address of a database, with its password (`s`) and host (`h`).
const DATABASE: &str = r#"(?-u:\b)(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqp|mariadb)(?:\+\w+)?://[^\s:/@'"]*:(?P<s>[^\s:/@'"]{4,})@(?P<h>[^\s/'":]+)"#;

const FORMS: &[Form] = &[
    form("secret-aws", "AKIA", r"(?-u:\b)(AKIA[0-9A-Z]{16})(?-u:\b)"),
    form("secret-aws", "ASIA", r"(?-u:\b)(ASIA[0-9A-Z]{16})(?-u:\b)"),
    form(
        "secret-aws",
        "secret_access_key",
        r#"(?i)aws_secret_access_key['"]?\s*[:=]\s*['"]?(?P<s>[A-Za-z0-9/+=]{40})(?-u:\b)"#,
    ),
    form(
        "secret-github",
        "ghp_",
        r"(?-u:\b)ghp_[A-Za-z0-9]{36}(?-u:\b)",
    ),
    form(
        "secret-github",
        "gho_",
        r"(?-u:\b)gho_[A-Za-z0-9]{36}(?-u:\b)",
    ),
    form(
        "secret-github",
        "ghs_",
        r"(?-u:\b)ghs_[A-Za-z0-9]{36}(?-u:\b)",
    ),
    form(
        "secret-github",
        "ghr_",
        r"(?-u:\b)ghr_[A-Za-z0-9]{36}(?-u:\b)",
    ),
    form(
        "secret-github",
        "github_pat_",
        r"(?-u:\b)github_pat_[A-Za-z0-9_]{60,90}(?-u:\b)",
    ),
    form(
        "secret-gitlab",
        "glpat-",
        r"(?-u:\b)glpat-[A-Za-z0-9_-]{20,}(?-u:\b)",
    ),
    form(
        "secret-openai",
        "sk-proj-",
        r"(?-u:\b)sk-proj-[A-Za-z0-9_-]{40,}",
    ),
    form(
        "secret-openai",
        "T3BlbkFJ",
        r"(?-u:\b)sk-[A-Za-z0-9_-]{18,}T3BlbkFJ[A-Za-z0-9_-]{18,}",
    ),
    form(
        "secret-openai",
        "sk-",
        r"(?-u:\b)sk-[A-Za-z0-9]{48}(?-u:\b)",
    ),
    form(
        "secret-anthropic",
        "sk-ant-",
        r"(?-u:\b)sk-ant-[A-Za-z0-9_-]{32,}",
    ),
    Form {
        rule: "secret-google",
        mark: "AIza",
        pattern: r"(?-u:\b)AIza[0-9A-Za-z_-]{35}(?-u:\b)",
        confidence: Confidence::Medium,
    },
    form(
        "secret-google",
        "GOCSPX-",
        r"(?-u:\b)GOCSPX-[A-Za-z0-9_-]{28}(?-u:\b)",
    ),
    form(
        "secret-stripe",
        "_live_",
        r"(?-u:\b)[sr]k_live_[A-Za-z0-9]{20,}(?-u:\b)",
    ),
    form(
        "secret-stripe",
        "whsec_",
        r"(?-u:\b)whsec_[A-Za-z0-9+/]{32,}",
    ),
    form(
        "secret-slack",
        "xox",
        r"(?-u:\b)xox[abprs]-[A-Za-z0-9-]{20,}",
    ),
    form(
        "secret-slack",
        "hooks.slack.com",
        r"hooks\.slack\.com/services/(?P<s>T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,})",
    ),
    form(
        "secret-sendgrid",
        "SG.",
        r"(?-u:\b)SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    ),
    form("secret-twilio", "wilio", r"(?-u:\b)SK[0-9a-f]{32}(?-u:\b)"),
    form(
        "secret-mailgun",
        "ailgun",
        r"(?-u:\b)key-[0-9a-f]{32}(?-u:\b)",
    ),
    form("secret-npm", "npm_", r"(?-u:\b)npm_[A-Za-z0-9]{36}(?-u:\b)"),
    form(
        "secret-npm",
        "_authToken",
        r"_authToken=(?P<s>[A-Za-z0-9_-]{20,})",
    ),
    form(
        "secret-pypi",
        "pypi-AgE",
        r"(?-u:\b)pypi-AgE[A-Za-z0-9_-]{50,}",
    ),
    form(
        "secret-huggingface",
        "hf_",
        r"(?-u:\b)hf_[A-Za-z]{34}(?-u:\b)",
    ),
    form(
        "secret-huggingface",
        "hf_",
        r"(?-u:\b)hf_[A-Za-z0-9]{34,40}(?-u:\b)",
    ),
    form(
        "secret-groq",
        "gsk_",
        r"(?-u:\b)gsk_[A-Za-z0-9]{48,}(?-u:\b)",
    ),
    form(
        "secret-replicate",
        "r8_",
        r"(?-u:\b)r8_[A-Za-z0-9]{37}(?-u:\b)",
    ),
    form(
        "secret-telegram",
        ":AA",
        r"(?-u:\b)[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?-u:\b)",
    ),
    form(
        "secret-discord",
        "iscord",
        r#"(?i)discord[A-Za-z0-9_ .:='"-]{0,40}(?P<s>[MNO][A-Za-z0-9]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,})"#,
    ),
    form(
        "secret-discord",
        "iscord",
        r"discord(app)?\.com/api/webhooks/[0-9]+/(?P<s>[A-Za-z0-9_-]{60,})",
    ),
    form(
        "secret-shopify",
        "shpat_",
        r"(?-u:\b)shp(at|ca|pa|ss)_[a-fA-F0-9]{32}(?-u:\b)",
    ),
    form(
        "secret-digitalocean",
        "dop_v1_",
        r"(?-u:\b)dop_v1_[a-f0-9]{64}(?-u:\b)",
    ),
    form(
        "secret-databricks",
        "dapi",
        r"(?-u:\b)dapi[a-f0-9]{32}(?-u:\b)",
    ),
    form(
        "secret-linear",
        "lin_api_",
        r"(?-u:\b)lin_api_[A-Za-z0-9]{40}(?-u:\b)",
    ),
    form(
        "secret-notion",
        "ntn_",
        r"(?-u:\b)ntn_[A-Za-z0-9]{40,}(?-u:\b)",
    ),
    form(
        "secret-airtable",
        "irtable",
        r"(?-u:\b)pat[A-Za-z0-9]{14}\.[a-f0-9]{64}(?-u:\b)",
    ),
    form(
        "secret-supabase",
        "sbp_",
        r"(?-u:\b)sbp_[a-f0-9]{40}(?-u:\b)",
    ),
    form(
        "secret-supabase",
        "sb_secret_",
        r"(?-u:\b)sb_secret_[A-Za-z0-9_-]{20,}",
    ),
    form(
        "secret-vercel",
        "VERCEL_TOKEN",
        r#"VERCEL_TOKEN['"]?\s*[:=]\s*['"]?(?P<s>[A-Za-z0-9]{24})(?-u:\b)"#,
    ),
    form(
        "secret-azure",
        "AccountKey=",
        r"AccountKey=(?P<s>[A-Za-z0-9+/]{80,}={0,2})",
    ),
    form(
        "secret-square",
        "sq0",
        r"(?-u:\b)sq0(atp|csp)-[A-Za-z0-9_-]{22,}(?-u:\b)",
    ),
    form(
        "secret-mapbox",
        "sk.eyJ",
        r"(?-u:\b)sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
    ),
    form(
        "secret-private-key",
        "PRIVATE KEY",
        r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----\s*(?P<s>[A-Za-z0-9+/=\\\s]{40,})",
    ),
    form("secret-database-url", "postgres", DATABASE),
    form("secret-database-url", "mysql", DATABASE),
    form("secret-database-url", "mongodb", DATABASE),
    form("secret-database-url", "redis://", DATABASE),
    form("secret-database-url", "amqp://", DATABASE),
    form("secret-database-url", "mariadb", DATABASE),
    Form {
        rule: "secret-jwt",
        mark: "eyJ",
        pattern: r"(?-u:\b)eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
        confidence: Confidence::Medium,
    },
];

static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let marks = AhoCorasick::new(FORMS.iter().map(|form| form.mark));
    marks.unwrap_or_else(|error| panic!("marks of credentials: {error}"))
});

/// The patterns, each compiled when its mark is seen for the first time.
static PATTERNS: [OnceLock<Regex>; FORMS.len()] = [const { OnceLock::new() }; FORMS.len()];

fn pattern(number: usize) -> &'static Regex {
    let form = &FORMS[number];
    PATTERNS[number].get_or_init(|| {
        Regex::new(form.pattern)
            .unwrap_or_else(|error| panic!("pattern of `{}`: {error}", form.rule))
    })
}

/// The credentials in a text whose form says what they are.
pub(super) fn scan(text: &str) -> Vec<Raw> {
    let mut wanted = vec![false; FORMS.len()];
    for found in MARKS.find_overlapping_iter(text) {
        wanted[found.pattern().as_usize()] = true;
    }
    let mut raws = Vec::new();
    for (number, form) in FORMS
        .iter()
        .enumerate()
        .filter(|(number, _)| wanted[*number])
    {
        for found in pattern(number).captures_iter(text) {
            let Some(secret) = found.name("s").or_else(|| found.get(0)) else {
                continue;
            };
            if is_placeholder(secret.as_str()) || entropy(secret.as_str()) < least(form.rule) {
                continue;
            }
            if found
                .name("h")
                .is_some_and(|host| is_own(host.as_str(), secret.as_str()))
            {
                continue;
            }
            let mut raw = Raw::new(form.rule, secret.start(), secret.end());
            raw.confidence = Some(confidence(form, secret.as_str()));
            raw.masked = Some(mask(secret.as_str()));
            raws.push(raw);
        }
    }
    raws
}

/// Passwords that people make up are less random than what providers make.
fn least(rule: &str) -> f64 {
    if rule == "secret-database-url" {
        2.2
    } else {
        3.0
    }
}

/// A service role's token opens the whole database.
fn confidence(form: &Form, secret: &str) -> Confidence {
    // `"role":"service_role"` in the payload, in two of the three ways base64 can shift it.
    let is_service = ["c2VydmljZV9yb2xl", "NlcnZpY2Vfcm9sZ", "zZXJ2aWNlX3JvbGU"].iter();
    if form.rule == "secret-jwt" && is_service.clone().any(|part| secret.contains(part)) {
        return Confidence::High;
    }
    // A short word without a digit is one from a manual, more often than not.
    let is_word = secret.len() < 12 && !secret.chars().any(|letter| letter.is_ascii_digit());
    if form.rule == "secret-database-url" && is_word {
        return Confidence::Medium;
    }
    form.confidence
}

/// Whether a database is one of the desk: its password is known to nobody else, or to everybody.
fn is_own(host: &str, password: &str) -> bool {
    let near = [
        "localhost",
        "127.0.0.1",
        "db",
        "postgres",
        "mysql",
        "mongo",
        "redis",
        "host",
        "hostname",
        "0.0.0.0",
    ];
    let known = [
        "password", "postgres", "root", "admin", "secret", "pass", "user", "mysql", "guest",
        "test", "tiger", "pwd",
    ];
    near.contains(&host) || known.contains(&password.to_ascii_lowercase().as_str())
}
