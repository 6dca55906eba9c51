//! Properties, probes and metrics: one name each, everywhere (YAML, JSON, CSV, charts).

use std::fmt;
use std::str::FromStr;

macro_rules! named_set {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// All of them, in the order in which they are shown.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();
            /// The name.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
            /// The position in [`Self::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|it| it.name() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|it| it.name()).collect();
                    format!(concat!("`{}` is no ", $what, ": there are {}"), text, names.join(", "))
                })
            }
        }
    };
}

named_set! {
    /// A promise that the oracle judges, from facts alone.
    Property, "property" {
        /// Conflicting attempts never execute at once.
        Exclusion = "exclusion",
        /// The store accepts at most one effect per task, in order, and none of an epoch that is over.
        Effects = "effects",
        /// If a was submitted before b and they conflict, b's first start is not before a's settlement.
        Order = "order",
        /// At any instant at most one worker holds a valid grant of a queue; epochs rise.
        Ownership = "ownership",
        /// Accepted = waiting + executing + settled; nothing settles twice or starts without having been submitted.
        NoLoss = "no_loss",
        /// No start after settlement; starts <= 1 + faults that hit an attempt or its report.
        Attempts = "attempts",
        /// Every outcome has its cause, and a task that its client gave up is not carried on with.
        Outcomes = "outcomes",
        /// Unsettled, placed, conflicting tasks lie in one queue.
        Affinity = "affinity",
        /// Once the order is delivered: no new grant, no new start; gone within its grace.
        Quiesce = "quiesce",
        /// Active queues >= min, active + draining <= max; deleted only when empty and unreserved.
        PoolBounds = "pool_bounds",
        /// A lost owner's queue is owned again in time, if a healthy worker existed throughout.
        OrphanBound = "orphan_bound",
        /// A duplicate or stale message changes nothing in the world.
        Idempotence = "idempotence",
        /// Every accepted task and live epoch survives an engine crash.
        Recovery = "recovery",
        /// When all faults are over, everything is settled within a bound computed from the remaining work.
        Drains = "drains",
        /// No task is passed over more often than a declared number of times.
        NoStarvation = "no_starvation",
        /// Where rebalancing is on, queues come to rest and lie evenly.
        Settles = "settles",
        /// No idle healthy owner beside a runnable head of its queue for any length of time.
        WorkConserving = "work_conserving",
    }
}

