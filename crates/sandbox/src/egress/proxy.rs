//! The proxy itself: accepts, and gives each connection its turn.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::instance::DeniedEgress;
use nix::sys::time::TimeSpec;
use nix::sys::timer::TimerSetTimeFlags;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags};
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};

use super::connection::{Connection, Shared, Watch};
use super::denied::Denied;
use super::relay::BUFFER_BYTES;
use super::resolver::{Resolver, ring};
use super::rules::Rules;

/// How many clients are served at once; the kernel lets some more wait.
pub(super) const MAX_CONNECTIONS: usize = 64;
/// How long no client is accepted after the machine had no descriptor left for one.
const PAUSE: Duration = Duration::from_secs(1);

/// Not a connection's place: the listener, the resolver's bell, the timer.
const LISTENER: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;
const TIMER: u64 = u64::MAX - 2;

/// An egress proxy that a single-threaded supervisor drives from its own poll loop.
pub struct Proxy {
    epoll: OwnedFd,
    listener: TcpListener,
    listening: Listening,
    timer: TimerFd,
    /// When the timer rings.
    armed: Option<Instant>,
    bell: Arc<OwnedFd>,
    rules: Rules,
    resolver: Resolver,
    /// As many places as were needed at once since all were free.
    connections: Vec<Option<Connection>>,
    denied: Denied,
}

/// Whether new clients are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listening {
    Open,
    /// Until a connection ends.
    Full,
    /// Until this moment.
    Paused(Instant),
}

