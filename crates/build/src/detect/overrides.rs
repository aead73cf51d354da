//! What mayfly.toml says instead of what was found.

use model::failure::{Failure, FailureCode};
use model::manifest::Manifest;
use model::snapshot::is_clean_path;

use crate::detect::Detected;
use crate::detect::command::shell;

/// The manifest of the front end and that of the back end: each key under [build] goes to the one
/// it makes sense for.
pub(super) fn shares(manifest: &Manifest) -> (Manifest, Manifest) {
    let (mut front, mut back) = (manifest.clone(), manifest.clone());
    front.build.version = None;
    front.run = Default::default();
    back.build.command = None;
    back.build.output = None;
    (front, back)
}

/// Puts what mayfly.toml says in the place of what was found, and records each key that did so.
pub(super) fn apply(detected: &mut Detected, manifest: &Manifest) -> Result<(), Failure> {
    apply_build(detected, manifest)?;
    apply_run(detected, manifest)
}

fn apply_build(detected: &mut Detected, manifest: &Manifest) -> Result<(), Failure> {
    let build = &manifest.build;
    if let Some(output) = &build.output
        && !is_clean_path(output.trim_end_matches('/'))
    {
        return Err(bad("output", output, "is a folder of the app, like `dist`"));
    }
    let plan = &mut detected.plan;
    if let Some(kind) = build.kind {
        note(plan, "build.kind", format!("{kind:?}").to_lowercase());
    }
    if let Some(version) = &build.version {
        note(plan, "build.version", version.clone());
    }
    if let Some(output) = &build.output {
        note(plan, "build.output", output.clone());
    }
    if !build.packages.is_empty() {
        plan.packages = build.packages.clone();
        note(plan, "build.packages", build.packages.join(" "));
    }
    if let Some(command) = &build.command {
        let slot = detected.recipe.build_mut().ok_or_else(|| {
            bad("command", command, "builds nothing here: the files are served as they are; set `output` to the folder that it makes")
        })?;
        let old = slot.replace(command.clone());
        plan.build
            .retain(|line| Some(line) != old.as_ref() && !line.ends_with("npm run build"));
        plan.build.push(command.clone());
        note(plan, "build.command", command.clone());
    }
    Ok(())
}

fn apply_run(detected: &mut Detected, manifest: &Manifest) -> Result<(), Failure> {
    let run = &manifest.run;
    let plan = &mut detected.plan;
    if let Some(health) = &run.health {
        plan.health = health.clone();
        note(plan, "run.health", health.clone());
    }
    if let Some(keep) = &run.keep {
        plan.keep = keep.clone();
        note(plan, "run.keep", keep.join(" "));
    }
    let says_start = run.command.is_some() || run.before.is_some() || run.port.is_some();
    let Some(start) = detected.recipe.start_mut() else {
        return match &run.command {
            Some(command) if says_start => Err(bad(
                "command",
                command,
                "starts nothing here: the app is a folder of files; set `kind` under [build] to node or python",
            )),
            _ => Ok(()),
        };
    };
    if let Some(command) = &run.command {
        start.command = shell(command);
        plan.start = start.command.clone();
        note(plan, "run.command", command.clone());
    }
    if let Some(before) = &run.before {
        start.before = before.iter().map(|command| shell(command)).collect();
        plan.before = before.clone();
        note(plan, "run.before", before.join(" && "));
    }
    if let Some(port) = run.port {
        start.port = port;
        plan.port = Some(port);
        note(plan, "run.port", port.to_string());
    }
    Ok(())
}

fn note(plan: &mut model::plan::Plan, key: &str, value: String) {
    plan.overridden.insert(key.to_owned(), value);
}

fn bad(key: &str, value: &str, why: &str) -> Failure {
    Failure::new(
        FailureCode::BadManifest,
        format!("mayfly.toml: `{key} = \"{value}\"` {why}"),
    )
    .hint(format!("change or remove `{key}` in mayfly.toml"))
}
