//! Hunts from the command line: what they find, what they write, and that they are repeated by naming them.

mod program;

use std::fs;
use std::path::Path;

use program::*;

#[test]
fn a_hunt_of_a_file_writes_the_worst_runs_and_they_give_the_value_that_was_told() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    let output = lanekeeper(dir.path(), "hunt small.yaml --seeds 4 --maximise wait.max{class=sync} -o found");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let told = stdout(&output);
    let first = told.lines().skip_while(|line| !line.starts_with("greatest wait.max")).nth(1).expect("a worst run");
    let (value, seed) = first.trim().split_once("  seed ").expect("a value and a seed");
    let file = format!("found/small-{seed}.yaml");
    let again = lanekeeper(dir.path(), &format!("hunt {file} --seeds 1 --maximise wait.max{{class=sync}}"));
    assert!(stdout(&again).contains(&format!("{value}  seed {seed}")), "{told}\n{}", stdout(&again));
    let page = fs::read_to_string(dir.path().join("found/report.html")).unwrap();
    assert!(page.contains("Which runs performed worst") && page.contains("--maximise"));
}

#[test]
fn a_hunt_of_a_file_judges_what_the_file_says_as_test_does() {
    let zombies = SMALL.replace("for: 10s", "for: 50s") + "engine: {queue_first: {lease: none}}\n";
    let demanding = format!("{zombies}expect: {{always: [exclusion]}}\n");
    let dir = folder_with(&[("zombies.yaml", zombies.as_bytes()), ("demanding.yaml", demanding.as_bytes())]);
    let told = |verb: &str| code(&lanekeeper(dir.path(), verb));
    assert!(stderr(&lanekeeper(dir.path(), "hunt --seeds 3")).contains("or use --swarm"));
    assert_eq!(told("hunt zombies.yaml --seeds 3"), 0, "without a lease nothing is promised");
    assert_eq!(told("hunt demanding.yaml --seeds 3"), 1);
    assert_eq!(told("test demanding.yaml --replications 3"), 1);
}

#[test]
fn a_run_of_a_guided_hunt_is_repeated_by_its_parts() {
    let dir = folder_with(&[]);
    let redrawn =
        "hunt --swarm --seeds 1 --seed 9 --redraw engine=7 --redraw network=8 -o found --maximise queue.churn";
    let output = lanekeeper(dir.path(), redrawn);
    assert!([0, 1].contains(&code(&output)), "{}", stderr(&output));
    assert!(stdout(&output).contains("seed 9 engine=7 network=8\n"), "{}", stdout(&output));
    let written = fs::read_to_string(dir.path().join("found/swarm-9-engine7-network8.yaml")).unwrap();
    assert!(written.starts_with("name: swarm-9-engine7-network8\n"));
}

/// What the program with planted bugs prints, as built beside this test, and its code.
fn planted(dir: &Path, args: &str) -> (i32, String) {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("examples/planted_bugs");
    let mut command = std::process::Command::new(&program);
    command.current_dir(dir).args(args.split_whitespace()).env("COLUMNS", "200");
    let output =
        command.output().unwrap_or_else(|e| panic!("{}: {e}; run `cargo build --examples`", program.display()));
    (code(&output), stdout(&output) + &stderr(&output))
}

#[test]
fn a_planted_bug_is_hunted_shrunk_and_explained_from_the_command_line() {
    let dir = folder_with(&[]);
    let (bug, property) = ("locks-are-freed-while-in-use", "exclusion");
    let (_, all) = planted(dir.path(), "");
    assert!(all.lines().any(|line| line.split_whitespace().eq([bug, property])), "{all}");
    let (_, scene) = planted(dir.path(), &format!("scene {bug}"));
    fs::write(dir.path().join("scene.yaml"), scene).unwrap();
    let (code, told) = planted(dir.path(), "hunt scene.yaml --seeds 1 --seed 1 -o found");
    assert_eq!(code, 1, "{told}");
    let page = fs::read_to_string(dir.path().join("found/report.html")).unwrap();
    assert!(page.contains("shrunk: its own names and times"));
    let shrunk = format!("found/{bug}-1-shrunk.yaml");
    let (code, told) = planted(dir.path(), &format!("test {shrunk}"));
    assert_eq!(code, 0, "{told}");
    let (_, story) = planted(dir.path(), &format!("explain {shrunk}"));
    assert!(story.contains(&format!("<- here {property} is broken, because")), "{story}");
    assert_eq!(planted(dir.path(), "scene no-such-bug").0, 2);
}

#[test]
fn a_quiet_hunt_prints_what_it_found_alone() {
    let dir = tempfile::tempdir().unwrap();
    let quiet = lanekeeper(dir.path(), "hunt --swarm --seeds 1 --seed 1 -q");
    assert!(
        stdout(&quiet).starts_with("1 run from seed 1") && stdout(&quiet).lines().count() == 1,
        "{}",
        stdout(&quiet)
    );
    assert!(stderr(&quiet).is_empty(), "{}", stderr(&quiet));
}

#[test]
fn what_cannot_be_hunted_is_refused_with_the_remedy() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    for (args, words) in [
        ("hunt --swarm --maximise wait.p96 --seeds 1", "did you mean"),
        ("hunt --swarm --maximise wait.p95{class=none} --seeds 1", "no class"),
        ("hunt --swarm --redraw engines=7", "there are work, engine"),
        ("hunt --swarm --redraw engine", "PART=SEED"),
        ("hunt --swarm --redraw engine=-1", "no seed"),
        ("hunt small.yaml --guided", "--guided"),
        ("hunt", "or use --swarm"),
        ("hunt small.yaml --seeds 1 --for 1s", "--for"),
    ] {
        let output = lanekeeper(dir.path(), args);
        assert_eq!(code(&output), 2, "{args}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{args}: {}", stderr(&output));
    }
}
