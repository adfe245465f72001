//! One after the other by weight: the order of the turns of a round. A pure table; who stands where in it is the balancer's.

use super::order::order;
use super::table::Table;

/// The indices of the weights in the order of their turns. A weight has as many turns as its share (exactly, when the ratios are whole or
/// nearly so and the round stays short; else to within half a turn), a weight of 0 none, and its turns are spread evenly over the round.
///
/// nginx's smooth weighted round robin spreads them a little less evenly (weights 5, 1, 1: four in a row of the first, here three), and it
/// looks at every node for every pick; a table is looked up, and a client that shares it owns one number.
pub(super) fn turns(weights: &[f64]) -> Vec<u32> {
    let counts = counts(weights);
    // Those with the same number of turns begin at different times.
    let mut alike: Table<u32, (u32, u32)> = Table::default();
    for count in &counts {
        if let Some((all, _)) = alike.get_or_insert(*count, (0, 0)) {
            *all += 1;
        }
    }
    let mut moments: Vec<(f64, u32)> = Vec::new();
    for (at, count) in (0..).zip(&counts) {
        let Some((all, begun)) = alike.get_mut(count) else { continue };
        let phase = (f64::from(*begun) + 0.5) / f64::from(*all);
        *begun += 1;
        moments.extend((0..*count).map(|turn| ((f64::from(turn) + phase) / f64::from(*count), at)));
    }
    // Of two at the same moment the first in the list goes first; moments are positive, so that their bits are in their order.
    let turns = order(moments.iter().map(|(moment, _)| moment.to_bits())).into_iter();
    turns.filter_map(|turn| moments.get(turn as usize)).map(|(_, at)| *at).collect()
}

/// How many turns each weight has in a round.
fn counts(weights: &[f64]) -> Vec<u32> {
    let present = || weights.iter().copied().filter(|weight| *weight > 0.0);
    let (sum, least) = (present().sum::<f64>(), present().fold(f64::INFINITY, f64::min));
    let whole = |per_turn: f64| present().all(|weight| (weight / per_turn - (weight / per_turn).round()).abs() < 1e-6);
    let length = (present().count() as f64 * TURNS_EACH).min(TURNS);
    let per_turn = (1..=16).map(|part| least / f64::from(part)).find(|part| whole(*part) && sum / part <= length);
    let per_turn = per_turn.unwrap_or(sum / length);
    weights.iter().map(|weight| if *weight > 0.0 { (weight / per_turn).round().max(1.0) as u32 } else { 0 }).collect()
}

/// Turns in a round: at most so many for each weight on average, and about so many in all.
const TURNS_EACH: f64 = 64.0;
const TURNS: f64 = 65_536.0;

#[cfg(test)]
mod tests {
    use super::{counts, turns};

    #[test]
    fn turns_are_spread_over_the_round() {
        assert_eq!(turns(&[5.0, 1.0, 1.0]), [0, 1, 0, 0, 0, 2, 0]);
        assert_eq!(turns(&[1.0, 1.0, 1.0, 1.0]), [0, 1, 2, 3]);
        assert_eq!(turns(&[2.0, 1.0]), [0, 1, 0]);
        assert_eq!(turns(&[0.0, 100.0, 100.0]), [1, 2]);
        assert_eq!(turns(&[4.0, 6.0]), [1, 0, 1, 0, 1]);
    }

    #[test]
    fn a_prefix_of_the_round_is_never_far_from_the_shares() {
        let weights = [5.0, 3.0, 2.0, 2.0, 0.5];
        let (order, sum) = (turns(&weights), weights.iter().sum::<f64>());
        assert_eq!(order.len(), 25);
        for (at, weight) in (0..).zip(weights) {
            for (length, _) in (0u32..).zip(&order) {
                let had = order.iter().take(length as usize).filter(|turn| **turn == at).count() as f64;
                let due = f64::from(length) * weight / sum;
                assert!((had - due).abs() < 2.0, "{had} turns of {due} for {at} after {length}");
            }
        }
    }

    #[test]
    fn odd_weights_and_very_many_get_their_share_within_half_a_turn() {
        let had = counts(&[1.0, 1.37, 2.11]);
        assert_eq!(had.iter().sum::<u32>(), 192);
        assert_eq!(had, [43, 59, 90]);
        assert_eq!(turns(&[]), [0u32; 0]);
        let many: Vec<f64> = (1..=10_000).map(|n| 1.0 + f64::from(n % 7)).collect();
        assert_eq!(turns(&many).len(), 39_998);
        assert_eq!(turns(&vec![1.0; 100_000]).len(), 100_000);
    }
}
