//! Streamlit answers 200 while its script crashes: the script runs only when a page is open. So a
//! page is opened, and the log says whether the script ran to its end.
//!
//! Source: Streamlit's protocol, `BackMsg.proto` and `ForwardMsg.proto`.

use std::time::Duration;

use model::instance::InstanceId;
use model::release::Release;
use model::serving::Process;
use model::{Failure, FailureCode};
use ports::runtime::Upstream;
use ports::traffic::{Talk, Target, Wakefulness};

use crate::Delivery;
use crate::ready::LAST_LINES;

/// A page that opens: it asks for a run (`BackMsg.rerun_script`, field 11, empty) and hears that the
/// run is over (`ForwardMsg.session_status_changed`, field 9, with `script_is_running` off).
const PAGE: Talk<'static> = Talk {
    path: "/_stcore/stream",
    subprotocol: "streamlit",
    says: &[0x5a, 0x00],
    until: &[0x4a, 0x00],
};
/// A script that takes longer is slow, not broken.
const RUN_WITHIN: Duration = Duration::from_secs(20);
/// What Streamlit logs before the trace of a script that crashed.
const CRASHED: &str = "Uncaught app execution";
/// How long a line may be on its way to the log, and how often it is looked for.
const LOOKS: u32 = 10;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Whether a server is Streamlit's.
fn is_streamlit(process: &Process) -> bool {
    process
        .command
        .iter()
        .any(|word| word.split([' ', '/']).any(|part| part == "streamlit"))
}

impl Delivery {
    /// Opens a page of a Streamlit app; fails when its script crashed. Other apps pass.
    pub(crate) async fn run_script(
        &self,
        release: &Release,
        process: &Process,
        id: &InstanceId,
        upstream: &Upstream,
    ) -> Result<(), Failure> {
        if !is_streamlit(process) {
            return Ok(());
        }
        let target = Target {
            release: release.key.clone(),
            site: None,
            upstream: Some(upstream.clone()),
            wakefulness: Wakefulness::Awake,
        };
        if let Err(error) = self.ports.traffic.talk(&target, &PAGE, RUN_WITHIN).await {
            tracing::info!(instance = %id, %error, "no page of the app could be opened; its script is not checked");
            return Ok(());
        }
        for _ in 0..LOOKS {
            let words = self.last_words(id, LAST_LINES).await;
            if words.iter().any(|line| line.contains(CRASHED)) {
                return Err(crashed(words));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

fn crashed(words: Vec<String>) -> Failure {
    let last = words
        .iter()
        .rfind(|line| !line.trim().is_empty())
        .cloned()
        .unwrap_or_default();
    let failure = Failure::new(
        FailureCode::NotReady,
        format!("the app's script crashes: {last}"),
    );
    Failure {
        cause: words,
        ..failure.hint("mend what its last lines say, then run `mayfly up` again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streamlit_is_known_by_its_command() {
        let process = |command: &[&str]| Process {
            command: command.iter().map(ToString::to_string).collect(),
            before: vec![],
            env: Default::default(),
            workdir: "/app".into(),
            port: 8501,
        };
        for (command, is) in [
            (&["streamlit", "run", "app.py"][..], true),
            (&["/opt/venv/bin/streamlit", "run", "app.py"], true),
            (&["sh", "-c", "exec streamlit run app.py"], true),
            (&["python", "-m", "streamlit", "run"], true),
            (&["python", "streamlit_like.py"], false),
        ] {
            assert_eq!(is_streamlit(&process(command)), is, "{command:?}");
        }
    }
}
