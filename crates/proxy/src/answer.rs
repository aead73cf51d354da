//! Answers requests: from files, from a server, or with a page of the edge's own.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use ports::traffic::Ending;

use crate::admit::{Admitted, admit};
use crate::ask::{Switch, ask};
use crate::body::{Body, Fault, Upload};
use crate::connection::Client;
use crate::forward::{Trouble, copy};
use crate::lane::Flight;
use crate::pages::{Form, Page};
use crate::site::Query;
use crate::table::Backend;
use crate::tunnel::Ends;
use crate::{assets, tunnel};

/// Answers one request.
pub(crate) async fn answer(client: &Client, request: Request<Incoming>) -> Response<Body> {
    match admit(client, &request, Instant::now()).await {
        Ok(admitted) => admitted.answer(client, request).await,
        Err(response) => response,
    }
}

/// A response that has not been handed to the client.
struct Answer {
    response: Response<Body>,
    flight: Flight,
    ending: Ending,
    tunnel: Option<Ends>,
}

impl Answer {
    fn new(flight: Flight, response: Response<Body>) -> Self {
        Self {
            response,
            flight,
            ending: Ending::Complete,
            tunnel: None,
        }
    }

    /// Lets the response's end be the request's end. What the edge says instead of a release ends
    /// the request at once, in the way that it ended.
    fn deliver(mut self, client: &Client) -> Response<Body> {
        self.flight.headed(self.response.status().as_u16());
        match (self.tunnel, self.ending) {
            (Some(ends), _) => {
                client.line.tunnel.store(true, Relaxed);
                tokio::task::spawn_local(tunnel::run(self.flight, ends, client.closing.stay()));
            }
            (None, Ending::Complete) => self.response.body_mut().carry(self.flight),
            (None, other) => self.flight.end(other),
        }
        self.response
    }
}

impl Admitted {
    async fn answer(self, client: &Client, request: Request<Incoming>) -> Response<Body> {
        if let Some(site) = &self.backend.site
            && let Some(found) = site.serve(Query::of(&request)).await
        {
            return Answer::new(self.flight, found).deliver(client);
        }
        let (route, backend) = (self.route.clone(), self.backend.clone());
        let spare = self.may_be_asked_again(&request).then(|| copy(&request));
        let answer = match &backend.instance {
            Some(_) => forward(client, &backend, self.flight, request).await,
            None => without_file(self.flight, &request),
        };
        match spare {
            Some(spare) if answer.response.status() == StatusCode::NOT_FOUND => {
                let previous = route.assets_of.as_ref().filter(|_| route.is_current());
                second_chance(client, answer, spare, previous, &backend).await
            }
            _ => answer.deliver(client),
        }
    }

    /// Whether a 404 is not the last word.
    fn may_be_asked_again(&self, request: &Request<Incoming>) -> bool {
        let previous = self.route.assets_of.is_some();
        Query::of(request).is_read()
            && (self.backend.site.is_some()
                || (previous && assets::may_be_asset(request.uri().path())))
    }
}

/// A site without a server has no such file.
fn without_file(flight: Flight, request: &Request<Incoming>) -> Answer {
    let page = match Query::of(request).is_read() {
        true => Page::NoSuchFile,
        false => Page::NoSuchMethod,
    };
    Answer::new(flight, page.response(Form::wanted(request.headers())))
}

/// Passes a request to a server.
async fn forward(
    client: &Client,
    backend: &Backend,
    flight: Flight,
    mut request: Request<Incoming>,
) -> Answer {
    let switch = Switch::wanted(&mut request);
    let form = Form::wanted(request.headers());
    let limits = &client.worker.shared.config.limits;
    let fault = Rc::new(Cell::new(None));
    let request = request.map(|body| Upload::new(body, limits.body_bytes, &fault));
    let limit = limits.response_head;
    match ask(client, backend, &flight, request, switch, limit).await {
        Ok(reply) => Answer {
            tunnel: reply.tunnel,
            ..Answer::new(flight, reply.response)
        },
        Err(trouble) => {
            let (page, ending) = explain(trouble, fault.get());
            Answer {
                ending,
                ..Answer::new(flight, page.response(form))
            }
        }
    }
}

/// What a client is told, and how the request is counted.
fn explain(trouble: Trouble, fault: Option<Fault>) -> (Page<'static>, Ending) {
    match (fault, trouble) {
        (Some(Fault::TooLarge), _) => (Page::TooLarge, Ending::Complete),
        (Some(Fault::Slow), _) => (Page::SlowClient, Ending::ClientGone),
        (Some(Fault::Client), _) => (Page::BadRequest("Its body broke off."), Ending::ClientGone),
        (None, Trouble::Unreachable | Trouble::Broke) => (Page::Unreachable, Ending::UpstreamBroke),
        (None, Trouble::TooSlow) => (Page::TooSlow, Ending::TimedOut),
        (None, Trouble::Cut) => (Page::TakingOver, Ending::TimedOut),
    }
}

/// Answers a request for which there was a 404: hashed assets from an earlier release, which old
/// tabs still ask for, else a page of the site.
async fn second_chance(
    client: &Client,
    first: Answer,
    spare: Request<Upload>,
    previous: Option<&Arc<Backend>>,
    backend: &Backend,
) -> Response<Body> {
    if let Some(previous) = previous.filter(|_| assets::may_be_asset(spare.uri().path()))
        && let Some(answer) = asset_of(client, previous, copy(&spare)).await
    {
        first.flight.withdraw();
        return answer.deliver(client);
    }
    let query = Query::of(&spare);
    let page = match (&backend.site, &backend.instance) {
        (Some(site), Some(_)) => site.fallback(query).await,
        (Some(site), None) => site.missing(query).await,
        (None, _) => None,
    };
    match page {
        Some(page) => Answer::new(first.flight, page).deliver(client),
        None => first.deliver(client),
    }
}

/// The asset as an earlier release has it, when it has it.
async fn asset_of(client: &Client, previous: &Backend, request: Request<Upload>) -> Option<Answer> {
    let flight = previous.lane.enter(Instant::now());
    let limit = client.worker.shared.config.limits.assets;
    let found = match &previous.site {
        Some(site) => site.serve(Query::of(&request)).await,
        None => None,
    };
    let response = match (found, &previous.instance) {
        (Some(found), _) => Some(found),
        (None, Some(_)) => {
            let asked = ask(client, previous, &flight, request, None, limit);
            let asked = tokio::time::timeout(limit, asked).await;
            asked.ok().and_then(Result::ok).map(|reply| reply.response)
        }
        (None, None) => None,
    };
    match response.filter(|response| response.status() == StatusCode::OK) {
        Some(response) => Some(Answer::new(flight, response)),
        None => {
            flight.withdraw();
            None
        }
    }
}
