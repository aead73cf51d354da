//! Keeping the daemon over reboots, with systemd.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use api::paths;
use model::failure::{Failure, FailureCode, Remedy};

use super::background::ServeOptions;

/// The unit's name.
pub(crate) const UNIT: &str = "mayfly.service";
const UNIT_FILE: &str = "/etc/systemd/system/mayfly.service";
/// Where programs lie that the administrator added (Filesystem Hierarchy Standard, 4.9).
const PROGRAM: &str = "/usr/local/bin/mayfly";
/// Folders whose programs are there to stay.
const LASTING: [&str; 4] = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"];

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    /// In sentences, in order.
    pub(crate) steps: Vec<String>,
}

/// Why the daemon could not be installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    /// Only root may.
    #[error("only root can install the daemon")]
    NotRoot,
    /// The machine was not booted with systemd.
    #[error("this machine does not run systemd")]
    NoSystemd,
    /// A file could not be written.
    #[error("`{}` cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// A command failed.
    #[error("`{command}` failed: {output}")]
    Command {
        /// As it was run.
        command: String,
        /// What it said.
        output: String,
    },
}

impl Remedy for InstallError {
    fn code(&self) -> FailureCode {
        match self {
            Self::NotRoot => FailureCode::Forbidden,
            _ => FailureCode::Machine,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotRoot => "run `sudo mayfly serve --install`".into(),
            Self::NoSystemd => {
                "run `mayfly serve --detach`, and add it to what your machine starts".into()
            }
            Self::Write { .. } => "run `mayfly serve --detach` to go without".into(),
            Self::Command { .. } => format!("run `systemctl status {UNIT}`"),
        })
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        Self::of(&error)
    }
}

/// Writes the unit, makes the group and starts the daemon, now and at every boot.
pub(crate) fn install(home: &Path, options: &ServeOptions) -> Result<Installed, InstallError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(InstallError::NotRoot);
    }
    if !is_booted() {
        return Err(InstallError::NoSystemd);
    }
    let mut installed = Installed::default();
    let program = lasting_program(&mut installed)?;
    make_group(&mut installed)?;
    let unit = unit(&program, home, options);
    fs::write(UNIT_FILE, unit).map_err(|cause| InstallError::Write {
        path: UNIT_FILE.into(),
        cause,
    })?;
    installed.steps.push(format!("wrote {UNIT_FILE}"));
    run("systemctl", &["daemon-reload"])?;
    run("systemctl", &["enable", UNIT])?;
    // A daemon of an older unit gives way; its apps live on.
    run("systemctl", &["restart", UNIT])?;
    installed
        .steps
        .push("the daemon runs, and will after every boot".into());
    Ok(installed)
}

/// Whether systemd keeps the daemon of `home`.
pub(crate) fn keeps(home: &Path) -> bool {
    let line = environment(home);
    is_booted() && fs::read_to_string(UNIT_FILE).is_ok_and(|unit| unit.contains(&line))
}

/// Starts the unit; returns when the daemon is ready.
pub(crate) fn start() -> Result<(), String> {
    run("systemctl", &["start", UNIT]).map_err(|cause| cause.to_string())
}

/// sd_booted(3).
pub(crate) fn is_booted() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// The unit's text.
///
/// - `KillMode=process` and `Delegate=`: apps live in cgroups below the unit's own and outlive a
///   restart of the daemon.
/// - `OOMPolicy=continue`: an app that runs out of memory does not take the daemon with it.
/// - `Restart=on-failure`: kill -9 brings it back, `mayfly stop` does not.
fn unit(program: &Path, home: &Path, options: &ServeOptions) -> String {
    let arguments: String = options
        .arguments()
        .iter()
        .map(|word| format!(" {}", quote(&word.replace('$', "$$"))))
        .collect();
    format!(
        "[Unit]\n\
         Description=mayfly: micro-apps from folders\n\
         After=network.target\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         Type=notify\n\
         NotifyAccess=main\n\
         ExecStart={} serve{arguments}\n\
         {}\n\
         Restart=on-failure\n\
         RestartSec=1\n\
         KillMode=process\n\
         Delegate=yes\n\
         OOMPolicy=continue\n\
         TasksMax=infinity\n\
         LimitNOFILE=1048576\n\
         TimeoutStartSec=120\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        quote(&program.display().to_string().replace('$', "$$")),
        environment(home),
    )
}

