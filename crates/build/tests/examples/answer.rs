//! Starts what was built, in a job of its own, and asks it for a page.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use model::limits::BuildLimits;
use model::progress::Stream;
use model::serving::Process;
use ports::workshop::{Access, Bind, Job, Network, Workshop};
use ports::{Builder, Built};

use crate::bench::Bench;

/// Asks for `$1` of port `$2` until there is an answer, with whatever the image has.
const ASK: &str = r#"
ask() {
  if command -v node >/dev/null; then node -e '
    fetch("http://localhost:" + process.argv[2] + process.argv[1]).then(r => r.text()).then(t => console.log("ANSWER " + t.replace(/\n/g, " ")), () => process.exit(1))' "$1" "$2"
  else /usr/bin/python3 -c '
import sys, urllib.request
print("ANSWER", urllib.request.urlopen("http://127.0.0.1:" + sys.argv[2] + sys.argv[1], timeout=5).read().decode("utf-8", "replace").replace("\n", " "))' "$1" "$2" 2>/dev/null
  fi
}
"#;

/// What the server of an image answers to a GET; the lines that it printed when it does not.
pub(crate) async fn answer(
    bench: &Bench,
    built: &Built,
    path: &str,
) -> Result<String, Vec<String>> {
    let process = built.image.serving.process().expect("a server");
    let mut layers = Vec::new();
    for layer in &built.image.layers {
        layers.push(bench.builder.layer(layer).await.expect("an unpacked layer"));
    }
    let top = layers.last().expect("a layer").join("app");
    let app = bench.folder(&top);
    let mut binds = vec![bind(&app, "/app", Access::Write)];
    for folder in ["", "backend/", "packages/api/", "packages/shared/"] {
        let modules = format!("app/{folder}node_modules");
        if let Some(layer) = layers.iter().find(|layer| layer.join(&modules).is_dir()) {
            binds.push(bind(
                &layer.join(&modules),
                &format!("/{modules}"),
                Access::Read,
            ));
        }
    }
    let script = script(process, path);
    let mut env = process.env.clone();
    env.insert("PORT".into(), process.port.to_string());
    env.insert("HOME".into(), "/tmp".into());
    let job = Job {
        layers,
        binds,
        command: vec!["/bin/sh".into(), "-c".into(), script],
        env,
        workdir: "/app".into(),
        network: Network::None,
        limits: BuildLimits {
            seconds: 120,
            ..BuildLimits::default()
        },
    };
    let lines = Mutex::new(Vec::new());
    let sink = |_: Stream, line: &str| lines.lock().expect("no panic").push(line.to_owned());
    let report = bench.workshop.run(job, &sink).await.expect("a job");
    let lines = lines.into_inner().expect("no panic");
    let answer = lines
        .iter()
        .find_map(|line| line.split_once("ANSWER ").map(|(_, answer)| answer));
    match answer {
        Some(answer) => Ok(answer.to_owned()),
        None => Err([lines.clone(), vec![format!("{report:?}")]].concat()),
    }
}

fn script(process: &Process, path: &str) -> String {
    let line = |command: &[String]| {
        let words: Vec<String> = command
            .iter()
            .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
            .collect();
        words.join(" ")
    };
    let before: Vec<String> = process.before.iter().map(|command| line(command)).collect();
    let before = if before.is_empty() {
        "true".into()
    } else {
        before.join(" && ")
    };
    format!(
        "{ASK}\n{before}\n{} &\nserver=$!\nfor turn in $(seq 200); do\n  ask '{path}' {} && exit 0\n  kill -0 $server 2>/dev/null || exit 3\n  sleep 0.1\ndone\nexit 4\n",
        line(&process.command),
        process.port
    )
}

fn bind(source: &Path, target: &str, access: Access) -> Bind {
    Bind {
        source: source.to_owned(),
        target: PathBuf::from(target),
        access,
    }
}
