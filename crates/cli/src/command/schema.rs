//! `mayfly schema`: every key of mayfly.toml, for editors and for people.

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::face;

/// Prints the schema (JSON Schema, 2020-12).
pub(crate) fn run() -> Exit {
    face::line(&serde_json::to_string_pretty(&schema()).unwrap_or_default());
    Exit::Ok
}

type Key = (&'static str, &'static str, fn() -> Value);

const HEAD: [Key; 2] = [
    (
        "name",
        "The app's name and the first part of its URL. The folder's name by default.",
        name,
    ),
    (
        "ttl",
        "How long the app lives from each `mayfly up` on: \"30d\", \"12h\". Without an end by default.",
        span,
    ),
];

const BUILD: [Key; 8] = [
    ("kind", "The kind of app, when mayfly guesses wrong.", kind),
    (
        "version",
        "The version of the interpreter: \"3.11\", \"3.13\", \"22\".",
        text,
    ),
    ("packages", "Debian packages to add: [\"libgl1\"].", texts),
    (
        "command",
        "A shell command that builds the app, in place of the one that was found.",
        text,
    ),
    (
        "output",
        "The folder of finished files that the build makes.",
        text,
    ),
    ("memory", "Memory for the build. 2 GiB by default.", size),
    ("timeout", "Seconds for the build. 600 by default.", count),
    ("disk", "Disk for the build. 4 GiB by default.", size),
];

const RUN: [Key; 13] = [
    ("command", "A shell command that starts the server.", text),
    (
        "before",
        "Shell commands that run to their end before it; [] for none.",
        texts,
    ),
    (
        "port",
        "The port that the server listens on. By default mayfly finds it.",
        port,
    ),
    (
        "health",
        "The path that says whether the app is ready: an answer below 500. / by default.",
        text,
    ),
    (
        "keep",
        "What of the app's folder outlives a release. [\"*.db\", \"*.sqlite*\", \"data/\", \"instance/\", \"uploads/\"] by default.",
        texts,
    ),
    ("memory", "Memory for the app. 512 MiB by default.", size),
    ("cpu", "CPUs for the app. 1.0 by default.", cpu),
    (
        "pids",
        "Processes and threads of the app. 256 by default.",
        count,
    ),
    ("data", "What kept files may hold. 1 GiB by default.", size),
    ("tmp", "What /tmp may hold. 256 MiB by default.", size),
    (
        "ready_within",
        "Seconds until the app must be ready. 60 by default.",
        count,
    ),
    (
        "log_size",
        "How large one log file may be. 10 MiB by default.",
        size,
    ),
    (
        "log_files",
        "How many log files are kept. 3 by default.",
        count,
    ),
];

const TESTS: [Key; 3] = [
    (
        "command",
        "A shell command that runs the app's own tests, in place of those that were found.",
        text,
    ),
    ("timeout", "Seconds for each suite. 120 by default.", count),
    ("memory", "Memory for each suite. 512 MiB by default.", size),
];

const EGRESS: [Key; 1] = [(
    "allow",
    "Hosts that the app may reach: [\"api.example.com\", \"db.example.com:5432\"]. None by default.",
    texts,
)];

fn schema() -> Value {
    let section = |description: &str, keys: &[Key]| {
        let mut section = object(keys);
        section["description"] = description.into();
        section
    };
    let mut schema = object(&HEAD);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "mayfly.toml".into();
    let keys = &mut schema["properties"];
    keys["build"] = section("How the image is made.", &BUILD);
    keys["run"] = section("How the app runs.", &RUN);
    keys["tests"] = section("How the app's own tests run.", &TESTS);
    keys["egress"] = section("What the app may reach.", &EGRESS);
    keys["env"] = json!({
        "description": "Environment variables that are no secrets. Secrets: `mayfly up --env-file .env`.",
        "type": "object",
        "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
        "additionalProperties": { "type": "string" },
    });
    schema
}

