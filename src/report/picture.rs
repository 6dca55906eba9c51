//! The run over time as text: a bar per stretch of time for queues, workers and waiting tasks, for a terminal.

use super::{Document, number};
use crate::base::Time;
use crate::observe::Series;

/// Bars in a row.
const COLUMNS: usize = 64;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A row of the picture.
struct Row {
    name: &'static str,
    /// The mean over replications of the largest count in each stretch.
    values: Vec<f64>,
}

/// The picture: means over replications; empty where no series were recorded.
pub fn over_time(doc: &Document) -> String {
    let all: Vec<&Series> = doc.observations.iter().map(|it| &it.series).filter(|it| it.at.len() > 1).collect();
    let Some(points) = all.iter().map(|series| series.at.len()).min() else { return String::new() };
    let end = all[0].at[points - 1];
    let row = |name: &'static str, of: fn(&Series) -> &[u32]| Row { name, values: columns(&all, of, points) };
    let rows = [
        row("queues", |series| &series.queues),
        row("workers", |series| &series.workers),
        row("waiting", |series| &series.backlog),
    ];
    let of = match all.len() {
        1 => ": the most in each stretch".to_owned(),
        many => format!(": the most in each stretch, mean of {many} replications"),
    };
    let mut out = format!("Over {}{of}\n", number::clock(end));
    for Row { name, values } in &rows {
        let most = values.iter().copied().fold(0.0, f64::max);
        let bars: String = values.iter().map(|value| bar(*value, most)).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        out += &format!("  {name:7} {bars}  {} to {}\n", shown(least), shown(most));
    }
    let width = rows[0].values.len();
    let (middle, right) = (number::clock(Time::from_micros(end.micros() / 2)), number::clock(end));
    let left = format!("0{middle:>half$}", half = width / 2 + middle.chars().count() / 2);
    out + &format!("          {left}{right:>rest$}\n", rest = width.saturating_sub(left.chars().count()))
}

/// The stretches: in each one the largest value of each replication, and the mean of those.
fn columns(all: &[&Series], of: fn(&Series) -> &[u32], points: usize) -> Vec<f64> {
    let columns = COLUMNS.min(points);
    let stretch = |column: usize| column * points / columns..((column + 1) * points / columns);
    let largest = |series: &&Series, column: usize| of(series)[stretch(column)].iter().copied().max().unwrap_or(0);
    let mean = |column: usize| all.iter().map(|it| f64::from(largest(it, column))).sum::<f64>() / all.len() as f64;
    (0..columns).map(mean).collect()
}

fn bar(value: f64, most: f64) -> char {
    if value == 0.0 {
        return ' ';
    }
    BARS[((value / most * 8.0).ceil() as usize).clamp(1, 8) - 1]
}

/// To one decimal: means of counts.
fn shown(value: f64) -> String {
    number::plain((value * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_row_per_count_of_equal_width_on_eighty_columns() {
        let text = over_time(&sample::document());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert_eq!(lines[0], "Over 10 min: the most in each stretch, mean of 8 replications");
        assert!(lines[3].starts_with("  waiting ") && lines[3].contains('█'), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= 90), "{text}");
        assert!(lines[4].ends_with("10 min") && lines[4].contains("5 min"), "{text}");
    }

    #[test]
    fn nothing_recorded_is_no_picture_and_nothing_waiting_is_blank() {
        assert_eq!(over_time(&sample::empty_document()), "");
        let still = over_time(&sample::still_document());
        assert!(still.lines().nth(3).unwrap().ends_with("  0 to 0"), "{still}");
        assert_eq!((bar(1.0, 8.0), bar(8.0, 8.0), bar(0.01, 8.0)), ('▁', '█', '▁'));
    }
}
