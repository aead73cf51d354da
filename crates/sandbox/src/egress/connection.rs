//! One client of the proxy, from its first byte to its last.

use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::epoll;

use super::denied::Denied;
use super::head::{self, MAX_HEAD_BYTES, Request, Way};
use super::outward::{Dial, Dialled};
use super::refusal::Refusal;
use super::relay::{Pipe, Progress, stuck_or};
use super::resolver::{Found, Resolver};
use super::rules::Rules;

/// What a client of `CONNECT` hears when its tunnel is there.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
/// How many steps a connection may take while others wait.
const STEPS_IN_TURN: usize = 32;
/// How much of a refused request's body is read away, so that its sender hears the answer.
const MOST_DRAINED_BYTES: u64 = 1024 * 1024;

/// A client, and what is being done for it.
#[derive(Debug)]
pub(super) struct Connection {
    client: TcpStream,
    state: State,
    deadline: Instant,
    share: Share,
}

/// Whether a connection stopped because nothing was ready, or to let others go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    Waits,
    HasMore,
}

/// What a connection waits for.
#[derive(Debug)]
enum State {
    /// The rest of the head.
    Head(Vec<u8>),
    /// The addresses of the host.
    Resolving(Outgoing),
    /// An address to answer.
    Dialling {
        outgoing: Outgoing,
        dial: Dial,
        upstream: TcpStream,
    },
    /// Bytes.
    Relaying {
        upstream: TcpStream,
        up: Pipe,
        down: Pipe,
        ends: Ends,
    },
    /// The client to take the last answer and to close.
    Closing { last: Pipe, drained: u64 },
}

/// A request that may go out, and what the client sent after its head.
#[derive(Debug)]
struct Outgoing {
    request: Request,
    early: Vec<u8>,
}

/// When a relay is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Both sides have ended: a tunnel.
    WithBoth,
    /// The response has ended: a plain request.
    WithResponse,
}

/// What a step led to.
enum Step {
    /// Another step may be possible now.
    Go(State),
    /// Nothing to do until something is ready.
    Wait(State),
    /// The connection is over.
    Gone,
}

/// What connections share.
pub(super) struct Shared<'a> {
    pub(super) rules: &'a Rules,
    pub(super) resolver: &'a mut Resolver,
    pub(super) denied: &'a mut Denied,
    pub(super) scratch: &'a mut [u8],
    pub(super) watch: Watch<'a>,
    pub(super) now: Instant,
}

/// Adds a connection's sockets to the proxy's epoll.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    pub(super) epoll: &'a OwnedFd,
    pub(super) token: u64,
}

impl Watch<'_> {
    /// Edge-triggered, once for the life of the socket: each step tries until it would block.
    pub(super) fn add(self, socket: &TcpStream) -> std::io::Result<()> {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        let data = epoll::EventData::new_u64(self.token);
        Ok(epoll::add(self.epoll, socket, data, flags)?)
    }
}

impl State {
    /// How long nothing may happen.
    fn patience(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Head(_) | Self::Resolving(_) => 30,
            Self::Dialling { .. } => 8,
            Self::Relaying { .. } => 300,
            Self::Closing { .. } => 5,
        })
    }

    fn refusing(refusal: &Refusal) -> Self {
        Self::Closing {
            last: Pipe::last(refusal.bytes()),
            drained: 0,
        }
    }
}

impl Connection {
    /// Takes on a client.
    pub(super) fn new(client: TcpStream, now: Instant) -> Self {
        Self::at(client, State::Head(Vec::new()), now)
    }

    fn at(client: TcpStream, state: State, now: Instant) -> Self {
        Self {
            client,
            deadline: now + state.patience(),
            state,
            share: Share::HasMore,
        }
    }

    /// When it has waited long enough.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether it could go on although nothing new is ready.
    pub(super) fn has_more(&self) -> bool {
        self.share == Share::HasMore
    }

    /// Whether it waits for the addresses of `host`.
    pub(super) fn waits_for(&self, host: &str) -> bool {
        matches!(&self.state, State::Resolving(outgoing) if outgoing.request.host == host)
    }

