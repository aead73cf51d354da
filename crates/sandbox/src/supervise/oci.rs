//! The sandbox in the words that libcontainer reads.

use std::path::Path;

use libcontainer::oci_spec::OciSpecError;
use libcontainer::oci_spec::runtime::{
    Capabilities, Linux, LinuxBuilder, LinuxCapabilitiesBuilder, LinuxIdMappingBuilder,
    LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType, Mount, MountBuilder, Process,
    ProcessBuilder, RootBuilder, Spec, SpecBuilder, UserBuilder,
};

use crate::plan::{APP_UID, HOME, Plan, RANGE};

/// How much sooner than the machine's own processes a sandbox is killed when memory runs out.
const OOM_SCORE: i32 = 500;
/// Hides what tells about the machine or reaches into it.
const MASKED: [&str; 9] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
];
const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Describes the sandbox of `plan` in the root file system at `root`.
pub(super) fn spec(plan: &Plan, root: &Path) -> Result<Spec, OciSpecError> {
    SpecBuilder::default()
        .version("1.0.2")
        .hostname(host_name(&plan.name))
        .root(RootBuilder::default().path(root).readonly(true).build()?)
        .mounts(mounts(plan)?)
        .process(process(plan)?)
        .linux(linux(plan)?)
        .build()
}

/// What fits a host name, which has at most 64 bytes.
fn host_name(name: &str) -> String {
    name.split('.')
        .next()
        .unwrap_or("app")
        .chars()
        .take(63)
        .collect()
}

fn process(plan: &Plan) -> Result<Process, OciSpecError> {
    let user = UserBuilder::default()
        .uid(APP_UID)
        .gid(APP_UID)
        .umask(0o022_u32);
    let none = || Capabilities::new();
    let capabilities = LinuxCapabilitiesBuilder::default()
        .bounding(none())
        .effective(none())
        .inheritable(none())
        .permitted(none())
        .ambient(none())
        .build()?;
    ProcessBuilder::default()
        .user(user.build()?)
        .args(plan.command.clone())
        // Commands get theirs from the first process; libcontainer only looks for PATH and HOME.
        .env(vec![
            "PATH=/usr/bin:/bin".to_owned(),
            format!("HOME={HOME}"),
        ])
        .cwd(&plan.workdir)
        .no_new_privileges(true)
        .capabilities(capabilities)
        .oom_score_adj(OOM_SCORE)
        .build()
}

fn linux(plan: &Plan) -> Result<Linux, OciSpecError> {
    let ids = LinuxIdMappingBuilder::default()
        .container_id(0_u32)
        .host_id(plan.first_id)
        .size(RANGE)
        .build()?;
    let paths = |list: &[&str]| {
        list.iter()
            .map(|path| (*path).to_owned())
            .collect::<Vec<_>>()
    };
    let linux = LinuxBuilder::default()
        .namespaces(namespaces()?)
        .uid_mappings(vec![ids])
        .gid_mappings(vec![ids])
        // Absolute: else libcontainer asks for systemd's driver on cgroup v2.
        .cgroups_path(plan.group.as_path())
        .masked_paths(paths(&MASKED))
        .readonly_paths(paths(&READ_ONLY))
        .seccomp(super::seccomp::profile()?)
        .build()?;
    Ok(linux)
}

fn namespaces() -> Result<Vec<LinuxNamespace>, OciSpecError> {
    let kinds = [
        LinuxNamespaceType::User,
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Network,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Uts,
        LinuxNamespaceType::Cgroup,
    ];
    let namespace = |kind| LinuxNamespaceBuilder::default().typ(kind).build();
    kinds.into_iter().map(namespace).collect()
}

/// What belongs to the sandbox's own user namespace; everything else is mounted before.
fn mounts(plan: &Plan) -> Result<Vec<Mount>, OciSpecError> {
    let size = format!("size={}", plan.tmp_bytes);
    let owner = format!("uid={APP_UID}");
    let group = format!("gid={APP_UID}");
    Ok(vec![
        mount("proc", "/proc", &["nosuid", "nodev", "noexec"])?,
        mount(
            "tmpfs",
            "/dev",
            &["nosuid", "noexec", "mode=755", "size=256k"],
        )?,
        mount(
            "devpts",
            "/dev/pts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
            ],
        )?,
        mount(
            "tmpfs",
            "/dev/shm",
            &["nosuid", "nodev", "noexec", "mode=1777", &size],
        )?,
        mount("tmpfs", "/tmp", &["nosuid", "nodev", "mode=1777", &size])?,
        mount(
            "tmpfs",
            HOME,
            &["nosuid", "nodev", "mode=700", &owner, &group, &size],
        )?,
    ])
}

fn mount(kind: &str, target: &str, options: &[&str]) -> Result<Mount, OciSpecError> {
    let options = options.iter().map(|option| (*option).to_owned());
    MountBuilder::default()
        .typ(kind)
        .source(kind)
        .destination(target)
        .options(options.collect::<Vec<_>>())
        .build()
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn the_host_name_is_the_apps() {
        assert_eq!(host_name("shop.r3.1"), "shop");
        assert_eq!(host_name(&"x".repeat(80)).len(), 63);
    }
}
