//! The program as a test calls it.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part of this")]

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

pub const SMALL: &str = "\
name: small
run: {seed: 7, replications: 6, horizon: 20m, drain: 10m}
resources: {repo: {count: 5}}
workload:
  - {class: sync, arrivals: {poisson: 6/m}, service: {exponential: {mean: 10s}}, claims: {repo: 1}}
workers: {initial: 3, pause: {every: {exponential: {mean: 5m}}, for: 10s}}
network: {delay: {exponential: {mean: 2ms}}}
";

pub fn folder_with(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

pub fn lanekeeper(dir: &Path, args: &str) -> Output {
    let mut command = Command::cargo_bin("lanekeeper").unwrap();
    command.current_dir(dir).args(args.split_whitespace()).output().unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("the program was not killed")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