    /// Does what its sockets are ready for. `None` when it is over.
    pub(super) fn advance(mut self, shared: &mut Shared<'_>) -> Option<Self> {
        for _ in 0..STEPS_IN_TURN {
            match step(&self.client, self.state, shared) {
                Step::Gone => return None,
                Step::Go(state) => self = Self::at(self.client, state, shared.now),
                Step::Wait(state) => {
                    let share = Share::Waits;
                    return Some(Self {
                        state,
                        share,
                        ..self
                    });
                }
            }
        }
        Some(self)
    }

    /// Goes on with what the resolver found.
    pub(super) fn resolved(self, found: &Found, shared: &mut Shared<'_>) -> Option<Self> {
        let state = match self.state {
            State::Resolving(outgoing) => dial(outgoing, found, shared),
            state => state,
        };
        Self::at(self.client, state, shared.now).advance(shared)
    }

    /// Ends a wait that took too long, in words when the client can still hear them.
    pub(super) fn expire(self, shared: &mut Shared<'_>) -> Option<Self> {
        let state = match self.state {
            State::Resolving(outgoing) => {
                State::refusing(&Refusal::too_slow(&outgoing.request.host))
            }
            State::Dialling {
                outgoing, mut dial, ..
            } => {
                dial.failed(std::io::ErrorKind::TimedOut.into());
                next_address(outgoing, dial, shared)
            }
            State::Head(_) | State::Relaying { .. } | State::Closing { .. } => return None,
        };
        Self::at(self.client, state, shared.now).advance(shared)
    }
}

fn step(client: &TcpStream, state: State, shared: &mut Shared<'_>) -> Step {
    match state {
        State::Head(head) => read_head(client, head, shared),
        State::Resolving(_) => Step::Wait(state),
        State::Dialling {
            outgoing,
            dial,
            upstream,
        } => await_address(outgoing, dial, upstream, shared),
        State::Relaying { .. } => relay(client, state, shared),
        State::Closing { last, drained } => close(client, last, drained, shared),
    }
}

fn read_head(mut client: &TcpStream, mut head: Vec<u8>, shared: &mut Shared<'_>) -> Step {
    let room = MAX_HEAD_BYTES.saturating_sub(head.len());
    let most = room.min(shared.scratch.len());
    let count = match client.read(&mut shared.scratch[..most]) {
        Ok(0) => return Step::Gone,
        Ok(count) => count,
        Err(error) => return after_read(stuck_or(error), State::Head(head)),
    };
    let seen = head.len();
    head.extend_from_slice(&shared.scratch[..count]);
    match head::end(&head, seen) {
        Some(end) => {
            let early = head.split_off(end);
            Step::Go(begin(&head, early, shared))
        }
        None if head.len() >= MAX_HEAD_BYTES => {
            Step::Go(State::refusing(&Refusal::head_too_large()))
        }
        None => Step::Go(State::Head(head)),
    }
}

fn after_read(outcome: std::io::Result<Progress>, state: State) -> Step {
    match outcome {
        Ok(Progress::Moved) => Step::Go(state),
        Ok(Progress::Stuck) => Step::Wait(state),
        Err(_) => Step::Gone,
    }
}

/// Decides about a request, and begins to serve it.
fn begin(head: &[u8], early: Vec<u8>, shared: &mut Shared<'_>) -> State {
    let request = match head::parse(head) {
        Ok(request) => request,
        Err(refusal) => return State::refusing(&refusal),
    };
    if !shared.rules.allows(&request.host, request.port) {
        shared.denied.note(&request.host, request.port);
        let refusal = Refusal::not_allowed(&request.host, request.port);
        return State::refusing(&refusal);
    }
    let outgoing = Outgoing { request, early };
    match shared.resolver.look_up(&outgoing.request.host, shared.now) {
        Some(found) => dial(outgoing, &found, shared),
        None => State::Resolving(outgoing),
    }
}

/// Dials those addresses that the rules permit. They are the ones that were checked: the name is
/// not looked up again, so it cannot lead elsewhere in between.
fn dial(outgoing: Outgoing, found: &Found, shared: &mut Shared<'_>) -> State {
    let (host, port) = (&outgoing.request.host, outgoing.request.port);
    let found = match found {
        Ok(found) => found,
        Err(why) => return State::refusing(&Refusal::unreachable(host, why)),
    };
    let permitted: Vec<SocketAddr> = found
        .iter()
        .map(|&address| SocketAddr::new(address, port))
        .filter(|&address| shared.rules.may_dial(host, address))
        .collect();
    match (permitted.is_empty(), found.first()) {
        (true, Some(&private)) => State::refusing(&refuse_private(host, private, port, shared)),
        _ => next_address(outgoing, Dial::new(permitted), shared),
    }
}

