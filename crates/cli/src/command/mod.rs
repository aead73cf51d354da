//! One file a command.

mod advice;
pub(crate) mod completion;
pub(crate) mod destroy;
pub(crate) mod doctor;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod open;
pub(crate) mod plan;
pub(crate) mod restore;
pub(crate) mod rollback;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod supervise;
pub(crate) mod up;
mod watch;
