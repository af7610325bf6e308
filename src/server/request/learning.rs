//! What is learned of a log before its times are compared: how its lines bear them. The order of day and month holds for
//! all files of the log, for the lines of a single one may not tell.

use std::io;
use std::time::Duration;

use crate::follow::follower::Follower;
use crate::follow::root::Log;
use crate::follow::{File, sample};
use crate::protocol::request::Lines;
use crate::select::stamp::{DateOrder, Recogniser};

/// How much of each end of a file is read.
const SAMPLE: usize = 64 * 1024;
/// A file with less than that, which may have been begun just now, does not tell what the log's lines look like.
const FEW: u64 = 4 * 1024;
/// How many generations are looked at. If each has a day of its own, one of so many is after the 12th.
const MOST: usize = 14;

/// Learns from the log's youngest file, which is given, and from its other files if that is not enough.
///
/// # Errors
/// When a file cannot be read, or the files beside the log cannot be listed.
pub(super) fn learn(log: &Log, file: &File) -> io::Result<Recogniser> {
    let current = trained_on(file)?;
    let is_enough = match current.date_order() {
        DateOrder::DayFirst | DateOrder::MonthFirst => true,
        DateOrder::Unseen => file.raw().metadata()?.len() >= FEW,
        DateOrder::Unclear => false,
    };
    if is_enough {
        return Ok(current);
    }
    let mut generations = Follower::new(log.clone(), file.clone(), Lines::Last(0), false, Duration::ZERO)?;
    generations.narrow(true, None)?;
    let typical = trained_on(&*generations.typical_file()?)?;
    let learned = if current.date_order() == DateOrder::Unseen { typical } else { current.ordered_as(&typical) };
    order_of_all(learned, &mut generations)
}

/// As long as the order of day and month is unclear, it is learned from one generation more.
fn order_of_all(mut learned: Recogniser, generations: &mut Follower) -> io::Result<Recogniser> {
    for back in 1..MOST {
        if learned.date_order() != DateOrder::Unclear {
            break;
        }
        if let Some(file) = generations.generation(back)? {
            learned = learned.ordered_as(&trained_on(&file)?);
        }
    }
    Ok(learned)
}

fn trained_on(file: &File) -> io::Result<Recogniser> {
    let head = sample(file, 0, SAMPLE)?;
    // The end of a compressed file is far away.
    let tail = match file.is_compressed() {
        true => Vec::new(),
        false => sample(file, file.raw().metadata()?.len().saturating_sub(SAMPLE as u64), SAMPLE)?,
    };
    Ok(trained([&head, &tail]))
}

/// Learns from samples of one file alone, which may begin and end within a line.
pub(super) fn trained(samples: [&[u8]; 2]) -> Recogniser {
    Recogniser::trained_on(samples.into_iter().flat_map(|sample| sample.split_inclusive(|&byte| byte == b'\n')))
}
