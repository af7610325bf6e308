//! From the text of an expression to what an automaton is built of.
//!
//! `regex-syntax` parses; its own translation is not used, because a filter's expressions differ from it: a character is
//! one character and a class holds any characters, but `\w`, `\d`, `\s` and `\b` are ASCII, and the tables of Unicode
//! are not built in. An expression sees one line without its end, so that `(?m)`, `(?s)` and `(?R)` change nothing.

use regex_syntax::ast::{self, Ast, ClassSet, ClassSetItem, Flag, Literal, LiteralKind, Span};
use regex_syntax::hir::{Hir, Look, Repetition};

use super::case;
use super::charset::CharSet;
use super::pattern_error::PatternError;
use crate::protocol::criteria::Case;

/// How deeply groups and classes may be nested.
const NESTING: u32 = 100;

/// Returns the expression, and whether it matters to it which bytes of a line are not UTF-8.
pub(super) fn translate(pattern: &str, case: Case) -> Result<(Hir, bool), PatternError> {
    let parser = ast::parse::ParserBuilder::new().nest_limit(NESTING).build().parse(pattern);
    let ast = parser.map_err(|error| {
        let reason = error.kind().to_string();
        PatternError::at(reason, pattern, error.span().start.offset)
    })?;
    let ignore_case = match case {
        Case::Smart => !has_capital(&ast),
        Case::Ignored => true,
        Case::Sensitive => false,
    };
    let mut translator = Translator { pattern, ignore_case, minds_utf8: false };
    let hir = translator.expression(&ast)?;
    Ok((hir, translator.minds_utf8))
}

/// An expression that matches `text`.
pub(super) fn of_text(text: &str, ignore_case: bool) -> Hir {
    let mut translator = Translator { pattern: text, ignore_case, minds_utf8: false };
    Hir::concat(text.chars().map(|letter| translator.character(letter)).collect())
}

struct Translator<'p> {
    pattern: &'p str,
    ignore_case: bool,
    minds_utf8: bool,
}

