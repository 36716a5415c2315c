//! Checks a journal against the promises. Pure: the same journal always gives the same findings.

use super::journal::{Call, Change, Contest, Follower, Journal, Outcome, Shown, StoredChat, Stream, Walk};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A kind of broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Acknowledged and not stored, or stored and never shown to a follower or in a walk.
    Lost,
    /// Stored or shown more than once.
    Repeated,
    /// Shown or stored in an order that contradicts the order of the calls or of the log.
    Reordered,
    /// A log position that a follower of every event skipped.
    Gap,
    /// Shown although it is not stored, or stored although it was refused or never sent.
    Phantom,
    /// A session with several winners, or with another one than its winner was told.
    Winners,
    /// Two answers to the same `externalId` that differ, or counters that contradict the messages.
    Inconsistent,
    /// A subscription that the server ended in a way that clients do not retry.
    Ended,
    /// A presence that ended although its user stayed connected.
    Expired,
    /// Something that did not happen within its bound after all faults were healed.
    Late,
    /// An answer that the API never promises.
    Broken,
}

impl Kind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Lost,
        Self::Repeated,
        Self::Reordered,
        Self::Gap,
        Self::Phantom,
        Self::Winners,
        Self::Inconsistent,
        Self::Ended,
        Self::Expired,
        Self::Late,
        Self::Broken,
    ];

    /// The kind in words, for reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Repeated => "repeated",
            Self::Reordered => "reordered",
            Self::Gap => "gaps",
            Self::Phantom => "phantoms",
            Self::Winners => "wrong winners",
            Self::Inconsistent => "inconsistent answers",
            Self::Ended => "subscriptions ended for good",
            Self::Expired => "presences expired",
            Self::Late => "late",
            Self::Broken => "broken answers",
        }
    }
}

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    pub detail: String,
}

/// Checks everything.
pub fn check(journal: &Journal) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    for (number, chat) in journal.store.iter().enumerate() {
        let calls: Vec<_> = journal.calls.iter().filter(|call| call.chat == number).collect();
        findings.stored(number, chat, &calls);
        findings.calls(number, chat, &calls);
        findings.order_of_calls(number, &calls);
        let histories = journal.followers.iter().filter(|follower| !follower.kind.is_feed());
        for follower in histories.filter(|follower| follower.chat == number) {
            findings.follower(follower, chat);
        }
        for walk in journal.walks.iter().filter(|walk| walk.chat == number) {
            findings.walk(walk, chat, &calls);
        }
    }
    for feed in journal.followers.iter().filter(|follower| follower.kind.is_feed()) {
        findings.feed(feed, &journal.store);
    }
    for contest in &journal.contests {
        findings.contest(contest);
    }
    for expired in &journal.expired {
        findings.add(Kind::Expired, expired.clone());
    }
    for late in &journal.late {
        findings.add(Kind::Late, late.clone());
    }
    for broken in &journal.broken {
        findings.add(Kind::Broken, broken.clone());
    }
    findings.0
}

