//! What a simulation of a scenario takes for granted, in plain words, for whoever reads its results.

use super::Scenario;
use crate::base::Span;
use crate::sim::dist::Dist;

/// The assumptions of a result of so many replications, one sentence each.
pub fn assumptions(scenario: &Scenario, replications: u32) -> Vec<String> {
    let mut out = vec![
        "A worker executes one task at a time. A task takes its service demand divided by the worker's speed, and the \
         overhead per task where there is one."
            .to_owned(),
        "What a task demands and claims is drawn with the task: it depends neither on the load nor on who executes it."
            .to_owned(),
        "Workers come and go by themselves; the engine neither starts nor stops one.".to_owned(),
    ];
    let network = &scenario.network;
    let is_perfect = network.loss == 0.0 && network.duplicate == 0.0 && !network.reorder;
    let at_once = network.delay == Dist::Constant(Span::ZERO);
    out.push(match (at_once, is_perfect) {
        (true, true) => "Messages between the engine and the workers take no time, and none is lost.".to_owned(),
        (false, true) => {
            "Messages between the engine and the workers take time each way; none is lost, and those of one link keep \
             their order."
                .to_owned()
        }
        (_, false) => "Messages are late, lost, doubled or out of order as `network` says.".to_owned(),
    });
    let detection = &scenario.detection;
    out.push(format!(
        "A worker sends a heartbeat every {}, and counts as dead when it was not heard for {}.",
        detection.heartbeat, detection.ttl
    ));
    if scenario.workload.is_empty() {
        out.push(
            "Every event is in the scenario's script: what happens does not depend on the seed's draws.".to_owned(),
        );
    }
    if replications > 1 {
        out.push(format!(
            "Intervals are Student t over {replications} independent replications. They tell how much chance is left in the \
             numbers, not how well the scenario describes a real cluster."
        ));
    } else {
        out.push("One replication has no confidence interval: its numbers are one draw of many.".to_owned());
    }
    if scenario.run.warm_up.micros() > 0 {
        out.push(format!(
            "The first {} are left out of the statistics, and never out of the judgement.",
            scenario.run.warm_up
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{SourceText, load};

    #[test]
    fn what_is_assumed_follows_the_scenario() {
        let of = |more: &str| {
            let text = format!("name: a\nworkers: {{initial: 1}}\n{more}");
            let scenario = load(&SourceText::new("a.yaml", text), &[]).expect("a valid scenario").scenario;
            assumptions(&scenario, scenario.run.replications).join("\n")
        };
        assert!(of("").contains("take no time") && of("").contains("script"));
        let timed =
            of("network: {delay: 2ms}\ndetection: {heartbeat: 5s, ttl: 20s}\nrun: {replications: 4, warm_up: 90s}");
        for words in ["take time each way", "every 5s", "for 20s", "over 4 independent", "The first 90s"] {
            assert!(timed.contains(words), "{words}: {timed}");
        }
    }
}
