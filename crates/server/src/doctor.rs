//! What this machine has and lacks for mayfly.

use std::path::Path;

use api::types::DoctorCheck;

/// Checks the machine: what sandboxes need, where base images come from, room on the disk.
pub fn doctor(home: &Path, mirror: Option<&str>) -> Vec<DoctorCheck> {
    let mut checks: Vec<DoctorCheck> = sandbox::doctor()
        .into_iter()
        .map(|check| DoctorCheck {
            name: check.name,
            ok: check.ok,
            detail: check.detail,
            remedy: check.remedy,
        })
        .collect();
    let build = build::doctor(mirror, build::Reach::Network).into_iter();
    checks.extend(build.map(|check| DoctorCheck {
        name: check.name.to_owned(),
        ok: check.ok,
        detail: check.detail,
        remedy: check.remedy,
    }));
    checks.push(disk(home));
    checks
}

/// A build may write 4 GiB.
const ROOM_BYTES: u64 = 4 * model::limits::GIB;

fn disk(home: &Path) -> DoctorCheck {
    let exists = home
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"));
    let free_bytes = nix::sys::statvfs::statvfs(exists)
        .map_or(0, |stat| stat.blocks_available() * stat.fragment_size());
    let ok = free_bytes >= ROOM_BYTES;
    DoctorCheck {
        name: "disk".to_owned(),
        ok,
        detail: format!(
            "{} MiB are free where `{}` is",
            free_bytes / model::limits::MIB,
            home.display()
        ),
        remedy: (!ok).then(|| {
            "free some disk space, or set MAYFLY_HOME to a folder on a larger disk".to_owned()
        }),
    }
}
