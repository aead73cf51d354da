//! Manifests for Kubernetes, and Compose files.

use super::{lines, of_line};
use crate::scan::Raw;

const KINDS: [&str; 7] = [
    "kind: Pod",
    "kind: Deployment",
    "kind: StatefulSet",
    "kind: DaemonSet",
    "kind: Job",
    "kind: CronJob",
    "kind: ReplicaSet",
];

/// What is wrong in a manifest; other files of settings say nothing here.
pub(super) fn scan(name: &str, text: &str) -> Vec<Raw> {
    let is_manifest = text.contains("apiVersion:") && KINDS.iter().any(|kind| text.contains(kind));
    let is_compose =
        name.contains("compose") || (text.starts_with("services:") && text.contains("image:"));
    if !is_manifest && !is_compose {
        return vec![];
    }
    let mut raws = Vec::new();
    for (start, line) in lines(text) {
        let plain = line
            .trim()
            .trim_start_matches("- ")
            .replace(['"', '\''], "");
        let rule = match plain
            .split_once(':')
            .map(|(key, value)| (key.trim(), value.trim()))
        {
            Some(("privileged", "true")) => "config-privileged",
            Some(("allowPrivilegeEscalation", "true")) => "config-privileged",
            Some(("hostPath", _)) => "config-host-mount",
            Some(("hostNetwork" | "hostPID" | "hostIPC", "true")) => "config-host-mount",
            Some(("network_mode" | "pid", "host")) => "config-host-mount",
            Some(("/var/run/docker.sock", _)) => "config-host-mount",
            Some(("runAsUser", "0")) => "config-runs-as-root",
            Some(("user", "root" | "0")) if is_compose => "config-runs-as-root",
            Some(("runAsNonRoot", "false")) => "config-runs-as-root",
            Some(("image", image)) if image.ends_with(":latest") => "config-image-latest",
            _ => continue,
        };
        raws.push(of_line(rule, start, line));
    }
    raws
}