named_set! {
    /// Something that must have happened at least once for a test to have tested anything (`expect.sometimes`).
    Probe, "probe" {
        /// A queue lost its owner.
        OrphanedQueue = "orphaned_queue",
        /// An orphaned queue went to a worker that had joined after the loss.
        OrphanToNewcomer = "orphan_to_newcomer",
        /// A worker owned more than one reserving queue.
        DoubleDuty = "double_duty",
        /// Double duty ended because a queue was handed to another worker or deleted.
        DoubleDutyRelieved = "double_duty_relieved",
        /// A worker with no reserving queue executed a task of the general queue.
        SurplusOnGeneral = "surplus_on_general",
        /// A queue was created after the first instant.
        QueueCreated = "queue_created",
        /// A queue was deleted.
        QueueDeleted = "queue_deleted",
        /// A queue began to drain.
        QueueDraining = "queue_draining",
        /// A draining queue became active again.
        QueueRevived = "queue_revived",
        /// A queue changed owners with its contents waiting in it.
        QueueMoved = "queue_moved",
        /// A queue with tasks in it had no owner and no worker was up.
        NoWorkers = "no_workers",
        /// A task was parked because its earlier conflicting tasks lay in several queues or were parked.
        TaskParked = "task_parked",
        /// A task was parked because the pool was at its maximum.
        ParkedAtMax = "parked_at_max",
        /// A task waited behind others in its queue though nothing in conflict was ahead of it.
        FalseSerialisation = "false_serialisation",
        /// Two tasks with a shared claim on one resource executed at once.
        SharedTogether = "shared_together",
        /// A task with claims on two or more resources executed.
        MultiResource = "multi_resource",
        /// A worker left in good order.
        WorkerQuiesced = "worker_quiesced",
        /// A quiescing worker was killed at the end of its grace.
        GraceExceeded = "grace_exceeded",
        /// A worker crashed.
        WorkerCrashed = "worker_crashed",
        /// A worker was paused.
        WorkerPaused = "worker_paused",
        /// A worker joined after the first instant.
        WorkerJoined = "worker_joined",
        /// A worker went on executing a task of a queue after the queue was granted anew.
        ZombieExecuting = "zombie_executing",
        /// A worker reported a task after its queue was granted anew.
        ZombieReported = "zombie_reported",
        /// An agent stopped its task because its lease had ended.
        SelfFenced = "self_fenced",
        /// A task was put back after its attempt was lost.
        TaskRequeued = "task_requeued",
        /// A task was cancelled.
        TaskCancelled = "task_cancelled",
        /// A task failed.
        TaskFailed = "task_failed",
        /// Two conflicting attempts executed at once.
        Overlap = "overlap",
        /// The store refused the effect of a stale attempt.
        EffectRefused = "effect_refused",
        /// The store had a task's effect already when another attempt of it ended.
        EffectAlreadyDone = "effect_already_done",
        /// A report reached the engine again, or after its attempt had been given up.
        StaleReport = "stale_report",
        /// A queue was taken from a worker that is well, for balance.
        QueueRebalanced = "queue_rebalanced",
        /// A worker took a later task while the first one of another of its queues could have run.
        PassedOver = "passed_over",
        /// A message was lost.
        MessageLost = "message_lost",
        /// A message overtook an earlier one.
        MessageOvertook = "message_overtook",
        /// A task that does harm was submitted.
        PoisonTask = "poison_task",
        /// An engine was restored from records.
        EngineRestored = "engine_restored",
        /// A restored engine had tasks to go on with.
        RestoredWithTasks = "restored_with_tasks",
        /// A worker held a valid grant when an engine was restored.
        RestoredWithLease = "restored_with_lease",
        /// The store took its time with a record.
        StoreSlow = "store_slow",
        /// The limits of the pool changed while running.
        LimitsChanged = "limits_changed",
    }
}

/// A small set of properties.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PropertySet(u32);

impl PropertySet {
    /// No property.
    pub const EMPTY: PropertySet = PropertySet(0);
    /// Every property.
    pub const ALL: PropertySet = PropertySet((1 << Property::COUNT) - 1);

    /// This set and one more.
    pub const fn with(self, property: Property) -> PropertySet {
        PropertySet(self.0 | 1 << property.index())
    }
    /// This set without one.
    pub const fn without(self, property: Property) -> PropertySet {
        PropertySet(self.0 & !(1 << property.index()))
    }
    /// Whether it is in the set.
    pub const fn contains(self, property: Property) -> bool {
        self.0 & (1 << property.index()) != 0
    }
    /// Those in the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Property> {
        Property::ALL.iter().copied().filter(move |property| self.contains(*property))
    }
}

impl FromIterator<Property> for PropertySet {
    fn from_iter<I: IntoIterator<Item = Property>>(items: I) -> Self {
        items.into_iter().fold(PropertySet::EMPTY, PropertySet::with)
    }
}

/// A set of probes that were hit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ProbeSet(u64);

impl ProbeSet {
    /// Marks a probe as hit.
    #[inline]
    pub fn hit(&mut self, probe: Probe) {
        self.0 |= 1 << probe.index();
    }
    /// Whether it was hit.
    pub const fn contains(self, probe: Probe) -> bool {
        self.0 & (1 << probe.index()) != 0
    }
    /// Hit in either.
    #[must_use]
    pub const fn union(self, other: ProbeSet) -> ProbeSet {
        ProbeSet(self.0 | other.0)
    }
    /// Those that were hit, in order.
    pub fn iter(self) -> impl Iterator<Item = Probe> {
        Probe::ALL.iter().copied().filter(move |probe| self.contains(*probe))
    }
}

/// What a metric counts in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A plain number.
    Count,
    /// A share from 0 to 1, shown as a percentage.
    Fraction,
    /// Per hour.
    PerHour,
    /// Per second.
    PerSecond,
    /// How many times (slowdown).
    Ratio,
}

