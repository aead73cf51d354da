//! Which app a command means when none is named: that of the current folder.

use std::path::Path;

use api::Client;
use api::types::{AppState, AppSummary};
use model::AppName;
use model::failure::{Failure, FailureCode};
use model::manifest::{self, Manifest};

/// The app that was named, else the one that came from the current folder.
pub(crate) async fn choose(
    client: &mut Client,
    given: Option<AppName>,
) -> Result<AppName, Failure> {
    if let Some(name) = given {
        return Ok(name);
    }
    let folder = std::env::current_dir().map_err(|cause| {
        Failure::new(FailureCode::BadFolder, "the current folder is gone")
            .because(cause.to_string())
    })?;
    let name = name_of(&folder)?;
    let apps = client.apps().await?;
    from_folder(&apps, &folder, name.as_ref())
        .or(name)
        .ok_or_else(|| {
            Failure::new(
                FailureCode::Usage,
                "the current folder's name makes no app's name",
            )
            .hint("name the app; `mayfly list` shows them all")
        })
}

/// The name that `up` would give the app in `folder`: mayfly.toml's, else the folder's.
pub(crate) fn name_of(folder: &Path) -> Result<Option<AppName>, Failure> {
    let text = std::fs::read_to_string(folder.join(manifest::FILE_NAME)).unwrap_or_default();
    let manifest = Manifest::parse(&text).map_err(|cause| bad_manifest(&cause))?;
    let from_folder = || AppName::from_folder(folder.file_name()?.to_str()?);
    Ok(manifest.name.or_else(from_folder))
}

fn bad_manifest(error: &manifest::ManifestError) -> Failure {
    let failure = Failure::new(FailureCode::BadManifest, error.to_string());
    match &error.nearest {
        Some(key) => failure.hint(format!("did you mean `{key}`?")),
        None => failure.hint("run `mayfly schema` to see every key"),
    }
}

/// The app among `apps` that came from `folder`. `up --app` may have made several, or one of
/// another name: that of the folder comes first, then what is not destroyed.
fn from_folder(apps: &[AppSummary], folder: &Path, name: Option<&AppName>) -> Option<AppName> {
    let own = apps.iter().filter(|app| app.folder == folder);
    let best = own.max_by_key(|app| {
        let lives = app.state != AppState::Destroyed;
        (Some(&app.name) == name, lives, app.updated_at)
    })?;
    Some(best.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;
    use model::app::Owner;

    fn app(name: &str, folder: &str, state: AppState) -> AppSummary {
        AppSummary {
            name: name.parse().expect("a good name"),
            state,
            kind: None,
            release: None,
            url: String::new(),
            local_url: String::new(),
            owner: Owner { uid: 0 },
            folder: folder.into(),
            updated_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            restorable_until: None,
        }
    }

    #[test]
    fn the_app_of_the_current_folder_is_found_under_any_name() {
        let apps = [
            app("old", "/a/shop", AppState::Destroyed),
            app("stall", "/a/shop", AppState::Running),
            app("poll", "/a/poll", AppState::Destroyed),
            app("two", "/a/two", AppState::Destroyed),
            app("other-two", "/a/two", AppState::Running),
        ];
        for (folder, found) in [
            ("/a/shop", Some("stall")),
            ("/a/poll", Some("poll")),
            ("/a/two", Some("two")),
            ("/a/new", None),
        ] {
            let name = AppName::from_folder(folder.trim_start_matches("/a/"));
            let got = from_folder(&apps, Path::new(folder), name.as_ref());
            assert_eq!(got.as_ref().map(AppName::as_str), found, "{folder}");
        }
    }

    #[test]
    fn a_folder_is_named_by_its_manifest_or_itself() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("My Shop");
        std::fs::create_dir(&folder).expect("a folder");
        let name = |folder: &Path| name_of(folder).map(|name| name.map(|name| name.to_string()));
        assert_eq!(name(&folder), Ok(Some("my-shop".into())));
        let file = folder.join(manifest::FILE_NAME);
        std::fs::write(&file, "name = \"stall\"").expect("a file");
        assert_eq!(name(&folder), Ok(Some("stall".into())));
        std::fs::write(&file, "nam = \"stall\"").expect("a file");
        let failure = name(&folder).expect_err("a bad file");
        assert_eq!(failure.hint.as_deref(), Some("did you mean `name`?"));
    }
}
