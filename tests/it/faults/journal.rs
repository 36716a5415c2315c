//! The record of a run: every call with its attempts and answers, every frame that each follower received,
//! and the store as the API shows it at the end. Plain data, so that the checker is a pure function of it.

use std::fmt::Write as _;

/// Microseconds since the run began.
pub type Micros = u64;

/// Everything that happened in one run.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Messages sent, each with all of its attempts.
    pub calls: Vec<Call>,
    /// Subscribers, across all of their connections.
    pub followers: Vec<Follower>,
    /// Sessions that several people tried to accept.
    pub contests: Vec<Contest>,
    /// Reads of a chat's messages up to the newest, page by page.
    pub walks: Vec<Walk>,
    /// The final state of each chat, in the order of the chats' numbers.
    pub store: Vec<StoredChat>,
    /// Presences that ended although their sockets were open or came back in time.
    pub expired: Vec<String>,
    /// What did not happen within its generous bound after the last fault was healed.
    pub late: Vec<String>,
    /// Answers that the API never promises: `INTERNAL`, or a body that is not GraphQL.
    pub broken: Vec<String>,
}

/// A message that a writer sent, retried under the same `externalId` until it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Number of the chat.
    pub chat: usize,
    /// The `externalId`, unique in the run.
    pub external_id: String,
    /// Attempts, oldest first; never empty.
    pub attempts: Vec<Attempt>,
}

/// One request of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub started: Micros,
    pub ended: Micros,
    pub outcome: Outcome,
}

/// The client's knowledge after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The message is stored: its global id and its sequence.
    Acknowledged { id: String, sequence: i64 },
    /// A `userErrors` code: nothing is stored.
    Refused { code: String },
    /// No answer, or one that leaves it open, such as `UNAVAILABLE`.
    Unknown { cause: String },
}

/// One subscription, resumed with its newest cursor each time its connection broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// Name for reports.
    pub name: String,
    /// Number of the chat, or for a feed the number of chats that it covers: those from 0 on.
    pub chat: usize,
    /// Which subscription it is.
    pub kind: Stream,
    /// Log position after which it must see everything; `None` until the first reset told it.
    pub from: Option<i64>,
    /// Frames in the order of arrival.
    pub frames: Vec<Frame>,
    /// Times that the server ended the subscription in a way that client libraries do not retry.
    pub ended: Vec<String>,
    /// The head of the chat at the end, if the follower caught up with it. If it did not, missing events are late
    /// and not necessarily lost.
    pub reached: Option<i64>,
}

/// A kind of subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// `messageAdded`: the messages of the chat.
    Messages,
    /// `chatEvents` as staff: every entry of the chat's log.
    Events,
    /// `chatChanged` of the room: the state of all chats. May repeat, and must not leave out.
    Room,
    /// `viewerEvents` of somebody who writes in the shared chats: the state of these.
    Viewer,
}

/// One `next` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub at: Micros,
    /// Number of the connection, from 0.
    pub connection: u32,
    /// Log position of the frame's cursor; `None` for a frame without a cursor.
    pub position: Option<i64>,
    pub change: Change,
}

/// The content of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A message was added.
    Message(Shown),
    /// The state of a chat in a feed.
    State { chat: usize, message_count: usize },
    /// Another entry of the log, by its type name.
    Entry(String),
    /// The stream starts over; `is_first` for the reset of a stream that began without a cursor.
    Reset { is_first: bool },
    /// An answer with errors, by its code.
    Failed(String),
}

/// A message as it was shown or stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shown {
    pub sequence: i64,
    pub id: String,
    /// The `externalId`, which the text of each message begins with; empty for system messages.
    pub external_id: String,
}

/// Several people accept one session at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// The session's id.
    pub session: String,
    /// Names of those whose accept was acknowledged.
    pub winners: Vec<String>,
    /// How many never learned what came of their accept.
    pub unknown: usize,
    /// Name of who accepted according to the final store, if anybody did.
    pub stored: Option<String>,
}

/// A read of a chat's messages by pages, up to the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    pub chat: usize,
    /// Sequence after which it began.
    pub from: i64,
    pub started: Micros,
    pub ended: Micros,
    pub shown: Vec<Shown>,
}

/// A chat as the API shows it at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredChat {
    /// Position of the newest entry of the log.
    pub head: i64,
    /// All messages, oldest first.
    pub messages: Vec<Shown>,
    /// `Chat.messageCount`: messages that somebody wrote.
    pub message_count: usize,
}

impl Stream {
    /// Whether it carries the state of chats, and not the history of one.
    pub fn is_feed(self) -> bool {
        matches!(self, Self::Room | Self::Viewer)
    }
}

impl Call {
    /// The answer of the attempt that succeeded, if one did.
    pub fn acknowledged(&self) -> Option<(&Attempt, &str, i64)> {
        self.attempts.iter().find_map(|attempt| match &attempt.outcome {
            Outcome::Acknowledged { id, sequence } => Some((attempt, id.as_str(), *sequence)),
            Outcome::Refused { .. } | Outcome::Unknown { .. } => None,
        })
    }

    /// When the first attempt started.
    pub fn started(&self) -> Micros {
        self.attempts.first().map_or(0, |attempt| attempt.started)
    }
}

impl Journal {
    /// The journal as lines of text, one for each call, frame, contest and walk.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for call in &self.calls {
            for Attempt { started, ended, outcome } in &call.attempts {
                let _ = writeln!(
                    text,
                    "call chat={} {} {started}..{ended} {outcome:?}",
                    call.chat, call.external_id
                );
            }
        }
        for follower in &self.followers {
            let Follower { name, chat, kind, from, frames, ended, reached } = follower;
            let _ = writeln!(
                text,
                "follower {name} chat={chat} {kind:?} from={from:?} reached={reached:?} ended={ended:?}"
            );
            for Frame { at, connection, position, change } in frames {
                let _ = writeln!(text, "frame {name} {at} connection={connection} {position:?} {change:?}");
            }
        }
        for contest in &self.contests {
            let _ = writeln!(text, "{contest:?}");
        }
        for Walk { chat, from, started, ended, shown } in &self.walks {
            let _ =
                writeln!(text, "walk chat={chat} from={from} {started}..{ended} {} messages", shown.len());
        }
        for (number, chat) in self.store.iter().enumerate() {
            let _ = writeln!(text, "stored chat={number} head={} count={}", chat.head, chat.message_count);
            for message in &chat.messages {
                let _ = writeln!(text, "stored chat={number} {message:?}");
            }
        }
        for expired in &self.expired {
            let _ = writeln!(text, "expired {expired}");
        }
        for late in &self.late {
            let _ = writeln!(text, "late {late}");
        }
        for broken in &self.broken {
            let _ = writeln!(text, "broken {broken}");
        }
        text
    }
}