/// How many findings there are of each kind.
pub fn count(findings: &[Finding]) -> BTreeMap<Kind, usize> {
    let mut counts: BTreeMap<_, _> = Kind::ALL.into_iter().map(|kind| (kind, 0)).collect();
    for finding in findings {
        *counts.entry(finding.kind).or_default() += 1;
    }
    counts
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, kind: Kind, detail: String) {
        self.0.push(Finding { kind, detail });
    }

    /// The stored chat alone, and against what was ever sent.
    fn stored(&mut self, number: usize, chat: &StoredChat, calls: &[&Call]) {
        let sent: BTreeSet<_> = calls.iter().map(|call| call.external_id.as_str()).collect();
        let mut seen = BTreeSet::new();
        let mut last = 0;
        for Shown { sequence, id, external_id } in &chat.messages {
            if *sequence <= last {
                self.add(Kind::Reordered, format!("chat {number}: stored {sequence} after {last}"));
            }
            last = *sequence;
            if *sequence > chat.head {
                let head = chat.head;
                self.add(Kind::Inconsistent, format!("chat {number}: stored {sequence} beyond head {head}"));
            }
            let key = if external_id.is_empty() { id } else { external_id };
            if !seen.insert(key) {
                self.add(Kind::Repeated, format!("chat {number}: {key} is stored twice"));
            }
            if !external_id.is_empty() && !sent.contains(external_id.as_str()) {
                self.add(Kind::Phantom, format!("chat {number}: {external_id} is stored and was never sent"));
            }
        }
        let written = chat.messages.iter().filter(|message| !message.external_id.is_empty()).count();
        if written != chat.message_count {
            let count = chat.message_count;
            self.add(
                Kind::Inconsistent,
                format!("chat {number}: messageCount is {count}, and {written} are stored"),
            );
        }
    }

    /// Acknowledged is stored, refused is not, and all answers to one `externalId` agree.
    fn calls(&mut self, number: usize, chat: &StoredChat, calls: &[&Call]) {
        let stored: HashMap<_, _> =
            chat.messages.iter().map(|message| (message.external_id.as_str(), message)).collect();
        for call in calls {
            let external_id = call.external_id.as_str();
            let kept = stored.get(external_id);
            let mut answers = BTreeSet::new();
            let mut was_refused = false;
            for attempt in &call.attempts {
                match &attempt.outcome {
                    Outcome::Acknowledged { id, sequence } => {
                        answers.insert((id, *sequence));
                    }
                    Outcome::Refused { .. } => was_refused = true,
                    Outcome::Unknown { .. } => {}
                }
            }
            if answers.len() > 1 || (was_refused && !answers.is_empty()) {
                let attempts = &call.attempts;
                self.add(Kind::Inconsistent, format!("chat {number}: {external_id} has {attempts:?}"));
            }
            match (answers.first(), kept) {
                (Some((_, sequence)), None) => self.add(
                    Kind::Lost,
                    format!("chat {number}: {external_id} was acknowledged as {sequence} and is not stored"),
                ),
                (Some((id, sequence)), Some(kept)) if **id != kept.id || *sequence != kept.sequence => self
                    .add(
                        Kind::Inconsistent,
                        format!("chat {number}: {external_id} was acknowledged as {id} {sequence}: {kept:?}"),
                    ),
                (None, Some(_)) if was_refused && call.attempts.len() == 1 => {
                    self.add(
                        Kind::Phantom,
                        format!("chat {number}: {external_id} was refused and is stored"),
                    );
                }
                (None | Some(_), None | Some(_)) => {}
            }
        }
    }

    /// A call that was answered before another one started comes before it in the chat.
    fn order_of_calls(&mut self, number: usize, calls: &[&Call]) {
        let mut answered: Vec<_> = calls
            .iter()
            .filter_map(|call| {
                let (attempt, _, sequence) = call.acknowledged()?;
                Some((sequence, call.started(), attempt.ended, call.external_id.as_str()))
            })
            .collect();
        answered.sort_unstable();
        let mut newest = (0, "");
        for (sequence, started, ended, external_id) in answered {
            if ended < newest.0 {
                let other = newest.1;
                self.add(
                    Kind::Reordered,
                    format!("chat {number}: {external_id} ({sequence}) was answered before {other} started and comes after it"),
                );
            }
            newest = newest.max((started, external_id));
        }
    }

    /// Every event exactly once and in order, from where the follower began to the head.
    fn follower(&mut self, follower: &Follower, chat: &StoredChat) {
        let name = &follower.name;
        for end in &follower.ended {
            self.add(Kind::Ended, format!("{name}: {end}"));
        }
        let stored: BTreeSet<_> = chat.messages.iter().collect();
        let mut seen: HashMap<&str, i64> = HashMap::new();
        // Ranges of the log that the follower is responsible for: a reset starts a new one.
        let mut position = follower.from;
        let mut skipped: Vec<(i64, i64)> = Vec::new();
        for frame in &follower.frames {
            let before = position;
            let at = frame.position.or(before).unwrap_or_default();
            match &frame.change {
                Change::Reset { is_first } => {
                    if !is_first || before.is_some() {
                        skipped.extend(before.map(|before| (before, at)));
                    }
                    position = Some(at);
                    continue;
                }
                // A failed frame moves the documented client to its cursor: what it hid is lost.
                Change::Failed(_) => {
                    position = position.max(frame.position);
                    continue;
                }
                // Of feeds alone.
                Change::State { .. } => continue,
                Change::Entry(kind) => self.entry(name, kind, before, at),
                Change::Message(shown) => {
                    if let Some(first) = seen.insert(&shown.id, shown.sequence) {
                        self.add(Kind::Repeated, format!("{name}: {shown:?} again, first as {first}"));
                        continue;
                    }
                    if !stored.contains(shown) {
                        self.add(Kind::Phantom, format!("{name}: shown {shown:?}, which is not stored"));
                    }
                    if before.is_some_and(|before| shown.sequence <= before) {
                        self.add(Kind::Reordered, format!("{name}: {shown:?} after position {before:?}"));
                    }
                    if follower.kind == Stream::Events {
                        self.entry(name, "MessageAddedEvent", before, at);
                    }
                }
            }
            position = before.max(Some(at));
        }
        let Some(from) = follower.from.or_else(|| first_reset(follower)) else {
            if follower.reached.is_none() {
                self.add(Kind::Late, format!("{name} never began"));
            }
            return;
        };
        if follower.reached.is_none() {
            let head = chat.head;
            self.add(Kind::Late, format!("{name} is at {position:?} and the head at {head}"));
        }
        let position = position.unwrap_or(from);
        let reached = follower.reached.unwrap_or(position);
        for message in &chat.messages {
            let is_due = message.sequence > from
                && message.sequence <= reached
                && !skipped.iter().any(|(low, high)| message.sequence > *low && message.sequence <= *high);
            if is_due && !seen.contains_key(message.id.as_str()) {
                self.add(Kind::Lost, format!("{name}: never shown {message:?}"));
            }
        }
        if follower.kind == Stream::Events && position < reached {
            self.add(Kind::Gap, format!("{name}: the last position is {position}, and the head {reached}"));
        }
    }

    /// The newest state of each chat was shown.
    fn feed(&mut self, feed: &Follower, store: &[StoredChat]) {
        let name = &feed.name;
        for end in &feed.ended {
            self.add(Kind::Ended, format!("{name}: {end}"));
        }
        let mut newest = vec![0; feed.chat];
        for frame in &feed.frames {
            if let Change::State { chat, message_count } = &frame.change
                && let Some(newest) = newest.get_mut(*chat)
            {
                *newest = *message_count;
            }
        }
        for (number, (shown, chat)) in newest.iter().zip(store).enumerate() {
            let count = chat.message_count;
            if *shown < count {
                self.add(
                    Kind::Lost,
                    format!("{name}: chat {number} was last shown with {shown} messages and has {count}"),
                );
            }
        }
    }

    /// An entry of the log follows the position before it; what has no place in the log repeats that position.
    fn entry(&mut self, name: &str, kind: &str, before: Option<i64>, at: i64) {
        let Some(before) = before else { return };
        let is_signal =
            matches!(kind, "TypingChangedEvent" | "ParticipationChangedEvent" | "PresenceChangedEvent");
        match at - before {
            1 => {}
            0 if is_signal => {}
            0 => self.add(Kind::Repeated, format!("{name}: {kind} at {at} again")),
            distance if distance < 0 => {
                self.add(Kind::Reordered, format!("{name}: {kind} at {at} after {before}"));
            }
            _ => self.add(Kind::Gap, format!("{name}: {kind} at {at} right after {before}")),
        }
    }

    /// A read shows everything that was acknowledged before it began, once and in order.
    fn walk(&mut self, walk: &Walk, chat: &StoredChat, calls: &[&Call]) {
        let number = walk.chat;
        let at = walk.started;
        let stored: BTreeSet<_> = chat.messages.iter().collect();
        let mut seen = BTreeSet::new();
        let mut last = 0;
        for shown in &walk.shown {
            if !seen.insert(shown.id.as_str()) {
                self.add(Kind::Repeated, format!("the walk of chat {number} at {at}: {shown:?} again"));
            } else if shown.sequence <= last {
                self.add(
                    Kind::Reordered,
                    format!("the walk of chat {number} at {at}: {shown:?} after {last}"),
                );
            }
            last = last.max(shown.sequence);
            if !stored.contains(shown) {
                self.add(
                    Kind::Phantom,
                    format!("the walk of chat {number} at {at}: {shown:?} is not stored"),
                );
            }
        }
        for call in calls {
            let Some((attempt, id, sequence)) = call.acknowledged() else { continue };
            let is_due = attempt.ended < walk.started && sequence > walk.from;
            if is_due && !seen.contains(id) {
                let external_id = &call.external_id;
                self.add(
                    Kind::Lost,
                    format!("the walk of chat {number} at {at} lacks {external_id} ({sequence}), acknowledged before"),
                );
            }
        }
    }

    /// At most one winner, and the one that the store names.
    fn contest(&mut self, contest: &Contest) {
        let Contest { session, winners, unknown, stored } = contest;
        let winners: BTreeSet<_> = winners.iter().collect();
        let is_right = match (winners.len(), stored) {
            (0, None) => true,
            // Somebody won without learning of it.
            (0, Some(_)) => *unknown > 0,
            (1, Some(stored)) => winners.contains(stored),
            _ => false,
        };
        if !is_right {
            self.add(
                Kind::Winners,
                format!(
                    "session {session}: {winners:?} won, {unknown} do not know, and the store has {stored:?}"
                ),
            );
        }
    }
}

fn first_reset(follower: &Follower) -> Option<i64> {
    follower.frames.iter().find_map(|frame| match frame.change {
        Change::Reset { .. } => frame.position,
        Change::Message(_) | Change::Entry(_) | Change::State { .. } | Change::Failed(_) => None,
    })
}
