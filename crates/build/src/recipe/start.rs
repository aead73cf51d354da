//! From a start that was detected to a process in an image.

use std::collections::BTreeMap;

use model::serving::Process;

use crate::recipe::Start;

/// The app's folder in images.
pub(super) const APP: &str = "/app";

/// The process that starts an app whose files lie in `folder` of the source.
///
/// It always begins in the app's folder, because kept files are tied to that; a command that wants
/// to start deeper goes there itself.
pub(super) fn process(folder: &str, start: &Start, mut env: BTreeMap<String, String>) -> Process {
    let deeper: Vec<&str> = [folder, &start.workdir]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let deeper = deeper.join("/");
    env.extend(start.env.clone());
    Process {
        command: begin_in(&deeper, &start.command),
        before: start
            .before
            .iter()
            .map(|command| begin_in(&deeper, command))
            .collect(),
        env,
        workdir: APP.into(),
        port: start.port,
    }
}

fn begin_in(folder: &str, command: &[String]) -> Vec<String> {
    if folder.is_empty() {
        return command.to_vec();
    }
    // The command's words stay words of their own: nothing in them is read by the shell.
    let script = format!("cd {} && exec \"$@\"", quoted(folder));
    let mut words = vec!["/bin/sh".to_owned(), "-c".into(), script, "sh".into()];
    words.extend_from_slice(command);
    words
}

/// A word as a shell reads it back, whatever is in it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+=:@,".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_starts_deeper_goes_there_itself() {
        let start = Start {
            command: vec!["python".into(), "a b.py".into()],
            ..Start::default()
        };
        let process = process("back end", &start, BTreeMap::new());
        assert_eq!(process.workdir, "/app");
        assert_eq!(
            process.command,
            [
                "/bin/sh",
                "-c",
                "cd 'back end' && exec \"$@\"",
                "sh",
                "python",
                "a b.py"
            ]
        );
    }

    #[test]
    fn quoting_survives_every_sign() {
        for (word, text) in [
            ("a/b", "a/b"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(quoted(word), text);
        }
    }
}
