//! Simulated against recorded waits, for people and for programs.

use serde_json::{Map, Value, json};

use super::number;
use crate::base::Span;
use crate::experiment::replay::Replayed;
use crate::experiment::replay::fidelity::Comparison;
use crate::experiment::replay::overheads::mean;

/// The part of the table that comes first after a replay.
pub fn human(replayed: &Replayed, engine: &str, seeds: u32) -> String {
    let fidelity = &replayed.fidelity;
    let tasks = number::counted(fidelity.tasks.len() as u64, "task");
    let seeds = number::counted(seeds.into(), "seed");
    let mut out = if replayed.mirrors {
        format!("Simulated against recorded waits, {tasks}, {seeds}, overheads of {}\n", replayed.fitted_on)
    } else {
        format!("What would have happened under {engine}, {tasks}, {seeds}\n")
    };
    out += &format!("  {:10}  {:>9}  {:>9}  {:>8}  simulated runs\n", "", "recorded", "simulated", "");
    for it in &fidelity.comparisons {
        let error = it.error().map_or("-".to_owned(), |error| format!("{:+.1} %", error * 100.0));
        let (low, high) = it.range;
        let value = |seconds| format!("{} s", number::plain(seconds));
        out += &format!(
            "  {:10}  {:>9}  {:>9}  {error:>8}  {} … {}\n",
            it.metric,
            value(it.recorded),
            value(it.simulated),
            number::plain(low),
            value(high)
        );
    }
    if let Some(chosen) = &replayed.as_chosen {
        let of = |it: &Comparison| Some(format!("{} {:+.1} %", it.metric, it.error()? * 100.0));
        let errors: Vec<String> = chosen.comparisons.iter().filter_map(of).collect();
        out += &format!("  {}: where workers choose as they did; the rest is chance\n", errors.join(", "));
    }
    out += &format!("  a task's wait differs by {} s on average\n", number::plain(fidelity.error_per_task));
    out += &format!(
        "  {} with an earlier one in conflict: {} recorded out of order, {} in all simulated runs\n",
        number::counted(fidelity.in_conflict, "task"),
        fidelity.recorded_out_of_order,
        fidelity.simulated_out_of_order
    );
    out += &format!("Overheads, from {}\n", replayed.fitted_on);
    for (name, samples) in replayed.overheads.steps() {
        out += &format!("  {name:29}  {}\n", step(samples));
    }
    for remark in &replayed.remarks {
        out += &format!("  {remark}\n");
    }
    out
}

fn step(samples: &[Span]) -> String {
    let Some(longest) = samples.last() else { return "never seen".to_owned() };
    let millis = |span: Span| format!("{:.1}", span.micros() as f64 / 1_000.0);
    format!(
        "mean {:>6} ms, p95 {:>6} ms, at most {:>6} ms, of {}",
        millis(mean(samples)),
        millis(quantile(samples, 95)),
        millis(*longest),
        samples.len()
    )
}

fn quantile(sorted: &[Span], percent: usize) -> Span {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

/// The key `fidelity` of `summary.json`.
pub fn value(replayed: &Replayed) -> Value {
    let fidelity = &replayed.fidelity;
    let mut map = Map::new();
    for it in &fidelity.comparisons {
        let error = it.error();
        let range = [it.range.0, it.range.1];
        let mut value = json!({"recorded": it.recorded, "simulated": it.simulated, "error": error, "range": range});
        if let Some(chosen) = &replayed.as_chosen {
            let same = chosen.comparisons.iter().find(|other| other.metric == it.metric);
            value["error_as_chosen"] = json!(same.and_then(Comparison::error));
        }
        map.insert(it.metric.to_owned(), value);
    }
    map.insert("tasks".into(), json!(fidelity.tasks.len()));
    map.insert("error_per_task".into(), json!(fidelity.error_per_task));
    map.insert("tasks_in_conflict".into(), json!(fidelity.in_conflict));
    map.insert("conflicting_pairs_out_of_order".into(), json!(fidelity.simulated_out_of_order));
    map.insert("recorded_out_of_order".into(), json!(fidelity.recorded_out_of_order));
    map.insert("fitted_on".into(), json!(replayed.fitted_on));
    let overheads = replayed.overheads.steps().into_iter().map(|(name, samples)| {
        let seconds = |span: Span| span.as_secs_f64();
        let value = json!({
            "n": samples.len(),
            "mean": (!samples.is_empty()).then(|| seconds(mean(samples))),
            "p95": (!samples.is_empty()).then(|| seconds(quantile(samples, 95))),
            "max": samples.last().map(|span| seconds(*span)),
        });
        (name.to_owned(), value)
    });
    map.insert("overheads".into(), Value::Object(overheads.collect()));
    map.insert("remarks".into(), json!(replayed.remarks));
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_error_of_a_replay_is_relative_and_signed() {
        let replayed = sample::replayed();
        let value = value(&replayed);
        assert!((value["wait.mean"]["error"].as_f64().unwrap() + 0.1).abs() < 1e-12, "{value}");
        assert_eq!(value["wait.mean"]["range"], json!([0.4, 0.5]));
        assert_eq!(value["conflicting_pairs_out_of_order"], 0);
        assert_eq!(value["overheads"]["unblocked_to_started"]["max"], 0.08);
        assert_eq!(value["overheads"]["finished_to_next"]["mean"], Value::Null);
        let text = human(&replayed, "pull_locks", 20);
        assert!(text.contains("wait.mean       0.5 s     0.45 s   -10.0 %  0.4 … 0.5 s"), "{text}");
        assert!(text.contains("finished_to_next               never seen"), "{text}");
    }
}
