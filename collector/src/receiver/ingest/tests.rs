//! What stands between a complete body and the journal: inflating under a cap, and the pipeline around the walk.

mod inflate;
mod pipeline;
