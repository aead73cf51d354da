//! The emulated machine and its serial console.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::disk::Disk;
use super::inside::{END, FAIL, PASS};
use crate::command::command;
use crate::process::Running;

/// An emulated machine takes its time, a machine that hangs takes for ever.
const BOOT_AND_CHECKS: Duration = Duration::from_secs(20 * 60);

/// What one boot came to.
#[derive(Debug, Default)]
pub struct Ending {
    /// How many checks passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// Whether the last check came.
    pub complete: bool,
}

/// Boots the disk and prints the checks as they come. Returns when the machine is off or restarts.
pub fn boot(disk: &Disk, verbose: bool) -> Result<Ending> {
    let mut machine = start(disk)?;
    let console = machine
        .child()
        .stdout
        .take()
        .context("the machine has no console")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    let deadline = Instant::now() + BOOT_AND_CHECKS;
    let mut ending = Ending::default();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => ending.hear(&line, verbose),
            Err(RecvTimeoutError::Disconnected) => return Ok(ending),
            Err(RecvTimeoutError::Timeout) => {
                anyhow::bail!("the machine did not end within {BOOT_AND_CHECKS:?}")
            }
        }
    }
}

impl Ending {
    fn hear(&mut self, line: &str, verbose: bool) {
        let line = line.trim_end();
        // The kernel may have written on the same line before.
        let check = [PASS, FAIL, END]
            .iter()
            .find_map(|mark| line.find(mark).map(|at| &line[at..]));
        match check {
            Some(check) if check.starts_with(PASS) => self.passed += 1,
            Some(check) if check.starts_with(FAIL) => self.failed += 1,
            Some(_) => self.complete = true,
            None => {}
        }
        match (check, verbose) {
            (Some(check), _) => println!("{check}"),
            (None, true) => println!("{line}"),
            (None, false) => {}
        }
    }
}

/// `-no-reboot` makes a reboot the end: the second boot is a new machine on the same disk.
fn start(disk: &Disk) -> Result<Running> {
    let words = [
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "max",
        "-smp",
        "2",
        "-m",
        "3072",
        "-nographic",
        "-no-reboot",
        "-nic",
        "none",
        "-append",
        "root=/dev/vda rw console=ttyS0 quiet loglevel=3",
    ];
    let mut qemu = command("qemu-system-x86_64", words);
    qemu.arg("-kernel")
        .arg(&disk.kernel)
        .arg("-initrd")
        .arg(&disk.initrd)
        .arg("-drive")
        .arg(format!(
            "file={},format=raw,if=virtio,cache=unsafe",
            disk.image.display()
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    Running::start(qemu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_counted_wherever_they_stand_on_a_line() {
        let mut ending = Ending::default();
        for line in [
            "[   14.2] systemd[1]: Started",
            &format!("{PASS}a check\r"),
            &format!("[   15.0] odd {FAIL}another: why"),
            END,
        ] {
            ending.hear(line, false);
        }
        assert_eq!(
            (ending.passed, ending.failed, ending.complete),
            (1, 1, true)
        );
    }
}
