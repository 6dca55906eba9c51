//! What each random stream is for: the `source` under which it is opened. A new purpose gets a new number; a number
//! that changes changes every run.

/// Instants of submission; entity: the source of tasks.
pub(super) const TASK_ARRIVALS: u64 = 1;
/// Services and claims; entity: the source of tasks.
pub(super) const DEMANDS: u64 = 2;
/// Overheads; entity: the source of tasks, the script after the last.
pub(super) const OVERHEADS: u64 = 3;
/// Instants at which workers arrive from outside.
pub(super) const WORKER_ARRIVALS: u64 = 4;
/// Startup, speed, lifetime, way of exit, time to restart, in this order; entity and life: the worker's place and life.
pub(super) const LIVES: u64 = 5;
/// When the next pause begins and how long it lasts, in turn; entity and life: the worker's.
pub(super) const PAUSES: u64 = 6;
/// The delay of the n-th message to the engine; entity and life: the worker's.
pub(super) const TO_ENGINE: u64 = 7;
/// The delay of the n-th message of the engine; entity and life: the worker's.
pub(super) const TO_WORKER: u64 = 8;
/// Whether the n-th message to the engine is lost; entity and life: the worker's.
pub(super) const LOSSES_TO_ENGINE: u64 = 9;
/// Whether the n-th message of the engine is lost; entity and life: the worker's.
pub(super) const LOSSES_TO_WORKER: u64 = 10;
/// Whether the n-th message to the engine arrives twice, and when again; entity and life: the worker's.
pub(super) const COPIES_TO_ENGINE: u64 = 11;
/// Whether the n-th message of the engine arrives twice, and when again; entity and life: the worker's.
pub(super) const COPIES_TO_WORKER: u64 = 12;
/// Whom a fault hits; entity: its position among the faults.
pub(super) const FAULTS: u64 = 13;
/// Whether the n-th task is poisonous; entity: the position among the poisons.
pub(super) const POISONS: u64 = 14;
/// Whether the n-th task is given up; entity: the position among the cancels.
pub(super) const CANCELS: u64 = 15;
/// Added to the number of an arrival process: how long the states of its rate last.
pub(super) const DWELLS: u64 = 1 << 32;
