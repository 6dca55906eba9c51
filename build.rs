//! What `--version` says of the build: profile, target and, in a release build from a git checkout, the commit. No
//! clock and no host: the same sources give the same program.

#![allow(clippy::disallowed_methods, reason = "cargo tells a build script about the build through the environment")]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let told = |name: &str| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    let profile = told("PROFILE");
    let mut build = format!("{profile} build for {}", told("TARGET"));
    if profile == "release"
        && let Some(commit) = commit()
    {
        build += &format!(", commit {commit}");
    }
    println!("cargo:rustc-env=LANEKEEPER_BUILD={build}");
}

/// The commit of this checkout; `None` where the sources come from elsewhere (a package, a folder of another project).
fn commit() -> Option<String> {
    if !Path::new(".git/HEAD").exists() {
        return None;
    }
    for changes in ["src", "Cargo.toml", ".git/HEAD", ".git/logs/HEAD"] {
        if Path::new(changes).exists() {
            println!("cargo:rerun-if-changed={changes}");
        }
    }
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let commit = text.trim();
    (output.status.success() && !commit.is_empty()).then(|| commit.to_owned())
}
