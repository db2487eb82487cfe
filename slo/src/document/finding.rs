//! What is wrong with a document: codes, findings and the list that they are gathered in.

use std::fmt;

use super::tree::Spot;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// It is worth knowing.
    Note,
    /// It is probably not what was meant.
    Warning,
    /// The document is not valid.
    Error,
}

impl Severity {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Makes the codes from one table: name, number, usual severity, meaning (`slo.md` 1.5).
macro_rules! codes {
    ($($name:ident = $number:literal $severity:ident $doc:literal,)*) => {
        /// A code of findings; its number never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Code {
            $(#[doc = $doc] $name = $number,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// How bad it usually is. [`Code::Name`] and [`Code::Windows`] are errors in their worse cases.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }

            /// What it means.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $doc,)*
                }
            }
        }
    };
}

codes! {
    Syntax = 1 Error "It cannot be read: syntax, a key twice, or a value that is not of its key's type.",
    Kind = 2 Error "Unknown apiVersion, or a kind that this version has not.",
    Missing = 3 Error "A required field is missing.",
    UnknownKey = 4 Warning "A key that OpenSLO does not have.",
    UnknownOurKey = 5 Error "A key or word that the extension does not have.",
    Name = 6 Warning "A name that other tools may refuse; an error if nobody can use it.",
    Duplicate = 7 Error "Two objects of one kind and name.",
    Unresolved = 8 Error "A reference to what is not there.",
    Description = 9 Error "A description over 1050 characters.",
    Target = 10 Error "No target from 0 to below 1, or not exactly one.",
    TargetZero = 11 Warning "A target of 0 is always met.",
    TooFine = 12 Error "More digits than are counted with.",
    TargetLow = 13 Warning "A target under one per cent: a ratio was probably meant.",
    Duration = 14 Error "It is no duration.",
    PeriodShort = 15 Error "A period under an hour.",
    Windows = 17 Warning "No time window; several are an error.",
    WindowKind = 18 Error "A time window that is neither rolling nor of a calendar, or both.",
    Method = 19 Error "An unknown budgeting method.",
    Slice = 20 Error "Slices without a length in whole minutes or a target above 0 and at most 1.",
    OpIgnored = 21 Warning "`op` and `value` of a ratio are ignored.",
    CounterMissing = 22 Warning "`counter` is missing and read as true.",
    Indicator = 23 Error "Not exactly one of what excludes each other in an indicator.",
    Foreign = 24 Note "The source is of another system: inactive.",
    PerSlice = 25 Error "An indicator that needs slices, with Occurrences.",
    SliceLong = 26 Warning "A slice longer than a fifth of a short window.",
    OffBound = 27 Warning "A threshold between two bucket bounds.",
    Thresholds = 28 Error "More than four latency thresholds on one series.",
    Unreachable = 30 Error "A tier that no failure can reach.",
    NearlyUnreachable = 31 Warning "A tier that only a near-total failure reaches.",
    TierWindows = 32 Error "A tier whose factor or windows make no sense.",
    FactorLow = 33 Warning "A tier that fires while the budget lasts.",
    BurnOp = 34 Warning "A burn compared the wrong way, or without saying how.",
    NoShort = 35 Warning "A tier without a short window ends late.",
    Hold = 36 Note "A tier that waits before it fires.",
    Consumption = 37 Warning "A tier that takes far too little or too much of the budget.",
    Policy = 38 Error "An alert policy that is not whole.",
    WhenMissing = 39 Warning "It is not said when to alert.",
    LittleTraffic = 40 Warning "Less than one bad event is allowed at this traffic.",
    Receiver = 41 Error "An unknown receiver.",
    Override = 42 Warning "An override that changes nothing.",
    OtherTenant = 43 Error "It reaches another tenant.",
    Instances = 44 Warning "More instances than allowed.",
    Composite = 45 Error "Parts that do not go together.",
    TwoExtensions = 46 Error "The extension is given twice.",
    Alpha = 47 Note "An alpha version.",
    NotRules = 50 Warning "It cannot be written as Prometheus rules.",
}

impl Code {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SLO{:03}", self.number())
    }
}

/// Something about a document that its author should know (the problem object of `faces.md` 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The file's name as it was given.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// The path within the object; empty: the object itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub help: String,
    /// The one edit that cures it, where there is one.
    pub fix: Option<Fix>,
}

/// An edit: write `value` at `path`. What it excludes goes (`target` when `targetPercent` comes, `factor` when
/// `consume` does).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The path within the object.
    pub path: String,
    /// YAML of the new value.
    pub value: String,
}

/// Where a fix goes, from where its finding is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FixAt {
    /// In place of what the finding is about.
    Here,
    /// At another key beside it.
    Beside(&'static str),
    /// At a key below it.
    Below(&'static str),
    /// At a path within the object.
    Path(String),
}

/// A finding before its path is worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) spot: Spot,
    pub(crate) message: String,
    pub(crate) help: String,
    pub(crate) fix: Option<(FixAt, String)>,
}

impl Raw {
    /// Says what to do.
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = help.into();
        self
    }

    /// Says what edit cures it.
    pub(crate) fn fix(&mut self, at: FixAt, value: impl Into<String>) -> &mut Self {
        self.fix = Some((at, value.into()));
        self
    }
}

/// Most findings of each severity that are kept: far more than anyone reads. Warnings never push out an error.
const EACH_MAX: usize = 4_000;

/// Findings as they come.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    raw: Vec<Raw>,
    /// How many there are of each severity.
    counts: [usize; 3],
    /// The last one that was not kept.
    spare: Option<Raw>,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&mut self, code: Code, spot: Spot, message: impl Into<String>) -> &mut Raw {
        self.add_as(code, code.severity(), spot, message)
    }

    /// Adds one that is worse than usual.
    pub(crate) fn add_as(
        &mut self,
        code: Code,
        severity: Severity,
        spot: Spot,
        message: impl Into<String>,
    ) -> &mut Raw {
        let message = message.into();
        let raw = Raw { code, severity, spot, message, help: String::new(), fix: None };
        let count = &mut self.counts[severity as usize];
        if *count == EACH_MAX {
            return self.spare.insert(raw);
        }
        *count += 1;
        self.raw.push(raw);
        let last = self.raw.len() - 1;
        &mut self.raw[last]
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.raw.len()
    }

    /// Takes over those of others whose code is wanted.
    pub(crate) fn take_all(&mut self, other: Self, is_wanted: impl Fn(Code) -> bool) {
        for raw in other.raw.into_iter().filter(|raw| is_wanted(raw.code)) {
            let Raw { code, severity, spot, .. } = raw;
            *self.add_as(code, severity, spot, String::new()) = raw;
        }
    }

    /// Those that were added.
    #[cfg(test)]
    pub(crate) fn raw(&self) -> &[Raw] {
        &self.raw
    }

    /// All of them by position, each once: an object that others refer to is read with each of them.
    pub(crate) fn into_sorted(mut self) -> Vec<Raw> {
        let key = |raw: &Raw| (raw.spot.file, raw.spot.line, raw.spot.column, raw.code);
        self.raw.sort_by(|one, two| key(one).cmp(&key(two)).then_with(|| one.message.cmp(&two.message)));
        self.raw.dedup_by(|one, two| key(one) == key(two) && one.message == two.message);
        self.raw
    }
}