fn environment(home: &Path) -> String {
    let variable = format!("{}={}", paths::HOME_VARIABLE, home.display());
    format!("Environment={}", quote(&variable))
}

/// Quotes a word for a unit (systemd.syntax(7), "Quoting"; systemd.unit(5), "Specifiers"). In a
/// command line, but not elsewhere, `$` has to be doubled as well (systemd.service(5)).
fn quote(word: &str) -> String {
    let word = word.replace('%', "%%");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=%,[]".contains(c);
    match word.chars().all(plain) {
        true => word,
        false => format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// This program where it will still be tomorrow: copied out of a build folder.
fn lasting_program(installed: &mut Installed) -> Result<PathBuf, InstallError> {
    let target = PathBuf::from(PROGRAM);
    let write = |path: &Path, cause| InstallError::Write {
        path: path.to_owned(),
        cause,
    };
    let current = std::env::current_exe().map_err(|cause| write(&target, cause))?;
    if current
        .parent()
        .is_some_and(|folder| LASTING.iter().any(|lasting| folder == Path::new(lasting)))
    {
        return Ok(current);
    }
    let new = target.with_extension("new");
    fs::copy("/proc/self/exe", &new).map_err(|cause| write(&new, cause))?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755))
        .map_err(|cause| write(&new, cause))?;
    fs::rename(&new, &target).map_err(|cause| write(&target, cause))?;
    installed.steps.push(format!(
        "copied mayfly from {} to {PROGRAM}",
        current.display()
    ));
    Ok(target)
}

/// Makes the group that may use the socket, with who called sudo in it.
fn make_group(installed: &mut Installed) -> Result<(), InstallError> {
    let group = paths::GROUP;
    if !matches!(nix::unistd::Group::from_name(group), Ok(Some(_))) {
        run("groupadd", &["--system", group])?;
        installed.steps.push(format!("made the group {group}"));
    }
    let user = std::env::var("SUDO_USER").unwrap_or_default();
    if !user.is_empty() && user != "root" {
        run("usermod", &["--append", "--groups", group, "--", &user])?;
        installed.steps.push(format!(
            "added {user} to the group {group}: log in again, or run `newgrp {group}`"
        ));
    }
    Ok(())
}

fn run(program: &str, arguments: &[&str]) -> Result<(), InstallError> {
    let failed = |output: String| InstallError::Command {
        command: format!("{program} {}", arguments.join(" ")),
        output,
    };
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|cause| failed(cause.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_starts_this_program_with_its_settings() {
        let options = ServeOptions {
            port: Some(80),
            listen: vec!["::1".parse().expect("an address")],
            mirror: Some("http://mirror.example/debian 100%".into()),
            ..ServeOptions::default()
        };
        let unit = unit(Path::new(PROGRAM), Path::new("/srv/my apps"), &options);
        insta::assert_snapshot!(unit, @r#"
        [Unit]
        Description=mayfly: micro-apps from folders
        After=network.target
        StartLimitIntervalSec=0

        [Service]
        Type=notify
        NotifyAccess=main
        ExecStart=/usr/local/bin/mayfly serve --port 80 --listen ::1 --mirror "http://mirror.example/debian 100%%"
        Environment="MAYFLY_HOME=/srv/my apps"
        Restart=on-failure
        RestartSec=1
        KillMode=process
        Delegate=yes
        OOMPolicy=continue
        TasksMax=infinity
        LimitNOFILE=1048576
        TimeoutStartSec=120

        [Install]
        WantedBy=multi-user.target
        "#);
    }
}
