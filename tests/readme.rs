//! Every console block of the README and of the book in `docs/` is executed: each `$` line must succeed (or exit as it
//! says), and each line shown below it must be in what it printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

struct Block {
    command: Vec<String>,
    exit: i32,
    shown: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for text in text.split("```console\n").skip(1) {
        let text = text.split("```").next().expect("a closed block");
        let (command, shown) = text.split_once('\n').expect("a command and what it shows");
        let (command, note) = command.split_once('#').unwrap_or((command, ""));
        let exit = note.trim().strip_prefix("exits ").map_or(0, |code| code.parse().expect("an exit code"));
        let words = command.trim_start().trim_start_matches("$ ").replace("cargo run --release --", "lanekeeper");
        let mut words = split(&words).into_iter();
        assert_eq!(words.next().as_deref(), Some("lanekeeper"), "{command}");
        let shown = shown.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
        blocks.push(Block { command: words.collect(), exit, shown });
    }
    blocks
}

/// The words of a command: blanks part them, except between single quotes.
fn split(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in command.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().expect("one word").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Runs every block of a file; gives how many there were.
fn run_all(file: &Path) -> usize {
    let blocks = blocks(&fs::read_to_string(file).expect("a text"));
    for block in &blocks {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanekeeper"));
        command.current_dir(ROOT);
        if ["run", "replay"].contains(&block.command[0].as_str()) {
            // Whatever the block says, nothing is written into the project.
            let end = block.command.iter().position(|word| word == "-o").unwrap_or(block.command.len());
            assert!(end + 2 >= block.command.len(), "{:?}: `-o` comes last", block.command);
            command.args(&block.command[..end]).arg("-o").arg(folder.path());
        } else {
            command.args(&block.command);
        }
        let output = command.output().expect("the program runs");
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(block.exit), "{}: {:?}\n{text}", file.display(), block.command);
        for line in &block.shown {
            let shown = line.trim();
            assert!(text.contains(shown), "{}: {:?} does not print `{shown}`:\n{text}", file.display(), block.command);
        }
    }
    blocks.len()
}

/// The chapters of the book, in order.
fn chapters() -> Vec<PathBuf> {
    let docs = Path::new(ROOT).join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("the summary");
    summary.split("](").skip(1).map(|rest| docs.join(rest.split(')').next().expect("a closed link"))).collect()
}

#[test]
fn every_console_block_of_the_readme_does_what_it_shows() {
    let count = run_all(&Path::new(ROOT).join("README.md"));
    assert!(count >= 5, "{count} blocks");
}

#[test]
fn the_scenario_of_the_readme_is_one_with_its_variants_and_its_sweep() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).expect("a text");
    let block = |rest: &str| rest.split("```").next().expect("a closed block").to_owned();
    let text: String = readme.split("```yaml\n").skip(1).map(block).collect();
    for key in ["workload", "variants", "sweep"] {
        assert!(text.contains(&format!("\n{key}:")), "no {key} in\n{text}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mine.yaml"), &text).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanekeeper"));
    let output = command.args(["check", "mine.yaml"]).current_dir(folder.path()).output().expect("the program runs");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_committed_results_are_those_of_the_run_that_the_readme_shows() {
    let file = |path: &str| fs::read_to_string(Path::new(ROOT).join(path)).expect("a committed file");
    let readme = file("README.md");
    let digest = readme.lines().find_map(|line| line.strip_prefix("digest ")).expect("a digest");
    let summary = file("results/black-friday/summary.json");
    assert!(
        summary.contains(&format!("\"digest\": \"{digest}\"")),
        "run `cargo run --release -- run` and commit results/"
    );
}

#[test]
fn every_console_block_of_the_book_does_what_it_shows() {
    let chapters = chapters();
    assert!(chapters.len() >= 7);
    for chapter in &chapters {
        assert!(run_all(chapter) >= 1, "{} shows nothing", chapter.display());
    }
    let files = fs::read_dir(Path::new(ROOT).join("docs")).expect("docs").filter_map(Result::ok);
    let written = files.filter(|it| it.path().extension().is_some_and(|it| it == "md")).count();
    assert_eq!(written, chapters.len() + 1, "a chapter is not in the summary");
}

#[test]
fn the_book_names_every_metric_and_every_property() {
    let book = |chapter: &str| fs::read_to_string(Path::new(ROOT).join("docs").join(chapter)).expect("a chapter");
    let (metrics, validate) = (book("metrics.md"), book("validate.md"));
    for metric in lanekeeper::base::names::METRICS {
        let name = format!("`{}`", metric.name);
        assert!(metrics.contains(&name) || metric.name.starts_with("violations."), "{name} is not in metrics.md");
    }
    for property in lanekeeper::base::Property::ALL {
        assert!(validate.contains(&format!("`{property}`")), "`{property}` is not in validate.md");
    }
}
