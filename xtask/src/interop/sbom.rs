//! Our bills of materials before judges that are not ours: CycloneDX's own strict validator, SPDX's
//! schema and SPDX's own tools, osv-scanner, and syft's findings on the same image.

mod differences;
mod image;
mod scanner;
pub mod tools;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::command::{self, command};
use crate::step::step;
use differences::Difference;
use image::Image;
use tools::Tools;

/// Runs all judges. Fails on any error that they find, and on any difference without a reason.
pub fn run() -> Result<()> {
    let tools = step("judges", Tools::install)?;
    let scratch = tempfile::Builder::new().prefix("mayfly-sbom-").tempdir()?;
    let images = step("images", || image::all(scratch.path()))?;
    for image in &images {
        step(&format!("the {} image", image.name), || {
            judge(
                &tools,
                image,
                &scratch.path().join("judged").join(&image.name),
            )
        })?;
    }
    Ok(())
}

fn judge(tools: &Tools, image: &Image, out: &Path) -> Result<()> {
    tools.catalogue(&image.layers, out)?;
    documents(tools, out)?;
    let ours: Value = serde_json::from_slice(&std::fs::read(out.join("inventory.json"))?)?;
    ensure!(
        ours["problems"].as_array().is_none_or(Vec::is_empty),
        "the inventory has problems: {}",
        ours["problems"]
    );
    scanner::reads(tools, out, &ours)?;
    let theirs = tools.syft(&image.merged)?;
    let differences = differences::between(&ours, &theirs, &image.merged)?;
    let found = theirs["artifacts"].as_array().map_or(0, Vec::len);
    eprintln!(
        "syft finds {found}, {} otherwise than we do",
        differences.len()
    );
    for difference in &differences {
        eprintln!("  {difference}");
    }
    // A comparison of nothing with nothing would agree as well.
    for kind in &image.holds {
        let some = theirs["artifacts"].as_array().into_iter().flatten();
        let some = some.filter(|one| one["type"] == *kind).count();
        ensure!(some > 0, "syft finds no {kind}: this image judges nothing");
    }
    let unexplained = differences.iter().filter(|one| one.reason.is_none());
    let unexplained: Vec<&Difference> = unexplained.collect();
    ensure!(
        unexplained.is_empty(),
        "{} differences have no reason",
        unexplained.len()
    );
    Ok(())
}

/// Both documents pass; the same documents with a defect do not.
fn documents(tools: &Tools, out: &Path) -> Result<()> {
    tools.validate(out).context("the documents are not valid")?;
    let broken = out.join("broken");
    std::fs::create_dir_all(&broken)?;
    for (file, key, value) in [
        ("spdx.json", "dataLicense", Value::from(7)),
        ("cyclonedx.json", "bomFormat", Value::from("Cyclone")),
    ] {
        for name in ["spdx.json", "cyclonedx.json"] {
            std::fs::copy(out.join(name), broken.join(name))?;
        }
        let mut document: Value = serde_json::from_slice(&std::fs::read(out.join(file))?)?;
        document[key] = value;
        std::fs::write(broken.join(file), serde_json::to_vec(&document)?)?;
        ensure!(
            tools.validate(&broken).is_err(),
            "the judges accept a broken {file}: they judge nothing"
        );
    }
    command::run(command("rm", ["-rf"]).arg(&broken))
}
