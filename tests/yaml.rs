//! Scenarios are YAML to others, too: another library reads from every file, and from what we write, what we read.

use std::path::{Path, PathBuf};

use lanekeeper::scenario::{SourceText, load, load_document};

fn scenarios(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut inside: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    inside.sort();
    for path in inside {
        if path.is_dir() {
            scenarios(&path, found);
        } else if path.extension().is_some_and(|it| it == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn another_reader_understands_every_scenario_and_what_is_written_of_it_as_ours_does() {
    let mut files = Vec::new();
    scenarios(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")), &mut files);
    assert!(files.len() > 50, "{files:?}");
    for file in files {
        let source = SourceText::read(&file).unwrap();
        let ours = load(&source, &[]).unwrap().resolved_yaml();
        let theirs = |text: &str| {
            let document = serde_yaml::from_str(text).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
            load_document(document, &source.dir).unwrap().resolved_yaml()
        };
        assert_eq!(theirs(std::str::from_utf8(&source.text).unwrap()), ours, "{}", file.display());
        assert_eq!(theirs(&ours), ours, "{}, as it is written", file.display());
    }
}
