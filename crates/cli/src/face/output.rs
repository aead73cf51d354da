//! Lines on standard output and standard error.

use std::io::{self, ErrorKind, Write};

/// What a shell reports for a program that SIGPIPE ended.
const READER_GONE: i32 = 128 + libc::SIGPIPE;

/// Prints a line on standard output. When nobody reads it any more (`mayfly logs | head`), the
/// program ends quietly, as others do; a run goes on in the daemon.
pub(crate) fn line(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    if written.is_err_and(|cause| cause.kind() == ErrorKind::BrokenPipe) {
        std::process::exit(READER_GONE);
    }
}

/// Prints a line on standard error, when someone reads it.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
