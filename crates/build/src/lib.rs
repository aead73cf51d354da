//! Makes an image of a folder: what kind of app it is, the layers that it needs, and the image.

mod builder;
#[cfg(test)]
mod builder_tests;
mod cache;
pub mod debian;
pub mod detect;
mod doctor;
pub mod fetch;
mod flight;
pub mod image;
pub mod layer;
mod materials;
pub mod recipe;
#[cfg(test)]
mod testing;
pub mod tools;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use {debian::fuzzing as fuzz_debian, tools::fuzzing as fuzz_tools};

pub use builder::{Config, ImageBuilder};
pub use doctor::{Check, Reach, doctor};
