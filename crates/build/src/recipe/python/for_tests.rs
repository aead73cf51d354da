//! Packages that only tests need: a layer beside the image's own, which stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use model::Digest;
use model::failure::Failure;
use toml::{Table, Value};

use super::lock::Lock;
use super::requested::of_lock;
use super::resolve::{self, Ask};
use super::{Environment, Made, packages};
use crate::detect::{PythonSuite, canonical};
use crate::layer::PackedLayer;
use crate::recipe::admission::{admit, asked};
use crate::recipe::kit::{Kit, Order};
use crate::recipe::{PythonPackages, PythonRecipe, PythonVersion};

/// Where these packages lie in the sandbox.
pub(super) const ENVIRONMENT: &str = "/opt/tests";
/// The name of their pin.
const PIN: &str = "python.tests.lock";

/// What tests run on beyond the image.
#[derive(Default)]
pub(in crate::recipe) struct ForTests {
    /// None when the app has all that they need.
    pub(in crate::recipe) layer: Option<PackedLayer>,
    /// The inputs to keep.
    pub(in crate::recipe) pins: BTreeMap<String, Vec<u8>>,
}

/// Finds the layer or makes it: what the suite needs, in versions that go with the app's own.
pub(in crate::recipe) async fn for_tests(
    kit: &Kit,
    order: &Order<'_>,
    recipe: &PythonRecipe,
    made: &Made,
    suite: &PythonSuite,
) -> Result<ForTests, Failure> {
    let own = made.lock.as_ref().map_or("", |lock| lock.text.as_str());
    let own = versions(own);
    let missing = |line: &&String| !own.contains_key(&name_of(line));
    let wanted: Vec<String> = suite.packages.iter().filter(missing).cloned().collect();
    if wanted.is_empty() {
        return Ok(ForTests::default());
    }
    let mut lines = wanted.clone();
    lines.extend(own.iter().filter_map(|(name, version)| {
        let version = version.as_ref()?;
        Some(format!("{name}=={version}"))
    }));
    let input = Digest::of(format!("{}\n{}", made.version, lines.join("\n")).as_bytes());
    let before = order.pins.get(PIN).and_then(|pin| Lock::from_pin(pin));
    let lock = match before.clone().filter(|lock| lock.input == input) {
        Some(lock) => lock,
        None => {
            let recipe = PythonRecipe {
                version: PythonVersion::Asked(made.version.clone()),
                packages: PythonPackages::Listed {
                    lines,
                    file: suite.file.clone(),
                },
                ..recipe.clone()
            };
            let ask = Ask {
                kit,
                order,
                recipe: &recipe,
                before,
            };
            let all = resolve::resolve(&ask, input).await?.lock;
            Lock {
                text: without(&all.text, &own.keys().cloned().collect()),
                ..all
            }
        }
    };
    let names: BTreeSet<String> = wanted.iter().map(|line| name_of(line)).collect();
    let file = suite.file.clone().unwrap_or_default();
    let requested = of_lock(&lock.text, &|name| {
        let direct = names.contains(name);
        let ecosystem = model::inventory::Ecosystem::Pypi;
        let place = direct.then(|| asked(order, &file, ecosystem, name));
        (direct, place.flatten())
    });
    admit(order, &requested).await?;
    let packages = packages(kit, order, &made.ground, &lock, Environment::Tests).await?;
    Ok(ForTests {
        layer: Some(packages.layer),
        pins: [(PIN.to_owned(), lock.to_pin())].into(),
    })
}

/// With which tests find their own packages, after the app's.
pub(in crate::recipe) fn variables(made: &Made) -> [(String, String); 2] {
    let path = format!(
        "{}/bin:{ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin",
        super::ENVIRONMENT
    );
    let modules = format!("{ENVIRONMENT}/lib/python{}/site-packages", made.version);
    [("PATH".into(), path), ("PYTHONPATH".into(), modules)]
}

/// The packages of a lock; a version only where a registry has it.
fn versions(lock: &str) -> BTreeMap<String, Option<String>> {
    let registry = |it: &ports::Requested| it.origin == ports::Origin::Registry;
    let all = of_lock(lock, &|_| (false, None)).into_iter();
    all.map(|it| {
        let version = (registry(&it) && !it.version.is_empty()).then(|| it.version.clone());
        (it.name, version)
    })
    .collect()
}

fn name_of(line: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let end = line.find(|c| !fits(c)).unwrap_or(line.len());
    canonical(&line[..end])
}

/// A lock without the packages that the app has.
fn without(text: &str, names: &BTreeSet<String>) -> String {
    let mut lock: Table = toml::from_str(text).unwrap_or_default();
    if let Some(packages) = lock.get_mut("packages").and_then(Value::as_array_mut) {
        packages.retain(|package| {
            let name = package.get("name").and_then(Value::as_str);
            name.is_none_or(|name| !names.contains(&canonical(name)))
        });
    }
    toml::to_string(&lock).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "flask"
version = "3.0.0"
[[packages]]
name = "pytest"
version = "8.3.4"
"#;

    #[test]
    fn what_the_app_has_is_not_installed_again() {
        let names = BTreeSet::from(["flask".to_owned()]);
        let left = versions(&without(LOCK, &names));
        let expected = BTreeMap::from([("pytest".to_owned(), Some("8.3.4".to_owned()))]);
        assert_eq!(left, expected);
    }

    #[test]
    fn a_requirement_names_its_package() {
        for (line, name) in [
            ("Pytest>=8", "pytest"),
            ("pytest-cov[toml]", "pytest-cov"),
            ("a @ https://x", "a"),
        ] {
            assert_eq!(name_of(line), name);
        }
    }
}
