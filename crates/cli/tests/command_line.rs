//! The real binary where no daemon runs: what it says, to whom, and how it ends.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_mayfly");
/// Debian's `nobody`.
const NOBODY: u32 = 65534;

/// A machine without a daemon.
struct Machine {
    place: tempfile::TempDir,
}

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Machine {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
        Self { place }
    }

    fn home(&self) -> PathBuf {
        self.place.path().join("home")
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.place.path())
            .env("MAYFLY_HOME", self.home())
            .env("XDG_CACHE_HOME", self.place.path().join("caches"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.end(self.command(Path::new(BINARY), arguments))
    }

    /// Runs it as a user without rights, who cannot look into the build folder.
    fn run_as_nobody(&self, arguments: &[&str]) -> Ended {
        let program = self.place.path().join("mayfly");
        fs::copy(BINARY, &program).expect("a copy");
        let mut command = self.command(&program, arguments);
        command.uid(NOBODY).gid(NOBODY);
        self.end(command)
    }

    fn end(&self, mut command: Command) -> Ended {
        let output = command.output().expect("it starts");
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("UTF-8");
            text.replace(&self.place.path().display().to_string(), "PLACE")
        };
        Ended {
            code: output.status.code().expect("an exit code"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ended {
    fn error(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{}", self.stdout);
        assert_eq!(self.stderr, "", "nothing but the object");
        let object: Value = serde_json::from_str(&self.stdout).expect("an object");
        assert_eq!(object["type"], "error");
        object["error"].clone()
    }
}

#[test]
fn a_command_without_a_daemon_says_so_in_words_or_as_an_object() {
    let machine = Machine::new();
    let ended = machine.run(&["list"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (75, ""));
    insta::assert_snapshot!(ended.stderr.trim_end(), @"
    error: no mayfly daemon listens on `PLACE/home/run/mayfly.sock`
      caused by: No such file or directory (os error 2)
    hint: run `sudo mayfly serve --install`
    ");
    for arguments in [
        &["list"][..],
        &["status", "shop"],
        &["logs", "shop"],
        &["open", "shop"],
    ] {
        let ended = machine.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, 75, "{arguments:?}");
        let error = ended.error();
        assert_eq!(error["code"], "unavailable");
        assert_eq!(error["retryable"], true);
    }
}

#[test]
fn stopping_where_nothing_runs_is_well() {
    let ended = Machine::new().run(&["stop"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (0, "no daemon was running\n")
    );
}

#[test]
fn an_ordinary_user_without_a_daemon_is_told_the_one_command_to_type() {
    let machine = Machine::new();
    let site = machine.place.path().join("site");
    fs::create_dir(&site).expect("a folder");
    fs::write(site.join("index.html"), "<p>").expect("a file");
    let ended = machine.run_as_nobody(&["up", "site"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (4, ""));
    insta::assert_snapshot!(ended.stderr.trim_end(), @"
    error: no mayfly daemon runs, and only root can start one
    hint: run `sudo mayfly serve --install`
    ");
    let ended = machine.run_as_nobody(&["up", "site", "--json"]);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (4, &Value::from("forbidden"))
    );
    assert!(!machine.home().exists());
}

#[test]
fn a_bad_folder_is_told_before_a_daemon_is_started() {
    let machine = Machine::new();
    fs::create_dir(machine.place.path().join("empty")).expect("a folder");
    for (folder, message) in [
        ("none", "there is no folder `none`"),
        ("empty", "the folder has no files"),
    ] {
        let ended = machine.run(&["up", folder, "--json"]);
        assert_eq!(ended.code, 2);
        let error = ended.error();
        assert_eq!(
            (&error["code"], &error["message"]),
            (&"bad_folder".into(), &message.into())
        );
    }
    assert!(!machine.home().exists());
}

#[test]
fn bad_arguments_are_usage_errors_for_people_and_programs() {
    let machine = Machine::new();
    for arguments in [
        &["nope"][..],
        &["up", "--nope"],
        &["up", "--app", "My Shop"],
        &["rollback", "shop", "--to", "0"],
        &["serve", "--port", "x"],
        &["serve", "--install", "--detach"],
        &["completion", "nope"],
    ] {
        let ended = machine.run(arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (2, ""),
            "{arguments:?}"
        );
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    }
    let ended = machine.run(&["up", "--app", "My Shop", "--json"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.error()["message"].as_str().expect("text"), @"invalid value 'My Shop' for '--app <NAME>': `My Shop` may hold only a-z, 0-9 and `-`, and begins and ends with a letter or digit");
}

#[test]
fn destruction_has_to_be_confirmed_where_nobody_can_be_asked() {
    let machine = Machine::new();
    let ended = machine.run(&["destroy", "shop"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.stderr.trim_end(), @"
    error: destroying `shop` has to be confirmed
    hint: run `mayfly destroy shop --confirm-destructive`
    ");
    let ended = machine.run(&["destroy", "shop", "--json"]);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (2, &Value::from("usage"))
    );
    let ended = machine.run(&["destroy", "shop", "--json", "--confirm-destructive"]);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (75, &Value::from("unavailable"))
    );
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let machine = Machine::new();
    let mut command = machine.command(Path::new(BINARY), &["completion", "bash"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a start");
    drop(child.stdout.take());
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().expect("a pipe");
    pipe.read_to_string(&mut stderr).expect("text");
    let code = child.wait().expect("an end").code();
    assert_eq!((code, stderr.as_str()), (Some(141), ""));
}

#[test]
fn help_is_short_and_names_every_command() {
    let ended = Machine::new().run(&["--help"]);
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.stdout.trim_end(), @"
    Turns a folder into a running app at a URL

    Usage: mayfly <COMMAND>

    Commands:
      up          Bring the app in a folder up, or its changes live
      plan        Show what `up` would do with a folder, and why
      check       Look for what is wrong in a folder: code, secrets, settings
      init        Write first settings and tests for the app in a folder
      status      Show how an app does
      list        Show all apps
      logs        Show what an app printed
      open        Print an app's URL and open it in the browser
      rollback    Go back to an earlier release
      sbom        Show what is in an app's image
      verify      Check everything that was signed about an image
      push        Copy an app's image, with all that vouches for it, to another registry
      audit       Show what happened, and whether the record of it is whole
      key         The keys that images are signed with
      token       Tokens for the registry
      exempt      Let something pass for a while that a gate stops
      db          The data about known vulnerabilities
      policy      The policy that decides what may serve
      destroy     Remove an app; it can be restored for 72 hours
      restore     Bring a destroyed app back
      serve       Run the daemon that keeps the apps
      stop        End the daemon and its apps
      doctor      Check whether this machine has what mayfly needs
      schema      Print the JSON schema of mayfly.toml, for editors
      completion  Print the completion script for a shell

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Start with `mayfly up` in the folder of an app. Settings go into mayfly.toml (see `mayfly schema`).

    Environment:
      MAYFLY_HOME     where the daemon keeps apps and their data [default: /var/lib/mayfly]
      XDG_CACHE_HOME  where hashes of your files are kept [default: ~/.cache]
      NO_COLOR        no colours, when set

    Exit codes:
      0 done             1 build or app failed    2 wrong arguments or folder
      3 stopped by gate  4 not allowed            5 more than allowed
      6 rolled back     10 plan differs          75 temporary, try again
    ");
}

#[test]
fn every_setting_of_every_command_is_described() {
    let machine = Machine::new();
    for command in [
        "up",
        "plan",
        "status",
        "list",
        "logs",
        "open",
        "rollback",
        "destroy",
        "restore",
        "serve",
        "stop",
        "doctor",
        "schema",
        "completion",
        "supervise",
    ] {
        let help = machine.run(&[command, "-h"]).stdout;
        let (_, settings) = help.split_once("Options:").expect("options");
        let (arguments, _) = help.split_once("Options:").expect("options");
        let lines = settings
            .lines()
            .chain(arguments.lines().skip_while(|line| *line != "Arguments:"));
        for line in lines.filter(|line| line.starts_with("  ")) {
            let words = line
                .trim_start()
                .split("  ")
                .filter(|words| !words.is_empty())
                .count();
            assert!(words >= 2, "{command}: `{line}` says nothing");
        }
    }
}

#[test]
fn the_schema_is_json_and_completions_are_for_this_program() {
    let machine = Machine::new();
    let schema: Value = serde_json::from_str(&machine.run(&["schema"]).stdout).expect("JSON");
    assert_eq!(
        schema["properties"]["run"]["properties"]["port"]["maximum"],
        65535
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = machine.run(&["completion", shell]).stdout;
        assert!(
            script.contains("mayfly") && script.contains("rollback"),
            "{shell}"
        );
    }
}
