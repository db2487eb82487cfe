//! Hands the target, the compiler and the profile to `bailiwick version -v`.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let compiler = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let answer = Command::new(compiler).arg("--version").output();
    let rustc =
        answer.map_or_else(|_| "unknown".to_owned(), |answer| String::from_utf8_lossy(&answer.stdout).into_owned());
    println!("cargo::rustc-env=BAILIWICK_RUSTC={}", rustc.trim());
    for (ours, cargos) in [("BAILIWICK_TARGET", "TARGET"), ("BAILIWICK_PROFILE", "PROFILE")] {
        println!("cargo::rustc-env={ours}={}", env::var(cargos).unwrap_or_default());
    }
}
