//! Which definitions a command means: a file, a name among those that are configured, or all of those.

use std::path::Path;

use bailiwick_slo::document::{Context, Loaded};

use crate::cli::answer::{Answer, Exit};
use crate::cli::configuration;
use crate::config::Request;
use crate::config::render::Look;
use crate::evaluator::definitions::{self, DefinitionError};

fn failed(error: DefinitionError) -> Answer {
    Answer::failure(Exit::File, error)
}

/// The configured definitions, as `serve` reads them.
pub(super) fn configured(request: &Request) -> Result<Loaded, Answer> {
    let (settings, _) = configuration::settings(request, Look::Plain)?;
    let files = definitions::files(&settings.slo.files).map_err(failed)?;
    if files.is_empty() {
        return Err(Answer::failure(Exit::Usage, "no SLO file is configured: name files, or set `slo.files`"));
    }
    definitions::read(&files, &Context::default()).map_err(failed)
}

/// What a word means: the SLOs of the file of that path, each judged by itself; else the configured SLO of that name,
/// with the findings of its file.
pub(super) fn meant(word: &Path, request: &Request) -> Result<Loaded, Answer> {
    let name = word.to_str().filter(|name| !name.contains(['/', '.'])).filter(|_| !word.exists());
    let Some(name) = name else {
        let context = Context { ignores_references: true, ..Context::default() };
        return definitions::read(&[word.to_owned()], &context).map_err(failed);
    };
    let mut loaded = configured(request)?;
    loaded.slos.retain(|slo| slo.id == name);
    if loaded.slos.is_empty() {
        let reason = format!("`{name}` is neither a file nor one of the SLOs of `slo.files`");
        return Err(Answer::failure(Exit::Usage, reason));
    }
    Ok(loaded)
}
