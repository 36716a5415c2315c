//! Actions on a chat session.

/// An action that changes the state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SessionAction {
    /// Make it ring.
    Start,
    /// Accept it.
    Accept,
    /// Decline it.
    Reject,
    /// End it.
    Finish,
}

impl SessionAction {
    /// All actions, in life-cycle order.
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
