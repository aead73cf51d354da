//! What the Python installer's complaints mean.

use std::sync::LazyLock;

use model::failure::{Failure, FailureCode};
use model::inventory::Ecosystem;
use regex::Regex;

use crate::recipe::admission;
use crate::recipe::job::{Done, network_failure};
use crate::recipe::kit::Order;

/// Names that people misspell, for the nearest one.
const POPULAR: [&str; 60] = [
    "aiohttp",
    "anthropic",
    "apscheduler",
    "beautifulsoup4",
    "boto3",
    "bottle",
    "celery",
    "click",
    "cryptography",
    "dash",
    "django",
    "djangorestframework",
    "fastapi",
    "flask",
    "flask-cors",
    "flask-login",
    "flask-sqlalchemy",
    "gradio",
    "gunicorn",
    "httpx",
    "jinja2",
    "langchain",
    "lxml",
    "markdown",
    "matplotlib",
    "networkx",
    "nltk",
    "numpy",
    "openai",
    "opencv-python-headless",
    "openpyxl",
    "pandas",
    "passlib",
    "pillow",
    "plotly",
    "psutil",
    "psycopg2-binary",
    "pydantic",
    "pyjwt",
    "pymongo",
    "pymysql",
    "pytest",
    "python-dateutil",
    "python-dotenv",
    "python-multipart",
    "pyyaml",
    "qrcode",
    "redis",
    "reportlab",
    "requests",
    "scikit-learn",
    "scipy",
    "seaborn",
    "sqlalchemy",
    "streamlit",
    "tornado",
    "uvicorn",
    "websockets",
    "werkzeug",
    "yfinance",
];

static NOT_FOUND: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"[Bb]ecause (?:only )?`?([A-Za-z0-9][A-Za-z0-9._-]*)`? (?:was not found|is not available|has no publicly)",
    )
});
static NO_VERSION: LazyLock<Regex> = LazyLock::new(|| {
    rule(r"[Bb]ecause there (?:is|are) no versions? of ([A-Za-z0-9][A-Za-z0-9._-]*)")
});
static NO_WHEEL: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"[Ww]heels are required for `([A-Za-z0-9._-]+)`|([A-Za-z0-9][A-Za-z0-9._-]*)(?:[<>=!~]\S*)? has no (?:usable )?wheels|[Ww]heels are available for `([A-Za-z0-9._-]+)`|[Bb]uilding (?:source distributions )?.{0,40}`?([A-Za-z0-9._-]+)`? is disabled",
    )
});

fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file, which the tests compile")
}

/// Why packages did not resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Complaint {
    /// The registry did not answer.
    Network,
    /// No package has this name.
    NotFound(String),
    /// There is no such version of this one.
    NoVersion(String),
    /// Another version of Python may help, or building it: it has no wheel for this one.
    NoWheel(Option<String>),
}

/// Reads the installer's last lines.
pub(super) fn complaint(done: &Done) -> Complaint {
    if network_failure(done, "Python").is_some() {
        return Complaint::Network;
    }
    // The installer wraps its sentences.
    let text: Vec<&str> = done
        .lines
        .iter()
        .map(|line| {
            line.trim_start_matches([' ', '╰', '─', '▶', '×', '│'])
                .trim_end()
        })
        .collect();
    let text = text.join(" ");
    let named = |rule: &Regex| {
        let found = rule.captures(&text)?;
        let name = found.iter().skip(1).flatten().next()?;
        Some(name.as_str().trim_end_matches(['.', ',']).to_owned())
    };
    if let Some(name) = named(&NOT_FOUND) {
        return Complaint::NotFound(name);
    }
    if text.contains("wheel")
        || text.contains("is disabled")
        || text.contains("Requires-Python")
        || text.contains("Python>=")
        || text.contains("Python<")
    {
        return Complaint::NoWheel(named(&NO_WHEEL));
    }
    named(&NO_VERSION).map_or(Complaint::NoWheel(None), Complaint::NoVersion)
}

