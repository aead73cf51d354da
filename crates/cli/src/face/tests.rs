//! Faces, reviewed as design.

use model::failure::FailureCode;
use model::progress::{StageTiming, Stream};
use model::run::{Outcome, RunId};
use model::{Digest, ReleaseNumber, Stage, Timestamp};

use super::*;

fn stream() -> Vec<Progress> {
    let step = |stage, step: &str| Progress::StepStarted {
        stage,
        step: step.into(),
    };
    let done = |stage, step: &str, seconds, cached| Progress::StepDone {
        stage,
        step: step.into(),
        seconds,
        cached,
    };
    let stage_done = |stage, seconds| Progress::StageDone {
        timing: StageTiming {
            stage,
            seconds,
            cached: false,
        },
    };
    vec![
        Progress::Run {
            run: RunId::new(Timestamp::UNIX_EPOCH),
            app: "shop".parse().expect("a good name"),
        },
        Progress::StageStarted {
            stage: Stage::Build,
        },
        step(Stage::Build, "base python 3.13"),
        done(Stage::Build, "base python 3.13", 0.0, true),
        step(Stage::Build, "install 12 packages"),
        Progress::Log {
            stage: Stage::Build,
            stream: Stream::Stderr,
            line: "Resolved \u{1b}[1m12 packages".into(),
        },
        done(Stage::Build, "install 12 packages", 0.42, false),
        stage_done(Stage::Build, 0.5),
        Progress::Notice {
            text: "the app listens on port 5000, not on $PORT".into(),
        },
        Progress::StageStarted {
            stage: Stage::Rollout,
        },
        stage_done(Stage::Rollout, 0.3),
    ]
}

fn result(outcome: Outcome, error: Option<Failure>) -> RunResult {
    RunResult {
        run: RunId::new(Timestamp::UNIX_EPOCH),
        app: "shop".parse().expect("a good name"),
        release: Some(ReleaseNumber::new(3)),
        outcome,
        digest: Some(Digest::of(b"image")),
        url: "http://shop.localhost:7777".into(),
        local_url: "http://127.0.0.1:40001".into(),
        seconds: 0.84,
        stages: vec![],
        findings: Vec::new(),
        warnings: Vec::new(),
        not_scanned: None,
        error,
    }
}

fn failure() -> Failure {
    Failure::new(FailureCode::Exited, "the app exited before it was ready")
        .in_stage(Stage::Rollout)
        .because("it exited with status 1")
        .because("its last lines:\nTraceback (most recent call last):\nKeyError: '\u{1b}[31mPORT'")
        .hint("add to mayfly.toml:\n[run]\ncommand = \"python app.py\"")
}

fn plain(detail: Detail) -> String {
    let mut plain = Plain::new(Vec::new(), detail);
    stream().iter().for_each(|progress| plain.show(progress));
    String::from_utf8(plain.into_inner()).expect("UTF-8")
}

/// What stays on a terminal: what was drawn and wiped again is taken out.
fn screen(drawn: &[u8]) -> String {
    let text = String::from_utf8_lossy(drawn);
    let mut lines: Vec<String> = vec![String::new()];
    let mut rest = &*text;
    while let Some(letter) = rest.chars().next() {
        if let Some(code) = rest.strip_prefix("\u{1b}[") {
            let end = code
                .find(|c: char| c.is_ascii_alphabetic())
                .expect("a whole sequence");
            if code[end..].starts_with('F') {
                let up: usize = code[..end].parse().expect("a number");
                lines.truncate(lines.len() - 1 - up);
                lines.push(String::new());
            }
            rest = &code[end + 1..];
            continue;
        }
        match letter {
            '\n' => lines.push(String::new()),
            other => lines.last_mut().expect("a line").push(other),
        }
        rest = &rest[letter.len_utf8()..];
    }
    lines.join("\n")
}

fn live(progress: &[Progress], detail: Detail) -> String {
    let mut live = Live::new(Vec::new(), Style::Plain, detail);
    progress.iter().for_each(|progress| {
        live.show(progress);
        live.tick();
    });
    let text = screen(&live.into_inner());
    without_running_times(&text)
}

/// The running time of a step is that of the test; it is none of the picture.
fn without_running_times(text: &str) -> String {
    text.replace("  0.00 s", "  … s")
}

#[test]
fn a_run_in_plain_lines_names_each_step_once() {
    insta::assert_snapshot!(plain(Detail::Brief), @"
    build: base python 3.13 (cached)
    build: install 12 packages (0.4 s)
    note: the app listens on port 5000, not on $PORT
    rollout (0.3 s)
    ");
}

#[test]
fn a_run_in_full_detail_has_the_build_s_output_without_its_control_characters() {
    insta::assert_snapshot!(plain(Detail::Full), @"
    build: base python 3.13 (cached)
    build | Resolved 12 packages
    build: install 12 packages (0.4 s)
    note: the app listens on port 5000, not on $PORT
    rollout (0.3 s)
    ");
}

#[test]
fn a_run_on_a_terminal_ends_as_a_tree() {
    insta::assert_snapshot!(live(&stream(), Detail::Brief), @"
    build
      ✓ base python 3.13                            cached
      ✓ install 12 packages                         0.4 s
    note: the app listens on port 5000, not on $PORT
    rollout
      ✓ done                                        0.3 s
    ");
}

#[test]
fn a_running_step_shows_its_last_lines_below_it() {
    insta::assert_snapshot!(live(&stream()[..6], Detail::Brief), @"
    build
      ✓ base python 3.13                            cached
      ⠦ install 12 packages  … s
        | Resolved 12 packages
    ");
}

#[test]
fn a_step_that_still_runs_at_a_bad_end_is_marked() {
    let mut run = stream()[..6].to_vec();
    run.push(Progress::Result(Box::new(result(
        Outcome::Failed,
        Some(failure()),
    ))));
    insta::assert_snapshot!(live(&run, Detail::Brief), @"
    build
      ✓ base python 3.13                            cached
      ✗ install 12 packages
    ");
}

#[test]
fn every_outcome_has_its_last_words() {
    let words = |outcome, error| Summary::new(&result(outcome, error), Style::Plain).to_string();
    insta::assert_snapshot!(words(Outcome::Promoted, None), @"
    shop is live (release 3), 0.8 s
    for programs that cannot resolve *.localhost: http://127.0.0.1:40001
    ");
    insta::assert_snapshot!(words(Outcome::Unchanged, None), @"
    shop has not changed and still serves (release 3), 0.8 s
    for programs that cannot resolve *.localhost: http://127.0.0.1:40001
    ");
    insta::assert_snapshot!(words(Outcome::Failed, Some(failure())), @r#"
    error: the app exited before it was ready
      caused by: it exited with status 1
      caused by: its last lines:
        | Traceback (most recent call last):
        | KeyError: 'PORT'
    hint: add to mayfly.toml:
          [run]
          command = "python app.py"
    shop failed, 0.8 s
    "#);
    insta::assert_snapshot!(words(Outcome::RolledBack, None), @"shop was rolled back to the release before, 0.8 s");
    insta::assert_snapshot!(words(Outcome::Superseded, None), @"shop gave way to a newer run, 0.8 s");
}

#[test]
fn colours_are_for_terminals_only() {
    let explained = |style| Explained::new(&failure(), style).to_string();
    assert!(explained(Style::Coloured).starts_with("\u{1b}[31merror:\u{1b}[0m the app"));
    assert!(!explained(Style::Plain).contains('\u{1b}'));
}