impl Translator<'_> {
    /// Recursive; [`NESTING`] bounds it.
    fn expression(&mut self, ast: &Ast) -> Result<Hir, PatternError> {
        Ok(match ast {
            Ast::Empty(_) => Hir::empty(),
            Ast::Flags(set) => {
                self.set(&set.flags);
                Hir::empty()
            }
            Ast::Literal(literal) => match byte(literal) {
                Some(byte) => self.class(CharSet::of_bytes(byte, byte)),
                None => self.character(literal.c),
            },
            Ast::Dot(_) => {
                let mut set = CharSet::new([('\n', '\n'), ('\r', '\r')]);
                set.negate();
                self.class(set)
            }
            Ast::Assertion(assertion) => Hir::look(look(&assertion.kind)),
            Ast::ClassUnicode(class) => return Err(self.no_tables(&class.span)),
            Ast::ClassPerl(class) => self.class(perl(class)),
            Ast::ClassBracketed(class) => {
                let set = self.bracketed(class)?;
                self.class(set)
            }
            Ast::Repetition(repetition) => self.repetition(repetition)?,
            Ast::Group(group) => {
                let outside = self.ignore_case;
                if let Some(flags) = group.flags() {
                    self.set(flags);
                }
                let hir = self.expression(&group.ast)?;
                self.ignore_case = outside;
                hir
            }
            Ast::Alternation(list) => Hir::alternation(self.each(&list.asts)?),
            Ast::Concat(list) => Hir::concat(self.each(&list.asts)?),
        })
    }

    fn each(&mut self, asts: &[Ast]) -> Result<Vec<Hir>, PatternError> {
        asts.iter().map(|ast| self.expression(ast)).collect()
    }

    /// Only the case counts: the others change nothing, or the parser has heeded them.
    fn set(&mut self, flags: &ast::Flags) {
        if let Some(ignore_case) = flags.flag_state(Flag::CaseInsensitive) {
            self.ignore_case = ignore_case;
        }
    }

    fn repetition(&mut self, repetition: &ast::Repetition) -> Result<Hir, PatternError> {
        use ast::{RepetitionKind, RepetitionRange};
        let (min, max) = match repetition.op.kind {
            RepetitionKind::ZeroOrOne => (0, Some(1)),
            RepetitionKind::ZeroOrMore => (0, None),
            RepetitionKind::OneOrMore => (1, None),
            RepetitionKind::Range(RepetitionRange::Exactly(times)) => (times, Some(times)),
            RepetitionKind::Range(RepetitionRange::AtLeast(times)) => (times, None),
            RepetitionKind::Range(RepetitionRange::Bounded(min, max)) => (min, Some(max)),
        };
        let sub = Box::new(self.expression(&repetition.ast)?);
        Ok(Hir::repetition(Repetition { min, max, greedy: true, sub }))
    }

    fn character(&mut self, letter: char) -> Hir {
        if !self.ignore_case {
            let mut buffer = [0; 4];
            return Hir::literal(letter.encode_utf8(&mut buffer).as_bytes());
        }
        let set = self.cases(CharSet::new([(letter, letter)]));
        self.class(set)
    }

    fn class(&mut self, set: CharSet) -> Hir {
        let (hir, minds_utf8) = set.into_hir();
        self.minds_utf8 |= minds_utf8;
        hir
    }

    fn bracketed(&mut self, class: &ast::ClassBracketed) -> Result<CharSet, PatternError> {
        let mut set = self.set_of(&class.kind)?;
        if class.negated {
            set.negate();
        }
        Ok(set)
    }

    fn set_of(&mut self, class: &ClassSet) -> Result<CharSet, PatternError> {
        let operation = match class {
            ClassSet::Item(item) => return self.item(item),
            ClassSet::BinaryOp(operation) => operation,
        };
        let mut set = self.set_of(&operation.lhs)?;
        let other = self.set_of(&operation.rhs)?;
        match operation.kind {
            ast::ClassSetBinaryOpKind::Intersection => set.intersect(&other),
            ast::ClassSetBinaryOpKind::Difference => set.subtract(&other),
            ast::ClassSetBinaryOpKind::SymmetricDifference => set.subtract_each_other(&other),
        }
        Ok(set)
    }

    fn item(&mut self, item: &ClassSetItem) -> Result<CharSet, PatternError> {
        Ok(match item {
            ClassSetItem::Empty(_) => CharSet::new([]),
            ClassSetItem::Literal(literal) => self.range(literal, literal),
            ClassSetItem::Range(range) => self.range(&range.start, &range.end),
            ClassSetItem::Ascii(class) => {
                let set = CharSet::new(ascii(&class.kind).iter().copied());
                let mut set = self.cases(set);
                if class.negated {
                    set.negate();
                }
                set
            }
            ClassSetItem::Unicode(class) => return Err(self.no_tables(&class.span)),
            ClassSetItem::Perl(class) => perl(class),
            ClassSetItem::Bracketed(class) => self.bracketed(class)?,
            ClassSetItem::Union(union) => {
                let mut set = CharSet::new([]);
                for item in &union.items {
                    set.union(&self.item(item)?);
                }
                set
            }
        })
    }

    fn range(&mut self, first: &Literal, last: &Literal) -> CharSet {
        let start = byte(first).or_else(|| u8::try_from(first.c).ok().filter(u8::is_ascii));
        let set = match (start, byte(last)) {
            (Some(start), Some(end)) => CharSet::of_bytes(start, end),
            _ => CharSet::new([(first.c, last.c)]),
        };
        self.cases(set)
    }

    /// Adds the other cases if case is ignored.
    fn cases(&self, mut set: CharSet) -> CharSet {
        if self.ignore_case {
            let mut others = Vec::new();
            for (first, last) in set.ranges() {
                case::other_cases(first..=last, |letter| others.push((letter, letter)));
            }
            set.union(&CharSet::new(others));
        }
        set
    }

    fn no_tables(&self, span: &Span) -> PatternError {
        PatternError::at("classes of Unicode are not built in", self.pattern, span.start.offset)
    }
}

