//! A program that reads files for another, and may die of them.
//!
//! Parsers recurse, and some input makes them recurse until the stack ends: no handler catches that.
//! So files are read by a child process. What it dies of is known, is a finding, and costs a restart.

mod confine;
mod frame;
mod pool;

pub use pool::StartError;
pub(crate) use pool::{Job, scan_all};

use std::io::{self, Write};
use std::thread;

use rustix::process::Resource;
use serde::{Deserialize, Serialize};

use crate::scan;

/// How deep the parsers may recurse.
const STACK_BYTES: usize = 128 << 20;
/// What a worker may map: a file, its trees and its answer.
const MEMORY_BYTES: u64 = 3 << 30;

/// A file to be read.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) path: String,
    #[serde(with = "frame::bytes")]
    pub(crate) bytes: Vec<u8>,
}

/// Reads files from standard input and answers on standard output, until there are no more.
///
/// What a program has to call when it is started as [`crate::WorkerCommand`] says.
pub fn run() -> io::Result<()> {
    confine::limit(Resource::As, MEMORY_BYTES)?;
    confine::confine()?;
    let serving = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(serve)?;
    serving
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the worker has failed")))
}

fn serve() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    while let Some(frame) = frame::read(&mut input)? {
        let order: Order = postcard::from_bytes(&frame).map_err(io::Error::other)?;
        let answer = scan::scan(&order.path, &order.bytes);
        let answer = postcard::to_allocvec(&answer).map_err(io::Error::other)?;
        frame::write(&mut output, &answer)?;
        output.flush()?;
    }
    Ok(())
}
