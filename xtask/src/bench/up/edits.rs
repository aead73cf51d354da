//! Unchanged folders and one-line edits, with mayfly and docker in turns.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::app::{App, Kind};
use super::docker::{Container, Docker};
use crate::http;
use crate::mayfly::Mayfly;

/// The figures of one app.
pub struct Edits {
    /// What it is.
    pub kind: Kind,
    /// `up` of an unchanged folder, from call to exit.
    pub unchanged: Vec<Duration>,
    /// From the file's save to the new release's first 200, by mayfly.
    pub edit: Vec<Duration>,
    /// The layers as mayfly stores them.
    pub image_bytes: u64,
    /// docker's.
    pub docker: Option<DockerEdits>,
}

/// The same by docker.
#[derive(Default)]
pub struct DockerEdits {
    /// `docker build` of an unchanged folder; nothing is run.
    pub unchanged: Vec<Duration>,
    /// From the file's save to the new container's first 200.
    pub edit: Vec<Duration>,
    /// The layers, unpacked: docker counts no other size.
    pub image_bytes: u64,
}

/// Measures one app.
pub fn measure(
    mayfly: &Mayfly,
    docker: Option<&Docker>,
    mut app: App,
    runs: usize,
) -> Result<Edits> {
    let mut ours = Vec::new();
    let mut unchanged = Vec::new();
    let mut theirs = docker.map(|_| DockerEdits::default());
    let up = mayfly.up(app.folder(), app.name())?;
    let address = up.unchanged().or_else(|_| up.promoted())?;
    let mut container = docker
        .map(|docker| first_container(docker, &app))
        .transpose()?;
    for _ in 0..runs {
        let again = mayfly.up(app.folder(), app.name())?;
        again.unchanged()?;
        unchanged.push(again.took);
        ours.push(edit(mayfly, &mut app, address)?);
        if let (Some(docker), Some(theirs)) = (docker, &mut theirs) {
            docker.build(&app)?;
            theirs.unchanged.push(timed(|| docker.build(&app))?);
            theirs
                .edit
                .push(docker_edit(docker, &mut app, &mut container)?);
            theirs.image_bytes = docker.image_bytes(app.kind())?;
            // What docker was given, mayfly gets as well, or its next edit would be two.
            mayfly.up(app.folder(), app.name())?.promoted()?;
        }
    }
    Ok(Edits {
        kind: app.kind(),
        unchanged,
        edit: ours,
        image_bytes: mayfly.image_bytes(app.name())?,
        docker: theirs,
    })
}

fn edit(mayfly: &Mayfly, app: &mut App, address: SocketAddr) -> Result<Duration> {
    app.edit()?;
    let saved = Instant::now();
    let up = mayfly.begin_up(app.folder(), app.name())?;
    let answered = http::await_text(address, &app.says());
    up.end()?.promoted()?;
    Ok(answered?.duration_since(saved))
}

fn first_container<'a>(docker: &'a Docker, app: &App) -> Result<Container<'a>> {
    docker.build(app)?;
    let container = docker.run(app.kind())?;
    http::await_text(container.address(), &app.says())?;
    Ok(container)
}

/// The container before goes when the new one answers, as in a takeover; its end is not counted.
fn docker_edit<'a>(
    docker: &'a Docker,
    app: &mut App,
    container: &mut Option<Container<'a>>,
) -> Result<Duration> {
    app.edit()?;
    let saved = Instant::now();
    docker.build(app)?;
    let new = docker.run(app.kind())?;
    let answered = http::await_text(new.address(), &app.says())?;
    *container = Some(new);
    Ok(answered.duration_since(saved))
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    work().map(|()| began.elapsed())
}
