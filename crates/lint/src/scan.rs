//! What is found in one file by itself, and its lowered form. This is what is kept by digest.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use model::finding::{Confidence, FixSafety};
use serde::{Deserialize, Serialize};

use crate::ir::{Module, Span};
use crate::language::Language;
use crate::{component, config, javascript, pattern, python, secret, template};

/// Larger sources are not parsed: nobody wrote them by hand.
pub(crate) const SOURCE_LIMIT: usize = 2 << 20;

/// What a scan replaces a text by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RawFix {
    /// What is replaced.
    pub(crate) span: Span,
    /// By what.
    pub(crate) to: String,
    /// Whether somebody should look first.
    pub(crate) safety: FixSafety,
}

/// Something that a rule found in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Raw {
    /// The rule.
    pub(crate) rule: String,
    /// Where.
    pub(crate) span: Span,
    /// Less sure than the rule says.
    pub(crate) confidence: Option<Confidence>,
    /// A text to show instead of what is there.
    pub(crate) masked: Option<String>,
    /// A mechanical way to mend it.
    pub(crate) fix: Option<RawFix>,
}

impl Raw {
    /// As sure as the rule says, without a fix.
    pub(crate) fn new(rule: &str, start: usize, end: usize) -> Self {
        let span = Span {
            start: start as u32,
            end: end as u32,
        };
        Self {
            rule: rule.to_owned(),
            span,
            confidence: None,
            masked: None,
            fix: None,
        }
    }
}

/// Why a file, or a part of it, was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trouble {
    /// It is larger than what is parsed.
    TooLarge,
    /// The parser found no sense in it.
    Syntax,
    /// It is nested deeper than what is looked at.
    TooDeep,
    /// It is not UTF-8; what is not was replaced.
    Encoding,
    /// Looking at it took too long, or ended the program that looked.
    Died,
    /// It could not be read from where it lies.
    Unreadable,
}

/// What is known of one file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct FileScan {
    /// Its lowered form, for code.
    pub(crate) module: Option<Module>,
    /// What rules found in it.
    pub(crate) raws: Vec<Raw>,
    /// Places of a template where something is shown without escaping.
    pub(crate) shows: Vec<template::Show>,
    /// What was not read.
    pub(crate) troubles: Vec<Trouble>,
    /// What the patterns took.
    pub(crate) patterns: Duration,
    /// What secrets and settings took.
    pub(crate) texts: Duration,
    /// What parsing and lowering took.
    pub(crate) lowering: Duration,
}

/// Looks at one file.
pub(crate) fn scan(path: &str, bytes: &[u8]) -> FileScan {
    let mut scan = FileScan::default();
    let language = Language::of(path);
    if language == Language::Opaque || is_binary(bytes) {
        return scan;
    }
    let began = Instant::now();
    let text = decode(bytes, &mut scan);
    scan.raws.extend(secret::scan(path, &text));
    scan.raws.extend(config::scan(path, &text));
    scan.texts = began.elapsed();
    if language == Language::Text {
        return scan;
    }
    if bytes.len() > SOURCE_LIMIT {
        scan.troubles.push(Trouble::TooLarge);
        return scan;
    }
    let began = Instant::now();
    scan.raws.extend(pattern::scan(language, &text));
    scan.patterns = began.elapsed();
    let began = Instant::now();
    lower(path, language, &text, &mut scan);
    scan.lowering = began.elapsed();
    scan
}

fn lower(path: &str, language: Language, text: &str, scan: &mut FileScan) {
    let module = match language {
        Language::Python => python::lower(path, text),
        Language::Script(dialect) => javascript::lower(text, dialect),
        Language::Template => {
            scan.shows = template::shows(path, text);
            // What a template puts into a script makes it no JavaScript: then its shape alone counts.
            scan.module = component::inline_scripts(text);
            return;
        }
        Language::Component => component::lower(text, scan),
        Language::Text | Language::Opaque => return,
    };
    match module {
        None => scan.troubles.push(Trouble::Syntax),
        Some(module) => {
            if module.is_cut {
                scan.troubles.push(Trouble::TooDeep);
            }
            scan.module = Some(module);
        }
    }
}

/// Whether a file is no text.
fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(8192)]).is_some()
}

/// The text of a file. What is not UTF-8 becomes `?`, byte by byte, so that places stay right.
fn decode<'a>(bytes: &'a [u8], scan: &mut FileScan) -> Cow<'a, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    scan.troubles.push(Trouble::Encoding);
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    Cow::Owned(text)
}
