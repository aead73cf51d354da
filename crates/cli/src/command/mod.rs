//! One file a command.

mod advice;
pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod destroy;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod logs;
mod moment;
pub(crate) mod open;
pub(crate) mod plan;
pub(crate) mod push;
pub(crate) mod restore;
pub(crate) mod rollback;
pub(crate) mod sbom;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod supervise;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod verify;
mod watch;
