//! Matches expressions in time linear in the line, by an automaton whose states are built when they are first needed.

use std::ops::Range;

use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

use super::charset::escape_invalid;
use super::line::Line;
use super::pattern::{MAX_COMPILED, Pattern};
use super::pattern_error::PatternError;
use super::translate;

pub(super) use dfa::Cache;

/// How much memory all automata of a filter may use for their states, in bytes.
const MAX_STATES: usize = 1024 * 1024;

/// The memory that the automata of a filter share.
#[derive(Debug)]
pub(super) struct Budget {
    /// How many bytes what is compiled may still take, of [`MAX_COMPILED`].
    compiled: usize,
    /// How many bytes the states of each automaton may take.
    states: usize,
}

/// Some expressions, of which a line has to match one.
#[derive(Debug)]
pub(super) struct Automaton {
    dfa: DFA,
    minds_utf8: bool,
}

impl Budget {
    /// For so many automata.
    pub(super) fn new(automata: usize) -> Budget {
        Budget { compiled: MAX_COMPILED, states: MAX_STATES / automata.max(1) }
    }
}

impl Automaton {
    /// An automaton whose states need more than the budget allows forgets them all and goes on.
    ///
    /// # Errors
    /// With the index of the pattern that does not fit into the budget.
    pub(super) fn new(patterns: &[Pattern], budget: &mut Budget) -> Result<Automaton, (usize, PatternError)> {
        let mut expressions = Vec::new();
        let mut minds_utf8 = false;
        let mut only = None;
        for (index, pattern) in patterns.iter().enumerate() {
            let (expression, minds) = expression(pattern);
            minds_utf8 |= minds;
            let nfa = nfa(std::slice::from_ref(&expression), budget.compiled).map_err(|error| (index, error))?;
            budget.compiled = budget.compiled.saturating_sub(nfa.memory_usage());
            only = Some(nfa);
            expressions.push(expression);
        }
        let nfa = match only {
            Some(nfa) if expressions.len() == 1 => nfa,
            // Each has been compiled and measured.
            _ => nfa(&expressions, 2 * MAX_COMPILED).map_err(|error| (0, error))?,
        };
        let config = DFA::config().cache_capacity(budget.states).skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa);
        let dfa = dfa.map_err(|_| (0, PatternError::new("it cannot be compiled")))?;
        Ok(Automaton { dfa, minds_utf8 })
    }

    pub(super) fn cache(&self) -> Cache {
        self.dfa.create_cache()
    }

    /// `buffer`: room for a copy of the line.
    pub(super) fn is_match(&self, line: Line<'_>, cache: &mut Cache, buffer: &mut Vec<u8>) -> bool {
        if !self.minds_utf8 || std::str::from_utf8(line.text()).is_ok() {
            return self.search(line.bytes(), 0..line.text().len(), cache);
        }
        buffer.clear();
        escape_invalid(line.text(), buffer);
        let end = buffer.len();
        buffer.extend(line.beyond());
        self.search(buffer, 0..end, cache)
    }

    fn search(&self, bytes: &[u8], range: Range<usize>, cache: &mut Cache) -> bool {
        let input = Input::new(bytes).span(range).anchored(Anchored::No).earliest(true);
        let found = self.dfa.try_search_fwd(cache, &input);
        found.expect("no byte stops the automaton, and it may forget its states any number of times").is_some()
    }
}

fn expression(pattern: &Pattern) -> (Hir, bool) {
    match pattern {
        Pattern::Text { text, ignore_case } => (translate::of_text(text, *ignore_case), false),
        Pattern::Expression { hir, minds_utf8 } => (hir.clone(), *minds_utf8),
    }
}

fn nfa(expressions: &[Hir], limit: usize) -> Result<NFA, PatternError> {
    let config = thompson::Config::new().utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(Some(limit));
    thompson::Compiler::new().configure(config).build_many_from_hir(expressions).map_err(|error| {
        PatternError::new(match error.size_limit() {
            Some(_) => "it takes more than 1 MiB when compiled, with those before it".to_owned(),
            None => error.to_string(),
        })
    })
}
