//! What an app writes, and what outlives its release.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use model::instance::{Exit, InstanceState};
use ports::runtime::{Fate, Launch, Runtime, Seed};

use crate::support::{Room, base};

impl Room {
    fn data(&self, app: &str, file: &str) -> Option<String> {
        fs::read_to_string(self.path("data").join(app).join(file)).ok()
    }

    fn source(&self, files: &[(&str, &str)]) -> Seed {
        for (path, content) in files {
            let path = self.path("source").join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, content).expect("a file");
        }
        Seed::From(self.path("source"))
    }

    /// Runs it to a good end, and saves what it wrote. Returns what was written and saved.
    async fn release(&self, launch: Launch) -> (Vec<(String, Fate)>, Vec<String>) {
        let data = launch.data.clone();
        let id = self.start(launch).await;
        let state = self.sandboxes.ended(&id).await.expect("an end");
        let lines = self.lines(&id).await;
        let fine = Exit::Code { code: 0 };
        assert!(
            matches!(state, InstanceState::Exited { exit, .. } if exit == fine),
            "{state:?} {lines:?}"
        );
        let written = self.sandboxes.written(&id).await.expect("a list");
        let written = written
            .into_iter()
            .map(|file| (file.path, file.fate))
            .collect();
        let saved = self.sandboxes.save_written(&id).await.expect("saved");
        let saved = saved.iter().map(|path| {
            let path = path.strip_prefix(&data).expect("in the data folder");
            path.to_str().expect("text").to_owned()
        });
        let saved = saved.collect();
        self.sandboxes.remove(&id).await.expect("removed");
        (written, saved)
    }
}

fn kept(path: &str) -> (String, Fate) {
    (path.to_owned(), Fate::Kept)
}

fn lost(path: &str) -> (String, Fate) {
    (path.to_owned(), Fate::Lost)
}

