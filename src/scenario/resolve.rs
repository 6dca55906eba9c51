//! From the text of a scenario to a [`Scenario`] that cannot be wrong, or to everything that is wrong with it.
//!
//! Text → values with places → overrides → what this version does not know → types → meaning. The first four stop at
//! their first finding; the last collects all of them.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::diagnose::{Diagnostic, Kind, shortened};
use super::file::{File, ReplicationsFile};
use super::findings::{Findings, Origin};
use super::grid::{GridCell, paths};
pub use super::overrides::Override;
use super::places::{self, Places, below, item};
use super::typed::{list_for_map, typed};
use super::variants::{self, Change, Variant};
use super::{Precision, Run, Scenario, convert, engine, expect, faults, script, warn, workload, write};
use crate::base::time::SPAN_MAX;
use crate::base::{Labels, Span, Time};
use crate::engine::Detection;

const SIZE_MAX: usize = 8 << 20;

/// The text of a scenario and where it came from.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// The name under which findings show it.
    pub path: String,
    /// What the files it names are relative to.
    pub dir: PathBuf,
    /// Its bytes.
    pub text: Vec<u8>,
}

impl SourceText {
    /// A text under a name; what it names is relative to the folder of that name.
    pub fn new(path: impl Into<String>, text: impl Into<Vec<u8>>) -> SourceText {
        let path = path.into();
        let dir = std::path::Path::new(&path).parent().map(PathBuf::from).unwrap_or_default();
        SourceText { path, dir, text: text.into() }
    }

    /// The text of a file.
    pub fn read(path: impl AsRef<std::path::Path>) -> std::io::Result<SourceText> {
        let path = path.as_ref();
        Ok(SourceText::new(path.display().to_string(), std::fs::read(path)?))
    }
}

/// A scenario that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// What its author should know.
    pub warnings: Vec<Diagnostic>,
    /// What was read, with every default filled in.
    pub file: File,
}

impl Loaded {
    /// The scenario with every default filled in, as YAML; reads back to the same scenario.
    pub fn resolved_yaml(&self) -> String {
        write::yaml(&self.file.document())
    }
}

/// The value of one key of a scenario file, before anything is made of it.
pub(super) fn section(source: &SourceText, key: &str) -> Result<Option<Value>, Diagnostic> {
    let (root, _) = places::read(&source.path, decode(source)?)?;
    Ok(root.and_then(|mut root| root.get_mut(key).map(Value::take)).filter(|value| !value.is_null()))
}

/// An error at a path of a scenario file that is YAML, or at the nearest place above it.
pub(super) fn error_at(source: &SourceText, path: &str, message: impl Into<String>) -> Diagnostic {
    match decode(source).and_then(|text| Ok((text, places::read(&source.path, text)?.1))) {
        Ok((text, places)) => Findings::new(source, text, places).diagnostic(path, message.into(), true),
        Err(found) => found,
    }
}

/// Reads a scenario.
pub fn load(source: &SourceText, overrides: &[Override]) -> Result<Loaded, Vec<Diagnostic>> {
    load_changed(source, None, &typed_sets(overrides)).map_err(|found| with_whole_paths(found, source, overrides))
}

/// Where only the end of a path was typed, like `queues.max`, the remedy is the whole of it.
fn with_whole_paths(mut found: Vec<Diagnostic>, source: &SourceText, sets: &[Override]) -> Vec<Diagnostic> {
    let unknown = |it: &Diagnostic, set: &Override| it.file == set.origin() && it.message.starts_with("unknown key");
    for it in &mut found {
        let Some(set) = sets.iter().find(|set| unknown(it, set)) else { continue };
        let Ok(base) = load_changed(source, None, &[]) else { break };
        let mut known = Vec::new();
        paths(&base.file.document(), "", &mut known);
        let end = format!(".{}", set.path);
        known.retain(|path| path.ends_with(&end));
        if let [whole] = known.as_slice() {
            it.help = Some(format!("did you mean `{whole}`?"));
        }
    }
    found
}

fn typed_sets(overrides: &[Override]) -> Vec<(Override, Option<String>)> {
    overrides.iter().map(|it| (it.clone(), None)).collect()
}

