//! Makes an image of a folder: what kind of app it is, the layers that it needs, and the image.

pub mod debian;
pub mod detect;
mod doctor;
pub mod fetch;
mod flight;
pub mod image;
pub mod layer;
pub mod recipe;
pub mod tools;

pub use doctor::{Check, Reach, doctor};
