//! The forms that providers give their credentials.

use std::sync::LazyLock;

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
    Form { rule, mark, pattern, confidence: Confidence::High }
}

const FORMS: &[Form] = &[
    form("secret-aws", "AKIA", r"\b(AKIA[0-9A-Z]{16})\b"),
    form("secret-aws", "ASIA", r"\b(ASIA[0-9A-Z]{16})\b"),
    form("secret-aws", "aws_secret", r#"(?i)aws_secret_access_key['"]?\s*[:=]\s*['"]?(?P<s>[A-Za-z0-9/+=]{40})\b"#),
    form("secret-github", "ghp_", r"\bghp_[A-Za-z0-9]{36}\b"),
    form("secret-github", "gho_", r"\bgho_[A-Za-z0-9]{36}\b"),
    form("secret-github", "ghs_", r"\bghs_[A-Za-z0-9]{36}\b"),
    form("secret-github", "ghr_", r"\bghr_[A-Za-z0-9]{36}\b"),
    form("secret-github", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{60,90}\b"),
    form("secret-gitlab", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}\b"),
    form("secret-openai", "sk-proj-", r"\bsk-proj-[A-Za-z0-9_-]{40,}"),
    form("secret-openai", "T3BlbkFJ", r"\bsk-[A-Za-z0-9_-]{18,}T3BlbkFJ[A-Za-z0-9_-]{18,}"),
    form("secret-openai", "sk-", r"\bsk-[A-Za-z0-9]{48}\b"),
    form("secret-anthropic", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{32,}"),
    Form { rule: "secret-google", mark: "AIza", pattern: r"\bAIza[0-9A-Za-z_-]{35}\b", confidence: Confidence::Medium },
    form("secret-google", "GOCSPX-", r"\bGOCSPX-[A-Za-z0-9_-]{28}\b"),
    form("secret-stripe", "_live_", r"\b[sr]k_live_[A-Za-z0-9]{20,}\b"),
    form("secret-stripe", "whsec_", r"\bwhsec_[A-Za-z0-9+/]{32,}"),
    form("secret-slack", "xox", r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    form("secret-slack", "hooks.slack.com", r"hooks\.slack\.com/services/(?P<s>T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,})"),
    form("secret-sendgrid", "SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    form("secret-twilio", "SK", r"\bSK[0-9a-f]{32}\b"),
    form("secret-mailgun", "key-", r"\bkey-[0-9a-f]{32}\b"),
    form("secret-npm", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    form("secret-npm", "_authToken", r"_authToken=(?P<s>[A-Za-z0-9_-]{20,})"),
    form("secret-pypi", "pypi-AgE", r"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
    form("secret-huggingface", "hf_", r"\bhf_[A-Za-z]{34}\b"),
    form("secret-huggingface", "hf_", r"\bhf_[A-Za-z0-9]{34,40}\b"),
    form("secret-groq", "gsk_", r"\bgsk_[A-Za-z0-9]{48,}\b"),
    form("secret-replicate", "r8_", r"\br8_[A-Za-z0-9]{37}\b"),
    form("secret-telegram", ":AA", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b"),
    form("secret-discord", "discord", r#"(?i)discord[\w .:='"-]{0,40}(?P<s>[MNO][A-Za-z0-9]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,})"#),
    form("secret-discord", "discord", r"discord(app)?\.com/api/webhooks/\d+/(?P<s>[A-Za-z0-9_-]{60,})"),
    form("secret-shopify", "shpat_", r"\bshp(at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
    form("secret-digitalocean", "dop_v1_", r"\bdop_v1_[a-f0-9]{64}\b"),
    form("secret-databricks", "dapi", r"\bdapi[a-f0-9]{32}\b"),
    form("secret-linear", "lin_api_", r"\blin_api_[A-Za-z0-9]{40}\b"),
    form("secret-notion", "ntn_", r"\bntn_[A-Za-z0-9]{40,}\b"),
    form("secret-airtable", "pat", r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}\b"),
    form("secret-supabase", "sbp_", r"\bsbp_[a-f0-9]{40}\b"),
    form("secret-supabase", "sb_secret_", r"\bsb_secret_[A-Za-z0-9_-]{20,}"),
    form("secret-vercel", "vercel", r#"(?i)vercel[\w .:='"-]{0,20}(?P<s>\b[A-Za-z0-9]{24}\b)"#),
    form("secret-azure", "AccountKey=", r"AccountKey=(?P<s>[A-Za-z0-9+/]{80,}={0,2})"),
    form("secret-square", "sq0", r"\bsq0(atp|csp)-[A-Za-z0-9_-]{22,}\b"),
    form("secret-mapbox", "sk.eyJ", r"\bsk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    form("secret-private-key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----\s*(?P<s>[A-Za-z0-9+/=\\\s]{40,})"),
    form("secret-database-url", "://", r#"\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqp|mariadb)(?:\+\w+)?://[^\s:/@'"]*:(?P<s>[^\s:/@'"]{4,})@(?P<h>[^\s/'":]+)"#),
    Form { rule: "secret-jwt", mark: "eyJ", pattern: r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}", confidence: Confidence::Medium },
];

struct Ready {
    marks: AhoCorasick,
    patterns: Vec<Regex>,
}

static READY: LazyLock<Ready> = LazyLock::new(|| {
    let marks = AhoCorasick::builder().ascii_case_insensitive(true).build(FORMS.iter().map(|form| form.mark));
    let marks = marks.unwrap_or_else(|error| panic!("marks of credentials: {error}"));
    let compile = |form: &Form| {
        Regex::new(form.pattern).unwrap_or_else(|error| panic!("pattern of `{}`: {error}", form.rule))
    };
    Ready { marks, patterns: FORMS.iter().map(compile).collect() }
});

/// The credentials in a text whose form says what they are.
pub(super) fn scan(text: &str) -> Vec<Raw> {
    let mut wanted = vec![false; FORMS.len()];
    for found in READY.marks.find_overlapping_iter(text) {
        wanted[found.pattern().as_usize()] = true;
    }
    let mut raws = Vec::new();
    for ((form, pattern), _) in FORMS.iter().zip(&READY.patterns).zip(wanted).filter(|(_, wanted)| *wanted) {
        for found in pattern.captures_iter(text) {
            let Some(secret) = found.name("s").or_else(|| found.get(0)) else { continue };
            if is_placeholder(secret.as_str()) || entropy(secret.as_str()) < least(form.rule) {
                continue;
            }
            if found.name("h").is_some_and(|host| is_own(host.as_str(), secret.as_str())) {
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
    if rule == "secret-database-url" { 2.2 } else { 3.0 }
}

/// A service role's token opens the whole database.
fn confidence(form: &Form, secret: &str) -> Confidence {
    // `"role":"service_role"` in the payload, in two of the three ways base64 can shift it.
    let is_service = ["c2VydmljZV9yb2xl", "NlcnZpY2Vfcm9sZ", "zZXJ2aWNlX3JvbGU"].iter();
    if form.rule == "secret-jwt" && is_service.clone().any(|part| secret.contains(part)) {
        return Confidence::High;
    }
    form.confidence
}

/// Whether a database is one of the desk: its password is known to nobody else, or to everybody.
fn is_own(host: &str, password: &str) -> bool {
    let near = ["localhost", "127.0.0.1", "db", "postgres", "mysql", "mongo", "redis", "host", "0.0.0.0"];
    let known = ["password", "postgres", "root", "admin", "secret", "pass", "user", "mysql", "guest", "test"];
    near.contains(&host) || known.contains(&password.to_ascii_lowercase().as_str())
}
