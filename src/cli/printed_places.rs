//! How far a log is printed, which may be less than was received: an unfinished line is held back. It stores nothing; see
//! `record`.

use std::collections::VecDeque;

use wstail::protocol::cursor::Place;

#[derive(Debug, Default)]
pub(super) struct PrintedPlaces {
    /// The number of bytes received so far.
    received: u64,
    /// Places, each with the number of bytes received by then: the last one that is printed, and those after it.
    places: VecDeque<(Place, u64)>,
}

impl PrintedPlaces {
    /// Adds received bytes.
    pub(super) fn receive(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// Notes the place that the reader has reached.
    pub(super) fn note(&mut self, place: &Place) {
        if self.places.back().is_none_or(|(last, _)| last.cursor != place.cursor) {
            self.places.push_back((place.clone(), self.received));
        }
    }

    /// The place after everything but the last `held` bytes.
    pub(super) fn place(&mut self, held: usize) -> Option<Place> {
        let printed = self.received.saturating_sub(held as u64);
        while self.places.get(1).is_some_and(|(_, at)| *at <= printed) {
            self.places.pop_front();
        }
        let (place, at) = self.places.front()?;
        Some(Place { cursor: place.cursor.clone(), skip: place.skip.saturating_add(printed.saturating_sub(*at)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_back_is_not_covered() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        let mut progress = PrintedPlaces::default();
        assert_eq!(progress.place(0), None);
        progress.note(&place("a.5"));
        progress.receive(10);
        assert_eq!(progress.place(3), Some(place("a.12")));
        progress.note(&place("b"));
        assert_eq!(progress.place(3), Some(place("a.12")));
        assert_eq!(progress.place(0), Some(place("b")));
        progress.receive(4);
        assert_eq!(progress.place(1), Some(place("b.3")));
    }
}
