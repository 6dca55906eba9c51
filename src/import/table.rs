//! The table of tasks: one row a task, times in seconds with up to six decimals, kept exact to the microsecond.
//!
//! A workload needs `submitted,class,service,exclusive,shared`; a recorded history adds
//! `unblocked,started,finished,state`. Columns are found by name, in any order; others are ignored.

use std::io;

use csv::StringRecord;

use crate::base::time::{SPAN_MAX, decimal_times};
use crate::base::{Span, Time};

/// The columns of a recorded history, in the order in which they are written.
pub const HEADER: [&str; 9] =
    ["submitted", "class", "service", "exclusive", "shared", "unblocked", "started", "finished", "state"];
/// How many of them a workload needs.
const WORKLOAD_COLUMNS: usize = 5;

/// A task of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableRow {
    /// When it was submitted.
    pub submitted: Time,
    /// Its class.
    pub class: String,
    /// What it demands.
    pub service: Span,
    /// The resources that it claims for itself.
    pub exclusive: Vec<String>,
    /// The resources that it shares.
    pub shared: Vec<String>,
    /// When nothing earlier was in its way any more, where that was recorded.
    pub unblocked: Option<Time>,
    /// When it was started, where that was recorded.
    pub started: Option<Time>,
    /// When it was finished, where that was recorded.
    pub finished: Option<Time>,
    /// How it ended, where that was recorded.
    pub state: Option<String>,
}

/// Why a table cannot be read: a sentence, and the line where it is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableError {
    /// The line, from 1; `None`: the table as a whole.
    pub line: Option<u64>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// What to write instead.
    pub help: &'static str,
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for TableError {}

fn wrong(line: Option<u64>, message: impl Into<String>, help: &'static str) -> TableError {
    TableError { line, message: message.into(), help }
}

const WORKLOAD_HEADER: &str = "the header is submitted,class,service,exclusive,shared";
/// What a time in a table is.
pub(crate) const SECONDS: &str = "write seconds, not below zero, with at most six decimals, like 12.5";

