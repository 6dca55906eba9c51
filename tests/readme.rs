//! Every console block of the README is executed: each `$` line must succeed (or exit as it says), and each line shown
//! below it must be in what it printed.

use std::path::Path;
use std::process::Command;

struct Block {
    command: Vec<String>,
    exit: i32,
    shown: Vec<String>,
}

fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for text in readme.split("```console\n").skip(1) {
        let text = text.split("```").next().expect("a closed block");
        let (command, shown) = text.split_once('\n').expect("a command and what it shows");
        let (command, note) = command.split_once('#').unwrap_or((command, ""));
        let exit = note.trim().strip_prefix("exits ").map_or(0, |code| code.parse().expect("an exit code"));
        let words = command.trim_start_matches("$ ").replace("cargo run --release --", "lanekeeper");
        let mut words = words.split_whitespace().map(str::to_owned);
        assert_eq!(words.next().as_deref(), Some("lanekeeper"), "{command}");
        let shown = shown.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
        blocks.push(Block { command: words.collect(), exit, shown });
    }
    blocks
}

#[test]
fn every_console_block_of_the_readme_does_what_it_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README");
    let blocks = blocks(&readme);
    assert!(blocks.len() >= 5, "{} blocks", blocks.len());
    for block in blocks {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanekeeper"));
        command.args(&block.command).current_dir(root);
        if ["run", "replay"].contains(&block.command[0].as_str()) {
            command.arg("-o").arg(folder.path());
        }
        let output = command.output().expect("the program runs");
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(block.exit), "{:?}\n{text}", block.command);
        for line in &block.shown {
            assert!(text.contains(line.trim()), "{:?} does not print `{line}`:\n{text}", block.command);
        }
    }
}
