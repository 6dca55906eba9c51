//! Tables of tasks and of service times. Times are read exactly, as integers; every finding names file and line.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnose::{Diagnostic, shortened};
use super::file::{SharedFile, TraceFile};
use super::places::below;
use super::resolve::{Findings, SPAN_MAX, unreadable};
use super::workload::Resources;
use super::{Row, workload};
use crate::base::time::decimal_times;
use crate::base::{Claim, Claims, Labels, ResourceId, Span, Time};

struct Table {
    file: String,
    columns: BTreeMap<String, usize>,
    records: Vec<(usize, csv::StringRecord)>,
}

impl Table {
    fn error(&self, line: usize, message: String, help: &str) -> Diagnostic {
        let mut found = Diagnostic::error(&self.file, message).with_help(help);
        found.place = Some((line, 1));
        if let Some((_, record)) = self.records.iter().find(|(at, _)| *at == line) {
            found.line_text = record.iter().collect::<Vec<_>>().join(",");
        }
        found
    }

    fn seconds(&self, line: usize, record: &csv::StringRecord, column: usize) -> Result<Span, Diagnostic> {
        let text = record.get(column).unwrap_or("").trim();
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match decimal_times(text, 1_000_000) {
            Some(micros) if digits && decimals <= 6 && micros <= SPAN_MAX.micros() => Ok(Span::from_micros(micros)),
            Some(_) | None => Err(self.error(
                line,
                format!("`{}` is no time", shortened(text)),
                "write seconds, not below zero, with at most six decimals, like 12.5",
            )),
        }
    }
}

/// Reads the file that stands at `path`; `None` after the finding was noted.
fn open(file: &str, path: &str, findings: &mut Findings<'_>) -> Option<Table> {
    let bytes = match std::fs::read(findings.source.dir.join(file)) {
        Ok(bytes) => bytes,
        Err(error) => {
            unreadable(findings, path, format!("`{file}` cannot be read: {error}"));
            return None;
        }
    };
    parse(file, &bytes).map_err(|found| findings.errors.push(found)).ok()
}

fn parse(file: &str, bytes: &[u8]) -> Result<Table, Diagnostic> {
    let mut table = Table { file: file.to_owned(), columns: BTreeMap::new(), records: Vec::new() };
    if let Some(position) = bytes.iter().position(|byte| *byte == 0) {
        let line = 1 + bytes[..position].iter().filter(|byte| **byte == b'\n').count();
        return Err(table.error(line, "a NUL byte: this is no text".into(), "write the table as UTF-8 text"));
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    for (index, record) in csv::ReaderBuilder::new().has_headers(false).from_reader(bytes).into_records().enumerate() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(index + 1, |it| usize::try_from(it.line()).unwrap_or(0));
            let help = "every line has as many fields as the header, in UTF-8";
            table.error(line, format!("this line is malformed: {error}"), help)
        })?;
        let line = record.position().map_or(index + 1, |it| usize::try_from(it.line()).unwrap_or(0));
        let number = record.get(0).is_some_and(|text| text.trim().parse::<f64>().is_ok());
        if index == 0 && !number {
            table.columns = record.iter().enumerate().map(|(at, name)| (name.trim().to_owned(), at)).collect();
        } else {
            table.records.push((line, record));
        }
    }
    Ok(table)
}

/// Recorded service times.
pub(crate) fn empirical(file: &str, class: Option<&str>, path: &str, findings: &mut Findings<'_>) -> Vec<Span> {
    let Some(table) = open(file, &below(path, "file"), findings) else { return Vec::new() };
    let column = match table.columns.get("service") {
        Some(column) => *column,
        None if table.columns.is_empty() && table.records.iter().all(|(_, record)| record.len() == 1) => 0,
        None => {
            findings.errors.push(table.error(1, "there is no column `service`".into(), "give the column this header"));
            return Vec::new();
        }
    };
    let class_column = table.columns.get("class").copied();
    if class.is_some() && class_column.is_none() {
        findings.errors.push(table.error(1, "there is no column `class`".into(), "leave `class` out"));
        return Vec::new();
    }
    let mut values = Vec::new();
    for (line, record) in &table.records {
        if class.is_some() && class_column.and_then(|at| record.get(at)).map(str::trim) != class {
            continue;
        }
        match table.seconds(*line, record, column) {
            Ok(span) => values.push(span),
            Err(found) => {
                findings.errors.push(found);
                return values;
            }
        }
    }
    if values.is_empty() {
        findings.error(&below(path, "file"), format!("`{file}` has no value that could be drawn"), "");
    }
    values
}

/// The rows of a trace.
pub(crate) fn rows(
    file: &TraceFile,
    path: &str,
    resources: &mut Resources,
    labels: &mut Labels,
    findings: &mut Findings<'_>,
) -> Arc<[Row]> {
    if !(file.time_scale.0 > 0.0 && file.time_scale.0 <= 1e6) {
        findings.error(&below(path, "time_scale"), "`time_scale` is above 0 and at most 1000000", "");
    }
    let Some(table) = open(&file.file, &below(path, "file"), findings) else { return Arc::from([]) };
    read_rows(&table, file, resources, labels).unwrap_or_else(|found| {
        findings.errors.push(found);
        Arc::from([])
    })
}

fn read_rows(
    table: &Table,
    file: &TraceFile,
    resources: &mut Resources,
    labels: &mut Labels,
) -> Result<Arc<[Row]>, Diagnostic> {
    let column = |name: &str| {
        table.columns.get(name).copied().ok_or_else(|| {
            let help = "the header is submitted,class,service,exclusive,shared";
            table.error(1, format!("there is no column `{name}`"), help)
        })
    };
    let (submitted, class, service) = (column("submitted")?, column("class")?, column("service")?);
    let (exclusive, shared) = (column("exclusive")?, column("shared")?);
    let mut rows: Vec<Row> = Vec::with_capacity(table.records.len());
    for (line, record) in &table.records {
        let at = scaled(table.seconds(*line, record, submitted)?, file.time_scale.0);
        if rows.last().is_some_and(|row| row.submitted > at) {
            let help = "sort the table by the column `submitted`";
            return Err(table.error(*line, "this task was submitted before the one above it".into(), help));
        }
        let mut claims = Claims::new();
        for (cell, is_shared) in [(exclusive, false), (shared, true)] {
            for name in record.get(cell).unwrap_or("").split(';').map(str::trim).filter(|name| !name.is_empty()) {
                let exclusive = !is_shared || file.shared == SharedFile::Exclusive;
                if is_shared && file.shared == SharedFile::Drop {
                    continue;
                }
                let resource: ResourceId = resources.named(name, labels);
                // A recorded history may hold both claims on one resource; the exclusive one covers the other.
                if claims.iter().all(|claim| claim.resource != resource) {
                    claims.push(if exclusive { Claim::exclusive(resource) } else { Claim::shared(resource) });
                }
            }
        }
        let class = match record.get(class).map(str::trim) {
            None | Some("") => "default",
            Some(name) => name,
        };
        let service = table.seconds(*line, record, service)?;
        rows.push(Row { submitted: at, class: workload::class(class, labels), service, claims });
    }
    Ok(Arc::from(rows))
}

fn scaled(span: Span, factor: f64) -> Time {
    let micros = if factor == 1.0 { span.micros() } else { libm::round(span.micros() as f64 * factor) as u64 };
    Time::from_micros(micros.min(SPAN_MAX.micros()))
}