/// Reads a table. Rows are in order of submission; a task without a class is of the class `default`.
///
/// # Errors
/// What is wrong first, with its line: no text, a column that is missing or there twice, a line with more or fewer
/// fields than the header, a time that is none, a resource claimed twice in one mode, rows out of order.
pub fn read(text: &[u8]) -> Result<Vec<TableRow>, TableError> {
    if let Some(position) = text.iter().position(|byte| *byte == 0) {
        let line = 1 + text[..position].iter().filter(|byte| **byte == b'\n').count() as u64;
        return Err(wrong(Some(line), "a NUL byte: this is no text", "write the table as UTF-8 text"));
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let header = reader.headers().map_err(|error| csv_error(&error))?.clone();
    let columns = Columns::of(&header)?;
    let mut rows: Vec<TableRow> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| csv_error(&error))?;
        let row = columns.row(&record)?;
        if rows.last().is_some_and(|before| before.submitted > row.submitted) {
            let line = record.position().map(csv::Position::line);
            let help = "sort the table by the column `submitted`";
            return Err(wrong(line, "this task was submitted before the one above it", help));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Writes a recorded history.
pub fn write(rows: &[TableRow], out: impl io::Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    let optional = |time: Option<Time>| time.map(|time| seconds(time.micros())).unwrap_or_default();
    for row in rows {
        writer.write_record([
            seconds(row.submitted.micros()).as_str(),
            &row.class,
            &seconds(row.service.micros()),
            &row.exclusive.join(";"),
            &row.shared.join(";"),
            &optional(row.unblocked),
            &optional(row.started),
            &optional(row.finished),
            row.state.as_deref().unwrap_or_default(),
        ])?;
    }
    writer.flush()
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn csv_error(error: &csv::Error) -> TableError {
    let line = error.position().map(csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} columns where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8 text: a table is a CSV file".to_owned(),
        _ => error.to_string(),
    };
    wrong(line, message, "every line has as many fields as the header, in UTF-8")
}

/// Where each column of [`HEADER`] is.
struct Columns([Option<usize>; HEADER.len()]);

impl Columns {
    fn of(header: &StringRecord) -> Result<Columns, TableError> {
        let mut places = [None; HEADER.len()];
        for (column, name) in HEADER.iter().enumerate() {
            let mut found = header.iter().enumerate().filter(|(_, it)| it == name).map(|(place, _)| place);
            places[column] = found.next();
            if found.next().is_some() {
                return Err(wrong(Some(1), format!("the column `{name}` is there twice"), WORKLOAD_HEADER));
            }
            if places[column].is_none() && column < WORKLOAD_COLUMNS {
                return Err(wrong(Some(1), format!("there is no column `{name}`"), WORKLOAD_HEADER));
            }
        }
        Ok(Columns(places))
    }

    fn row(&self, record: &StringRecord) -> Result<TableRow, TableError> {
        let line = record.position().map(csv::Position::line);
        let text = |column: usize| self.0[column].and_then(|place| record.get(place)).unwrap_or_default();
        let micros = |column: usize| {
            micros(text(column)).map_err(|why| wrong(line, format!("`{}`: {why}", HEADER[column]), SECONDS))
        };
        let optional = |column: usize| -> Result<Option<Time>, TableError> {
            if text(column).is_empty() { Ok(None) } else { Ok(Some(Time::from_micros(micros(column)?))) }
        };
        let (exclusive, shared) = (names(text(3)), names(text(4)));
        if let Some(twice) = twice(&exclusive).or_else(|| twice(&shared)) {
            return Err(wrong(line, format!("`{twice}` is claimed twice by one task"), "name each resource once"));
        }
        Ok(TableRow {
            submitted: Time::from_micros(micros(0)?),
            class: if text(1).is_empty() { "default" } else { text(1) }.to_owned(),
            service: Span::from_micros(micros(2)?),
            exclusive,
            shared,
            unblocked: optional(5)?,
            started: optional(6)?,
            finished: optional(7)?,
            state: Some(text(8)).filter(|state| !state.is_empty()).map(str::to_owned),
        })
    }
}

/// µs of a number of seconds, exactly.
pub(crate) fn micros(text: &str) -> Result<u64, String> {
    let well_formed = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let no_number = || format!("`{text}` is no time");
    if text.is_empty() || !well_formed {
        return Err(no_number());
    }
    if decimals > 6 {
        return Err(format!("`{text}` has more than six decimals: time is counted in microseconds"));
    }
    decimal_times(text, 1_000_000)
        .filter(|micros| *micros <= SPAN_MAX.micros())
        .ok_or_else(|| if text.matches('.').count() > 1 { no_number() } else { format!("`{text}` is too long a time") })
}

fn names(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn twice(names: &[String]) -> Option<String> {
    let mut all = names.to_vec();
    all.sort_unstable();
    all.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let rows = vec![TableRow {
            submitted: Time::from_micros(1_000_001),
            class: "sync".into(),
            service: Span::from_micros(250_000),
            exclusive: vec!["repo:1".into(), "repo:2".into()],
            shared: vec!["remote".into()],
            unblocked: None,
            started: Some(Time::from_micros(1_100_000)),
            finished: Some(Time::from_micros(1_350_000)),
            state: Some("completed".into()),
        }];
        let mut bytes = Vec::new();
        write(&rows, &mut bytes).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let row = "1.000001,sync,0.250000,repo:1;repo:2,remote,,1.100000,1.350000,completed";
        assert_eq!(text, format!("{}\n{row}\n", HEADER.join(",")));
        assert_eq!(read(&bytes).unwrap(), rows);
    }

    #[test]
    fn a_workload_needs_five_columns_in_any_order_and_its_class_may_be_left_empty() {
        let rows = read(b"class,submitted,service,shared,exclusive,note\na,1,3,,r1,y\n,2,1.5,,,x\n").unwrap();
        assert_eq!(rows.iter().map(|row| row.class.as_str()).collect::<Vec<_>>(), ["a", "default"]);
        assert_eq!((rows[0].exclusive.as_slice(), rows[1].service), (&["r1".to_owned()][..], Span::from_millis(1_500)));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let header = "submitted,class,service,exclusive,shared\n";
        for (row, words) in [
            ("-1,a,1,,", "line 2: `submitted`: `-1` is no time"),
            ("NaN,a,1,,", "`NaN` is no time"),
            ("1,a,1.0000001,,", "more than six decimals"),
            ("1,a,1e3,,", "no time"),
            ("1,a,99999999999999999999,,", "too long"),
            ("1,a,1,r;r,", "`r` is claimed twice"),
            ("1,a,1,,r;r", "`r` is claimed twice"),
            ("2,a,1,,\n1,a,1,,", "line 3: this task was submitted before"),
            ("1,a\0,1,,", "line 2: a NUL byte"),
            ("1,a,1", "3 columns where the header has 5"),
        ] {
            let error = read(format!("{header}{row}\n").as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{row}: {error}");
        }
        assert!(read(b"").unwrap_err().to_string().contains("no column `submitted`"));
        assert!(read(b"\xff\xfe\x00\n").is_err());
    }
}
