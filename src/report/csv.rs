//! Tables for programs: one row per replication (`runs.csv`), and one row per metric.
//!
//! Every column is there in every run, in the order of the metrics, empty where there is no data.

use super::{Document, Report};

/// The file `runs.csv`.
#[derive(Debug)]
pub struct Runs;

impl Report for Runs {
    fn file_name(&self) -> &'static str {
        "runs.csv"
    }
    fn render(&self, doc: &Document) -> String {
        runs(doc)
    }
}

/// One row per replication: its number from 0, its digest, and every metric overall and per class.
pub fn runs(doc: &Document) -> String {
    let mut header = vec!["replication".to_string(), "digest".to_string()];
    header.extend(doc.columns().map(|(metric, class)| doc.column_name(metric, class)));
    let row = |(index, observation): (usize, &crate::observe::Observation)| {
        let mut row = vec![index.to_string(), format!("{:032x}", observation.digest)];
        row.extend(
            doc.columns().map(|(metric, class)| shortest(observation.metrics.get(&(metric.name, class)).copied())),
        );
        row
    };
    text(std::iter::once(header).chain(doc.observations.iter().enumerate().map(row)))
}

/// One row per metric: name, class, unit, mean, the interval's ends and the number of replications with data.
pub fn summary(doc: &Document) -> String {
    let header = ["metric", "class", "unit", "mean", "ci_low", "ci_high", "n"].map(String::from).to_vec();
    let rows = doc.columns().filter_map(|(metric, class)| {
        let estimate = doc.estimates.get(&(metric.name, class))?;
        Some(vec![
            metric.name.to_string(),
            class.map(|class| doc.labels.class(class)).unwrap_or_default(),
            metric.unit.text().to_string(),
            shortest(Some(estimate.mean)),
            shortest(estimate.ci.map(|ci| ci.0)),
            shortest(estimate.ci.map(|ci| ci.1)),
            estimate.n.to_string(),
        ])
    });
    text(std::iter::once(header).chain(rows))
}

/// The shortest text that reads back as the same number.
pub(super) fn shortest(value: Option<f64>) -> String {
    value.map(|it| it.to_string()).unwrap_or_default()
}

pub(super) fn text(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("memory takes every row, and all have equally many fields");
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("every field is text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_replication_is_a_row_with_all_columns() {
        let doc = sample::document();
        let text = runs(&doc);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        assert_eq!(
            header.iter().take(4).collect::<Vec<_>>(),
            ["replication", "digest", "wait.mean", "wait.mean{class=sync}"]
        );
        assert_eq!(header.len(), 2 + doc.columns().count());
        assert_eq!(reader.records().map(Result::unwrap).count(), doc.observations.len());
    }

    #[test]
    fn the_summary_has_a_row_per_estimate() {
        let doc = sample::document();
        assert_eq!(summary(&doc).lines().count(), 1 + doc.estimates.len());
        assert!(summary(&doc).contains("\nwait.p95,sync,s,41.2,39.9,42.5,8\n"));
    }
}
