//! The bill of materials of a large root filesystem, beside syft's, in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::bench::stats;
use crate::bench::table::Table;
use crate::command::{self, command};
use crate::interop::sbom::tools::Tools;
use crate::process::Running;
use crate::setup;
use crate::step::step;

/// What `bench supply sbom` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How often each catalogues the filesystem
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

const TIME_TARGET: Duration = Duration::from_millis(300);
const MEMORY_TARGET_BYTES: u64 = 64 << 20;

/// Measures ours and syft in turns, on a filesystem that is made for it.
pub fn run(args: &Args) -> Result<Figures> {
    let tools = Tools::install()?;
    let scratch = tempfile::Builder::new().prefix("mayfly-bench-").tempdir()?;
    let root = step("a root filesystem", || Root::make(scratch.path()))?;
    let out = scratch.path().join("out");
    let mut figures = Figures {
        debs: root.debs,
        size_bytes: root.size_bytes,
        packages: 0,
        ours: Vec::new(),
        syft: Vec::new(),
    };
    let layers = [root.folder.clone()];
    // Both read warm files.
    tools.catalogue(&layers, &out)?;
    for _ in 0..args.runs.max(1) {
        let ours = tools.catalogue_command(&layers, &out);
        figures.ours.push(Sample::of(ours)?);
        figures
            .syft
            .push(Sample::of(tools.syft_command(&root.folder))?);
    }
    let inventory: Value = serde_json::from_slice(&fs::read(out.join("inventory.json"))?)?;
    figures.packages = inventory["packages"].as_array().map_or(0, Vec::len);
    ensure!(figures.packages > root.debs, "the inventory lacks packages");
    Ok(figures)
}

/// What was measured.
pub struct Figures {
    debs: usize,
    size_bytes: u64,
    packages: usize,
    ours: Vec<Sample>,
    syft: Vec<Sample>,
}

impl Figures {
    /// As a table, with the targets.
    pub fn table(&self) -> Table {
        let mut table = Table::new(&["SBOM", "s", "CPU s", "peak MB"]);
        for (name, samples) in [("mayfly", &self.ours), ("syft", &self.syft)] {
            let of = |figure: fn(&Sample) -> f64| median(samples, figure);
            table.row([
                name.to_owned(),
                format!("{:.2}", of(Sample::seconds)),
                format!("{:.2}", of(Sample::cpu_seconds)),
                format!("{:.0}", of(Sample::peak_bytes) / 1e6),
            ]);
        }
        table
    }

    /// What it was measured on, and whether the targets are reached.
    pub fn summary(&self) -> String {
        let seconds = median(&self.ours, Sample::seconds);
        let bytes = median(&self.ours, Sample::peak_bytes);
        let fast = seconds <= TIME_TARGET.as_secs_f64();
        let small = bytes <= MEMORY_TARGET_BYTES as f64;
        format!(
            "{} MB with {} debs, {} packages in all (targets ≤ {} s, ≤ {} MiB): {}",
            self.size_bytes / 1_000_000,
            self.debs,
            self.packages,
            TIME_TARGET.as_secs_f64(),
            MEMORY_TARGET_BYTES >> 20,
            if fast && small {
                "reached"
            } else {
                "not reached"
            }
        )
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let of = |samples: &[Sample]| {
            json!({
                "seconds": median(samples, Sample::seconds),
                "cpu_seconds": median(samples, Sample::cpu_seconds),
                "peak_bytes": median(samples, Sample::peak_bytes),
            })
        };
        json!({
            "debs": self.debs,
            "size_bytes": self.size_bytes,
            "packages": self.packages,
            "mayfly": of(&self.ours),
            "syft": of(&self.syft),
        })
    }
}

fn median(samples: &[Sample], figure: fn(&Sample) -> f64) -> f64 {
    stats::median(&samples.iter().map(figure).collect::<Vec<_>>())
}

/// One run of one program.
struct Sample {
    took: Duration,
    cpu: Duration,
    peak_bytes: u64,
}

impl Sample {
    fn of(mut command: Command) -> Result<Self> {
        let line = command::line(&command);
        let before = children_cpu()?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let began = Instant::now();
        let mut running = Running::start(command)?;
        let mut peak_bytes = 0;
        while running.is_running() {
            // The kernel keeps the peak; what is read last before the end is nearly all of it.
            peak_bytes = peak_bytes.max(peak(running.pid()).unwrap_or(0));
            std::thread::sleep(Duration::from_millis(1));
        }
        let took = began.elapsed();
        let status = running.child().wait()?;
        ensure!(status.success(), "`{line}` failed: {status}");
        Ok(Self {
            took,
            cpu: children_cpu()?.saturating_sub(before),
            peak_bytes,
        })
    }