/// The failure that a complaint comes to when nothing else can be tried.
pub(super) fn failure(
    order: &Order<'_>,
    complaint: &Complaint,
    done: &Done,
    list: &str,
) -> Failure {
    if let Complaint::NotFound(name) = complaint {
        let name = crate::detect::canonical(name);
        let near = order.gate.nearest(Ecosystem::Pypi, &name);
        let near = near.or_else(|| nearest(&name).map(str::to_owned));
        return done.explain(admission::unknown(
            order,
            Ecosystem::Pypi,
            &name,
            list,
            near,
        ));
    }
    other_failure(complaint, done, list)
}

fn other_failure(complaint: &Complaint, done: &Done, list: &str) -> Failure {
    let message = match complaint {
        Complaint::Network => {
            let network = network_failure(done, "Python");
            return network.unwrap_or_else(|| {
                Failure::new(FailureCode::Network, "the Python registry did not answer")
            });
        }
        Complaint::NotFound(name) => format!("there is no Python package called `{name}`"),
        Complaint::NoVersion(name) => {
            format!("there is no such version of the Python package `{name}`")
        }
        Complaint::NoWheel(Some(name)) => {
            format!("the Python package `{name}` cannot be installed here")
        }
        Complaint::NoWheel(None) => {
            format!("the packages that {list} lists cannot be installed together")
        }
    };
    let failure = done.explain(Failure::new(FailureCode::Dependency, message));
    match complaint {
        Complaint::NoVersion(name) => {
            failure.hint(format!("write `{name}` without a version in {list}"))
        }
        _ => failure.hint(format!(
            "take the version limits out of {list}, or set `version = \"3.11\"` under [build] in mayfly.toml"
        )),
    }
}

fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let score = |known: &&str| strsim::jaro_winkler(&name, known);
    let best = POPULAR
        .iter()
        .max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) > 0.85 && **best != name).then_some(*best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::instance::Exit;
    use ports::workshop::{JobEnd, JobReport};

    fn done(text: &str) -> Done {
        Done {
            report: JobReport {
                end: JobEnd::Exit(Exit::Code { code: 1 }),
                denied: vec![],
            },
            lines: text.lines().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn the_installers_complaints_are_told_apart() {
        for (text, expected) in [
            (
                "  × No solution found when resolving dependencies:\n  ╰─▶ Because reqeusts was not found in the package registry and you\n      require reqeusts, we can conclude that your requirements are unsatisfiable.",
                Complaint::NotFound("reqeusts".into()),
            ),
            (
                "  ╰─▶ Because there is no version of flask==99 and you require flask==99, we can\n      conclude",
                Complaint::NoVersion("flask".into()),
            ),
            (
                "  ╰─▶ Because numpy==1.24.3 has no wheels with a matching Python ABI tag (e.g., `cp313`)\n",
                Complaint::NoWheel(Some("numpy".into())),
            ),
            (
                "  ╰─▶ Because all versions of docopt have no usable wheels and you require docopt, we\n      can conclude that your requirements are unsatisfiable.\n\n      hint: Wheels are required for `docopt` because building from source is\n      disabled for all packages (i.e., with `--no-build`)",
                Complaint::NoWheel(Some("docopt".into())),
            ),
            (
                "  cause: Because tensorflow-gpu<=2.11.0 has no wheels with a matching Python ABI tag (e.g., `cp313`)",
                Complaint::NoWheel(Some("tensorflow-gpu".into())),
            ),
            (
                "error: Request failed after 3 retries\n  Caused by: Failed to fetch: `https://a/simple/flask/`",
                Complaint::Network,
            ),
        ] {
            assert_eq!(complaint(&done(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_misspelled_package_gets_the_nearest_name() {
        for (name, near) in [
            ("reqeusts", Some("requests")),
            ("flaskk", Some("flask")),
            ("zzzzqq", None),
        ] {
            assert_eq!(nearest(name), near);
        }
    }
}
