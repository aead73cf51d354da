//! A run as a tree that grows on a terminal, with what runs now below it.

use std::collections::{HashSet, VecDeque};
use std::io::Write;
use std::time::Instant;

use model::progress::{Progress, clean_line};
use model::run::Outcome;
use model::stage::Stage;

use super::plain::{Took, notice};
use super::{Detail, Paint, Seconds, Style, outcome};

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// How many lines of a step's output are shown while it runs.
const LOG_LINES: usize = 4;
/// Where times stand.
const TIME_COLUMN: usize = 44;

/// Draws a run on a terminal, `W`. Lines that are done stay; those of the running steps are drawn
/// again each time.
pub(crate) struct Live<W> {
    out: W,
    style: Style,
    detail: Detail,
    /// The stage whose heading was printed last.
    heading: Option<Stage>,
    /// Stages whose steps have told their times.
    told: HashSet<Stage>,
    running: Vec<Step>,
    log: VecDeque<String>,
    /// Lines on the terminal that are drawn again.
    drawn: usize,
    frame: usize,
}

struct Step {
    stage: Stage,
    name: String,
    since: Instant,
}

impl<W: Write> Live<W> {
    /// Nothing is drawn yet.
    pub(crate) fn new(out: W, style: Style, detail: Detail) -> Self {
        Self {
            out,
            style,
            detail,
            heading: None,
            told: HashSet::new(),
            running: Vec::new(),
            log: VecDeque::new(),
            drawn: 0,
            frame: 0,
        }
    }

    /// Draws what `progress` says.
    pub(crate) fn show(&mut self, progress: &Progress) {
        match progress {
            Progress::Run { .. } => {}
            Progress::StageStarted { stage } => self.start(*stage, String::new()),
            Progress::StepStarted { stage, step } => self.start(*stage, clean_line(step)),
            Progress::StepDone {
                stage,
                step,
                seconds,
                cached,
            } => {
                let step = clean_line(step);
                self.forget(*stage, &step);
                self.done(*stage, &step, &Took(*seconds, *cached).to_string());
            }
            Progress::StageDone { timing } => {
                self.running.retain(|step| step.stage != timing.stage);
                if !self.told.contains(&timing.stage) {
                    let took = Took(timing.seconds, timing.cached).to_string();
                    self.done(timing.stage, "done", &took);
                }
            }
            Progress::Log { line, .. } => self.log_line(clean_line(line)),
            Progress::Notice { text } => {
                let text = self.style.paint(Paint::Warn, notice(text));
                self.keep(&text);
            }
            Progress::Error { .. } => self.settle(Outcome::Failed),
            Progress::Result(result) => self.settle(result.outcome),
        }
        self.draw();
    }

    /// Moves the spinner on.
    pub(crate) fn tick(&mut self) {
        self.frame = (self.frame + 1) % SPINNER.len();
        if !self.running.is_empty() {
            self.draw();
        }
    }

    /// Prints a line of little weight above the running steps.
    pub(crate) fn remark(&mut self, text: &str) {
        let text = self.style.paint(Paint::Dim, text);
        self.keep(&text);
        self.draw();
    }

    /// Takes the running steps off the terminal.
    pub(crate) fn rest(&mut self) {
        self.running.clear();
        self.log.clear();
        self.draw();
    }

    fn start(&mut self, stage: Stage, name: String) {
        self.log.clear();
        self.head(stage);
        self.running
            .retain(|step| step.stage != stage || !step.name.is_empty());
        self.running.push(Step {
            stage,
            name,
            since: Instant::now(),
        });
    }

    fn forget(&mut self, stage: Stage, name: &str) {
        self.log.clear();
        let ended =
            |step: &Step| step.stage == stage && (step.name == name || step.name.is_empty());
        self.running.retain(|step| !ended(step));
    }