    fn seconds(&self) -> f64 {
        self.took.as_secs_f64()
    }

    fn cpu_seconds(&self) -> f64 {
        self.cpu.as_secs_f64()
    }

    fn peak_bytes(&self) -> f64 {
        self.peak_bytes as f64
    }
}

/// The most memory that a process has held. Source: proc(5), `VmHWM`.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// CPU time of all children that have ended.
fn children_cpu() -> Result<Duration> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(
            u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or(0),
        )
    };
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// A root filesystem like a well-filled container: this machine's Debian packages as dpkg lists
/// them, its Python and Node, an environment of Python packages and one of Node's.
struct Root {
    folder: PathBuf,
    debs: usize,
    size_bytes: u64,
}

/// What is copied of this machine, as far as it is there.
const COPIED: [&str; 8] = [
    "usr/lib/os-release",
    "var/lib/dpkg/status",
    "var/lib/dpkg/info",
    "usr/lib/python3",
    "usr/lib/python3.11",
    "usr/lib/python3.13",
    "usr/bin/python3",
    "usr/bin/perl",
];
const PYTHON: [&str; 4] = [
    "flask==3.1.0",
    "uvicorn[standard]==0.34.0",
    "pydantic==2.10.6",
    "cryptography==44.0.0",
];
const NODE: [&str; 3] = ["express@4.21.2", "@babel/core@7.26.0", "vite@5.4.11"];
const SIZE_BYTES: u64 = 225_000_000;

impl Root {
    fn make(scratch: &Path) -> Result<Self> {
        let folder = scratch.join("root");
        fs::create_dir_all(folder.join("opt"))?;
        let there = COPIED
            .iter()
            .filter(|path| Path::new("/").join(path).exists());
        let mut copy = command("cp", ["-a", "--parents"]);
        command::run(copy.args(there).arg(&folder).current_dir("/"))?;
        copyrights(&folder)?;
        python(&folder.join("opt/venv"))?;
        node(&folder.join("srv/app"))?;
        fill(&folder)?;
        let status = fs::read_to_string(folder.join("var/lib/dpkg/status"))?;
        Ok(Self {
            debs: status.matches("\nStatus: install ok installed\n").count(),
            size_bytes: size(&folder)?,
            folder,
        })
    }
}

fn copyrights(root: &Path) -> Result<()> {
    for entry in fs::read_dir("/usr/share/doc")? {
        let path = entry?.path();
        let to = root
            .join("usr/share/doc")
            .join(path.file_name().context("a name")?);
        if path.is_symlink() {
            fs::create_dir_all(root.join("usr/share/doc"))?;
            std::os::unix::fs::symlink(fs::read_link(&path)?, to)?;
        } else if path.join("copyright").is_file() {
            fs::create_dir_all(&to)?;
            fs::copy(path.join("copyright"), to.join("copyright"))?;
        }
    }
    Ok(())
}

fn python(environment: &Path) -> Result<()> {
    command::run(command("python3", ["-m", "venv"]).arg(environment))?;
    let pip = environment.join("bin/pip");
    let mut install = command(&pip.to_string_lossy(), ["install", "--quiet"]);
    command::run(install.arg("--disable-pip-version-check").args(PYTHON))
}

fn node(app: &Path) -> Result<()> {
    fs::create_dir_all(app)?;
    command::run(setup::npm()?.arg("--prefix").arg(app).args(NODE))
}

/// Adds this machine's libraries until the filesystem is as large as it should be.
fn fill(root: &Path) -> Result<()> {
    let mut size_bytes = size(root)?;
    let folder = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let to = root.join(&folder);
    fs::create_dir_all(&to)?;
    let mut files: Vec<PathBuf> = fs::read_dir(Path::new("/").join(&folder))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    for file in files {
        let about = fs::symlink_metadata(&file)?;
        if about.is_file() && size_bytes + about.len() <= SIZE_BYTES {
            fs::copy(&file, to.join(file.file_name().context("a name")?))?;
            size_bytes += about.len();
        }
    }
    Ok(())
}

fn size(root: &Path) -> Result<u64> {
    let told = command::capture(command("du", ["-s", "--bytes"]).arg(root))?;
    let number = told.split_whitespace().next().context("du says nothing")?;
    Ok(number.parse()?)
}
