//! What is mounted over the layers.

use std::io;
use std::path::PathBuf;

use super::app::AppCopy;
use super::rootfs::{Access, Bind, Root};
use crate::plan::Plan;

/// What a sandbox sees beside its layers, prepared before the mount namespace exists.
#[derive(Default)]
pub(super) struct Binds {
    /// The writable copy of the app's folder, for apps.
    pub(super) app: Option<AppCopy>,
    /// Bound in this order.
    pub(super) others: Vec<Bind>,
}

impl Binds {
    /// Mounts everything, and closes the root for writing.
    pub(super) fn mount(self, root: Root, plan: &Plan) -> io::Result<PathBuf> {
        root.furnish(plan)?;
        if let Some(app) = self.app {
            // Found before the copy covers them.
            let (folder, below) = app.complete(&root, plan)?;
            root.bind(&Bind {
                source: folder,
                target: plan.workdir.clone(),
                access: Access::Write,
            })?;
            for bind in &below {
                root.bind(bind)?;
            }
        }
        for bind in &self.others {
            root.bind(bind)?;
        }
        root.seal()
    }
}
