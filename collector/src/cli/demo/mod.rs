//! To be written.

use super::DemoArguments;
use crate::config::Settings;

/// Stand-in.
///
/// # Errors
/// Always.
pub fn run(_: &DemoArguments, _: Settings) -> anyhow::Result<()> {
    anyhow::bail!("the demo is not there yet")
}
