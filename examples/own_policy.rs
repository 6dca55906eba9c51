//! The program with one more placement policy: a resource always goes to the same queue, whatever waits there.
//!
//! `cargo run --release --example own_policy -- run my.yaml`, where `my.yaml` says
//! `engine: {queue_first: {placement: {custom: by_number}}}`. Everything else of the program is there as usual.

use std::process::ExitCode;
use std::sync::Arc;

use lanekeeper::base::QueueId;
use lanekeeper::engine::queue_first::Pool;
use lanekeeper::engine::queue_first::placement::{Choice, Placement};
use lanekeeper::registry::Registry;

#[derive(Debug)]
struct ByNumber;

impl Placement for ByNumber {
    fn choose(&mut self, pool: &Pool, choice: &Choice<'_>) -> QueueId {
        let active = pool.active();
        active[choice.claims[0].resource.0 as usize % active.len()]
    }
}

fn main() -> ExitCode {
    lanekeeper::cli::main_with(&Registry::new().placement("by_number", Arc::new(|| Box::new(ByNumber))))
}
