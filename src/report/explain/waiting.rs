//! `--why-waiting`: what a task waited for, second by second.

use super::{Step, Story};
use crate::base::{Labels, TaskId, Time};
use crate::observe::waiting::{WaitSpan, WaitsFor};
use crate::report::number;

/// The wait of a task as a story; `spans` are all of it.
pub fn why_waiting(task: TaskId, spans: &[WaitSpan], labels: &Labels) -> Story {
    let name = labels.task(task);
    let total: u64 = spans.iter().map(|span| span.lasted().micros()).sum();
    let total = number::clock(Time::from_micros(total));
    let title = match spans {
        [] => format!("{name} did not wait: it started at the instant at which it was submitted"),
        [_] => format!("{name} waited {total}, for one reason"),
        many => format!("{name} waited {total}, for {} reasons in turn", many.len()),
    };
    let steps = spans.iter().map(|span| Step { at: span.from, text: sentence(span, labels), broken: Vec::new() });
    Story { title, steps: steps.collect() }
}

fn sentence(span: &WaitSpan, labels: &Labels) -> String {
    let lasted = number::clock(Time::from_micros(span.lasted().micros()));
    let reason = match span.waits_for {
        WaitsFor::Blocker { task, resource, on, others } => {
            let (task, resource) = (labels.task(task), labels.resource(resource));
            let does = match on {
                Some(worker) => format!("executes on {}", labels.worker(worker)),
                None => "waits itself".to_owned(),
            };
            let more = match others {
                0 => String::new(),
                1 => "; one more task is ahead".to_owned(),
                many => format!("; {many} more tasks are ahead"),
            };
            format!("blocked by {task}, which came earlier, claims {resource} too and {does}{more}")
        }
        WaitsFor::Room => "parked: the pool is at its maximum, and no queue is empty".to_owned(),
        WaitsFor::Others { queue, head } => {
            let head = labels.task(head);
            format!("behind {head} in {queue}, though in conflict with nothing ahead (false serialisation)")
        }
        WaitsFor::BusyOwner { queue, worker, with } => {
            let with = with.map(|task| format!(" with {}", labels.task(task))).unwrap_or_default();
            format!("next in {queue}, whose owner {} is busy{with}", labels.worker(worker))
        }
        WaitsFor::DownOwner { queue, worker, paused: true } => {
            format!("next in {queue}, whose owner {} stands still and is not missed yet", labels.worker(worker))
        }
        WaitsFor::DownOwner { queue, worker, paused: false } => {
            format!("next in {queue}, whose owner {} is not up and not missed yet", labels.worker(worker))
        }
        WaitsFor::Owner { queue, lost: Some(worker) } => {
            format!("next in {queue}, which lost its owner {} and has no other yet", labels.worker(worker))
        }
        WaitsFor::Owner { queue, lost: None } => format!("next in {queue}, which has no owner"),
        WaitsFor::AnyWorker { busy: true } => "in the general queue: every worker that is up is busy".to_owned(),
        WaitsFor::AnyWorker { busy: false } => "in the general queue: no worker is up".to_owned(),
        WaitsFor::Dispatch { worker: Some(worker), queue } => {
            format!("next in {queue}; its owner {} is free, messages are on their way", labels.worker(worker))
        }
        WaitsFor::Dispatch { worker: None, .. } => "a worker is free, messages are on their way".to_owned(),
        WaitsFor::Engine => "the engine has not placed it yet".to_owned(),
    };
    format!("for {lasted}: {reason}")
}
