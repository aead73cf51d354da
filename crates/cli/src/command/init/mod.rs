//! `mayfly init`: settings and first tests for the app in a folder. What is there stays as it is.

mod settings;
mod suite;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use model::failure::{Failure, FailureCode};
use model::manifest;
use model::plan::{AppKind, Plan};
use serde::Serialize;

use super::check;
use crate::app_choice;
use crate::exit::Exit;
use crate::face::{self, Reader};
use crate::folder::{self, Reading, Root};

use suite::Suite;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// What was written, and what comes next.
#[derive(Debug, Default, Serialize)]
struct Made {
    kind: Option<AppKind>,
    created: Vec<String>,
    kept: Vec<String>,
    notes: Vec<String>,
    next: Vec<String>,
}

/// Writes what is not there yet.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let root = Root::open(&args.dir)?;
    let made = make(&root)?;
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&made),
        Reader::Person => face::line(&made.text()),
    }
    Ok(Exit::Ok)
}

fn make(root: &Root) -> Result<Made, Failure> {
    let taken = folder::take(root, &Reading::within(Default::default()))?;
    let name = app_choice::name_of(root.path())?;
    let plan = server::plan(root.path(), taken.snapshot);
    if let Err(failure) = &plan
        && is_about_the_folder(failure)
    {
        return Err(failure.clone());
    }
    let mut made = Made::default();
    let settings = settings::text(name.as_ref(), plan.as_ref().ok());
    made.write(root.path(), manifest::FILE_NAME, &settings)?;
    match plan {
        Ok(plan) => made.tests(root, &plan)?,
        Err(failure) => {
            made.notes
                .push(format!("no tests yet: {}", failure.message));
            made.next.push(format!(
                "say in {} how it starts: `[run] command`",
                manifest::FILE_NAME
            ));
        }
    }
    made.next.push("mayfly check".into());
    made.next.push("mayfly up".into());
    Ok(made)
}

/// What is wrong with the folder itself is no reason to write into it.
fn is_about_the_folder(failure: &Failure) -> bool {
    matches!(
        failure.code,
        FailureCode::BadFolder | FailureCode::TooLarge | FailureCode::BadManifest
    )
}

impl Made {
    fn tests(&mut self, root: &Root, plan: &Plan) -> Result<(), Failure> {
        self.kind = Some(plan.kind);
        let suite = match Suite::of(root, plan) {
            Some(suite) => suite,
            None => {
                let note =
                    "no tests: the app is made of files alone, which the server sends as they are";
                self.notes.push(note.into());
                return Ok(());
            }
        };
        let routes = check::routes(root)?;
        let text = suite.text(plan, &routes);
        if suite.needs_package() {
            self.write(root.path(), &suite.package_file(), "")?;
        }
        self.write(root.path(), &suite.file(), &text)?;
        self.next.push(suite.command());
        Ok(())
    }

    /// Writes a file, and the folders above it, unless there is something at its place.
    fn write(&mut self, root: &Path, path: &str, text: &str) -> Result<(), Failure> {
        match write_new(root, path, text) {
            Ok(()) => self.created.push(path.to_owned()),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                self.kept.push(path.to_owned());
            }
            Err(cause) => {
                let what = format!("cannot write `{path}`");
                return Err(Failure::new(FailureCode::BadFolder, what)
                    .because(cause.to_string())
                    .hint("make the folder writable, and no part of that path a link"));
            }
        }
        Ok(())
    }

    fn text(&self) -> String {
        let list = |what: &str, paths: &[String]| -> Vec<String> {
            paths.iter().map(|path| format!("{what} {path}")).collect()
        };
        let mut lines = list("created", &self.created);
        lines.extend(list("kept", &self.kept));
        lines.extend(list("note:", &self.notes));
        lines.push(format!("next: {}", self.next.join(", then ")));
        lines.join("\n")
    }
}

/// A link on the way is refused: it may lead out of the folder.
fn write_new(root: &Path, path: &str, text: &str) -> io::Result<()> {
    let place = root.join(path);
    let mut above = root.to_owned();
    for part in Path::new(path)
        .parent()
        .into_iter()
        .flat_map(Path::components)
    {
        above.push(part);
        match fs::symlink_metadata(&above) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => fs::create_dir(&above)?,
            Err(cause) => return Err(cause),
        }
    }
    let mut file = File::create_new(place)?;
    file.write_all(text.as_bytes())
}
