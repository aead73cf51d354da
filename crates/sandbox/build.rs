//! Compiles the first process of sandboxes: a program without a library, which cargo has no target
//! for.

use std::path::Path;
use std::process::Command;

/// Everything that the program is made of.
const SOURCES: [&str; 5] = [
    "init/main.rs",
    "init/kernel.rs",
    "init/memory.rs",
    "init/words.rs",
    "src/supervise/report.rs",
];

fn main() {
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let variable = |name| std::env::var(name).expect("cargo sets it");
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--edition", "2024", "--crate-name", "init"]);
    rustc.args(["--target", &variable("TARGET"), SOURCES[0]]);
    for option in [
        "opt-level=s",
        "panic=abort",
        "relocation-model=static",
        "target-feature=+crt-static",
        "strip=symbols",
        "link-arg=-nostartfiles",
        "link-arg=-nostdlib",
        "link-arg=-static",
    ] {
        rustc.args(["-C", option]);
    }
    rustc
        .arg("-o")
        .arg(Path::new(&variable("OUT_DIR")).join("init"));
    let done = rustc.status().expect("the compiler can be run");
    assert!(done.success(), "the first process does not compile");
}