impl Proxy {
    /// Serves the clients of `listener`, which may have been bound in another network namespace;
    /// connections go out from the caller's own.
    ///
    /// Fails when the kernel gives no epoll, eventfd or timerfd.
    pub fn new(listener: TcpListener, rules: Rules) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        let bell = Arc::new(eventfd(0, flags)?);
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        let input = epoll::EventFlags::IN;
        epoll::add(
            &epoll,
            &listener,
            epoll::EventData::new_u64(LISTENER),
            input,
        )?;
        epoll::add(&epoll, &*bell, epoll::EventData::new_u64(BELL), input)?;
        epoll::add(&epoll, &timer, epoll::EventData::new_u64(TIMER), input)?;
        Ok(Self {
            epoll,
            listener,
            listening: Listening::Open,
            timer,
            armed: None,
            resolver: Resolver::new(bell.clone()),
            bell,
            rules,
            connections: Vec::new(),
            denied: Denied::default(),
        })
    }

    /// Readable when [`Proxy::turn`] has something to do. It stays the same.
    pub fn poll_fd(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }

    /// Does what is ready, and never waits. Trouble of a single connection ends that one only.
    ///
    /// Fails when the kernel refuses what it granted before: epoll or the timer.
    pub fn turn(&mut self) -> io::Result<()> {
        let now = Instant::now();
        for token in self.ready()? {
            match token {
                LISTENER => self.accept(now)?,
                BELL => self.answers(now),
                TIMER => self.expire(now),
                place => self.advance(place, now),
            }
        }
        self.listen_when_possible(now)?;
        self.arm(now)?;
        if self.connections.iter().all(Option::is_none) {
            self.connections = Vec::new();
        }
        Ok(())
    }

    /// What was denied since the last call, each host and port once, at most 256 in all.
    pub fn take_denied(&mut self) -> Vec<DeniedEgress> {
        self.denied.take()
    }

    /// Takes `addresses` for what `host` resolved to just now.
    #[cfg(test)]
    pub(super) fn learn(&mut self, host: &str, addresses: &[std::net::IpAddr]) {
        self.resolver.keep(host, addresses, Instant::now());
    }

    fn ready(&self) -> io::Result<Vec<u64>> {
        let mut events = Vec::with_capacity(MAX_CONNECTIONS);
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let room = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, room, Some(&at_once)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let tokens = events.iter().map(|event: &epoll::Event| event.data.u64());
        Ok(tokens.collect())
    }

    /// Lets clients in, as many as there are places.
    fn accept(&mut self, now: Instant) -> io::Result<()> {
        while self.listening == Listening::Open {
            let Some(place) = self.free_place() else {
                return self.listen(Listening::Full);
            };
            match self.listener.accept() {
                Ok((client, _)) => self.welcome(client, place, now),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(()),
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => return self.listen(Listening::Paused(now + PAUSE)),
                },
            }
        }
        Ok(())
    }

    fn free_place(&mut self) -> Option<usize> {
        let free = self.connections.iter().position(Option::is_none);
        if free.is_none() && self.connections.len() < MAX_CONNECTIONS {
            self.connections.push(None);
            return Some(self.connections.len() - 1);
        }
        free
    }

    fn welcome(&mut self, client: TcpStream, place: usize, now: Instant) {
        let token = place as u64;
        let epoll = &self.epoll;
        let ready = client
            .set_nonblocking(true)
            .and_then(|()| client.set_nodelay(true))
            .and_then(|()| Watch { epoll, token }.add(&client));
        if ready.is_ok() {
            self.connections[place] = Some(Connection::new(client, now));
        }
    }

    fn advance(&mut self, token: u64, now: Instant) {
        self.each_turn(token, now, Connection::advance);
    }

    fn answers(&mut self, now: Instant) {
        let mut count = [0; 8];
        // Empty or not, what the bell rang for is looked at next.
        let _ = rustix::io::read(&*self.bell, &mut count);
        for (host, found) in self.resolver.answers(now) {
            for place in self.places(|connection| connection.waits_for(&host)) {
                self.each_turn(place, now, |connection, shared| {
                    connection.resolved(&found, shared)
                });
            }
        }
        for place in self.places(Connection::has_more) {
            self.advance(place, now);
        }
    }

    fn expire(&mut self, now: Instant) {
        // The timer may have been set anew since it rang; what is late is looked at in any case.
        let _ = rustix::io::read(&self.timer, &mut [0; 8]);
        self.armed = None;
        for place in self.places(|connection| connection.deadline() <= now) {
            self.each_turn(place, now, Connection::expire);
        }
    }

    fn places(&self, wanted: impl Fn(&Connection) -> bool) -> Vec<u64> {
        let places = self.connections.iter().zip(0..);
        let wanted = |(place, token): (&Option<Connection>, u64)| {
            place.as_ref().filter(|&found| wanted(found)).map(|_| token)
        };
        places.filter_map(wanted).collect()
    }

    /// Takes a connection from its place, and puts back what `act` leaves of it.
    fn each_turn(
        &mut self,
        token: u64,
        now: Instant,
        act: impl FnOnce(Connection, &mut Shared<'_>) -> Option<Connection>,
    ) {
        let place = usize::try_from(token).ok();
        let place = place.and_then(|place| self.connections.get_mut(place));
        let Some((place, connection)) = place.and_then(|p| p.take().map(|found| (p, found))) else {
            return;
        };
        // On the stack: hundreds of proxies wait most of the time.
        let mut scratch = [0; BUFFER_BYTES];
        let mut shared = Shared {
            rules: &self.rules,
            resolver: &mut self.resolver,
            denied: &mut self.denied,
            scratch: &mut scratch,
            watch: Watch {
                epoll: &self.epoll,
                token,
            },
            now,
        };
        *place = act(connection, &mut shared);
        if place.as_ref().is_some_and(Connection::has_more) {
            ring(&self.bell);
        }
    }

    fn listen_when_possible(&mut self, now: Instant) -> io::Result<()> {
        let open = match self.listening {
            Listening::Open => return Ok(()),
            Listening::Full => self.free_place().is_some(),
            Listening::Paused(until) => until <= now,
        };
        match open {
            true => self.listen(Listening::Open),
            false => Ok(()),
        }
    }

    fn listen(&mut self, listening: Listening) -> io::Result<()> {
        let flags = match listening {
            Listening::Open => epoll::EventFlags::IN,
            Listening::Full | Listening::Paused(_) => epoll::EventFlags::empty(),
        };
        let data = epoll::EventData::new_u64(LISTENER);
        epoll::modify(&self.epoll, &self.listener, data, flags)?;
        self.listening = listening;
        Ok(())
    }

    /// Sets the timer to the earliest deadline, unless it rings before that anyway.
    fn arm(&mut self, now: Instant) -> io::Result<()> {
        let paused = match self.listening {
            Listening::Paused(until) => Some(until),
            Listening::Open | Listening::Full => None,
        };
        let deadlines = self.connections.iter().flatten().map(Connection::deadline);
        let Some(next) = deadlines.chain(paused).min() else {
            return Ok(());
        };
        if self.armed.is_some_and(|armed| armed <= next) {
            return Ok(());
        }
        let wait = next
            .saturating_duration_since(now)
            .max(Duration::from_millis(1));
        let wait = Expiration::OneShot(TimeSpec::from_duration(wait));
        self.timer.set(wait, TimerSetTimeFlags::empty())?;
        self.armed = Some(next);
        Ok(())
    }
}
