//! Whether the numbers in the names of rotated files count up or back: `app.1.log` is the oldest for some tools, and the
//! youngest for others. Where it is not a matter of convention the files have to tell.

use std::cmp::Ordering;

use super::ends::{CountDirection, Ends};
use super::list::Sibling;
use super::search::Search;
use crate::follow::log::file::File;
use crate::rotated_name::{Counting, NameStamp, Rotated};

impl CountDirection {
    fn shown(counting: Counting) -> CountDirection {
        CountDirection { counting, is_shown: true }
    }

    fn likely(counting: Counting) -> CountDirection {
        CountDirection { counting, is_shown: false }
    }
}

/// What a file's status says of when it came.
type TimeOf<'t> = &'t dyn Fn(&Sibling) -> Option<i64>;

impl Ends<'_> {
    /// Whether numbers of that template count up or back.
    pub fn counting(&self, search: &Search<'_>, like: &Rotated) -> Counting {
        self.direction(search, like).counting
    }

    /// Whether they are shown to count back.
    pub fn count_back(&self, search: &Search<'_>, like: &Rotated) -> bool {
        let direction = self.direction(search, like);
        direction.is_shown && direction.counting == Counting::Back
    }

    fn direction(&self, search: &Search<'_>, like: &Rotated) -> CountDirection {
        let found = self.directions.borrow().iter().find(|(other, _)| other.is_like(like)).map(|(_, found)| *found);
        found.unwrap_or_else(|| {
            let number = |rotated: &Rotated| match rotated.stamp {
                NameStamp::Number { number, counts_back: false } if rotated.is_like(like) => Some(number),
                _ => None,
            };
            let by_ends = || self.by_ends(search, number).map(CountDirection::shown);
            let by_known = || self.by_known(search, number);
            let direction = by_ends().or_else(by_known).unwrap_or_else(|| by_times(search, number));
            self.directions.borrow_mut().push((like.clone(), direction));
            direction
        })
    }

    /// The numbers of the two files tell; or where the numbers of older files are: below that of the older one of the two,
    /// or above.
    fn by_ends(&self, search: &Search<'_>, number: impl Fn(&Rotated) -> Option<u64>) -> Option<Counting> {
        let (from, number_of_from) = (self.from.as_ref()?, self.from_name.and_then(&number)?);
        if let Some(number_of_to) = self.to_name.and_then(&number) {
            return Some(if number_of_from < number_of_to { Counting::Up } else { Counting::Back });
        }
        // Of copies the younger ones are known, too.
        let is_older = |sibling: &Sibling, is_known: bool| match search.read {
            None => self.is_older(search, sibling, is_known),
            // A compressed file was created when it was compressed: only the times of the last writes tell.
            Some(_) if sibling.rotated.is_compressed || search.from.is_some_and(File::is_compressed) => {
                !from.is_set() && sibling.status.start() < from.start()
            }
            Some(read) => match sibling.status.identity.born {
                Some(born) => Some(born) < from.identity.born,
                None => sibling.status.changed <= read.since,
            },
        };
        let (mut below, mut above) = (0, 0);
        for (sibling, is_known) in search.siblings.list.iter().zip(&self.known) {
            match number(&sibling.rotated).filter(|_| is_older(sibling, *is_known)) {
                Some(number) if number < number_of_from => below += 1,
                Some(number) if number > number_of_from => above += 1,
                _ => {}
            }
        }
        (below != above).then_some(if below > above { Counting::Up } else { Counting::Back })
    }

    /// Without an older file: all files that were there before have numbers below those that are new, or above.
    fn by_known(&self, search: &Search<'_>, number: impl Fn(&Rotated) -> Option<u64>) -> Option<CountDirection> {
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for (sibling, is_known) in search.siblings.list.iter().zip(&self.known) {
            // A compressed file was created later: the time of its last write tells.
            let is_older = match search.after {
                _ if *is_known || !sibling.rotated.is_compressed => *is_known,
                Some(after) => search.came_by(sibling, after),
                None => continue,
            };
            if is_older { &mut known } else { &mut new }.extend(number(&sibling.rotated));
        }
        let is_shown = search.memory.is_listed();
        let is_below = |one: &[u64], other: &[u64]| one.iter().max() < other.iter().min();
        match () {
            () if self.from.is_some() || known.is_empty() || new.is_empty() => None,
            () if is_below(&known, &new) => Some(CountDirection { counting: Counting::Up, is_shown }),
            () if is_below(&new, &known) => Some(CountDirection { counting: Counting::Back, is_shown }),
            () => None,
        }
    }
}

fn by_times<'s>(search: &Search<'s>, number: impl Fn(&Rotated) -> Option<u64>) -> CountDirection {
    let numbered = |sibling: &'s Sibling| Some((number(&sibling.rotated)?, sibling));
    let mut files: Vec<_> = search.siblings.list.iter().filter_map(numbered).collect();
    files.sort_by_key(|(number, _)| *number);
    let lowest = files.first().map(|(number, _)| *number);
    let is_plain = |sibling: &Sibling| !sibling.rotated.is_compressed;
    let plain = || files.iter().map(|(_, sibling)| *sibling).filter(|sibling| is_plain(sibling));
    // Files that were copied here with new times tell nothing of their age by their creation.
    let is_renamed = |sibling: &Sibling| sibling.status.changed > sibling.status.written;
    let were_renamed = search.departure.is_some() || !search.memory.are_copies || plain().any(is_renamed);
    let created = |sibling: &Sibling| sibling.status.created().filter(|_| were_renamed && is_plain(sibling));
    if let Some(counting) = in_time(&files, &created) {
        return CountDirection::shown(counting);
    }
    // Of compressed files only the time of the last write tells.
    let departed = |sibling: &Sibling| match &sibling.status {
        status if status.is_set() => None,
        status if is_plain(sibling) => Some(status.changed).filter(|_| were_renamed),
        status => Some(status.written),
    };
    let written = |sibling: &Sibling| Some(sibling.status.written).filter(|_| !sibling.status.is_set());
    let evidence: [TimeOf<'_>; 2] = [&departed, &written];
    // The youngest of those that count back is 0 or 1.
    let usual = if plain().count() < 2 { Counting::Up } else { Counting::Back };
    let by_times = || evidence.iter().find_map(|time| in_time(&files, time)).unwrap_or(usual);
    CountDirection::likely(if lowest > Some(1) { Counting::Up } else { by_times() })
}

/// The direction of time along the numbers, as most neighbours have it: one may have been restored or touched.
fn in_time(files: &[(u64, &Sibling)], time: TimeOf<'_>) -> Option<Counting> {
    let times: Vec<i64> = files.iter().filter_map(|(_, sibling)| time(sibling)).collect();
    let count = |order: Ordering| times.windows(2).filter(|pair| pair[0].cmp(&pair[1]) == order).count();
    match count(Ordering::Less).cmp(&count(Ordering::Greater)) {
        Ordering::Greater => Some(Counting::Up),
        Ordering::Less => Some(Counting::Back),
        Ordering::Equal => None,
    }
}
