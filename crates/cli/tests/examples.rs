//! Every example comes up and answers as `examples/index.json` says.

use std::path::Path;

use serde::Deserialize;
use testkit::answer::Ask;
use testkit::{AppFolder, Bench};

#[derive(Deserialize)]
struct Example {
    folder: String,
    kind: String,
    port: Option<u16>,
    path: String,
    status: u16,
    expect: String,
    #[serde(default)]
    also: Vec<Page>,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    reports: Vec<String>,
}

#[derive(Deserialize)]
struct Page {
    path: String,
    expect: String,
}

#[derive(Deserialize)]
struct Step {
    method: String,
    path: String,
    body: Option<String>,
    content_type: Option<String>,
    expect_status: Option<u16>,
    expect: Option<String>,
}

fn examples() -> Vec<Example> {
    let index = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/index.json");
    let text = std::fs::read_to_string(index).expect("the index of the examples");
    serde_json::from_str(&text).expect("a list of examples")
}

/// Brings one example up, asks it for everything that its entry names, and brings it up again.
fn comes_up(name: &str) {
    let example = examples()
        .into_iter()
        .find(|example| example.folder == name)
        .expect(name);
    let folder = AppFolder::copy_of(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../examples")
            .join(name),
    );
    let bench = Bench::start(env!("CARGO_BIN_EXE_mayfly"));
    let up = bench.up(&folder);
    up.promoted();
    answers(&bench, &example);
    if let Some(port) = example
        .port
        .filter(|port| *port != 8080 && example.kind != "static")
    {
        let told = up
            .notices()
            .iter()
            .any(|notice| notice.contains(&format!("port {port}")));
        let planned = bench
            .mayfly(&["plan", folder.path().to_str().expect("UTF-8"), "--json"])
            .ok();
        assert!(
            told || planned.stdout.contains(&port.to_string()),
            "{name} listens on {port}: {:?}",
            up.notices()
        );
    }
    for place in &example.reports {
        let told = up.notices().iter().any(|notice| notice.starts_with(place));
        assert!(told, "{place}: {:?}", up.notices());
    }
    assert_eq!(bench.up(&folder).result().outcome.as_str(), "unchanged");
}

fn answers(bench: &Bench, example: &Example) {
    let page = bench.get(&example.folder, &example.path);
    assert_eq!(
        page.status,
        example.status,
        "{}{}: {}",
        example.folder,
        example.path,
        page.text()
    );
    assert!(
        page.text().contains(&example.expect),
        "{}: {}",
        example.folder,
        page.text()
    );
    for also in &example.also {
        let page = bench.get(&example.folder, &also.path);
        assert!(
            page.text().contains(&also.expect),
            "{}{}: {} {}",
            example.folder,
            also.path,
            page.status,
            page.text()
        );
    }
    for step in &example.steps {
        take(bench, &example.folder, step);
    }
}

fn take(bench: &Bench, app: &str, step: &Step) {
    let host = format!("{app}.localhost");
    let kind = format!(
        "Content-Type: {}",
        step.content_type.as_deref().unwrap_or("text/plain")
    );
    let headers = [kind.as_str()];
    let body = step.body.as_deref().unwrap_or_default().as_bytes();
    let answer = bench.ask(&Ask {
        method: &step.method,
        body,
        headers: &headers,
        ..Ask::get(&host, &step.path)
    });
    let text = answer.text();
    if let Some(status) = step.expect_status {
        assert_eq!(
            answer.status, status,
            "{app} {} {}: {text}",
            step.method, step.path
        );
    }
    if let Some(expect) = &step.expect {
        assert!(
            text.contains(expect.as_str()),
            "{app} {} {}: {text}",
            step.method,
            step.path
        );
    }
}

macro_rules! examples_come_up {
    ($($test:ident: $folder:literal,)*) => {
        $(#[test]
        fn $test() {
            comes_up($folder);
        })*

        #[test]
        fn every_example_has_its_test() {
            let tested = [$($folder),*];
            for example in examples() {
                assert!(tested.contains(&example.folder.as_str()), "{} has no test", example.folder);
            }
        }
    };
}

examples_come_up! {
    a_single_page_that_is_not_called_index: "tip-calculator",
    a_site_of_several_pages: "wedding-page",
    a_single_page_application: "recipe-spa",
    a_flask_guestbook_on_sqlite: "guestbook",
    a_fastapi_app_that_forgot_uvicorn: "expense-splitter",
    a_streamlit_board: "chart-board",
    a_django_poll_with_migrations: "poll",
    a_gradio_quiz: "quiz-gradio",
    a_plain_python_server_without_a_manifest: "word-counter",
    a_flask_app_known_by_its_imports: "meme-api",
    an_express_app_without_a_lock: "todo-express",
    an_express_app_with_a_native_module: "link-shortener",
    a_chat_over_websockets: "chat-ws",
    a_lone_server_js: "tiny-server",
    a_react_front_end_built_by_vite: "habit-tracker",
    a_vite_front_end_with_a_flask_back_end: "photo-notes",
    a_typescript_api: "ts-api",
    a_flask_shop_with_a_misleading_package_json: "shop-mixed",
    an_app_whose_pins_need_an_older_python: "pinned-old",
    an_app_with_packages_that_come_as_source: "checksum-desk",
}
