//! sandbox

pub mod egress;
