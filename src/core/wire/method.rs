//! The methods of MCP and what policy may assume about each. An application's own methods are numbers above the table: they get
//! the careful assumptions. Names are matched here once and travel as numbers from then on.

/// A JSON-RPC method, interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(u32);

/// What a second sending of the same request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Reads, or has the same effect once or twice: may be sent again after a lost link (resilience rules, section 5).
    Safe,
    /// May change the world each time it is received.
    SideEffect,
}

/// One method of the table.
enum Entry {
    /// One of the six cacheable results of 2026-07-28 (P52).
    Read,
    Safe,
    Effect,
}

macro_rules! table {
    ($first_entry:ident $first:literal $(, $entry:ident $name:literal)* $(,)?) => {
        const TABLE: &[Entry] = &[Entry::$first_entry $(, Entry::$entry)*];

        impl Method {
            /// The names of the specification's methods, by number, with a bar between each two.
            pub const NAMES: &'static str = concat!($first $(, "|", $name)*);
        }
    };
}

table! {
    Effect "tools/call",
    Read "tools/list",
    Read "resources/list",
    Read "resources/templates/list",
    Read "resources/read",
    Read "prompts/list",
    Read "server/discover",
    Safe "prompts/get",
    Safe "completion/complete",
    Safe "ping",
    Safe "initialize",
    Safe "tasks/get",
    Effect "tasks/update",
    Effect "tasks/cancel",
    Safe "subscriptions/listen",
    Safe "logging/setLevel",
    Safe "resources/subscribe",
    Safe "resources/unsubscribe",
    Effect "notifications/initialized",
    Effect "notifications/cancelled",
    Effect "notifications/progress",
    Effect "notifications/tools/list_changed",
    Effect "notifications/resources/list_changed",
    Effect "notifications/resources/updated",
    Effect "notifications/prompts/list_changed",
    Effect "notifications/subscriptions/acknowledged",
}

/// The cacheable ones as bits by their numbers.
const fn cacheable() -> u32 {
    let (mut bits, mut rest, mut bit) = (0, TABLE, 1);
    while let [entry, tail @ ..] = rest {
        if matches!(entry, Entry::Read) {
            bits |= bit;
        }
        (rest, bit) = (tail, bit << 1);
    }
    bits
}

impl Method {
    /// `tools/call`.
    pub const TOOLS_CALL: Self = Self(0);
    /// `tools/list`.
    pub const TOOLS_LIST: Self = Self(1);
    /// `resources/list`.
    pub const RESOURCES_LIST: Self = Self(2);
    /// `resources/templates/list`.
    pub const RESOURCE_TEMPLATES_LIST: Self = Self(3);
    /// `resources/read`.
    pub const RESOURCES_READ: Self = Self(4);
    /// `prompts/list`.
    pub const PROMPTS_LIST: Self = Self(5);
    /// `server/discover`.
    pub const DISCOVER: Self = Self(6);
    /// `prompts/get`.
    pub const PROMPTS_GET: Self = Self(7);
    /// `ping`, which the 2026 era has not.
    pub const PING: Self = Self(9);
    /// `subscriptions/listen`.
    pub const LISTEN: Self = Self(14);
    /// `notifications/cancelled`.
    pub const CANCELLED: Self = Self(19);
    /// `notifications/progress`.
    pub const PROGRESS: Self = Self(20);
    /// `notifications/tools/list_changed`.
    pub const TOOLS_CHANGED: Self = Self(21);
    /// `notifications/resources/list_changed`.
    pub const RESOURCES_CHANGED: Self = Self(22);
    /// `notifications/resources/updated`.
    pub const RESOURCE_UPDATED: Self = Self(23);
    /// `notifications/prompts/list_changed`.
    pub const PROMPTS_CHANGED: Self = Self(24);
    /// `notifications/subscriptions/acknowledged`.
    pub const ACKNOWLEDGED: Self = Self(25);
    /// The lists and reads whose changes a server announces.
    pub const WATCHED: [Self; 5] = [
        Self::TOOLS_LIST,
        Self::RESOURCES_LIST,
        Self::RESOURCE_TEMPLATES_LIST,
        Self::RESOURCES_READ,
        Self::PROMPTS_LIST,
    ];
    /// The first number free for methods outside the table.
    pub const FIRST_FOREIGN: u32 = TABLE.len() as u32;

    /// Which of them are cacheable, as bits by number.
    pub const CACHEABLE: u32 = cacheable();

    /// A method by its number: the table's, or an application's own from [`Method::FIRST_FOREIGN`] up.
    #[must_use]
    pub const fn from_index(index: u32) -> Self {
        Self(index)
    }

    /// The number of the method.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0
    }

    /// What sending it twice may do. Unknown methods may do anything.
    #[must_use]
    pub fn effect(self) -> Effect {
        match TABLE.get(self.0 as usize) {
            Some(Entry::Read | Entry::Safe) => Effect::Safe,
            _ => Effect::SideEffect,
        }
    }

    /// Whether its results come in pages (P57).
    #[must_use]
    pub fn is_list(self) -> bool {
        Self::WATCHED.contains(&self) && self != Self::RESOURCES_READ
    }

    /// The lists and reads that a notification of this method makes stale (P56).
    #[must_use]
    pub fn invalidates(self) -> &'static [Self] {
        match self {
            Self::TOOLS_CHANGED => &[Self::TOOLS_LIST],
            Self::PROMPTS_CHANGED => &[Self::PROMPTS_LIST],
            Self::RESOURCES_CHANGED => &[Self::RESOURCES_LIST, Self::RESOURCE_TEMPLATES_LIST],
            Self::RESOURCE_UPDATED => &[Self::RESOURCES_READ],
            _ => &[],
        }
    }
}