/// Reads a variant of a scenario; the overrides win over what the variant says.
pub fn load_variant(source: &SourceText, variant: &Variant, overrides: &[Override]) -> Result<Loaded, Vec<Diagnostic>> {
    match &variant.change {
        Change::Merged(change) => load_changed(source, Some((&variant.name, change)), &typed_sets(overrides)),
        Change::Set(sets) => load(source, &[sets, overrides].concat()),
    }
}

/// Reads a cell of a sweep; the overrides win over what the cell says.
pub fn load_cell(source: &SourceText, cell: &GridCell, overrides: &[Override]) -> Result<Loaded, Vec<Diagnostic>> {
    let place = |index: usize| cell.written.get(index).cloned();
    let values = cell.overrides().into_iter().enumerate().map(|(index, it)| (it, place(index)));
    load_changed(source, None, &values.chain(typed_sets(overrides)).collect::<Vec<_>>())
        .map_err(|found| with_whole_paths(found, source, &[&cell.overrides(), overrides].concat()))
}

/// `sets`: what is put where, each with the path of the file that says so; `None`: it was typed.
fn load_changed(
    source: &SourceText,
    change: Option<(&str, &Value)>,
    sets: &[(Override, Option<String>)],
) -> Result<Loaded, Vec<Diagnostic>> {
    let text = decode(source).map_err(|found| vec![found])?;
    let (root, places) = places::read(&source.path, text).map_err(|found| vec![found])?;
    let Some(mut root) = root.filter(|root| !root.is_null()) else {
        return Err(vec![
            Diagnostic::error(&source.path, "empty: a scenario needs at least `name` and `workers`")
                .with_help("begin with\n    name: first\n    workers: {initial: 2}")
                .at(text, 1, 1, 1),
        ]);
    };
    let mut findings = Findings::new(source, text, places);
    if let Some((name, change)) = change {
        let at = below("variants", name);
        variants::merge(&mut root, change)
            .map_err(|(key, found)| vec![findings.misplaced(&below(&at, &key), found)])?;
        findings.variant = Some(at);
    }
    for (one, written) in sets {
        let path = one.apply(&mut root).map_err(|found| match written {
            Some(at) => vec![findings.misplaced(at, found)],
            None => vec![found],
        })?;
        let origin = written.clone().map_or_else(|| Origin::Typed(one.origin()), Origin::Written);
        findings.set.push((path, origin));
    }
    checked(root, findings)
}

/// Reads a scenario that was made by a program; what it names is relative to `dir`. Findings have no place.
pub fn load_document(document: Value, dir: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let source = SourceText { path: String::new(), dir: dir.to_owned(), text: Vec::new() };
    checked(document, Findings::new(&source, "", Places::new()))
}

fn checked(root: Value, mut findings: Findings<'_>) -> Result<Loaded, Vec<Diagnostic>> {
    if names_a_long_time(&root) {
        refuse_long_times(&root, "", &mut findings, 0);
    }
    if !findings.errors.is_empty() {
        return Err(findings.errors);
    }
    // What a program made has no places, and no lists in the place of maps.
    let read = (!findings.places.is_empty()).then(|| root.clone());
    let file = typed(root, &findings).map_err(|found| vec![found])?;
    if let Some(path) = read.and_then(|read| list_for_map(&read, &file.document(), "")) {
        let found = findings.diagnostic(&path, "a list is written where a map of keys is wanted".into(), false);
        return Err(vec![found.with_help("write the keys, like {key: value}")]);
    }
    resolve(file, findings)
}

