//! Which package registries the machine's pip and npm use.
//!
//! The two defaults below are those that pip and npm have built in. No other host is named
//! anywhere: a machine that is set to a mirror of its own never asks these.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fetch::host_of;

/// pip's own default (`pip config`, `index-url`).
const PIP_DEFAULT: &str = "https://pypi.org/simple";
/// npm's own default (`npm config`, `registry`).
const NPM_DEFAULT: &str = "https://registry.npmjs.org";

/// Registries, as the machine's own clients are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registries {
    /// The index of Python packages (PEP 503), without `/` at its end.
    pub python: String,
    /// More indexes that pip asks.
    pub python_extra: Vec<String>,
    /// The registry of Node packages, without `/` at its end.
    pub npm: String,
    /// Registries of single npm scopes: `@scope` and its URL.
    pub npm_scopes: Vec<(String, String)>,
}

/// Where settings are looked for; the machine but in tests.
pub struct Machine<'a> {
    /// The root of the file system.
    pub root: &'a Path,
    /// The home folder of the daemon's user.
    pub home: Option<PathBuf>,
    /// A variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Registries {
    /// Reads the settings of the machine that this runs on.
    pub fn of_machine() -> Self {
        Self::read(&Machine {
            root: Path::new("/"),
            home: std::env::var_os("HOME").map(PathBuf::from),
            variable: &|name| std::env::var(name).ok().filter(|value| !value.is_empty()),
        })
    }

    /// Reads pip's and npm's settings: variables first, then files, the user's before the machine's.
    pub fn read(machine: &Machine<'_>) -> Self {
        let pip = pip_settings(machine);
        let npm = npm_settings(machine);
        let of = |settings: &[(String, String)], name: &str| {
            let found = settings.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| trimmed(value))
        };
        let scopes = npm.iter().filter_map(|(key, value)| {
            let scope = key.strip_suffix(":registry")?;
            scope
                .starts_with('@')
                .then(|| (scope.to_owned(), trimmed(value)))
        });
        let extra = pip.iter().filter(|(key, _)| key == "extra-index-url");
        Self {
            python: of(&pip, "index-url").unwrap_or_else(|| PIP_DEFAULT.to_owned()),
            python_extra: extra
                .flat_map(|(_, value)| value.split_whitespace().map(trimmed))
                .collect(),
            npm: of(&npm, "registry").unwrap_or_else(|| NPM_DEFAULT.to_owned()),
            npm_scopes: scopes.collect(),
        }
    }

    /// The hosts of all registries, `host` or `host:port`, each once.
    pub fn hosts(&self) -> Vec<String> {
        let scopes = self.npm_scopes.iter().map(|(_, url)| url);
        let urls = [&self.python, &self.npm].into_iter();
        let mut hosts: Vec<String> = urls
            .chain(&self.python_extra)
            .chain(scopes)
            .filter_map(|url| host_of(url))
            .collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

fn trimmed(url: impl AsRef<str>) -> String {
    url.as_ref().trim().trim_end_matches('/').to_owned()
}

/// pip's settings, the strongest first. Source: pip's documentation, "Configuration".
fn pip_settings(machine: &Machine<'_>) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    for (variable, key) in [
        ("PIP_INDEX_URL", "index-url"),
        ("PIP_EXTRA_INDEX_URL", "extra-index-url"),
    ] {
        settings.extend((machine.variable)(variable).map(|value| (key.to_owned(), value)));
    }
    let mut files: Vec<PathBuf> = (machine.variable)("PIP_CONFIG_FILE")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    if let Some(home) = &machine.home {
        files.extend([
            home.join(".config/pip/pip.conf"),
            home.join(".pip/pip.conf"),
        ]);
    }
    files.extend([
        machine.root.join("etc/pip.conf"),
        machine.root.join("etc/xdg/pip/pip.conf"),
    ]);
    for file in files {
        let text = fs::read_to_string(file).unwrap_or_default();
        settings.extend(ini(&text, &["global", "install"]));
    }
    settings
}

