//! `check` and `config`: the configuration as `serve` would see it, its problems, and what may be configured.

use bailiwick_slo::document::Finding;

use super::answer::{Answer, Exit};
use super::arguments::{CheckArguments, ConfigCommand, Output, ProblemFormat};
use super::slo::{self, Found};
use crate::config::render::{self, Look};
use crate::config::{self, Code, Loaded, Problem, Request, Settings};
use crate::evaluator::definitions::{self, DefinitionError};

/// Reports every problem, of the settings and of the SLO definitions that they name. Invalid files end with 78; warnings
/// do so where they are to fail.
#[must_use]
pub(super) fn check(arguments: &CheckArguments, request: &Request, output: Output, look: Look) -> Answer {
    let loaded: Vec<Loaded> = match &arguments.paths[..] {
        [] => vec![config::load(request)],
        paths => paths.iter().map(|path| config::load_alone(path, &request.environment)).collect(),
    };
    let sources = if arguments.paths.is_empty() { loaded[0].sources.len() } else { loaded.len() };
    let (mut problems, mut findings) = (Vec::new(), Vec::new());
    for loaded in loaded {
        problems.extend(loaded.problems);
        match check_definitions(&loaded.settings) {
            Ok(found) => findings.extend(found),
            Err(problem) => problems.push(*problem),
        }
    }
    let (errors, warnings) = config::count(&problems);
    let found = Found::of(&findings);
    let (errors, warnings) = (errors + found.errors, warnings + found.warnings);
    let format = if output == Output::Json { ProblemFormat::Json } else { arguments.format };
    let data = match format {
        ProblemFormat::Human => {
            let plural = if sources == 1 { "" } else { "s" };
            let told = format!("{}{}", render::human(&problems, look), slo::human(&findings));
            format!("{told}{sources} source{plural} checked: {}\n", render::totals(errors, warnings))
        }
        ProblemFormat::Json => {
            let mut document = render::json(&problems);
            let more = slo::problems_json(&findings);
            document["problems"].as_array_mut().expect("it is a list").extend(more);
            (document["errors"], document["warnings"]) = (errors.into(), warnings.into());
            format!("{document:#}\n")
        }
        ProblemFormat::Github => format!("{}{}", render::github(&problems), slo::github(&findings)),
    };
    let fails = errors > 0 || (arguments.strict && warnings > 0);
    Answer { data, talk: String::new(), exit: if fails { Exit::Configuration } else { Exit::Done } }
}

/// What there is to say of the SLO definitions that the settings name.
///
/// # Errors
/// Why they could not be read, or are not evaluated.
fn check_definitions(settings: &Settings) -> Result<Vec<Finding>, Box<Problem>> {
    let loaded = definitions::load(&settings.slo.files).and_then(|documents| definitions::watched(&documents));
    match loaded {
        Ok(loaded) => Ok(loaded.findings),
        Err(DefinitionError::Invalid(findings)) => Ok(findings),
        Err(error) => {
            let code = if matches!(error, DefinitionError::File { .. }) { Code::FileMissing } else { Code::Conflict };
            Err(Box::new(Problem { path: "slo.files".to_owned(), ..Problem::error(code, error.to_string()) }))
        }
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
            let (errors, warnings) = config::count(&problems);
            let totals = render::totals(errors, warnings);
            let talk = format!("{talk}bailiwick: the configuration is invalid: {totals}\n");
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
    fn definitions_that_the_settings_name_are_checked_with_them_in_every_form() {
        let folder = std::env::temp_dir().join(format!("bailiwick-check-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (settings, definition) = (folder.join("bailiwick.yaml"), folder.join("slo.yaml"));
        let text = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: rag\n  budgetingMethod: \
                    Occurrences\n  timeWindow: [{duration: 30d, isRolling: true}]\n  objectives: [{target: 99.9}]\n  \
                    bailiwick: {sli: {kind: availability}}\n";
        std::fs::write(&definition, text).expect("a file");
        std::fs::write(&settings, format!("slo: {{files: ['{}']}}\n", definition.display())).expect("a file");
        let set = format!("slo.files=['{}']", definition.display());
        let named = CheckArguments { paths: vec![settings.clone()], ..arguments(false) };
        for (arguments, set) in [(named, Vec::new()), (arguments(false), vec![&*set])] {
            let told = |format| {
                let arguments = CheckArguments { format, ..arguments.clone() };
                let answer = check(&arguments, &request(&set), Output::Table, Look::Plain);
                assert_eq!(answer.exit, Exit::Configuration);
                answer.data
            };
            let human = told(ProblemFormat::Human);
            assert!(human.contains("slo.yaml:8:") && human.ends_with("checked: 1 error, 0 warnings\n"), "{human}");
            let json: serde_json::Value = serde_json::from_str(&told(ProblemFormat::Json)).expect("it is JSON");
            assert_eq!((&json["errors"], &json["problems"][0]["line"]), (&1.into(), &8.into()), "{json}");
            let github = told(ProblemFormat::Github);
            assert!(github.starts_with("::error file=") && github.contains("line=8"), "{github}");
        }
        std::fs::remove_file(&definition).expect("it is there");
        std::fs::write(&settings, "slo: {files: ['a/***']}\n").expect("a file");
        let named = CheckArguments { paths: vec![settings], ..arguments(false) };
        let answer = check(&named, &request(&[]), Output::Table, Look::Plain);
        assert!(answer.data.contains("`a/***`") && answer.exit == Exit::Configuration, "{}", answer.data);
        std::fs::remove_dir_all(folder).expect("it is there");
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