/// What would have to be allowed is the address, not the name that already is.
fn refuse_private(host: &str, address: IpAddr, port: u16, shared: &mut Shared<'_>) -> Refusal {
    let address = address.to_string();
    shared.denied.note(&address, port);
    Refusal::private(host, &address, port)
}

fn next_address(outgoing: Outgoing, mut dial: Dial, shared: &mut Shared<'_>) -> State {
    while let Some(upstream) = dial.next() {
        match shared.watch.add(&upstream) {
            Ok(()) => {
                return State::Dialling {
                    outgoing,
                    dial,
                    upstream,
                };
            }
            Err(error) => dial.failed(error),
        }
    }
    let refusal = Refusal::unreachable(&outgoing.request.host, &dial.why());
    State::refusing(&refusal)
}

fn await_address(
    outgoing: Outgoing,
    mut dial: Dial,
    upstream: TcpStream,
    shared: &mut Shared<'_>,
) -> Step {
    match Dialled::of(&upstream) {
        Dialled::Connected => Step::Go(relaying(outgoing, upstream)),
        Dialled::Waiting => Step::Wait(State::Dialling {
            outgoing,
            dial,
            upstream,
        }),
        Dialled::Failed(error) => {
            dial.failed(error);
            Step::Go(next_address(outgoing, dial, shared))
        }
    }
}

fn relaying(outgoing: Outgoing, upstream: TcpStream) -> State {
    // Handshakes are small writes; one that fails is slow, not wrong.
    let _ = upstream.set_nodelay(true);
    let early = outgoing.early;
    let (up, down, ends) = match outgoing.request.way {
        Way::Tunnel => (
            Pipe::new(early),
            Pipe::new(ESTABLISHED.to_vec()),
            Ends::WithBoth,
        ),
        Way::Forward { head, body_bytes } => (
            Pipe::request(head, early, body_bytes),
            Pipe::new(Vec::new()),
            Ends::WithResponse,
        ),
    };
    State::Relaying {
        upstream,
        up,
        down,
        ends,
    }
}

fn relay(client: &TcpStream, state: State, shared: &mut Shared<'_>) -> Step {
    let State::Relaying {
        upstream,
        mut up,
        mut down,
        ends,
    } = state
    else {
        return Step::Wait(state);
    };
    let sent = up.carry(client, &upstream, shared.scratch);
    let received = down.carry(&upstream, client, shared.scratch);
    let (Ok(sent), Ok(received)) = (sent, received) else {
        reset(client);
        return Step::Gone;
    };
    match ends {
        Ends::WithBoth if up.is_finished() && down.is_finished() => return Step::Gone,
        Ends::WithResponse if down.is_finished() => {
            return Step::Go(State::Closing {
                last: down,
                drained: 0,
            });
        }
        Ends::WithBoth | Ends::WithResponse => {}
    }
    let state = State::Relaying {
        upstream,
        up,
        down,
        ends,
    };
    match (sent, received) {
        (Progress::Stuck, Progress::Stuck) => Step::Wait(state),
        _ => Step::Go(state),
    }
}

/// Lets the client see that what it has is not the whole: an orderly end would say that it is.
fn reset(client: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO));
}

/// Sends what is left to say, then reads until the client closes: a socket that is closed with
/// unread bytes is reset, and the client would not hear the answer.
fn close(mut client: &TcpStream, mut last: Pipe, drained: u64, shared: &mut Shared<'_>) -> Step {
    if !last.is_finished() {
        let said = last.carry(client, client, shared.scratch);
        return after_read(said, State::Closing { last, drained });
    }
    match client.read(shared.scratch) {
        Ok(0) => Step::Gone,
        Ok(_) if drained > MOST_DRAINED_BYTES => Step::Gone,
        Ok(count) => Step::Go(State::Closing {
            last,
            drained: drained + count as u64,
        }),
        Err(error) => after_read(stuck_or(error), State::Closing { last, drained }),
    }
}
