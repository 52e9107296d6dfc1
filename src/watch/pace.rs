//! When the rounds of a target begin: spread by chance, so that neither the targets of one watcher nor a thousand watchers
//! that were started at one moment fire together.

use std::time::Duration;

/// The first rounds are spread by so much for each target, so that a single one is answered at once.
const FIRST_SPREAD: Duration = Duration::from_millis(50);

/// A source of chance, good enough to spread things and of no use for secrets (`SplitMix64` by Sebastiano Vigna).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Seeded by the system; should it have no chance to give, by the process and the time.
    #[must_use]
    pub fn of_system() -> Self {
        use ring::rand::SecureRandom as _;
        let mut seed = [0; 8];
        let seed = match ring::rand::SystemRandom::new().fill(&mut seed) {
            Ok(()) => u64::from_le_bytes(seed),
            Err(_) => u64::from(std::process::id()) ^ crate::clock::unix_seconds().cast_unsigned() << 32,
        };
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` up to `high`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are enough chance")]
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.bits() >> 11) as f64 / (1u64 << 53) as f64)
    }
}

/// The pace of one target.
#[derive(Clone, Debug)]
pub struct Pace {
    interval: Duration,
    chance: Chance,
    rounds: u64,
}

impl Pace {
    /// `interval`: from the begin of one round to that of the next.
    #[must_use]
    pub fn new(interval: Duration, chance: Chance) -> Self {
        Self { interval, chance, rounds: 0 }
    }

    /// How long to wait before the first round, one of so many targets.
    pub fn first(&mut self, targets: usize) -> Duration {
        let spread = FIRST_SPREAD.saturating_mul(u32::try_from(targets).unwrap_or(u32::MAX));
        spread.min(self.interval).mul_f64(self.chance.between(0.0, 1.0))
    }

    /// From the begin of the last round to the begin of the next. The second round comes after half an interval to a whole
    /// one, which spreads watchers that began together over half an interval; each later one after the interval, a tenth
    /// less or more.
    pub fn gap(&mut self) -> Duration {
        self.rounds += 1;
        let (low, high) = if self.rounds == 1 { (0.5, 1.0) } else { (0.9, 1.1) };
        self.interval.mul_f64(self.chance.between(low, high))
    }

    /// The shortest rest between the end of a round and the begin of the next, for rounds that last longer than the interval.
    #[must_use]
    pub fn rest(&self) -> Duration {
        self.interval / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_thousand_watchers_that_begin_together_do_not_stay_together() {
        let mut begins: Vec<Vec<u64>> = vec![Vec::new(); 3];
        for seed in 0..1000 {
            let mut pace = Pace::new(MINUTE, Chance::new(seed));
            let mut at = pace.first(1);
            for begins in &mut begins {
                at += pace.gap();
                begins.push(at.as_secs());
            }
        }
        for (round, begins) in begins.iter().enumerate() {
            let busiest =
                begins.iter().map(|second| begins.iter().filter(|other| *other == second).count()).max();
            // Thirty seconds of a thousand would be 33 each, were they dealt out evenly.
            assert!(busiest < Some(70), "round {round}: {busiest:?} in one second");
        }
    }

    #[test]
    fn one_target_is_answered_at_once_and_many_are_spread() {
        let mut pace = Pace::new(MINUTE, Chance::new(1));
        assert!(pace.first(1) <= FIRST_SPREAD);
        let firsts = (0..1000).map(|seed| Pace::new(MINUTE, Chance::new(seed)).first(1000).as_secs());
        let early = firsts.filter(|second| *second < 5).count();
        assert!((50..150).contains(&early), "{early} of 1000 in the first 5 of 50 seconds");
        assert!(Pace::new(MINUTE, Chance::new(3)).first(1_000_000) <= MINUTE);
    }

    #[test]
    fn the_interval_is_kept_on_average() {
        let mut pace = Pace::new(MINUTE, Chance::new(7));
        let first = pace.gap();
        assert!((MINUTE / 2..=MINUTE).contains(&first));
        let gaps: Vec<Duration> = (0..500).map(|_| pace.gap()).collect();
        assert!(gaps.iter().all(|gap| (MINUTE * 9 / 10..=MINUTE * 11 / 10).contains(gap)));
        let mean = gaps.iter().sum::<Duration>() / 500;
        assert!((59..=61).contains(&mean.as_secs()), "{mean:?}");
        assert!(gaps.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn the_same_seed_gives_the_same_times_and_the_system_another_one() {
        let times = |chance: Chance| {
            let mut pace = Pace::new(MINUTE, chance);
            [pace.gap(), pace.gap(), pace.gap()]
        };
        assert_eq!(times(Chance::new(5)), times(Chance::new(5)));
        assert_ne!(times(Chance::of_system()), times(Chance::of_system()));
    }
}
