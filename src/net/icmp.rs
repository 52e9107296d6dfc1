//! ICMP errors of a TCP connect, read from the socket's error queue (Linux, no privilege needed).
//!
//! `IP_RECVERR` before the connect, `MSG_ERRQUEUE` after it failed: the kernel hands out type, code and sender of the
//! ICMP error. That is what tells a firewall's REJECT from a closed port, although both are `ECONNREFUSED`.

use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt,
    sockopt::{Ipv4RecvErr, Ipv6RecvErr},
};
use socket2::Socket;

use crate::evidence::IcmpError;

/// Asks the kernel to keep ICMP errors, or (`false`) to treat them as usual again: on a connection that carries FTP a
/// passing ICMP error would otherwise look like its end.
pub(super) fn keep_errors(socket: &Socket, ipv6: bool, keep: bool) {
    // A kernel that cannot do it answers with the plain errno, which is still an outcome.
    let _ = if ipv6 {
        setsockopt(&socket.as_fd(), Ipv6RecvErr, &keep)
    } else {
        setsockopt(&socket.as_fd(), Ipv4RecvErr, &keep)
    };
}

/// The ICMP error that ended the connect, if one did.
pub(super) fn take_error(socket: &Socket) -> Option<IcmpError> {
    let mut quoted = [0; 256];
    let mut parts = [IoSliceMut::new(&mut quoted)];
    let mut control = nix::cmsg_space!(nix::libc::sock_extended_err, nix::libc::sockaddr_in6);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags).ok()?;
    message.cmsgs().ok()?.find_map(|entry| match entry {
        ControlMessageOwned::Ipv4RecvErr(error, sender) => Some(IcmpError {
            kind: error.ee_type,
            code: error.ee_code,
            sender: sender.map(|from| IpAddr::V4(Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr)))),
        }),
        ControlMessageOwned::Ipv6RecvErr(error, sender) => Some(IcmpError {
            kind: error.ee_type,
            code: error.ee_code,
            sender: sender.map(|from| IpAddr::V6(Ipv6Addr::from(from.sin6_addr.s6_addr))),
        }),
        _ => None,
    })
}