    fn done(&mut self, stage: Stage, step: &str, took: &str) {
        self.head(stage);
        self.told.insert(stage);
        let mark = self.style.paint(Paint::Good, "✓");
        let took = self.style.paint(Paint::Dim, took);
        let gap = TIME_COLUMN.saturating_sub(step.chars().count()).max(1);
        self.keep(&format!("  {mark} {step}{:gap$}{took}", ""));
    }

    /// What still runs at a bad end is where it went wrong.
    fn settle(&mut self, outcome: Outcome) {
        for step in std::mem::take(&mut self.running) {
            if !outcome::serves(outcome) && !step.name.is_empty() {
                self.head(step.stage);
                let mark = self.style.paint(Paint::Bad, "✗");
                self.keep(&format!("  {mark} {}", step.name));
            }
        }
        self.log.clear();
    }

    fn head(&mut self, stage: Stage) {
        if self.heading != Some(stage) {
            self.heading = Some(stage);
            let heading = self.style.paint(Paint::Strong, stage);
            self.keep(&heading);
        }
    }

    fn log_line(&mut self, line: String) {
        match self.detail {
            Detail::Full => {
                let line = format!("    {} {line}", self.style.paint(Paint::Dim, "|"));
                self.keep(&line);
            }
            Detail::Brief => {
                self.log.push_back(line);
                if self.log.len() > LOG_LINES {
                    self.log.pop_front();
                }
            }
        }
    }

    /// Prints lines that stay.
    fn keep(&mut self, text: &str) {
        let wipe = self.wipe();
        self.write(&format!("{wipe}{text}\n"));
    }

    /// Draws the running steps again.
    fn draw(&mut self) {
        let lines = self.lines();
        let mut text = self.wipe();
        self.drawn = lines.len();
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        self.write(&text);
    }

    fn lines(&self) -> Vec<String> {
        let width = terminal_width().saturating_sub(1);
        let spinner = SPINNER[self.frame];
        let step = |step: &Step| {
            let since = Seconds(step.since.elapsed().as_secs_f64());
            let name = match step.name.as_str() {
                "" => "…",
                name => name,
            };
            cut(&format!("  {spinner} {name}  {since}"), width)
        };
        let log = |line: &String| {
            self.style
                .paint(Paint::Dim, cut(&format!("    | {line}"), width))
        };
        let steps = self.running.iter().map(step);
        steps.chain(self.log.iter().map(log)).collect()
    }

    /// Moves up over what was drawn and erases it (ECMA-48: CPL, ED).
    fn wipe(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\u{1b}[{lines}F\u{1b}[J"),
        }
    }

    fn write(&mut self, text: &str) {
        if !text.is_empty() {
            // A run goes on when its terminal is gone.
            let _ = self
                .out
                .write_all(text.as_bytes())
                .and_then(|()| self.out.flush());
        }
    }

    /// What was drawn on.
    #[cfg(test)]
    pub(crate) fn into_inner(self) -> W {
        self.out
    }
}

/// Cuts `text` so that it takes one line of a terminal with `width` columns. Letters from Hangul
/// on count as two columns, which is true of the wide ones and safe for the others.
fn cut(text: &str, width: usize) -> String {
    let mut columns = 0;
    let fits = |letter: &char| {
        columns += if *letter >= '\u{1100}' && !SPINNER.contains(letter) {
            2
        } else {
            1
        };
        columns <= width
    };
    text.replace('\t', "  ").chars().take_while(fits).collect()
}

fn terminal_width() -> usize {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCGWINSZ writes one `winsize`, and `size` is one.
    let answer = unsafe { libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    match size.ws_col {
        columns if answer == 0 && columns > 0 => columns.into(),
        _ => 80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_takes_more_columns_than_the_terminal_has() {
        for (text, width, cut_text) in [
            ("short", 10, "short"),
            ("much too long", 8, "much too"),
            ("日本語", 4, "日本"),
            ("a\tb", 4, "a  b"),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, width), cut_text, "{text}");
        }
    }
}
