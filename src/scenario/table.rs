//! Tables of tasks and of service times. Times are read exactly, as integers; every finding names file and line.

use std::sync::Arc;

use super::diagnose::{Diagnostic, shortened};
use super::file::{SharedFile, TraceFile};
use super::findings::Findings;
use super::places::below;
use super::resolve::unreadable;
use super::workload::Resources;
use super::{Row, workload};
use crate::base::time::SPAN_MAX;
use crate::base::{Claim, Claims, Labels, Span, Time};
use crate::import::table::{self, TableError, TableRow, read};

/// Reads the file that `path.file` names; `None` after the finding was noted.
fn open(file: &str, path: &str, findings: &mut Findings<'_>) -> Option<Vec<u8>> {
    match std::fs::read(findings.source.dir.join(file)) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            unreadable(findings, &below(path, "file"), format!("`{file}` cannot be read: {error}"));
            None
        }
    }
}

/// A finding in a table, with the line that it is in.
fn found(file: &str, bytes: &[u8], error: TableError) -> Diagnostic {
    let found = Diagnostic::error(file, error.message).with_help(error.help);
    match error.line {
        Some(line) => found.at(&String::from_utf8_lossy(bytes), usize::try_from(line).unwrap_or(usize::MAX), 1, 1),
        None => found,
    }
}

/// Recorded service times: a table of tasks (of one class, where one is named), or a column of its own, with or
/// without the header `service`.
pub(crate) fn empirical(file: &str, class: Option<&str>, path: &str, findings: &mut Findings<'_>) -> Vec<Span> {
    let Some(bytes) = open(file, path, findings) else { return Vec::new() };
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let values = if first.contains(&b',') { services(&bytes, class) } else { column(&bytes, class) };
    match values {
        Err(error) => findings.errors.push(found(file, &bytes, error)),
        Ok(values) if values.is_empty() => {
            findings.error(&below(path, "file"), format!("`{file}` has no value that could be drawn"), "");
        }
        Ok(values) => return values,
    }
    Vec::new()
}

fn services(bytes: &[u8], class: Option<&str>) -> Result<Vec<Span>, TableError> {
    let wanted = |row: &TableRow| class.is_none_or(|class| row.class == class);
    Ok(read(bytes)?.into_iter().filter(wanted).map(|row| row.service).collect())
}

fn column(bytes: &[u8], class: Option<&str>) -> Result<Vec<Span>, TableError> {
    let wrong = |line, message: String, help| Err(TableError { line: Some(line), message, help });
    if class.is_some() {
        return wrong(1, "there is no column `class`".into(), "leave `class` out");
    }
    let mut values = Vec::new();
    for (line, text) in (1u64..).zip(String::from_utf8_lossy(bytes).lines().map(str::trim)) {
        if text.is_empty() || (line == 1 && text == "service") {
            continue;
        }
        match table::micros(&shortened(text)) {
            Ok(micros) => values.push(Span::from_micros(micros)),
            Err(why) => return wrong(line, why, table::SECONDS),
        }
    }
    Ok(values)
}

/// The rows of a trace.
pub(crate) fn rows(
    trace: &TraceFile,
    path: &str,
    resources: &mut Resources,
    labels: &mut Labels,
    findings: &mut Findings<'_>,
) -> Arc<[Row]> {
    if !(trace.time_scale.0 > 0.0 && trace.time_scale.0 <= 1e6) {
        findings.error(&below(path, "time_scale"), "`time_scale` is above 0 and at most 1000000", "");
    }
    let Some(bytes) = open(&trace.file, path, findings) else { return Arc::from([]) };
    match read(&bytes) {
        Ok(rows) => rows.iter().map(|row| resolved(row, trace, resources, labels)).collect(),
        Err(error) => {
            findings.errors.push(found(&trace.file, &bytes, error));
            Arc::from([])
        }
    }
}

fn resolved(row: &TableRow, trace: &TraceFile, resources: &mut Resources, labels: &mut Labels) -> Row {
    let mut claims = Claims::new();
    let shared = if trace.shared == SharedFile::Drop { &[] } else { row.shared.as_slice() };
    for (names, exclusive) in [(row.exclusive.as_slice(), true), (shared, trace.shared == SharedFile::Exclusive)] {
        for name in names {
            let resource = resources.named(name, labels);
            // A recorded history may hold both claims on one resource; the exclusive one covers the other.
            if claims.iter().all(|claim| claim.resource != resource) {
                claims.push(if exclusive { Claim::exclusive(resource) } else { Claim::shared(resource) });
            }
        }
    }
    let submitted = scaled(row.submitted, trace.time_scale.0);
    Row { submitted, class: workload::class(&row.class, labels), service: row.service, claims }
}

fn scaled(at: Time, factor: f64) -> Time {
    let micros = if factor == 1.0 { at.micros() } else { libm::round(at.micros() as f64 * factor) as u64 };
    Time::from_micros(micros.min(SPAN_MAX.micros()))
}
