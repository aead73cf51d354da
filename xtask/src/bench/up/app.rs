//! The apps that are measured: copies of `xtask/bench-apps`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::command::{self, command};
use crate::place;

/// The kinds of app in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Files.
    Static,
    /// Python, WSGI.
    Flask,
    /// Python, ASGI.
    FastApi,
    /// Node.
    Express,
}

impl Kind {
    /// All of them, in the tables' order.
    pub const ALL: [Self; 4] = [Self::Static, Self::Flask, Self::FastApi, Self::Express];

    fn folder(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Flask => "flask",
            Self::FastApi => "fastapi",
            Self::Express => "express",
        }
    }

    /// The file that an edit changes.
    fn edited(self) -> &'static str {
        match self {
            Self::Static => "index.html",
            Self::Flask => "app.py",
            Self::FastApi => "main.py",
            Self::Express => "server.js",
        }
    }

    /// What a hand would write for docker.
    pub fn dockerfile(self) -> PathBuf {
        let file = format!("dockerfiles/{}.Dockerfile", self.folder());
        source().join(file)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Static => "static",
            Self::Flask => "Flask",
            Self::FastApi => "FastAPI",
            Self::Express => "Express",
        })
    }
}

fn source() -> PathBuf {
    place::repository().join("xtask/bench-apps")
}

/// An app whose source can be edited.
pub struct App {
    kind: Kind,
    folder: PathBuf,
    release: u32,
}

impl App {
    /// Copies the app of that kind below `to`.
    pub fn copy(kind: Kind, to: &Path) -> Result<Self> {
        let folder = copy(kind.folder(), &to.join("apps").join(kind.folder()))?;
        Ok(Self {
            kind,
            folder,
            release: 1,
        })
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where its source is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What mayfly calls it.
    pub fn name(&self) -> &'static str {
        self.kind.folder()
    }

    /// What its first page says now, and no other edit of it.
    pub fn says(&self) -> String {
        says(self.release)
    }

    /// Changes one line.
    pub fn edit(&mut self) -> Result<()> {
        let file = self.folder.join(self.kind.edited());
        let before = fs::read_to_string(&file)?;
        let after = before.replace(&says(self.release), &says(self.release + 1));
        anyhow::ensure!(after != before, "`{}` could not be edited", file.display());
        fs::write(&file, after)?;
        self.release += 1;
        Ok(())
    }
}

/// All edits but the first have the same length.
fn says(release: u32) -> String {
    match release {
        1 => "release 1".to_owned(),
        later => format!("release {}", 1_000_000 + later),
    }
}

/// Copies the app on Python's http.server to `to`.
pub fn copy_http_server(to: &Path) -> Result<PathBuf> {
    copy("http-server", to)
}

fn copy(app: &str, to: &Path) -> Result<PathBuf> {
    let parent = to.parent().context("a folder in a folder")?;
    fs::create_dir_all(parent)?;
    command::run(command("cp", ["-r"]).arg(source().join(app)).arg(to))?;
    Ok(to.to_owned())
}
