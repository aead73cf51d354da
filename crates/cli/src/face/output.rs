//! Lines on standard output and standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

/// What a shell reports for a program that SIGPIPE ended.
const READER_GONE: i32 = 128 + libc::SIGPIPE;

/// Prints a line on standard output. When nobody reads it any more (`mayfly logs | head`), the
/// program ends quietly, as others do; a run goes on in the daemon.
pub(crate) fn line(text: &str) {
    print(text.as_bytes(), b"\n");
}

/// Prints a document as it is; a terminal gets the end of its line.
pub(crate) fn bytes(document: &[u8]) {
    let end: &[u8] = if io::stdout().is_terminal() {
        b"\n"
    } else {
        b""
    };
    print(document, end);
}

fn print(text: &[u8], end: &[u8]) {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text).and_then(|()| stdout.write_all(end));
    let written = written.and_then(|()| stdout.flush());
    if written.is_err_and(|cause| cause.kind() == ErrorKind::BrokenPipe) {
        std::process::exit(READER_GONE);
    }
}

/// Prints a line on standard error, when someone reads it.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
