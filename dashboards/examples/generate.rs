//! Writes the committed dashboards: `cargo run -p bailiwick-dashboards --example generate`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("generated");
    std::fs::create_dir_all(&folder)?;
    for dashboard in bailiwick_dashboards::all() {
        std::fs::write(folder.join(format!("{}.json", dashboard.uid)), dashboard.to_json())?;
    }
    Ok(())
}