fn object(keys: &[Key]) -> Value {
    let described = |(name, description, value): &Key| {
        let mut value = value();
        value["description"] = (*description).into();
        ((*name).to_owned(), value)
    };
    let properties: serde_json::Map<_, _> = keys.iter().map(described).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn name() -> Value {
    let length = model::app::MAX_NAME_BYTES;
    json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": length })
}

fn kind() -> Value {
    json!({ "enum": ["static", "node", "python", "front_and_back"] })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

fn port() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 65535 })
}

fn cpu() -> Value {
    json!({ "type": "number", "minimum": 0.05, "maximum": 64 })
}

fn span() -> Value {
    json!({ "type": "string", "pattern": "^ *[0-9]+ *[a-zA-Z]+ *$" })
}

fn size() -> Value {
    json!({
        "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^ *[0-9]+ *([bB]|[kKmMgG]([iI]?[bB])?)? *$" },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::limits::parse_size;
    use model::manifest::{BuildSection, EgressSection, Manifest, RunSection, TestsSection};
    use serde::Deserialize;
    use serde::de::value::Error;
    use serde::de::{Deserializer, Error as _, Visitor};
    use serde::forward_to_deserialize_any;

    /// Answers a struct with an error that lists the names of its fields.
    struct Fields;

    impl<'de> Deserializer<'de> for Fields {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(Error::custom("no struct"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            Err(Error::custom(fields.join(" ")))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn keys_of<'de, T: Deserialize<'de>>() -> Vec<String> {
        let error = T::deserialize(Fields)
            .err()
            .expect("the names of the fields");
        sorted(error.to_string().split(' ').map(str::to_owned).collect())
    }

    fn sorted(mut keys: Vec<String>) -> Vec<String> {
        keys.sort();
        keys
    }

    fn described(object: &Value) -> Vec<String> {
        let keys = object["properties"].as_object().expect("properties");
        sorted(keys.keys().cloned().collect())
    }

    #[test]
    fn the_schema_has_every_key_of_the_manifest_and_no_other() {
        let schema = schema();
        assert_eq!(described(&schema), keys_of::<Manifest>());
        let section = |name: &str| described(&schema["properties"][name]);
        assert_eq!(section("build"), keys_of::<BuildSection>());
        assert_eq!(section("run"), keys_of::<RunSection>());
        assert_eq!(section("tests"), keys_of::<TestsSection>());
        assert_eq!(section("egress"), keys_of::<EgressSection>());
    }

    #[test]
    fn every_kind_of_the_schema_is_one_of_the_manifest() {
        for kind in self::kind()["enum"].as_array().expect("kinds") {
            let text = format!("[build]\nkind = {kind}");
            assert!(Manifest::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_defaults_in_the_descriptions_are_the_real_ones() {
        let run = model::limits::RunLimits::default();
        let build = model::limits::BuildLimits::default();
        let tests = model::limits::TestLimits::default();
        let default = |keys: &[Key], key: &str| {
            let (_, text, _) = keys.iter().find(|(name, ..)| *name == key).expect("a key");
            let text = text.strip_suffix(" by default.").expect("a default");
            let (_, value) = text.rsplit_once(". ").expect("a sentence before");
            parse_size(value).expect("a number")
        };
        for (keys, key, value) in [
            (&BUILD[..], "memory", build.memory_bytes),
            (&BUILD[..], "timeout", build.seconds.into()),
            (&BUILD[..], "disk", build.disk_bytes),
            (&TESTS[..], "timeout", tests.seconds.into()),
            (&TESTS[..], "memory", tests.memory_bytes),
            (&RUN[..], "memory", run.memory_bytes),
            (&RUN[..], "pids", run.pids.into()),
            (&RUN[..], "data", run.data_bytes),
            (&RUN[..], "tmp", run.tmp_bytes),
            (&RUN[..], "ready_within", run.ready_seconds.into()),
            (&RUN[..], "log_size", run.log_file_bytes),
            (&RUN[..], "log_files", run.log_files.into()),
        ] {
            assert_eq!(default(keys, key), value, "{key}");
        }
    }
}
