//! Passing a sandbox on from the process that made it to the one that keeps it.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

use super::launch::Launched;
use crate::folder::Folder;
use crate::process::Process;

/// How long a message may be: a folder's path, and some words around it.
const MESSAGE_BYTES: usize = 8192;
/// The descriptors of a sandbox with an egress proxy, and the line to who waits for it.
const MOST_DESCRIPTORS: usize = 5;

/// The way to the keeper.
#[derive(Debug)]
pub(super) struct Door(OwnedFd);

/// A sandbox that was made, and who made it.
pub(super) struct Made {
    pub(super) folder: Folder,
    pub(super) launched: Launched,
    /// Who waits for its start.
    pub(super) parent: UnixStream,
    /// Its maker, a child of the keeper, which ends now.
    pub(super) maker: i32,
}

#[derive(Serialize, Deserialize)]
struct Message {
    folder: PathBuf,
    init: Process,
    maker: i32,
}

impl Door {
    /// The keeper's side, the makers' side.
    pub(super) fn pair() -> io::Result<(Self, Self)> {
        let kind = SocketType::SEQPACKET;
        let (inside, outside) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
        Ok((Self(inside), Self(outside)))
    }

    /// Gives a sandbox away.
    pub(super) fn give(&self, made: &Made) -> io::Result<()> {
        let message = serde_json::to_vec(&Message {
            folder: made.folder.path().to_owned(),
            init: made.launched.init,
            maker: made.maker,
        })?;
        let launched = &made.launched;
        let mut rights = vec![
            made.parent.as_fd(),
            launched.socket.as_fd(),
            launched.stdout.as_fd(),
            launched.stderr.as_fd(),
        ];
        rights.extend(launched.listener.as_ref().map(AsFd::as_fd));
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&rights));
        let parts = [IoSlice::new(&message)];
        sendmsg(&self.0, &parts, &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// The next sandbox; `None` when nobody is left who could give one.
    pub(super) fn take(&self) -> io::Result<Option<Made>> {
        let mut text = [0; MESSAGE_BYTES];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut text)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let length = recvmsg(&self.0, &mut parts, &mut control, flags)?.bytes;
        if length == 0 {
            return Ok(None);
        }
        let message: Message = serde_json::from_slice(&text[..length])?;
        let mut descriptors = control.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => fds.collect::<Vec<_>>(),
            _ => Vec::new(),
        });
        let mut next = || descriptors.next().ok_or(io::ErrorKind::InvalidData);
        let parent = UnixStream::from(next()?);
        let launched = Launched {
            init: message.init,
            socket: next()?,
            stdout: next()?,
            stderr: next()?,
            listener: next().ok().map(TcpListener::from),
        };
        Ok(Some(Made {
            folder: Folder::at(message.folder),
            launched,
            parent,
            maker: message.maker,
        }))
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
