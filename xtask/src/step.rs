//! Steps with names and times.

use std::time::Instant;

use anyhow::{Context, Result};

/// Does one step: its name is printed before, its time after.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("── {name}");
    let began = Instant::now();
    let done = work();
    let seconds = began.elapsed().as_secs_f64();
    let how = if done.is_ok() { "ok" } else { "failed" };
    eprintln!("── {name}: {how} in {seconds:.1} s");
    done.with_context(|| format!("step `{name}` failed"))
}
