//! Which files of a source go into an image.

use model::keep::{Entry as Kind, KeepError, KeepRules, SQLITE_COMPANIONS};
use model::manifest::FILE_NAME;
use model::snapshot::{Entry, Snapshot};

/// Files of a snapshot that are kept data: they seed the app's data folder and are not part of the
/// image, so that its digest does not depend on what the author's copy holds.
///
/// Returns their paths in the snapshot, sorted.
pub fn kept_sources<'s, S: AsRef<str>>(
    snapshot: &'s Snapshot,
    keep: &[S],
) -> Result<Vec<&'s str>, KeepError> {
    let rules = KeepRules::new(keep)?;
    let paths = snapshot.entries.iter().map(Entry::path);
    Ok(paths.filter(|path| is_kept(&rules, path)).collect())
}

/// Whether a file is kept data; SQLite's companions go with their database.
pub(super) fn is_kept(rules: &KeepRules, path: &str) -> bool {
    let database = SQLITE_COMPANIONS
        .iter()
        .find_map(|end| path.strip_suffix(end));
    let kept = |path: &str| rules.kept(path, Kind::File).is_some();
    kept(path) || database.is_some_and(kept)
}

/// Whether a file belongs to the app and not to mayfly.
pub(super) fn is_of_app(path: &str) -> bool {
    path != FILE_NAME
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Digest;
    use model::keep::DEFAULT_KEEP;
    use model::limits::SourceLimits;
    use model::snapshot::Mode;

    #[test]
    fn databases_and_data_folders_stay_out_of_images() {
        let paths = [
            "app.py",
            "a.db",
            "a.db-wal",
            "data/x.json",
            "src/uploads/y",
            "wal-x",
        ];
        let entries = paths.map(|path| Entry::File {
            path: path.into(),
            digest: Digest::of(b""),
            size_bytes: 0,
            mode: Mode::Plain,
        });
        let limits = SourceLimits {
            total_bytes: 1,
            files: 10,
        };
        let snapshot = Snapshot::new(entries.into(), vec![], &limits).expect("a good snapshot");
        let kept = kept_sources(&snapshot, &DEFAULT_KEEP).expect("good patterns");
        assert_eq!(kept, ["a.db", "a.db-wal", "data/x.json", "src/uploads/y"]);
    }
}
