//! Hot resources: how long the tasks of the most claimed resources waited, a bar each.

use std::collections::BTreeMap;

use super::Room;
use super::canvas::{Align, Canvas, EDGE};
use super::page::{self, TOP};
use super::theme::{BLUE, INK, MUTED, ORANGE};
use crate::base::ResourceId;
use crate::report::{Document, number};

/// At most so many bars.
const MOST: usize = 12;
const PITCH: f64 = 26.0;
const BAR: f64 = 18.0;

/// The tasks of a resource, over all replications.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Load {
    tasks: u64,
    /// Seconds.
    wait_mean: f64,
}

/// The chart, where several resources were claimed and somebody waited.
pub(super) fn draw(doc: &Document, Room { width, .. }: Room) -> Option<Canvas> {
    let loads = loads(doc);
    let longest = loads.iter().map(|(_, load)| load.wait_mean).fold(0.0, f64::max);
    if loads.len() < 3 || longest == 0.0 {
        return None;
    }
    let name_width = 120.0;
    let (left, right) = (EDGE + name_width, width - EDGE - 200.0);
    let mut canvas = Canvas::new(width, TOP + PITCH * loads.len() as f64 + 12.0);
    let of = format!(
        "{}; mean wait of the tasks that claim it",
        number::counted(doc.observations.len() as u64, "replication")
    );
    canvas.titled(&title(doc, &loads), &page::origin(doc, &of));
    for (row, (resource, load)) in loads.iter().enumerate() {
        let top = TOP + PITCH * row as f64;
        let middle = top + BAR / 2.0 + 4.5;
        let name = page::fitted(&doc.labels.resource(*resource), 13.0, false, name_width - 10.0);
        canvas.text(left - 8.0, middle, &name, 13.0, Align::Right, INK);
        let width = (load.wait_mean / longest * (right - left)).max(1.0);
        canvas.rect(left, top, width, BAR, if row == 0 { ORANGE } else { BLUE });
        let text = format!("{} s, {}", number::plain(load.wait_mean), number::counted(load.tasks, "task"));
        canvas.text(left + width + 6.0, middle, &text, 12.0, Align::Left, MUTED);
    }
    Some(canvas)
}

/// The most claimed resources first.
fn loads(doc: &Document) -> Vec<(ResourceId, Load)> {
    let mut loads: BTreeMap<ResourceId, Load> = BTreeMap::new();
    for rank in doc.observations.iter().flat_map(|observation| &observation.ranks) {
        let load = loads.entry(rank.resource).or_default();
        let tasks = load.tasks + rank.tasks;
        if tasks > 0 {
            load.wait_mean += (rank.wait_mean - load.wait_mean) * rank.tasks as f64 / tasks as f64;
            load.tasks = tasks;
        }
    }
    let mut loads: Vec<_> = loads.into_iter().filter(|(_, load)| load.tasks > 0).collect();
    loads.sort_by_key(|(resource, load)| (std::cmp::Reverse(load.tasks), *resource));
    loads.truncate(MOST);
    loads
}

fn title(doc: &Document, loads: &[(ResourceId, Load)]) -> String {
    let (hottest, load) = loads[0];
    let mut others: Vec<f64> = loads[1..].iter().map(|(_, load)| load.wait_mean).collect();
    others.sort_by(f64::total_cmp);
    let seconds = |value: f64| format!("{} s", number::plain(value));
    format!(
        "Tasks of {}, the most claimed, waited {} on average; in the median of the next {} it was {}",
        doc.labels.resource(hottest),
        seconds(load.wait_mean),
        others.len(),
        seconds(others[others.len() / 2])
    )
}

#[cfg(test)]
mod tests {
    use super::super::Size;
    use super::*;
    use crate::observe::RankRow;
    use crate::report::sample;

    #[test]
    fn waits_are_weighted_with_their_tasks_and_the_most_claimed_comes_first() {
        let mut doc = sample::document();
        let row = |resource, tasks, wait_mean| RankRow { resource: ResourceId(resource), tasks, wait_mean };
        doc.observations.iter_mut().for_each(|it| it.ranks.clear());
        doc.observations[0].ranks = vec![row(0, 1, 9.0), row(3, 2, 1.0)];
        doc.observations[1].ranks = vec![row(0, 3, 1.0), row(7, 0, 0.0)];
        let expected =
            [(ResourceId(0), Load { tasks: 4, wait_mean: 3.0 }), (ResourceId(3), Load { tasks: 2, wait_mean: 1.0 })];
        assert_eq!(loads(&doc), expected);
        assert!(draw(&doc, Size::Screen.room()).is_none(), "two resources are no comparison");
    }
}
