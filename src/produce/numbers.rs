//! Which numbers have been seen, in memory that stays small as long as they come in order. It knows nothing of lines.

use std::collections::BTreeMap;

/// The numbers that were seen, as ranges that do not touch: first to last.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    ranges: BTreeMap<u64, u64>,
    /// The number that was seen first, and how many higher ones were.
    first: Option<(u64, u64)>,
}

impl Numbers {
    /// Whether the number is new.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        let before = self.ranges.range(..=number).next_back().map(|(&start, &end)| (start, end));
        if before.is_some_and(|(_, end)| number <= end) {
            return false;
        }
        let start = before.filter(|(_, end)| end + 1 == number).map_or(number, |(start, _)| start);
        let end = number.checked_add(1).and_then(|next| self.ranges.remove(&next)).unwrap_or(number);
        self.ranges.insert(start, end);
        match &mut self.first {
            None => self.first = Some((number, 0)),
            Some((first, after)) => *after += u64::from(number > *first),
        }
        true
    }

    /// How many are missing between the first that was seen and the highest.
    pub(super) fn missing(&self) -> u64 {
        let Some(((first, after), (_, highest))) = self.first.zip(self.ranges.last_key_value()) else { return 0 };
        highest - first - after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_order_is_one_range() {
        let mut numbers = Numbers::default();
        assert!((1..=100_000).all(|number| numbers.insert(number)));
        assert_eq!(numbers.ranges, BTreeMap::from([(1, 100_000)]));
        assert!((100_002..=200_000).all(|number| numbers.insert(number)) && numbers.insert(100_001));
        assert_eq!(numbers.ranges, BTreeMap::from([(1, 200_000)]));
    }

    #[test]
    fn a_number_is_new_once() {
        let mut numbers = Numbers::default();
        let order = [5, 3, u64::MAX, 4, 0, 6, 8];
        assert!(order.iter().all(|&number| numbers.insert(number)));
        assert!(!order.iter().any(|&number| numbers.insert(number)));
        assert_eq!(numbers.ranges, BTreeMap::from([(0, 0), (3, 6), (8, 8), (u64::MAX, u64::MAX)]));
        assert_eq!(numbers.missing(), u64::MAX - 8, "7, and 9 to the last but one");
    }
}