impl Unit {
    /// The short text of the unit in JSON and on axes.
    pub const fn text(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Count => "1",
            Unit::Fraction => "fraction",
            Unit::PerHour => "1/h",
            Unit::PerSecond => "1/s",
            Unit::Ratio => "ratio",
        }
    }
}

/// A metric: its name, its unit, whether `{class=…}` may select a class, and what it means.
#[derive(Debug)]
pub struct MetricInfo {
    /// The name, like `wait.p95`.
    pub name: &'static str,
    /// The unit.
    pub unit: Unit,
    /// Whether it is measured per class too.
    pub per_class: bool,
    /// One sentence for people.
    pub meaning: &'static str,
}

const fn metric(name: &'static str, unit: Unit, per_class: bool, meaning: &'static str) -> MetricInfo {
    MetricInfo { name, unit, per_class, meaning }
}

/// Every metric, in the order in which they are shown.
pub const METRICS: &[MetricInfo] = &[
    metric("wait.mean", Unit::Seconds, true, "mean time from submission to first start"),
    metric("wait.p50", Unit::Seconds, true, "median wait"),
    metric("wait.p90", Unit::Seconds, true, "90th percentile of the wait"),
    metric("wait.p95", Unit::Seconds, true, "95th percentile of the wait"),
    metric("wait.p99", Unit::Seconds, true, "99th percentile of the wait"),
    metric("wait.max", Unit::Seconds, true, "longest wait"),
    metric("wait.blocked", Unit::Seconds, true, "mean wait for an earlier conflicting task to settle"),
    metric(
        "wait.parked",
        Unit::Seconds,
        true,
        "mean wait parked, with no conflict ahead, because the pool was at its maximum",
    ),
    metric(
        "wait.behind",
        Unit::Seconds,
        true,
        "mean wait behind others in its queue though runnable (false serialisation)",
    ),
    metric("wait.owner_busy", Unit::Seconds, true, "mean wait, next in line, for a busy worker"),
    metric("wait.no_owner", Unit::Seconds, true, "mean wait, next in line, for a healthy worker"),
    metric("wait.dispatch", Unit::Seconds, true, "mean wait, next in line, while its worker was free"),
    metric("response.mean", Unit::Seconds, true, "mean time from submission to settlement, completed tasks"),
    metric("response.p50", Unit::Seconds, true, "median response"),
    metric("response.p90", Unit::Seconds, true, "90th percentile of the response"),
    metric("response.p95", Unit::Seconds, true, "95th percentile of the response"),
    metric("response.p99", Unit::Seconds, true, "99th percentile of the response"),
    metric("response.max", Unit::Seconds, true, "longest response"),
    metric("slowdown.mean", Unit::Ratio, true, "mean of response / service demand, completed tasks"),
    metric("slowdown.p50", Unit::Ratio, true, "median slowdown"),
    metric("slowdown.p90", Unit::Ratio, true, "90th percentile of the slowdown"),
    metric("slowdown.p95", Unit::Ratio, true, "95th percentile of the slowdown"),
    metric("slowdown.p99", Unit::Ratio, true, "99th percentile of the slowdown"),
    metric("slowdown.max", Unit::Ratio, true, "largest slowdown"),
    metric("throughput", Unit::PerSecond, true, "tasks completed per second of the window"),
    metric("tasks.submitted", Unit::Count, true, "tasks submitted in the whole run"),
    metric("tasks.completed", Unit::Count, true, "tasks that ran to their end"),
    metric("tasks.failed", Unit::Count, true, "tasks that failed"),
    metric("tasks.cancelled", Unit::Count, true, "tasks that were cancelled"),
    metric("tasks.requeued", Unit::Count, true, "attempts lost and put back"),
    metric("tasks.unfinished", Unit::Count, true, "tasks not settled when the drain time was over"),
    metric("tasks.lost", Unit::Count, true, "tasks that vanished: neither waiting, nor executing, nor settled"),
    metric("worker.utilisation", Unit::Fraction, false, "share of worker time spent executing"),
    metric("worker.idle_avoidable", Unit::Fraction, false, "share of worker time idle while a runnable task waited"),
    metric("worker.idle_unavoidable", Unit::Fraction, false, "share of worker time idle with nothing runnable waiting"),
    metric("worker.idle", Unit::Fraction, false, "share of worker time idle"),
    metric("worker.paused", Unit::Fraction, false, "share of worker time paused"),
    metric("worker.starting", Unit::Fraction, false, "share of worker time starting up"),
    metric("workers.mean", Unit::Count, false, "mean number of workers, starting and paused ones included"),
    metric("queue.churn", Unit::PerHour, false, "queues created, deleted and moved per hour"),
    metric("queue.created", Unit::PerHour, false, "queues created per hour"),
    metric("queue.deleted", Unit::PerHour, false, "queues deleted per hour"),
    metric("queue.moved", Unit::PerHour, false, "queues granted to another worker than before, per hour"),
    metric("queue.count.mean", Unit::Count, false, "mean number of reserving queues"),
    metric("queue.count.min", Unit::Count, false, "smallest number of reserving queues"),
    metric("queue.count.max", Unit::Count, false, "largest number of reserving queues"),
    metric("queue.orphaned", Unit::Fraction, false, "share of non-empty queue time spent orphaned: the owner was lost"),
    metric("queue.vacant", Unit::Fraction, false, "share of non-empty queue time spent vacant: no owner was chosen"),
    metric("backlog.mean", Unit::Count, false, "mean number of tasks waiting"),
    metric("backlog.max", Unit::Count, false, "largest number of tasks waiting"),
    metric("runnable.mean", Unit::Count, false, "mean number of tasks waiting with no conflict ahead"),
    metric("parked.mean", Unit::Count, false, "mean number of tasks parked"),
    metric("overlap_seconds", Unit::Seconds, false, "seconds in which conflicting attempts executed at once"),
    metric("effects.refused", Unit::Count, false, "effects of stale attempts that the store refused"),
    metric("effects.already_done", Unit::Count, false, "effects that the store had already, by an earlier attempt"),
    metric("violations.exclusion", Unit::Count, false, "breaches of exclusion"),
    metric("violations.effects", Unit::Count, false, "breaches of effects"),
    metric("violations.order", Unit::Count, false, "breaches of order"),
    metric("violations.ownership", Unit::Count, false, "breaches of ownership"),
    metric("violations.no_loss", Unit::Count, false, "breaches of no_loss"),
    metric("violations.attempts", Unit::Count, false, "breaches of attempts"),
    metric("violations.outcomes", Unit::Count, false, "breaches of outcomes"),
    metric("violations.affinity", Unit::Count, false, "breaches of affinity"),
    metric("violations.quiesce", Unit::Count, false, "breaches of quiesce"),
    metric("violations.pool_bounds", Unit::Count, false, "breaches of pool_bounds"),
    metric("violations.orphan_bound", Unit::Count, false, "breaches of orphan_bound"),
    metric("violations.idempotence", Unit::Count, false, "breaches of idempotence"),
    metric("violations.recovery", Unit::Count, false, "breaches of recovery"),
    metric("violations.drains", Unit::Count, false, "breaches of drains"),
    metric("violations.no_starvation", Unit::Count, false, "breaches of no_starvation"),
    metric("violations.settles", Unit::Count, false, "breaches of settles"),
    metric("violations.work_conserving", Unit::Count, false, "breaches of work_conserving"),
];

/// The metric of this name.
pub fn metric_named(name: &str) -> Option<&'static MetricInfo> {
    METRICS.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_has_its_metric_and_every_name_is_read_back() {
        for property in Property::ALL {
            assert!(metric_named(&format!("violations.{property}")).is_some(), "{property}");
            assert_eq!(property.name().parse::<Property>().unwrap(), *property);
        }
        for probe in Probe::ALL {
            assert_eq!(probe.name().parse::<Probe>().unwrap(), *probe);
        }
        assert!("exklusion".parse::<Property>().unwrap_err().contains("exclusion"));
        const { assert!(Probe::COUNT <= 64 && Property::COUNT <= 32) };
    }
}