/// npm's settings, the strongest first. Source: npm's documentation, "npmrc".
fn npm_settings(machine: &Machine<'_>) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    for variable in ["npm_config_registry", "NPM_CONFIG_REGISTRY"] {
        settings.extend((machine.variable)(variable).map(|value| ("registry".to_owned(), value)));
    }
    let mut files: Vec<PathBuf> = ["npm_config_userconfig", "NPM_CONFIG_USERCONFIG"]
        .iter()
        .filter_map(|variable| (machine.variable)(variable))
        .map(PathBuf::from)
        .collect();
    files.extend(machine.home.as_ref().map(|home| home.join(".npmrc")));
    for file in ["etc/npmrc", "usr/etc/npmrc", "usr/local/etc/npmrc"] {
        files.push(machine.root.join(file));
    }
    for file in files {
        let text = fs::read_to_string(file).unwrap_or_default();
        settings.extend(ini(&text, &[""]));
    }
    settings
}

/// `key = value` lines of the named sections; `;` and `#` begin comments. A value goes on in lines
/// that begin with a space.
fn ini(text: &str, sections: &[&str]) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if !sections.contains(&section.as_str()) {
        } else if line.starts_with([' ', '\t'])
            && let Some((_, value)) = found.last_mut()
        {
            value.push(' ');
            value.push_str(trimmed);
        } else if let Some((key, value)) = trimmed.split_once('=') {
            let value = value.trim().trim_matches('"');
            found.push((key.trim().to_owned(), value.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Registries {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Registries::read(&Machine {
            root: root.path(),
            home: Some(root.path().join("home")),
            variable: &variable,
        })
    }

    #[test]
    fn without_settings_the_clients_defaults_hold() {
        let registries = read(&[], &[]);
        assert_eq!(registries.python, PIP_DEFAULT);
        assert_eq!(registries.npm, NPM_DEFAULT);
        assert_eq!(registries.hosts().len(), 2);
    }

    #[test]
    fn variables_come_before_the_users_files_and_those_before_the_machines() {
        let pip = |host| format!("[global]\ncert = /x\nindex-url = https://{host}/simple/\n");
        let npm = |host| format!("; mine\nregistry=https://{host}/\n");
        let (etc, home) = (
            (pip("etc.example"), npm("etc.example")),
            (pip("home.example"), npm("home.example")),
        );
        let machine = [
            ("etc/pip.conf", etc.0.as_str()),
            ("etc/npmrc", etc.1.as_str()),
        ];
        let user = [
            ("home/.config/pip/pip.conf", home.0.as_str()),
            ("home/.npmrc", home.1.as_str()),
        ];
        let all = [machine, user].concat();
        let variables = [
            (
                "PIP_INDEX_URL",
                "https://user:secret@env.example:8443/simple",
            ),
            ("npm_config_registry", "https://env.example/npm/"),
        ];
        assert_eq!(read(&machine, &[]).hosts(), ["etc.example"]);
        assert_eq!(read(&all, &[]).hosts(), ["home.example"]);
        let set = read(&all, &variables);
        assert_eq!(set.hosts(), ["env.example", "env.example:8443"]);
        assert_eq!(set.npm, "https://env.example/npm");
    }

    #[test]
    fn extra_indexes_and_scopes_are_read_too() {
        let registries = read(
            &[
                (
                    "etc/pip.conf",
                    "[install]\nextra-index-url =\n    https://a.example/simple\n    https://b.example/simple\n[list]\nformat = x\n",
                ),
                (
                    "home/.npmrc",
                    "@acme:registry=https://c.example/\n//c.example/:_authToken=secret\n",
                ),
            ],
            &[],
        );
        assert_eq!(
            registries.python_extra,
            ["https://a.example/simple", "https://b.example/simple"]
        );
        assert_eq!(
            registries.npm_scopes,
            [("@acme".to_owned(), "https://c.example".to_owned())]
        );
        assert!(
            registries
                .hosts()
                .iter()
                .all(|host| !host.contains("secret"))
        );
    }
}
