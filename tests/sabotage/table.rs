//! The table of planted bugs.

use lanekeeper::base::Epoch;
use lanekeeper::base::Property::{self, *};
use lanekeeper::engine::spec::{Discipline, Lease, LeaseSpec, Newcomers, Rebalance};

use super::Plant::{self, Agents, Deaf, Forger, Options, Records, Written};
use super::{Row, clients, lock_table, managers, wakes, wrapped};

const fn row(bug: &'static str, property: Property, scene: &'static str, plant: Plant) -> Row {
    Row { bug, property, scene, plant }
}

pub static TABLE: &[Row] = &[
    row("two workers get the same grant", Ownership, "calm", Forger(wrapped::grants_to_two_workers)),
    row(
        "a queue is granted anew before it is released",
        Ownership,
        "turnover",
        Forger(wrapped::does_not_wait_for_releases),
    ),
    row("leases last longer than the engine waits", Ownership, "zombies", Forger(wrapped::leases_longer_than_it_waits)),
    row("all grants have the epoch 1", Ownership, "turnover", Forger(wrapped::epochs_that_stand_still)),
    row(
        "a reused worker name inherits what its namesake holds",
        Ownership,
        "turnover",
        Forger(wrapped::reused_names_inherit),
    ),
    row("two managers at once", Ownership, "calm", Written(managers::two)),
    row("workers ignore failed heartbeats", Exclusion, "zombies", Agents(|agents| agents.fences_itself = false)),
    row("leases are ended by nobody", Ownership, "zombies", Options(|spec| spec.lease = LeaseSpec::None)),
    row("a task goes round its queue", Exclusion, "calm", Forger(wrapped::starts_out_of_the_general_queue)),
    row("the second claim is overlooked", Exclusion, "calm", Forger(wrapped::overlooks_the_second_claim)),
    row("locks are freed while in use", Exclusion, "calm", Written(lock_table::freed_in_use)),
    row("one task frees the locks of others", Exclusion, "calm", Written(lock_table::frees_those_of_others)),
    row("the order of creation is lost", Order, "calm", Forger(wrapped::loses_the_order_of_creation)),
    row("the newest task is first", Order, "calm", Written(lock_table::newest_first)),
    row("shared claims overtake exclusive ones", Order, "calm", Written(lock_table::shared_overtakes)),
    row("a task put back goes to the end", Order, "turnover", Written(lock_table::requeued_last)),
    row("exclusive claims are taken for shared ones", Affinity, "calm", Forger(wrapped::takes_exclusive_for_shared)),
    row("tasks are spread without regard to conflicts", Affinity, "calm", Forger(wrapped::spreads_tasks_regardless)),
    row("a reservation is freed while others need it", Affinity, "calm", Forger(wrapped::frees_reservations_in_use)),
    row("submissions are dropped", NoLoss, "calm", Forger(wrapped::drops_submissions)),
    row("a duplicate report counts again", NoLoss, "wire", Forger(wrapped::counts_duplicate_reports)),
    row("tasks are settled twice", NoLoss, "calm", Forger(wrapped::settles_twice)),
    row("a declined start counts as done", NoLoss, "leavers", Forger(wrapped::takes_the_declined_for_done)),
    row("a task is settled when it starts", NoLoss, "calm", Forger(wrapped::settles_when_it_starts)),
    row("a general task is started on two workers", Attempts, "calm", Forger(wrapped::starts_on_two_workers)),
    row("settled tasks are started again", Attempts, "calm", Forger(wrapped::starts_what_is_settled)),
    row("cancelled tasks are started all the same", Attempts, "orders", Forger(clients::starts_what_is_cancelled)),
    row("what is finished is taken for aborted", Attempts, "calm", Forger(wrapped::takes_the_finished_for_aborted)),
    row("cancels are ignored", Outcomes, "wishes", Forger(clients::ignores_cancels)),
    row("what is cancelled is not stopped", Outcomes, "wishes", Forger(clients::stops_nothing)),
    row("what is finished is called cancelled", Outcomes, "wishes", Forger(clients::cancels_what_is_finished)),
    row("what is cancelled is called failed", Outcomes, "wishes", Forger(clients::calls_the_cancelled_failed)),
    row("a leaving worker's last report is not answered", Quiesce, "leavers", Forger(wrapped::does_not_let_leavers_go)),
    row("a queue more than max", PoolBounds, "limits", Forger(wrapped::exceeds_max)),
    row("a queue less than min", PoolBounds, "calm", Forger(wrapped::falls_below_min)),
    row("new limits are ignored", PoolBounds, "limits", Forger(wrapped::ignores_new_limits)),
    row("a queue is deleted with tasks in it", PoolBounds, "calm", Forger(wrapped::deletes_a_queue_in_use)),
    row("the dead are believed alive", OrphanBound, "turnover", Forger(wrapped::believes_the_dead_alive)),
    row("an orphaned queue is given to nobody", OrphanBound, "turnover", Forger(wrapped::gives_orphans_to_nobody)),
    row("orphaned queues are given to the dead", OrphanBound, "turnover", Forger(wrapped::gives_orphans_to_the_dead)),
    row("the engine is never woken", OrphanBound, "turnover", Deaf),
    row(
        "a lost worker's lease is waited for much too long",
        OrphanBound,
        "turnover",
        Options(|spec| {
            spec.lease =
                LeaseSpec::Lease(Lease { duration: lanekeeper::base::Span::from_secs(40), ..Lease::default() });
        }),
    ),
    row("starts are lost", WorkConserving, "calm", Forger(wakes::drops_starts)),
    row("wake-ups are lost", WorkConserving, "calm", Forger(wakes::loses_wake_ups)),
    row(
        "only the first twenty tasks are looked at",
        WorkConserving,
        "crowd",
        Forger(wakes::looks_at_the_first_twenty_only),
    ),
    row("only the first twenty locks are looked at", WorkConserving, "crowd", Written(lock_table::first_twenty_only)),
    row("nobody is woken by a new task", WorkConserving, "calm", Written(lock_table::nobody_is_woken)),
    row("nobody is woken for a general task", WorkConserving, "surplus", Forger(wakes::wakes_nobody_for_general_tasks)),
    row(
        "who loses its last queue is not given what waits",
        WorkConserving,
        "surplus",
        Forger(wakes::forgets_general_tasks_that_wait),
    ),
    row("tasks are sent to the dead", WorkConserving, "losses", Forger(wrapped::sends_tasks_to_the_dead)),
    row("a lost worker's locks are kept", Drains, "losses", Written(lock_table::keeps_those_of_the_lost)),
    row("results are lost with the worker", Drains, "losses", Written(lock_table::lost_with_its_worker)),
    row("what a lost worker executed is forgotten", Drains, "losses", Forger(wrapped::forgets_what_the_lost_executed)),
    row("a quiesce is never passed on", Quiesce, "asked", Forger(wrapped::never_passes_a_quiesce_on)),
    row("nothing is fenced off", Effects, "late", Forger(wrapped::fences_nothing_off)),
    row("effects are awaited by nobody", Effects, "calm", Forger(wrapped::settles_when_it_starts)),
    row("a later task goes first", Effects, "calm", Written(lock_table::newest_first)),
    row("a new engine begins from nothing", Recovery, "restarts", Records(|records| *records = Default::default())),
    row(
        "a new engine numbers its grants anew",
        Recovery,
        "restarts",
        Records(|records| {
            records.queues.values_mut().for_each(|queue| queue.epoch = Epoch(0));
        }),
    ),
    row(
        "a new engine forgets what waits",
        Recovery,
        "restarts",
        Records(|records| {
            records.tasks.retain(|_, task| task.running.is_some());
        }),
    ),
    row("one order is given to two workers", Idempotence, "calm", Forger(wrapped::starts_on_two_workers)),
    row("old reports settle what executes anew", Idempotence, "silence", Forger(wrapped::lets_old_reports_settle)),
    row(
        "one queue is drained before the next",
        NoStarvation,
        "duty",
        Options(|spec| {
            spec.double_duty.discipline = Discipline::DrainFirst;
        }),
    ),
    row(
        "queues are never evened out",
        Settles,
        "balance",
        Options(|spec| {
            spec.rebalance = Rebalance::Never;
            spec.newcomers = Newcomers::GeneralOnly;
            spec.double_duty.prefer_at_most = 9;
        }),
    ),
    row("queues are moved to workers that are not there", Settles, "balance", Forger(wrapped::believes_in_ghosts)),
];
