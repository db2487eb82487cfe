mod inflate;
mod pipeline;
