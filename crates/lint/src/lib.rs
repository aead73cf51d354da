//! lint
mod ir;
mod javascript;
mod python;
