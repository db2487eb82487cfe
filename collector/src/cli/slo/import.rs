//! `slo import`: what other tools define, as documents of our own.

use std::path::{Path, PathBuf};

use bailiwick_slo::document;
use bailiwick_slo::import::{self, Options};
use bailiwick_slo::spec::TimeSpan;

use super::findings;
use crate::cli::answer::{Answer, Exit};
use crate::cli::arguments::{ImportArguments, Output};

/// Reads definitions of another tool; documents to stdout, what there is to say of them to stderr.
pub(in crate::cli) fn import(arguments: &ImportArguments, output: Output) -> Answer {
    match imported(arguments) {
        Ok(imported) => {
            let talk = match output {
                Output::Json => format!("{}\n", findings::json(&imported.findings)),
                Output::Table | Output::Yaml => findings::human(&imported.findings),
            };
            let exit = if imported.is_valid() { Exit::Done } else { Exit::Problem };
            Answer { data: document::write(&imported.documents), talk, exit }
        }
        Err(answer) => answer,
    }
}

fn imported(arguments: &ImportArguments) -> Result<import::Imported, Answer> {
    let tool = arguments.from.parse().map_err(|error: import::UnknownTool| Answer::failure(Exit::Usage, error))?;
    let files = texts(&arguments.files)?;
    let windows = texts(&arguments.windows)?;
    let map = arguments.map.iter().cloned().collect::<Vec<PathBuf>>();
    let map = texts(&map)?;
    let period = arguments.period.map(|days| TimeSpan(u64::from(days) * 86_400));
    let windows = borrowed(&windows);
    let options = Options { windows: &windows, map: borrowed(&map).first().copied(), period };
    Ok(import::import(tool, &borrowed(&files), &options))
}

fn texts(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Answer> {
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Answer::failure(Exit::File, format!("failed to read {}: {error}", path.display())))?;
        Ok((path.display().to_string(), text))
    };
    paths.iter().map(|path| read(path)).collect()
}

fn borrowed(texts: &[(String, String)]) -> Vec<(&str, &str)> {
    texts.iter().map(|(name, text)| (&**name, &**text)).collect()
}
