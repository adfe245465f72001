//! Names as numbers that are the same in every client, so that all of them send a session to the same node. No secret and no defence: whoever
//! chooses names can choose them to collide.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// FNV-1a over the UTF-16 units of a name, low byte first, then the finaliser of MurmurHash3: FNV alone leaves the high bits of short
/// names alike, and rendezvous compares whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameHash(u64);

impl Default for NameHash {
    fn default() -> Self {
        Self(OFFSET)
    }
}

impl NameHash {
    /// One more UTF-16 unit of the name, as JavaScript has its texts.
    pub fn push(&mut self, unit: u16) {
        for byte in unit.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }

    /// The number of the name.
    #[must_use]
    pub fn finish(self) -> u64 {
        let mut z = self.0;
        z = (z ^ (z >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        z = (z ^ (z >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        z ^ (z >> 33)
    }

    /// That of a whole name.
    #[must_use]
    pub fn of(name: &str) -> u64 {
        let mut hash = Self::default();
        name.encode_utf16().for_each(|unit| hash.push(unit));
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::NameHash;

    #[test]
    fn a_name_has_the_same_number_for_ever() {
        // Clients of different releases must agree; these may never change.
        assert_eq!(NameHash::of(""), 0xefd0_1f60_ba99_2926);
        assert_eq!(NameHash::of("user-123"), NameHash::of("user-123"));
    }

    #[test]
    fn names_that_differ_a_little_have_numbers_that_differ_a_lot() {
        let far = (0..1_000).filter(|n| {
            let (one, other) = (NameHash::of(&format!("node-{n}")), NameHash::of(&format!("node-{}", n + 1)));
            (16..=48).contains(&(one ^ other).count_ones())
        });
        assert_eq!(far.count(), 1_000);
    }

    #[test]
    fn the_high_bits_are_spread_too() {
        let mut sixteenths = [0; 16];
        for n in 0..16_000 {
            sixteenths[(NameHash::of(&format!("session-{n}")) >> 60) as usize] += 1;
        }
        assert!(sixteenths.iter().all(|count| (850..1_150).contains(count)), "{sixteenths:?}");
    }
}
