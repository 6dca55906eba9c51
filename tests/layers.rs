//! Keeps the layer rule: which module may name which. Reads the sources as text, without comments, literals and tests.
//!
//! Two promises hang on it: the engine knows nothing of the simulator, and the oracle reads facts, never the engine's
//! state.

use std::fs;
use std::path::{Path, PathBuf};

/// What a module may name of the crate; `why` is shown with a breach.
struct Layer {
    module: &'static str,
    may_name: &'static [&'static str],
    never: &'static [&'static str],
    why: &'static str,
}

const LAYERS: [Layer; 11] = [
    Layer { module: "base", may_name: &[], never: &[], why: "base is the words that all others speak" },
    Layer { module: "sim", may_name: &["base"], never: &[], why: "the kernel knows no word of the domain" },
    Layer { module: "engine", may_name: &["base"], never: &[], why: "the engine knows nothing of the simulator" },
    Layer { module: "fact", may_name: &["base"], never: &[], why: "facts are what happened, whatever engine ran" },
    Layer {
        module: "import",
        may_name: &["base", "sim", "engine"],
        never: ENGINES,
        why: "a history is read without running anything",
    },
    Layer {
        module: "scenario",
        may_name: &["base", "sim", "engine", "import"],
        never: ENGINES,
        why: "a scenario is read without running anything",
    },
    Layer {
        module: "world",
        may_name: &["base", "sim", "scenario", "fact", "engine"],
        never: ENGINES,
        why: "the world drives any engine, by its trait, its messages and the worker's agent",
    },
    Layer {
        module: "observe",
        may_name: &["base", "fact"],
        never: &[],
        why: "the oracle reads facts, never the engine's state",
    },
    Layer {
        module: "experiment",
        may_name: &["base", "sim", "engine", "import", "scenario", "fact", "world", "observe"],
        never: &[],
        why: "an experiment gives results and leaves showing them to others",
    },
    Layer {
        module: "conformance",
        may_name: &["base", "sim", "engine", "import", "scenario", "fact", "world", "observe", "experiment"],
        never: &[],
        why: "a conformance suite gives results and leaves showing them to others",
    },
    Layer {
        module: "report",
        may_name: &["base", "fact", "observe", "experiment"],
        never: &[],
        why: "a report shows facts and results; it asks neither engine nor world",
    },
];

/// Concrete engines: behind `engine::spec` for all who are not the engine.
const ENGINES: &[&str] = &["engine::queue_first", "engine::worker_owned", "engine::pull_locks"];

/// At the top, free to name everything.
const UNRESTRICTED: [&str; 4] = ["lib", "main", "cli", "registry"];

/// Words that have no place in the engine, even from outside of this crate.
const BANNED_IN_ENGINE: [&str; 9] =
    ["HashMap", "HashSet", "Instant", "SystemTime", "rand::", "rand_chacha", "serde_yaml", "saphyr_parser", "std::env"];

