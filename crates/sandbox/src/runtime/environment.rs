//! The environment that an app is given.

use std::collections::BTreeMap;

use ports::runtime::Launch;

use crate::plan::{DATA, EGRESS, HOME};

/// What an app finds when neither its image nor its owner says otherwise.
const DEFAULTS: [(&str, &str); 5] = [
    ("HOME", HOME),
    ("LANG", "C.UTF-8"),
    ("NODE_ENV", "production"),
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("PYTHONUNBUFFERED", "1"),
];

/// Its defaults, the image's, the owner's, and what must be true.
pub(super) fn of_app(launch: &Launch) -> BTreeMap<String, String> {
    let defaults = DEFAULTS.iter().map(|(name, value)| pair(name, value));
    let mut env: BTreeMap<_, _> = defaults.collect();
    env.insert("PORT".into(), launch.process.port.to_string());
    env.extend(launch.process.env.clone());
    env.extend(launch.env.clone());
    env.insert("DATA_DIR".into(), DATA.into());
    env.extend(proxy());
    env
}

/// What makes programs use the egress proxy. Loopback stays direct: apps call themselves.
pub(crate) fn proxy() -> BTreeMap<String, String> {
    let proxy = format!("http://{EGRESS}");
    let direct = "localhost,127.0.0.1,::1";
    let mut env: BTreeMap<_, _> = [pair("NODE_USE_ENV_PROXY", "1")].into();
    for (name, value) in [
        ("http_proxy", &*proxy),
        ("https_proxy", &*proxy),
        ("no_proxy", direct),
    ] {
        env.extend([pair(name, value), pair(&name.to_uppercase(), value)]);
    }
    env
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
