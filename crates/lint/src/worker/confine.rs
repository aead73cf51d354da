//! What a worker may do once it runs: read its orders, compute, and answer.
//!
//! Parsers of foreign bytes, some of them written in C, must not be worth attacking. What takes one
//! over finds no file, no socket, no rights and nothing to write to.

use std::io;

use rustix::process::{
    DumpableBehavior, Gid, Resource, Rlimit, Uid, geteuid, set_dumpable_behavior, setrlimit,
};
use rustix::thread::{set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Whom root becomes: `nobody`, who owns nothing.
const NOBODY: u32 = 65534;
/// Standard input, output and error.
const OPEN_FILES: u64 = 3;

/// Gives all rights up. Called while the process has one thread.
pub(super) fn confine() -> io::Result<()> {
    limit(Resource::Nofile, OPEN_FILES)?;
    limit(Resource::Fsize, 0)?;
    // A worker that dies is expected; its core is of use to nobody.
    limit(Resource::Core, 0)?;
    if geteuid().is_root() {
        become_nobody()?;
    }
    set_no_new_privs(true)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

fn become_nobody() -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    Ok(())
}

/// Lowers a limit for good.
pub(super) fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(resource, limit)?)
}
