//! What the Node installer's complaints mean.

use std::sync::LazyLock;

use model::failure::{Failure, FailureCode};
use model::inventory::Ecosystem;
use regex::Regex;

use crate::recipe::admission;
use crate::recipe::job::{Done, network_failure};
use crate::recipe::kit::Order;

static NOT_FOUND: LazyLock<Regex> =
    LazyLock::new(|| rule(r"GET \S+/([^/\s]+|@[^/\s]+/[^/\s]+) - 404"));
static NO_VERSION: LazyLock<Regex> =
    LazyLock::new(|| rule(r#"No version matching "([^"]+)" found for specifier "([^"]+)""#));

fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file, which the tests compile")
}

/// Names that people misspell, for the nearest one.
const POPULAR: [&str; 40] = [
    "axios",
    "bcrypt",
    "bcryptjs",
    "better-sqlite3",
    "body-parser",
    "chalk",
    "chart.js",
    "compression",
    "cookie-parser",
    "cors",
    "date-fns",
    "dotenv",
    "ejs",
    "express",
    "express-session",
    "fastify",
    "helmet",
    "hono",
    "jsonwebtoken",
    "knex",
    "koa",
    "lodash",
    "moment",
    "mongoose",
    "morgan",
    "multer",
    "mysql2",
    "nanoid",
    "nodemailer",
    "openai",
    "pg",
    "prisma",
    "react",
    "react-dom",
    "sequelize",
    "sharp",
    "socket.io",
    "sqlite3",
    "uuid",
    "ws",
];

/// The failure of an installation.
pub(super) fn failure(order: &Order<'_>, done: &Done, list: &str) -> Failure {
    if let Some(found) = NOT_FOUND.captures(&done.lines.join("\n")) {
        let name = found[1].replace("%2f", "/");
        let near = order.gate.nearest(Ecosystem::Npm, &name);
        let near = near.or_else(|| nearest(&name).map(str::to_owned));
        return done.explain(admission::unknown(order, Ecosystem::Npm, &name, list, near));
    }
    other_failure(done, list)
}

fn other_failure(done: &Done, list: &str) -> Failure {
    let text = done.lines.join("\n");
    if let Some(found) = NO_VERSION.captures(&text) {
        let (version, name) = (&found[1], &found[2]);
        let message = format!("the Node package `{name}` has no version `{version}`");
        return done
            .explain(Failure::new(FailureCode::Dependency, message))
            .hint(format!("write `\"{name}\": \"latest\"` in {list}"));
    }
    if let Some(failure) = network_failure(done, "Node") {
        return failure;
    }
    let message = format!("the packages that {list} lists cannot be installed");
    done.explain(Failure::new(FailureCode::Dependency, message))
        .hint(format!("run `npm install` on your machine, correct {list} by what it says, and commit the lock file that it writes"))
}

fn nearest(name: &str) -> Option<&'static str> {
    let score = |known: &&str| strsim::jaro_winkler(name, known);
    let best = POPULAR
        .iter()
        .max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) > 0.85 && *best != name).then_some(*best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::instance::Exit;
    use ports::workshop::{JobEnd, JobReport};

    #[test]
    fn a_name_that_no_package_has_is_read_from_the_installers_words() {
        for (text, name) in [
            (
                "error: GET https://registry.example/expresss - 404",
                "expresss",
            ),
            ("error: GET https://registry.example/@a%2fb - 404", "@a%2fb"),
        ] {
            let found = NOT_FOUND.captures(text).expect(text);
            assert_eq!(&found[1], name);
        }
        assert_eq!(nearest("expresss"), Some("express"));
    }

    #[test]
    fn the_installers_complaints_are_told_apart() {
        for (text, code, words) in [
            (
                "error: No version matching \"^99\" found for specifier \"express\" (but package exists)",
                FailureCode::Dependency,
                "`express` has no version `^99`",
            ),
            (
                "error: ConnectionRefused downloading package manifest vary",
                FailureCode::Network,
                "did not answer",
            ),
            (
                "error: lockfile had changes",
                FailureCode::Dependency,
                "cannot be installed",
            ),
        ] {
            let done = Done {
                report: JobReport {
                    end: JobEnd::Exit(Exit::Code { code: 1 }),
                    denied: vec![],
                },
                lines: text.lines().map(str::to_owned).collect(),
            };
            let failure = other_failure(&done, "package.json");
            assert_eq!(failure.code, code, "{text}");
            assert!(failure.message.contains(words), "{failure}");
            assert!(failure.hint.is_some());
        }
    }
}
