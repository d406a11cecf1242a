//! The two streams: standard output is data, standard error is for people.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use crate::cli::Cli;
use crate::problem::Problem;

/// Who is listening, and how much they want to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Printer {
    level: Level,
    colour: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Quiet,
    Plain,
    Bars,
}

/// How a word stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Emphasis {
    /// Between stars, where there is nothing but letters.
    Stars,
    /// Bold and underlined, where a terminal can do that.
    Bold,
}

impl Emphasis {
    /// What stands before and after the word.
    pub(crate) fn marks(self) -> [&'static str; 2] {
        match self {
            Self::Stars => ["*", "*"],
            Self::Bold => ["\x1b[1;4m", RESET],
        }
    }

    /// Columns that the two marks take together.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Stars => 2,
            Self::Bold => 0,
        }
    }
}

/// ANSI codes; none of them carries meaning alone.
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const CYAN: &str = "\x1b[1;36m";
const RESET: &str = "\x1b[0m";

impl Printer {
    /// Listens to the flags and to what standard error is connected with.
    pub(crate) fn new(cli: &Cli) -> Self {
        let level = match (cli.quiet, cli.verbose, io::stderr().is_terminal()) {
            (true, ..) => Level::Quiet,
            (_, 0, true) => Level::Bars,
            // A bar and a log on one terminal would overwrite each other.
            _ => Level::Plain,
        };
        Self { level, colour: colour() }
    }

    /// One that prints errors only, for work behind the scenes.
    pub(crate) fn silent() -> Self {
        Self { level: Level::Quiet, colour: colour() }
    }

    /// Whether moving bars may be drawn.
    pub(crate) fn bars(&self) -> bool {
        self.level == Level::Bars
    }

    /// Whether people want to hear anything but errors.
    pub(crate) fn speaks(&self) -> bool {
        self.level != Level::Quiet
    }

    /// Writes data to standard output, ending in a line break.
    #[expect(clippy::unused_self, reason = "one door for both streams: whoever has it may print")]
    pub(crate) fn data(&self, text: impl Display) -> io::Result<()> {
        let text = text.to_string();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let mut out = io::stdout().lock();
        write!(out, "{text}{end}")?;
        out.flush()
    }

    /// Tells people something, unless they asked for quiet.
    pub(crate) fn say(&self, text: impl Display) {
        if self.speaks() {
            tell(format_args!("{text}"));
        }
    }

    /// Tells people why the answer is no; no flag silences it.
    #[expect(clippy::unused_self, reason = "one door for both streams: whoever has it may print")]
    pub(crate) fn answer(&self, text: impl Display) {
        tell(format_args!("{text}"));
    }

    /// Tells people what they may want to change, unless they asked for quiet.
    pub(crate) fn warn(&self, text: impl Display) {
        self.say(format_args!("{} {text}", self.paint(YELLOW, "warning:")));
    }

    /// Tells people what went wrong and what to do; no flag silences it.
    pub(crate) fn problem(&self, problem: &Problem) {
        tell(format_args!("{} {}", self.paint(RED, "error:"), problem.message));
        if let Some(hint) = &problem.hint {
            tell(format_args!("\n{} {hint}", self.paint(CYAN, "hint:")));
        }
    }

    /// How words stand out in what goes to standard output.
    #[expect(clippy::unused_self, reason = "one door for both streams: whoever has it may print")]
    pub(crate) fn emphasis(&self) -> Emphasis {
        if colourful(&io::stdout()) { Emphasis::Bold } else { Emphasis::Stars }
    }

    fn paint(&self, code: &str, word: &str) -> String {
        if self.colour { format!("{code}{word}{RESET}") } else { word.to_owned() }
    }
}

/// Whether standard error shows colours.
pub(crate) fn colour() -> bool {
    colourful(&io::stderr())
}

/// Whether a stream shows colours: a terminal, and nobody said no.
///
/// Source: <https://no-color.org>: any value that is not empty means no.
fn colourful(stream: &impl IsTerminal) -> bool {
    let no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    stream.is_terminal() && !no && !dumb
}

/// If standard error is closed, there is nobody left to tell.
fn tell(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