/// The byte that `\xFF` means. Up to `\x7F` a byte is a character, and `\x{FF}` always is.
fn byte(literal: &Literal) -> Option<u8> {
    literal.byte().filter(|byte| !byte.is_ascii())
}

fn look(kind: &ast::AssertionKind) -> Look {
    use ast::AssertionKind;
    match kind {
        AssertionKind::StartLine | AssertionKind::StartText => Look::Start,
        AssertionKind::EndLine | AssertionKind::EndText => Look::End,
        AssertionKind::WordBoundary => Look::WordAscii,
        AssertionKind::NotWordBoundary => Look::WordAsciiNegate,
        AssertionKind::WordBoundaryStart | AssertionKind::WordBoundaryStartAngle => Look::WordStartAscii,
        AssertionKind::WordBoundaryEnd | AssertionKind::WordBoundaryEndAngle => Look::WordEndAscii,
        AssertionKind::WordBoundaryStartHalf => Look::WordStartHalfAscii,
        AssertionKind::WordBoundaryEndHalf => Look::WordEndHalfAscii,
    }
}

fn perl(class: &ast::ClassPerl) -> CharSet {
    let kind = match class.kind {
        ast::ClassPerlKind::Digit => ast::ClassAsciiKind::Digit,
        ast::ClassPerlKind::Space => ast::ClassAsciiKind::Space,
        ast::ClassPerlKind::Word => ast::ClassAsciiKind::Word,
    };
    let mut set = CharSet::new(ascii(&kind).iter().copied());
    if class.negated {
        set.negate();
    }
    set
}

fn ascii(kind: &ast::ClassAsciiKind) -> &'static [(char, char)] {
    use ast::ClassAsciiKind;
    match kind {
        ClassAsciiKind::Alnum => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        ClassAsciiKind::Alpha => &[('A', 'Z'), ('a', 'z')],
        ClassAsciiKind::Ascii => &[('\0', '\x7f')],
        ClassAsciiKind::Blank => &[('\t', '\t'), (' ', ' ')],
        ClassAsciiKind::Cntrl => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        ClassAsciiKind::Digit => &[('0', '9')],
        ClassAsciiKind::Graph => &[('!', '~')],
        ClassAsciiKind::Lower => &[('a', 'z')],
        ClassAsciiKind::Print => &[(' ', '~')],
        ClassAsciiKind::Punct => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        ClassAsciiKind::Space => &[('\t', '\r'), (' ', ' ')],
        ClassAsciiKind::Upper => &[('A', 'Z')],
        ClassAsciiKind::Word => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        ClassAsciiKind::Xdigit => &[('0', '9'), ('A', 'F'), ('a', 'f')],
    }
}

/// Whether the expression has a capital letter that is not part of an escape, a group's name or a flag.
fn has_capital(ast: &Ast) -> bool {
    struct Visitor(bool);
    impl Visitor {
        fn note(&mut self, literal: &Literal) {
            self.0 |= literal.kind == LiteralKind::Verbatim && literal.c.is_uppercase();
        }
    }
    impl ast::Visitor for Visitor {
        type Output = bool;
        type Err = std::convert::Infallible;

        fn finish(self) -> Result<bool, Self::Err> {
            Ok(self.0)
        }

        fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
            if let Ast::Literal(literal) = ast {
                self.note(literal);
            }
            Ok(())
        }

        fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
            match item {
                ClassSetItem::Literal(literal) => self.note(literal),
                ClassSetItem::Range(range) => {
                    self.note(&range.start);
                    self.note(&range.end);
                }
                _ => (),
            }
            Ok(())
        }
    }
    let Ok(has_capital) = ast::visit(ast, Visitor(false));
    has_capital
}
