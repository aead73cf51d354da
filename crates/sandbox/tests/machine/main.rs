//! Real sandboxes on this machine. The tests need root, Python 3 and control groups, and fail
//! without; they leave nothing behind.

mod attacks;
mod contracts;
mod footprint;
mod jobs;
mod keep;
mod lifecycle;
mod limits;
mod recovery;
mod support;