fn decode(source: &SourceText) -> Result<&str, Diagnostic> {
    let error = |message: String| Diagnostic::error(&source.path, message);
    let bytes = source.text.as_slice();
    if bytes.len() > SIZE_MAX {
        return Err(error(format!("{} bytes: a scenario has at most {} MiB", bytes.len(), SIZE_MAX >> 20))
            .with_help("put many tasks into a trace: workload: [{trace: {file: tasks.csv}}]"));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(error("this is UTF-16: a scenario is UTF-8".into())
            .with_help("convert it: iconv -f UTF-16 -t UTF-8 old.yaml > new.yaml"));
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let line_of = |position: usize| 1 + bytes[..position].iter().filter(|byte| **byte == b'\n').count();
    if let Some(position) = bytes.iter().position(|byte| *byte == 0) {
        return Err(error(format!("a NUL byte in line {}: this is no text", line_of(position)))
            .with_help("a scenario is a UTF-8 text file; was it saved as UTF-16?"));
    }
    std::str::from_utf8(bytes).map_err(|wrong| {
        error(format!("not UTF-8 in line {}", line_of(wrong.valid_up_to())))
            .with_help("save it as UTF-8: iconv -f LATIN1 -t UTF-8 old.yaml > new.yaml")
    })
}

/// Whether anything reads as a duration of more than 100 years, be it a name: the quick look, for shrinking reads a
/// document thousands of times.
fn names_a_long_time(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() < 40 && text.parse::<Span>().is_ok_and(|span| span > SPAN_MAX),
        Value::Array(items) => items.iter().any(names_a_long_time),
        Value::Object(map) => map.values().any(names_a_long_time),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Every duration of the document is at most 100 years.
fn refuse_long_times(value: &Value, path: &str, findings: &mut Findings<'_>, depth: usize) {
    let free = ["name", "description", "variants", "sweep", "engine.custom.options"];
    if free.contains(&path) || depth > 200 {
        return;
    }
    match value {
        Value::String(text) => {
            if text.len() < 40 && text.parse::<Span>().is_ok_and(|span| span > SPAN_MAX) {
                findings.error(path, format!("`{text}` is longer than 100 years"), "write a shorter time");
            }
        }
        Value::Array(items) => {
            for (index, one) in items.iter().enumerate() {
                refuse_long_times(one, &item(path, index), findings, depth + 1);
            }
        }
        Value::Object(map) => {
            for (key, one) in map {
                refuse_long_times(one, &below(path, key), findings, depth + 1);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What to do about something that never happens because the run is over by then.
pub(super) const TOO_LATE: &str = "let it happen earlier, or make `run.horizon` or `run.drain` longer";

/// What is said of something that comes when the run is over.
pub(super) fn after_the_end(at: impl Display, end: impl Display) -> String {
    format!("at {at} the run is over: horizon and drain end at {end}")
}

fn resolve(mut file: File, mut findings: Findings<'_>) -> Result<Loaded, Vec<Diagnostic>> {
    check_name(&file.name, &mut findings);
    let mut labels = Labels::default();
    let mut resources = workload::Resources::of(&file, &mut labels, &mut findings);
    let sources = workload::sources(&file, &mut resources, &mut labels, &mut findings);
    let script = script::events(&file, &mut resources, &mut labels, &mut findings);
    let horizon = file.run.horizon.unwrap_or_else(|| default_horizon(&file, &sources, &script));
    file.run.horizon = Some(horizon);
    let run = run(&file, horizon, &labels, &mut findings);
    let end = horizon.saturating_add(file.run.drain);
    for (index, event) in file.script.iter().enumerate().filter(|(_, event)| event.at > end) {
        let message = after_the_end(event.at, end);
        findings.warn(&below(&item("script", index), "at"), message, TOO_LATE);
    }
    for (index, state) in file.expect.states.iter().enumerate().filter(|(_, state)| state.at > end) {
        let message = after_the_end(state.at, end);
        findings.error(&below(&item("expect.states", index), "at"), message, "make `run.drain` longer");
    }
    workload::check_size(&sources, &file, horizon, &mut findings);
    let workers = convert::workers(&mut file.workers, &mut findings);
    let network = super::Network {
        delay: convert::dist(&file.network.delay, "network.delay", &mut findings),
        loss: file.network.loss.fraction(),
        duplicate: file.network.duplicate.fraction(),
        reorder: file.network.reorder,
        until: file.network.until.map_or(Time::MAX, convert::time),
    };
    let faults = faults::faults(&file, &sources, &labels, &mut findings);
    file.engine.fill();
    let default = file.engine.default_detection();
    let detection = Detection {
        heartbeat: *file.detection.heartbeat.get_or_insert(default.heartbeat),
        ttl: *file.detection.ttl.get_or_insert(default.ttl),
    };
    for (span, key) in [(detection.heartbeat, "heartbeat"), (detection.ttl, "ttl")] {
        convert::above_zero(span, &format!("detection.{key}"), &mut findings);
    }
    engine::check_engine(&file.engine, &mut findings);
    let expect = expect::expect(&file, &labels, &mut findings);
    if !findings.errors.is_empty() {
        return Err(findings.errors);
    }
    let scenario = Scenario {
        name: file.name.clone(),
        description: file.description.clone(),
        run,
        labels,
        workload: sources,
        workers,
        network,
        detection,
        engine: file.engine.clone(),
        faults,
        script,
        expect,
    };
    warn::warn(&scenario, &mut findings);
    Ok(Loaded { scenario, warnings: findings.warnings, file })
}

fn check_name(name: &str, findings: &mut Findings<'_>) {
    if let Err((message, help)) = legal_name(name) {
        findings.error("name", message, help);
    }
}

/// Whether a scenario may have this name.
///
/// # Errors
/// What is wrong with it, and the remedy.
pub fn legal_name(name: &str) -> Result<(), (String, &'static str)> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 100 || name.starts_with(['.', '-']) || !name.chars().all(legal) {
        let message = format!("`{}` is no name: results are written to a folder of this name", shortened(name));
        return Err((message, "use at most 100 letters, digits, `-`, `_`, `.`, and begin with a letter or a digit"));
    }
    Ok(())
}

fn default_horizon(file: &File, sources: &[super::Source], script: &[super::ScriptEvent]) -> Span {
    let mut last = script.iter().map(|event| event.over(file.run.drain)).max();
    for source in sources {
        match source {
            super::Source::Drawn { .. } => return Span::from_secs(8 * 3_600),
            super::Source::Table { rows } => last = last.max(rows.last().map(|row| row.submitted)),
        }
    }
    match last {
        Some(last) if !file.workload.is_empty() || !script.is_empty() => last.since(Time::ZERO),
        Some(_) | None => Span::from_secs(8 * 3_600),
    }
}

/// How many replications at most, and when fewer will do.
fn replications(file: &File, labels: &Labels, findings: &mut Findings<'_>) -> (u32, Option<Precision>) {
    let (path, most, precision) = match &file.run.replications {
        ReplicationsFile::Fixed(number) => ("run.replications", *number, None),
        ReplicationsFile::Until(until) => {
            let it = &until.precision;
            let relative = it.relative.fraction();
            if relative <= 0.0 {
                let help = "write a percentage above zero, like 5%";
                findings.error("run.replications.precision.relative", "no interval is this narrow", help);
            }
            let precision = expect::metric(&it.metric, labels)
                .map(|(metric, class)| Precision { metric, class, relative })
                .map_err(|(message, help)| findings.error("run.replications.precision.metric", message, &help));
            ("run.replications.precision.at_most", it.at_most, precision.ok())
        }
    };
    if !(1..=1_000_000).contains(&most) {
        findings.error(path, format!("{most} replications: there must be 1 to 1000000"), "");
    }
    (most, precision)
}

fn run(file: &File, horizon: Span, labels: &Labels, findings: &mut Findings<'_>) -> Run {
    let (replications, precision) = replications(file, labels, findings);
    let confidence = file.run.confidence.fraction();
    if !(confidence > 0.0 && confidence < 1.0) {
        findings.error(
            "run.confidence",
            "the level of confidence lies between 0% and 100%, both excluded",
            "write 95%",
        );
    }
    if file.run.warm_up > horizon || (file.run.warm_up == horizon && !horizon.is_zero()) {
        let message = format!("a warm-up of {} leaves nothing of a horizon of {horizon}", file.run.warm_up);
        findings.error("run.warm_up", message, "make it shorter than `run.horizon`");
    }
    Run {
        seed: file.run.seed,
        replications,
        precision,
        horizon: Time::ZERO.saturating_add(horizon),
        drain: file.run.drain,
        warm_up: Time::ZERO.saturating_add(file.run.warm_up),
        confidence,
    }
}

/// A finding that a file which the scenario names cannot be read.
pub(crate) fn unreadable(findings: &mut Findings<'_>, path: &str, message: String) {
    let mut found = findings.diagnostic(path, message, false).with_help("paths are relative to the scenario file");
    found.kind = Kind::Io;
    findings.errors.push(found);
}
