//! Looks names up without holding up the connections that need none.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long an answer is used again.
const KEPT: Duration = Duration::from_secs(30);
/// How long an answer stands in when a name server gives none.
const KEPT_AS_LAST_RESORT: Duration = Duration::from_secs(600);
/// How often a look-up is tried: name servers lose questions when they are busy.
const TRIES: u32 = 3;
/// How many answers are kept.
const MOST_KEPT: usize = 64;
/// The C library's resolver needs little; the default of a thread would be 8 MiB of addresses.
const STACK_BYTES: usize = 512 * 1024;

/// What a look-up found, or why it found nothing.
pub(super) type Found = Result<Vec<IpAddr>, String>;

/// A host that was looked up, and what was found.
type Answer = (String, Found);

/// One short-lived thread for each look-up. Only hosts that the rules allow are looked up, so
/// their list bounds the threads, and no name can carry data out.
pub(super) struct Resolver {
    wake: Arc<OwnedFd>,
    answers: Receiver<Answer>,
    answer: Sender<Answer>,
    under_way: HashSet<String>,
    kept: HashMap<String, (Instant, Vec<IpAddr>)>,
}

impl Resolver {
    /// A resolver that writes to the eventfd `wake` when an answer is there.
    pub(super) fn new(wake: Arc<OwnedFd>) -> Self {
        let (answer, answers) = mpsc::channel();
        Self {
            wake,
            answers,
            answer,
            under_way: HashSet::new(),
            kept: HashMap::new(),
        }
    }

    /// The addresses of `host` when they are known; else they come from [`Resolver::answers`].
    pub(super) fn look_up(&mut self, host: &str, now: Instant) -> Option<Found> {
        if let Ok(literal) = host.parse() {
            return Some(Ok(vec![literal]));
        }
        let fresh = |since: &Instant| now.saturating_duration_since(*since) < KEPT;
        if let Some((since, addresses)) = self.kept.get(host)
            && fresh(since)
        {
            return Some(Ok(addresses.clone()));
        }
        if self.under_way.contains(host) {
            return None;
        }
        match self.start(host) {
            Ok(()) => {
                self.under_way.insert(host.to_owned());
                None
            }
            Err(error) => Some(Err(format!("no thread can be started: {error}"))),
        }
    }

    fn start(&self, host: &str) -> io::Result<()> {
        let (answer, wake, host) = (self.answer.clone(), self.wake.clone(), host.to_owned());
        let look_up = move || {
            let found = look_up(&host);
            let found = found.map(|all| all.map(|address| address.ip()).collect());
            let told = answer.send((host, found.map_err(|error| error.to_string())));
            if told.is_ok() {
                ring(&wake);
            }
        };
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn(look_up).map(drop)
    }

    /// The answers that came in since the last call.
    pub(super) fn answers(&mut self, now: Instant) -> Vec<Answer> {
        let mut answers: Vec<_> = self.answers.try_iter().collect();
        for (host, found) in &mut answers {
            self.under_way.remove(host);
            match found {
                Ok(addresses) => self.keep(host, addresses, now),
                Err(_) => {
                    if let Some(addresses) = self.last_resort(host, now) {
                        *found = Ok(addresses);
                    }
                }
            }
        }
        answers
    }

    fn last_resort(&self, host: &str, now: Instant) -> Option<Vec<IpAddr>> {
        let (since, addresses) = self.kept.get(host)?;
        let age = now.saturating_duration_since(*since);
        (age < KEPT_AS_LAST_RESORT).then(|| addresses.clone())
    }

    /// Remembers the addresses of `host` as found at `now`.
    pub(super) fn keep(&mut self, host: &str, addresses: &[IpAddr], now: Instant) {
        if self.kept.len() >= MOST_KEPT {
            self.kept.clear();
        }
        let kept = (now, addresses.to_vec());
        self.kept.insert(host.to_owned(), kept);
    }
}

fn look_up(host: &str) -> io::Result<impl Iterator<Item = std::net::SocketAddr>> {
    let mut found = (host, 0).to_socket_addrs();
    for _ in 1..TRIES {
        if found.is_ok() {
            break;
        }
        found = (host, 0).to_socket_addrs();
    }
    found
}

/// Makes an eventfd readable. It cannot fail in a way that matters: a full counter is readable.
pub(super) fn ring(wake: &OwnedFd) {
    let _ = rustix::io::write(wake, &1u64.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_answer_stands_in_for_a_name_server_that_is_silent() {
        let wake = rustix::event::eventfd(0, rustix::event::EventfdFlags::NONBLOCK);
        let mut resolver = Resolver::new(Arc::new(wake.expect("an eventfd")));
        let address = IpAddr::from([192, 0, 2, 7]);
        let then = Instant::now();
        resolver.keep("shop.test", &[address], then);
        let silence = || ("shop.test".to_owned(), Err("no answer".to_owned()));
        for (age, expected) in [
            (KEPT * 2, Ok(vec![address])),
            (KEPT_AS_LAST_RESORT, Err("no answer".to_owned())),
        ] {
            resolver.answer.send(silence()).expect("sent");
            let answers = resolver.answers(then + age);
            assert_eq!(answers, [("shop.test".to_owned(), expected)], "{age:?}");
        }
    }
}