#[tokio::test]
async fn a_database_made_at_run_time_moves_to_the_next_release() {
    let room = Room::new();
    let script = "
import os, sqlite3
print(sorted(os.listdir('.')))
db = sqlite3.connect('guests.db')
db.execute('pragma journal_mode=wal')
db.execute('create table if not exists g (name text)')
db.execute(\"insert into g values ('x')\"); db.commit()
os.makedirs('uploads/deep', exist_ok=True)
open('uploads/deep/cat.png', 'w').write('meow')
open('notes.json', 'w').write('{}')
print(db.execute('select count(*) from g').fetchone()[0])
os._exit(0)
";
    let files = [("main.py", script)];
    let launch = room.launch("guests", &files, &["python3", "main.py"]);
    let (written, saved) = room.release(launch.clone()).await;
    let expected = [
        kept("guests.db"),
        kept("guests.db-shm"),
        kept("guests.db-wal"),
        lost("notes.json"),
        kept("uploads/deep/cat.png"),
    ];
    assert_eq!(written, expected);
    assert_eq!(
        saved,
        ["guests.db", "guests.db-shm", "guests.db-wal", "uploads"]
    );

    // The next release reads and writes them in place.
    let id = room.start(launch.clone()).await;
    room.sandboxes.ended(&id).await.expect("an end");
    assert_eq!(
        room.lines(&id).await.last().map(String::as_str),
        Some("o 2")
    );
    let written = room.sandboxes.written(&id).await.expect("a list");
    assert_eq!(written.len(), 1, "{written:?}");
    room.sandboxes.remove(&id).await.expect("removed");
    let owner = fs::metadata(room.path("data/guests/guests.db"))
        .expect("a file")
        .uid();
    assert_eq!(owner, 0x1000_0000 + 7 * 65536 + 1000);
}

#[tokio::test]
async fn the_first_release_is_seeded_and_later_ones_are_not() {
    let room = Room::new();
    let script = "
import os
print(open('menu.db').read(), open('data/a.txt').read(), os.environ['DATA_DIR'])
open('menu.db', 'w').write('changed')
open('data/b.txt', 'w').write('new')
";
    let mut launch = room.launch("menu", &[("main.py", script)], &["python3", "main.py"]);
    launch.seed = room.source(&[
        ("menu.db", "seeded"),
        ("data/a.txt", "A"),
        ("app.py", "code"),
    ]);
    let (state, lines) = room.run(launch.clone()).await;
    assert!(matches!(state, InstanceState::Exited { .. }));
    assert_eq!(lines, ["o seeded A /data"]);
    assert_eq!(room.data("menu", "menu.db").as_deref(), Some("changed"));
    assert_eq!(room.data("menu", "data/b.txt").as_deref(), Some("new"));
    assert_eq!(room.data("menu", "app.py"), None);
    // Even when the source has a newer copy, what the app wrote counts.
    launch.seed = room.source(&[("menu.db", "newer source")]);
    let (_, lines) = room.run(launch).await;
    assert_eq!(lines, ["o changed A /data"]);
}

#[tokio::test]
async fn a_replaced_kept_file_counts_as_written() {
    let room = Room::new();
    let script = "
import os
open('fresh', 'w').write('replaced')
os.replace('fresh', 'list.db')
print(os.path.islink('list.db'))
";
    let mut launch = room.launch("list", &[("main.py", script)], &["python3", "main.py"]);
    launch.seed = room.source(&[("list.db", "old")]);
    let (written, saved) = room.release(launch).await;
    assert_eq!(written, [kept("list.db")]);
    // It replaced what was there: undoing must not lose it.
    assert_eq!(saved, [""; 0]);
    assert_eq!(room.data("list", "list.db").as_deref(), Some("replaced"));
}

#[tokio::test]
async fn dependencies_of_lower_layers_are_seen_and_read_only() {
    let room = Room::new();
    let script = "
import os
print(open('node_modules/left/pad.js').read(), open('package-lock.json').read())
try:
    open('node_modules/x', 'w')
except OSError as e:
    print(e.errno)
open('sub/own', 'w').write('x')
print(sorted(os.listdir('sub')))
";
    let dependencies = room.app(
        "dependencies",
        &[
            ("node_modules/left/pad.js", "pad"),
            ("package-lock.json", "lock"),
            ("sub/below", ""),
        ],
    );
    let files = [("main.py", script), ("sub/above", "")];
    let mut launch = room.launch("web", &files, &["python3", "main.py"]);
    launch.layers = vec![base(), dependencies, launch.layers[1].clone()];
    let id = room.start(launch).await;
    room.sandboxes.ended(&id).await.expect("an end");
    let lines = room.lines(&id).await;
    assert_eq!(lines, ["o pad lock", "o 30", "o ['above', 'below', 'own']"]);
    let written = room.sandboxes.written(&id).await.expect("a list");
    let written: Vec<_> = written.into_iter().map(|file| file.path).collect();
    assert_eq!(written, ["sub/own"]);
    room.stop_all().await;
}

#[tokio::test]
async fn planted_links_are_not_followed_when_files_are_saved() {
    let room = Room::new();
    let secret = room.path("secret");
    fs::write(&secret, "the host's").expect("a file");
    // Where the app's links would lead if root followed them.
    let script = format!(
        "
import os
os.symlink('{secret}', 'shadow.db')
os.symlink('/etc', 'data')
os.mkdir('uploads')
os.symlink('{secret}', 'uploads/link')
os.mkfifo('pipe.db')
os.mkfifo('uploads/pipe')
open('uploads/honest', 'w').write('fine')
os.symlink('/etc', os.environ['DATA_DIR'] + '/instance')
os.mkdir('instance'); open('instance/passwd', 'w').write('hacked')
",
        secret = secret.display()
    );
    let launch = room.launch("thief", &[("main.py", &script)], &["python3", "main.py"]);
    let id = room.start(launch).await;
    room.sandboxes.ended(&id).await.expect("an end");
    let written = room.sandboxes.written(&id).await.expect("a list");
    let written: Vec<_> = written.into_iter().map(|file| file.path).collect();
    assert_eq!(written, ["instance/passwd", "uploads/honest"]);
    let passwd = fs::read("/etc/passwd").expect("it is there");
    // The planted link in the data folder makes saving fail or be skipped, never followed.
    let _ = room.sandboxes.save_written(&id).await;
    assert_eq!(fs::read("/etc/passwd").expect("it is there"), passwd);
    assert_eq!(room.data("thief", "uploads/link"), None);
    assert_eq!(room.data("thief", "shadow.db"), None);
    assert_eq!(
        room.data("thief", "uploads/honest").as_deref(),
        Some("fine")
    );
    room.stop_all().await;
}

#[tokio::test]
async fn a_source_with_links_out_of_the_folder_seeds_none_of_them() {
    let room = Room::new();
    let secret = room.path("secret");
    fs::write(&secret, "the host's").expect("a file");
    let seed = room.source(&[("data/fine", "x")]);
    symlink(&secret, room.path("source/stolen.db")).expect("a link");
    symlink(&secret, room.path("source/data/stolen")).expect("a link");
    let script = "
import os
print(sorted(os.listdir('data')), os.path.exists('stolen.db'), os.path.exists('data/stolen'))
";
    let mut launch = room.launch("seed", &[("main.py", script)], &["python3", "main.py"]);
    launch.seed = seed;
    let (_, lines) = room.run(launch).await;
    assert_eq!(lines, ["o ['fine', 'stolen'] False False"]);
}
