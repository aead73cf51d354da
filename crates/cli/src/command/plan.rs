//! `mayfly plan`: what `up` would do, and why.

use std::path::PathBuf;

use model::failure::Failure;
use model::limits::SourceLimits;
use model::plan::{Clue, Plan};
use model::progress::clean_line;
use model::{AppName, FailureCode};

use crate::app_choice;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Paint, Reader, Style};
use crate::folder::{self, Reading, Root};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Exit with 10 when the app that runs was built otherwise
    #[arg(long)]
    compare: bool,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints the plan. Needs no daemon, and changes nothing.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let root = Root::open(&args.dir)?;
    let taken = folder::take(&root, &Reading::within(limits()))?;
    let plan = server::plan(root.path(), taken.snapshot)?;
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&plan),
        Reader::Person => {
            taken
                .notices
                .iter()
                .for_each(|text| face::note(&format!("note: {text}")));
            face::line(&report(&plan, Style::of_stdout()));
        }
    }
    match args.compare {
        true => compare(&root, &plan),
        false => Ok(Exit::Ok),
    }
}

/// How large the folder may be: as the daemon says, or the defaults where none can be asked.
fn limits() -> SourceLimits {
    let asked = daemon::runtime().and_then(|runtime| runtime.block_on(daemon::running()));
    let daemon = asked.ok().flatten();
    daemon.map_or_else(SourceLimits::default, |daemon| daemon.health.source)
}

/// Compares with the plan of the folder's app as it was last built.
fn compare(root: &Root, plan: &Plan) -> Result<Exit, Failure> {
    let name: AppName = app_choice::name_of(root.path())?.ok_or_else(|| {
        Failure::new(FailureCode::Usage, "the folder's name makes no app's name")
            .hint("add `name = \"…\"` to mayfly.toml")
    })?;
    let status = daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        Ok::<_, Failure>(client.app(&name).await?)
    })?;
    Ok(match status.plan.as_ref() == Some(plan) {
        true => Exit::Ok,
        false => Exit::PlanDiffers,
    })
}

fn report(plan: &Plan, style: Style) -> String {
    let port = plan.port.map(|port| port.to_string()).unwrap_or_default();
    let fields = [
        ("base", vec![plan.base.clone()]),
        ("packages", plan.packages.clone()),
        ("build", plan.build.clone()),
        ("before", plan.before.clone()),
        ("start", vec![command_line(&plan.start)]),
        ("port", vec![port]),
        (
            "ready",
            vec![format!("GET {} answers below 500", plan.health)],
        ),
        ("kept", vec![plan.keep.join(", ")]),
        ("secrets", vec![plan.env_keys.join(", ")]),
        ("because", plan.evidence.iter().map(clue).collect()),
        ("note", plan.warnings.iter().map(clue).collect()),
        (
            "set by you",
            plan.overridden
                .iter()
                .map(|(key, value)| format!("{key} = {value}"))
                .collect(),
        ),
    ];
    let title = style.paint(Paint::Strong, plan.kind);
    let lines: String = fields
        .iter()
        .map(|(name, values)| field(name, values, style))
        .collect();
    format!("{title}{lines}")
}

/// A name, and its values below each other; nothing when there are none.
fn field(name: &str, values: &[String], style: Style) -> String {
    let values = values.iter().filter(|value| !value.is_empty());
    let lines = values.enumerate().map(|(index, value)| {
        let name = if index == 0 { name } else { "" };
        format!(
            "\n  {} {}",
            style.paint(Paint::Dim, format!("{name:10}")),
            clean_line(value)
        )
    });
    lines.collect()
}

/// A command as one types it: words with other letters in them are quoted.
fn command_line(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+$".contains(c);
    let quote = |word: &String| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

fn clue(clue: &Clue) -> String {
    match clue.line {
        Some(line) => format!("{}:{line}: {}", clue.file, clue.says),
        None => format!("{}: {}", clue.file, clue.says),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::plan::AppKind;

    #[test]
    fn a_plan_explains_itself() {
        let clue = |file: &str, line, says: &str| Clue {
            file: file.into(),
            line,
            says: says.into(),
        };
        let plan = Plan {
            kind: AppKind::Python,
            evidence: vec![
                clue("requirements.txt", Some(1), "asks for flask"),
                clue("app.py", Some(3), "makes a Flask app"),
            ],
            base: "python 3.13".into(),
            packages: vec![],
            build: vec!["uv pip install -r requirements.txt".into()],
            start: ["gunicorn", "app:app", "-c", "a b"]
                .map(str::to_owned)
                .to_vec(),
            before: vec![],
            port: Some(8080),
            health: "/".into(),
            keep: vec!["*.db".into(), "data/".into()],
            env_keys: vec!["API_KEY".into()],
            warnings: vec![clue("app.js", Some(7), "calls http://localhost:5000")],
            overridden: [("run.port".to_owned(), "8080".to_owned())].into(),
        };
        insta::assert_snapshot!(report(&plan, Style::Plain), @"
        Python app
          base       python 3.13
          build      uv pip install -r requirements.txt
          start      gunicorn app:app -c 'a b'
          port       8080
          ready      GET / answers below 500
          kept       *.db, data/
          secrets    API_KEY
          because    requirements.txt:1: asks for flask
                     app.py:3: makes a Flask app
          note       app.js:7: calls http://localhost:5000
          set by you run.port = 8080
        ");
    }
}
