//! The apps that the guest has, with all that they need from the network already there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::command::{self, command};
use crate::mayfly::Mayfly;
use crate::place;

/// An app in the guest.
pub struct GuestApp {
    /// What mayfly calls it.
    pub name: &'static str,
    /// Where its source is in the repository.
    source: &'static str,
    /// What its first page says.
    pub says: &'static str,
    /// A file that an edit adds a line to, and the line.
    pub edit: (&'static str, &'static str),
}

/// One of each kind.
pub const KINDS: [GuestApp; 3] = [
    GuestApp {
        name: "tip-calculator",
        source: "examples/tip-calculator",
        says: "Tip Calculator",
        edit: ("tip-calculator.html", "<!-- edited -->\n"),
    },
    GuestApp {
        name: "guestbook",
        source: "examples/guestbook",
        says: "Guestbook",
        edit: ("app.py", "# edited\n"),
    },
    GuestApp {
        name: "todo-express",
        source: "examples/todo-express",
        says: "<html",
        edit: ("server.js", "// edited\n"),
    },
];

/// The one that tries its limits.
pub const LIMITS: GuestApp = GuestApp {
    name: "limits",
    source: "xtask/guest-apps/limits",
    says: "token",
    edit: ("app.py", "# edited\n"),
};

impl GuestApp {
    /// Where its source is in the guest; the same here, so that the name stays the folder's.
    pub fn folder(&self, scratch: &Path) -> PathBuf {
        scratch.join("apps").join(self.name)
    }
}

/// The state that the guest is given.
pub fn home(scratch: &Path) -> PathBuf {
    scratch.join("mayfly/home")
}

/// Brings all apps up here, so that their layers are there, and ends them.
pub fn prepare(program: &Path, scratch: &Path) -> Result<()> {
    fs::create_dir_all(scratch.join("apps"))?;
    let mayfly = Mayfly::new(program, &scratch.join("mayfly"))?;
    mayfly.serve()?;
    for app in KINDS.iter().chain([&LIMITS]) {
        let (source, folder) = (place::repository().join(app.source), app.folder(scratch));
        command::run(command("cp", ["-r"]).arg(source).arg(&folder))?;
        mayfly.up(&folder, app.name)?.promoted()?;
    }
    mayfly.stop()
}
