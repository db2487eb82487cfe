//! `check` and `config`: the configuration as `serve` would see it, its problems, and what may be configured.

use super::answer::{Answer, Exit};
use super::arguments::{CheckArguments, ConfigCommand, Output, ProblemFormat};
use super::slo::{self, Found};
use crate::config::render::{self, Look};
use crate::config::{self, Loaded, Problem, Request, Settings};
use crate::evaluator::definitions::{self, DefinitionError};

/// Reports every problem. Invalid files end with 78; warnings do so where they are to fail.
#[must_use]
pub(super) fn check(arguments: &CheckArguments, request: &Request, output: Output, look: Look) -> Answer {
    let mut talk = String::new();
    let mut definitions = Found::default();
    let (problems, sources) = if arguments.paths.is_empty() {
        let loaded = config::load(request);
        (definitions, talk) = check_definitions(&loaded.settings);
        (loaded.problems, loaded.sources.len())
    } else {
        let alone = |path| config::load_alone(path, &request.environment).problems;
        let problems: Vec<Problem> = arguments.paths.iter().flat_map(|path| alone(path)).collect();
        (problems, arguments.paths.len())
    };
    let (errors, warnings) = config::count(&problems);
    let (errors, warnings) = (errors + definitions.errors, warnings + definitions.warnings);
    let fails = errors > 0 || (arguments.strict && warnings > 0);
    let format = if output == Output::Json { ProblemFormat::Json } else { arguments.format };
    let data = match format {
        ProblemFormat::Human => {
            let plural = if sources == 1 { "" } else { "s" };
            format!(
                "{}{sources} source{plural} checked: {}\n",
                render::human(&problems, look),
                render::totals(&problems)
            )
        }
        ProblemFormat::Json => format!("{:#}\n", render::json(&problems)),
        ProblemFormat::Github => render::github(&problems),
    };
    Answer { data, talk, exit: if fails { Exit::Configuration } else { Exit::Done } }
}

/// What is wrong with the SLO definitions that the settings name.
fn check_definitions(settings: &Settings) -> (Found, String) {
    let loaded = definitions::load(&settings.slo.files).and_then(|documents| definitions::watched(&documents));
    match loaded {
        Ok(loaded) => (Found::of(&loaded.findings), slo::human(&loaded.findings)),
        Err(DefinitionError::Invalid(findings)) => (Found::of(&findings), slo::human(&findings)),
        Err(error) => (Found { errors: 1, ..Found::default() }, format!("{error}\n")),
    }
}

/// Prints defaults, schema or values.
#[must_use]
pub(super) fn show(command: ConfigCommand, request: &Request, output: Output, look: Look) -> Answer {
    match command {
        ConfigCommand::Default => Answer::data(config::write::default_file()),
        ConfigCommand::Schema => Answer::data(config::schema::text()),
        ConfigCommand::Show { effective, origin } => {
            let loaded = config::load(request);
            let tree = if effective { &loaded.effective } else { &loaded.written };
            let data = match output {
                Output::Json => format!("{:#}\n", tree.to_json()),
                Output::Table | Output::Yaml => config::write::yaml(tree, origin),
            };
            let talk = render::human(&loaded.problems, look);
            Answer { data, talk, exit: if loaded.is_valid() { Exit::Done } else { Exit::Configuration } }
        }
    }
}

/// The settings for the daemon, with the warnings to print, or the answer that says why it cannot start.
///
/// # Errors
/// The problems, and exit code 78.
pub(super) fn settings(request: &Request, look: Look) -> Result<(Settings, String), Answer> {
    let loaded = config::load(request);
    let talk = render::human(&loaded.problems, look);
    match loaded {
        Loaded { settings, .. } if config::count(&loaded.problems).0 == 0 => Ok((settings, talk)),
        Loaded { problems, .. } => {
            let talk = format!("{talk}bailiwick: the configuration is invalid: {}\n", render::totals(&problems));
            Err(Answer { data: String::new(), talk, exit: Exit::Configuration })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(set: &[&str]) -> Request {
        // A file of its own, so that one of the machine's does not count.
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/bailiwick.yaml").into();
        Request { file: Some(file), set: set.iter().map(|set| (*set).to_owned()).collect(), ..Request::default() }
    }

    fn arguments(strict: bool) -> CheckArguments {
        CheckArguments { paths: Vec::new(), format: ProblemFormat::Human, strict }
    }

    const WARNED: &str = "limits.body_bytes_max=200MiB";

    #[test]
    fn warnings_fail_only_where_they_are_to() {
        let exit = |strict, set: &[&str]| check(&arguments(strict), &request(set), Output::Table, Look::Plain).exit;
        assert_eq!(exit(false, &[WARNED]), Exit::Done);
        assert_eq!(exit(true, &[WARNED]), Exit::Configuration);
        assert_eq!(exit(true, &[]), Exit::Done);
        assert_eq!(exit(false, &["server.listen=0.0.0.0:4319"]), Exit::Configuration);
    }

    #[test]
    fn a_check_ends_with_its_totals_and_writes_json_where_asked() {
        let human = check(&arguments(false), &request(&[WARNED]), Output::Table, Look::Plain).data;
        assert!(human.ends_with("\n2 sources checked: 0 errors, 1 warning\n"), "{human}");
        let json = check(&arguments(false), &request(&[WARNED]), Output::Json, Look::Plain).data;
        let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
        assert_eq!(json["warnings"], 1);
    }

    #[test]
    fn a_named_file_is_checked_by_itself() {
        let paths = vec!["/no/such/file.yaml".into(), concat!(env!("CARGO_MANIFEST_DIR"), "/bailiwick.yaml").into()];
        let arguments = CheckArguments { paths, ..arguments(false) };
        let answer = check(&arguments, &request(&["server.nonsense=1"]), Output::Table, Look::Plain);
        assert!(answer.data.ends_with("2 sources checked: 1 error, 0 warnings\n"), "{}", answer.data);
        assert_eq!(answer.exit, Exit::Configuration);
    }

    #[test]
    fn show_prints_what_was_set_or_everything() {
        let mut request = request(&["server.requests_max=9"]);
        request.file = Some(std::path::PathBuf::from("/dev/null"));
        let shown = |effective, output| {
            let command = ConfigCommand::Show { effective, origin: false };
            show(command, &request, output, Look::Plain).data
        };
        assert_eq!(shown(false, Output::Table), "server:\n  requests_max: 9\n");
        let all: serde_json::Value = serde_json::from_str(&shown(true, Output::Json)).expect("it is JSON");
        assert_eq!((&all["server"]["requests_max"], &all["shutdown"]["deadline"]), (&9.into(), &"10s".into()));
    }

    #[test]
    fn invalid_settings_do_not_start_and_warnings_are_passed_on() {
        let refused = settings(&request(&["server.requests_max=0"]), Look::Plain).expect_err("0 requests serve nobody");
        assert_eq!(refused.exit, Exit::Configuration);
        assert!(refused.talk.ends_with("bailiwick: the configuration is invalid: 1 error, 0 warnings\n"));
        let (_, talk) = settings(&request(&[WARNED]), Look::Plain).expect("a warning does not stop");
        assert!(talk.starts_with("warning[conflict]"));
    }
}