#[test]
fn every_module_names_only_what_lies_below_it() {
    let mut breaches = Vec::new();
    for (file, text) in sources() {
        let text = code_only(&text);
        let module = module_path(&file);
        let Some(top) = module.first().map(String::as_str) else { continue };
        if UNRESTRICTED.contains(&top) {
            continue;
        }
        let Some(layer) = LAYERS.iter().find(|layer| layer.module == top) else {
            breaches.push(format!("{}:1: module `{top}` has no line in the layer table", file.display()));
            continue;
        };
        for (offset, named) in references(&text, module.len()) {
            if let Some(rule) = breach(layer, &named) {
                breaches.push(format!("{}:{}: names `{named}`: {rule}", file.display(), line_of(&text, offset)));
            }
        }
        if top == "engine" {
            for word in BANNED_IN_ENGINE {
                for offset in words(&text, word) {
                    let line = line_of(&text, offset);
                    breaches.push(format!("{}:{line}: `{word}` has no place in the engine", file.display()));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "the layer rule is broken:\n{}", breaches.join("\n"));
}

#[test]
fn the_scanner_sees_what_it_should() {
    let text = r##"
        use crate::{base::{Time, Span}, sim, engine::{Engine, queue_first::Router}};
        // crate::comment /* crate::comment
        /* crate::comment /* nested */ crate::comment */
        fn f<'a>(x: &'a str) { "crate::literal \" crate::literal"; r#"crate::"literal"#; '"'; crate::world::run(); }
        use super::super::report;
        use super::Sibling;
        #[cfg(test)]
        mod tests { use crate::observe; fn g() {} }
        pub(crate) fn h() { lanekeeper::fact::Fact; }
        #[cfg(test)]
        mod more;
        use crate::experiment;
    "##;
    let code = code_only(text);
    let mut named: Vec<String> = references(&code, 2).into_iter().map(|(_, named)| named).collect();
    named.sort();
    assert_eq!(
        named,
        ["base::Span", "base::Time", "engine::Engine", "engine::queue_first::Router", "experiment", "fact::Fact"]
            .into_iter()
            .chain(["report", "sim", "world::run"])
            .collect::<Vec<_>>()
    );
    assert_eq!(line_of(&code, code.find("world").unwrap()), 5);
    assert_eq!(words("brand::x rand::y", "rand::"), [9]);
    let world = LAYERS.iter().find(|layer| layer.module == "world").unwrap();
    assert!(breach(world, "engine::queue_first::Router").is_some());
    assert!(breach(world, "report").is_some());
    assert!(breach(world, "engine::Engine").is_none());
    assert!(breach(world, "world::network").is_none());
}

/// The rule that a reference breaks.
fn breach(layer: &Layer, named: &str) -> Option<String> {
    let top = named.split("::").next().unwrap_or(named);
    let below = |path: &&&str| named == **path || named.starts_with(&format!("{path}::"));
    if top != layer.module && !layer.may_name.contains(&top) {
        let allowed = if layer.may_name.is_empty() { "nothing".into() } else { layer.may_name.join(", ") };
        return Some(format!("{} may name {allowed} ({})", layer.module, layer.why));
    }
    let never = layer.never.iter().find(below)?;
    Some(format!("{} may not name {never} ({})", layer.module, layer.why))
}

/// All `.rs` files of `src`, in order of their paths, relative to the package.
fn sources() -> Vec<(PathBuf, String)> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![package.join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src can be read") {
            let path = entry.expect("src can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                files.push((path.strip_prefix(package).expect("it was found there").to_path_buf(), text));
            }
        }
    }
    assert!(!files.is_empty(), "no sources were found");
    files.sort();
    files
}

/// `src/engine/queue_first/mod.rs` is `[engine, queue_first]`.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        file.with_extension("").iter().skip(1).map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// Where `word` begins, not as the end of a longer name.
fn words(text: &str, word: &str) -> Vec<usize> {
    let ends_a_name = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(word).map(|(offset, _)| offset).filter(|offset| !ends_a_name(&text[..*offset])).collect()
}

/// Paths of this crate that the text names, without the root, groups taken apart. `depth` is how many `super` lead to
/// the root.
fn references(text: &str, depth: usize) -> Vec<(usize, String)> {
    let climb = "super::".repeat(depth);
    let mut found = Vec::new();
    for root in ["crate::", "lanekeeper::", climb.as_str()] {
        for offset in words(text, root) {
            expand(text, offset + root.len(), "", &mut found);
        }
    }
    found
}

/// Reads one path, or a group of them, at `offset`; gives the offset behind it.
fn expand(text: &str, offset: usize, prefix: &str, found: &mut Vec<(usize, String)>) -> usize {
    let rest = &text[offset..];
    let start = offset + (rest.len() - rest.trim_start().len());
    if text[start..].starts_with('{') {
        let mut at = start + 1;
        loop {
            at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
            if at >= text.len() || text[at..].starts_with('}') {
                return at + 1;
            }
            let end = expand(text, at, prefix, found);
            // Skips what is no path: `as name`.
            at = end + text[end..].find([',', '}']).unwrap_or(text.len() - end);
        }
    }
    let name_len = text[start..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len() - start);
    let end = start + name_len;
    let path = format!("{prefix}{}", &text[start..end]);
    let Some(after) = text[end..].strip_prefix("::") else {
        found.push((start, path));
        return end;
    };
    if after.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '{') {
        return expand(text, end + 2, &format!("{path}::"), found);
    }
    found.push((start, path));
    end
}

/// The text with comments, contents of literals and items under `#[cfg(test)]` as spaces; lines stay where they are.
fn code_only(text: &str) -> String {
    let mut code = without_comments_and_literals(text);
    while let Some(start) = code.find("#[cfg(test)]") {
        let item = &code[start..];
        let (semicolon, brace) = (item.find(';'), item.find('{'));
        let len = match (semicolon, brace) {
            (Some(semicolon), Some(brace)) if semicolon < brace => semicolon + 1,
            (_, Some(brace)) => brace + block_len(&item[brace..]),
            (Some(semicolon), None) => semicolon + 1,
            (None, None) => item.len(),
        };
        code.replace_range(start..start + len, &blank(&code[start..start + len]));
    }
    code
}

/// The length of a block with its braces.
fn block_len(text: &str) -> usize {
    let mut depth = 0;
    for (offset, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return offset + 1;
        }
    }
    text.len()
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
}

fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_name = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_len(rest)
        } else if first == '"' {
            string_len(rest)
        } else if first == '\'' {
            char_len(rest)
        } else if !after_name {
            raw_string_len(rest)
        } else {
            0
        };
        if len == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push_str(&blank(&rest[..len]));
            rest = &rest[len..];
        }
    }
    code
}

/// A block comment, with those nested in it.
fn comment_len(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (offset, c) in text.char_indices().skip(1) {
        if !escaped && c == '"' {
            return offset + 1;
        }
        escaped = !escaped && c == '\\';
    }
    text.len()
}

/// A character; 0 for a lifetime.
fn char_len(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escape, _))) => {
            let after = escape + text[escape..].chars().next().map_or(0, char::len_utf8);
            text[after..].find('\'').map_or(0, |end| after + end + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 0,
    }
}

/// `r"…"`, `r#"…"#`, also with a `b` before; 0 for anything else.
fn raw_string_len(text: &str) -> usize {
    let Some(after) = text.strip_prefix("br").or_else(|| text.strip_prefix('r')) else { return 0 };
    let hashes = after.len() - after.trim_start_matches('#').len();
    let Some(content) = after[hashes..].strip_prefix('"') else { return 0 };
    let close = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - content.len();
    content.find(&close).map_or(text.len(), |end| start + end + close.len())
}
