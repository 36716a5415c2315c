//! Actions on a chat session.

/// A request to move a session on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SessionAction {
    /// Let it ring.
    Start,
    /// Take it.
    Accept,
    /// Decline it.
    Reject,
    /// End it.
    Finish,
}

impl SessionAction {
    /// All of them, in the order in which a session meets them.
    pub const ALL: [Self; 4] = [Self::Start, Self::Accept, Self::Reject, Self::Finish];

    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
            Self::Finish => "FINISH",
        }
    }
}
