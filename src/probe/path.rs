//! The way to the server, hop by hop, without privileges and without using a listener up.
//!
//! How far away the server is is learned on the control connection itself: a NOOP whose packets live for `n` hops is
//! answered at once if the server is that near, and only after the kernel's retransmission if not. SYNs to data ports
//! are then sent with every shorter life: none of them reaches the server.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::{join_all, join3};

use super::Session;
use crate::clock::Deadline;
use crate::evidence::{Answer, Connect, Hop, Walk};
use crate::ftp::Command;

/// Farther away than this nothing on the internet is.
const FARTHEST: u8 = 40;

/// What a reply may take on top of one and a half round trips before it counts as not come. Less than the kernel's
/// shortest retransmission time (200 ms), so that a retransmitted NOOP is told from the first.
const GRACE: Duration = Duration::from_millis(80);

/// A port that no FTP server announces by chance while it is asked: what the far end does with a port of no use.
const UNRELATED: u16 = 39_877;

/// Room for one SYN retransmission: routers answer slowly, and one packet may be lost.
const WALK_PATIENCE: Duration = Duration::from_millis(1_150);

impl Session<'_> {
    /// Learns how many hops away the holder of the control connection is, and adds it to the evidence. It takes some
    /// NOOPs, each of which the server answers.
    pub async fn measure_distance(&mut self) {
        let known = self.network.known_distance(self.endpoint().address);
        let distance = match known {
            Some(distance) => Some(distance),
            None => self.search_distance().await,
        };
        self.endpoint_mut().path.get_or_insert_default().distance = distance;
    }

    /// Bisection: the smallest life with which a NOOP is answered in time.
    async fn search_distance(&mut self) -> Option<u8> {
        if self.reaches(1).await? {
            return Some(1);
        }
        let (mut short, mut enough) = (1, FARTHEST);
        while enough - short > 1 {
            // Most servers are 8 to 16 hops away: begin low, where a miss costs no more than a hit.
            let middle =
                if enough == FARTHEST { (short * 2).clamp(4, FARTHEST - 1) } else { short.midpoint(enough) };
            if self.reaches(middle).await? {
                enough = middle;
            } else {
                short = middle;
            }
        }
        // A lost packet would have made the way longer than it is: the last step is made sure of.
        if short > 1 && self.reaches(short).await? {
            None
        } else {
            Some(enough).filter(|hops| *hops < FARTHEST)
        }
    }

    /// Whether a command gets there with that life; `None` if the connection was lost over it.
    async fn reaches(&mut self, hops: u8) -> Option<bool> {
        let soon = self.rtt() + self.rtt() / 2 + GRACE;
        let later = Duration::from_secs(3) + self.rtt() * 2;
        let deadline = Deadline::after(self.left());
        let control = self.control()?;
        control.stream().limit_hops(Some(hops));
        let answer = control.ask(&Command::Noop, deadline.cap(soon)).await;
        control.stream().limit_hops(None);
        let answer = match answer {
            Answer::Silence { .. } => control.answer(deadline.cap(later)).await,
            at_once => {
                self.note_loss("NOOP", &at_once);
                return at_once.reply().map(|_| true);
            }
        };
        self.note_loss("NOOP", &answer);
        answer.reply().map(|_| false)
    }

    /// Walks towards a data port, and towards the control port to learn which hops answer at all, and adds both to the
    /// evidence. Needs the distance.
    pub async fn walk_both(&mut self, to: SocketAddr) {
        let unrelated = SocketAddr::new(to.ip(), UNRELATED);
        let (data, control, unrelated) =
            join3(self.walk(to), self.walk(self.control_address()), self.touch(unrelated)).await;
        let path = self.endpoint_mut().path.get_or_insert_default();
        path.data.extend(data);
        path.control = control;
        path.unrelated = unrelated;
    }

    /// One SYN that lives as long as it must. Needs the distance.
    async fn touch(&self, to: SocketAddr) -> Option<Connect> {
        let distance = self.endpoint().path.as_ref()?.distance?;
        let patience = (WALK_PATIENCE + self.rtt() * 2).min(self.left());
        Some(self.network.syn(to, distance, patience).await)
    }

    /// Walks towards a port with every life that ends before the server, all at once.
    async fn walk(&self, to: SocketAddr) -> Option<Walk> {
        let distance = self.endpoint().path.as_ref()?.distance?;
        let patience = (WALK_PATIENCE + self.rtt() * 2).min(self.left());
        let hops = (1..distance).map(|ttl| async move {
            let connect = self.network.syn(to, ttl, patience).await;
            Hop { ttl, outcome: connect.outcome }
        });
        Some(Walk { to, hops: join_all(hops).await })
    }
}
