//! Protocol revisions and their two eras. Which revision to speak is chosen by our own preference (newest first), never by the order
//! of a server's list, which is arbitrary (P29).

/// A published revision of the specification, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 2024-11-05.
    V2024_11_05,
    /// 2025-03-26.
    V2025_03_26,
    /// 2025-06-18.
    V2025_06_18,
    /// 2025-11-25.
    V2025_11_25,
    /// 2026-07-28.
    V2026_07_28,
}

/// How a connection is set up: with a handshake and a session, or per request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// 2025-11-25 and earlier: `initialize`, a session, `ping`.
    Legacy,
    /// 2026-07-28: `server/discover`, metadata in every request, no session.
    Modern,
}

/// A set of revisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions(u8);

impl Version {
    /// All revisions this client speaks, oldest first.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// The newest revision of an era.
    #[must_use]
    pub const fn newest(era: Era) -> Self {
        match era {
            Era::Legacy => Self::V2025_11_25,
            Era::Modern => Self::V2026_07_28,
        }
    }

    /// The revisions as they are written on the wire, oldest first.
    pub const NAMES: &'static str = "2024-11-05|2025-03-26|2025-06-18|2025-11-25|2026-07-28";

    /// The revision as it is written on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.split('|').nth(self as usize).unwrap_or_default()
    }

    /// Its era.
    #[must_use]
    pub const fn era(self) -> Era {
        match self {
            Self::V2026_07_28 => Era::Modern,
            _ => Era::Legacy,
        }
    }
}

impl Versions {
    /// Every revision this client speaks.
    pub const ALL: Self = Self((1 << Version::ALL.len()) - 1);

    /// The set whose members' bits are set: bit 0 is the oldest revision of [`Version::ALL`], and so on.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The set of one revision.
    #[must_use]
    pub const fn only(version: Version) -> Self {
        Self(1 << version as u8)
    }

    /// The revisions of one era.
    #[must_use]
    pub const fn of(era: Era) -> Self {
        let modern = Self::only(Version::V2026_07_28).0;
        match era {
            Era::Legacy => Self(Self::ALL.0 & !modern),
            Era::Modern => Self(modern),
        }
    }

    /// The revisions that are in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether both eras are in the set.
    #[must_use]
    pub fn span_eras(self) -> bool {
        self.newest(Era::Modern).is_some() && self.newest(Era::Legacy).is_some()
    }

    /// Whether the set names `version`.
    #[must_use]
    pub const fn has(self, version: Version) -> bool {
        self.0 & (1 << version as u8) != 0
    }

    /// The newest revision of the set in `era`.
    #[must_use]
    pub fn newest(self, era: Era) -> Option<Version> {
        Version::ALL.into_iter().rev().find(|version| version.era() == era && self.has(*version))
    }
}
