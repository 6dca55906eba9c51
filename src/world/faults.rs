//! Faults that happen at an instant, and tasks that do harm or are given up. Whom a fault hits is drawn from a stream of
//! the fault's own, so that it moves no other draw.

use crate::base::{Claims, ClassId, Span, TaskId, Time, WorkerId};
use crate::engine::Input;
use crate::fact::{Choice, Fact};
use crate::scenario::{CancelRace, CancelWhen, Chosen, Cut, Fault, Harm, Poison};
use crate::sim::{Stream, Streams};

use super::workers::Origin;
use super::workload::TaskSource;
use super::{Event, World, class, streams};

/// A client that gives a waiting task up does so after this.
const PATIENCE: Span = Span::from_secs(1);
/// The deaths of a mass death are spread over this.
const MASS_DEATH: Span = Span::from_secs(1);
/// Herds draw their tasks as sources numbered from here.
const HERD_SOURCES: u64 = 1 << 24;

/// What will become of a task.
#[derive(Clone, Copy, Default)]
pub(super) struct Fate {
    /// It does harm.
    pub(super) poison: Option<Harm>,
    /// Its client gives it up then.
    pub(super) cancel: Option<CancelWhen>,
}

/// Draws the fates of tasks: every task takes one draw of each stream, so that no fate moves another.
pub(super) struct Fates<'a> {
    poisons: Vec<(&'a Poison, Stream)>,
    cancels: Vec<(&'a CancelRace, Stream)>,
}

impl<'a> Fates<'a> {
    pub(super) fn new(poisons: &'a [Poison], cancels: &'a [CancelRace], streams: Streams) -> Self {
        let open = |source, number: usize| streams.open(source, number as u64, 0);
        Fates {
            poisons: poisons.iter().enumerate().map(|(n, it)| (it, open(streams::POISONS, n))).collect(),
            cancels: cancels.iter().enumerate().map(|(n, it)| (it, open(streams::CANCELS, n))).collect(),
        }
    }

    pub(super) fn draw(&mut self, class: ClassId) -> Fate {
        let mut fate = Fate::default();
        for (poison, stream) in &mut self.poisons {
            let hit = stream.chance(poison.share) && poison.class.is_none_or(|only| only == class);
            fate.poison = fate.poison.or(hit.then_some(poison.does));
        }
        for (cancel, stream) in &mut self.cancels {
            let hit = stream.chance(cancel.share);
            fate.cancel = fate.cancel.or(hit.then_some(cancel.when));
        }
        fate
    }
}

impl World<'_> {
    pub(super) fn schedule_faults(&mut self) {
        for (number, timed) in self.scenario.faults.timed.iter().enumerate() {
            let number = u32::try_from(number).expect("faults are counted in u32");
            self.calendar.schedule(timed.at, class::OUTSIDE, Event::Fault(number));
        }
    }

    pub(super) fn fault(&mut self, number: u32) {
        let mut stream = self.streams.open(streams::FAULTS, number.into(), 0);
        match &self.scenario.faults.timed[number as usize].fault {
            Fault::Crash { count, before_report } => {
                for worker in self.choose(Chosen::Count(*count), &mut stream) {
                    if *before_report {
                        self.doom(worker);
                    } else {
                        self.crash(worker);
                    }
                }
            }
            Fault::Pause { workers, lasts } => {
                for worker in self.choose(*workers, &mut stream) {
                    self.pause(worker, *lasts);
                }
            }
            Fault::Quiesce { workers } => {
                let chosen = self.choose(*workers, &mut stream);
                self.signal_each(chosen);
            }
            Fault::Isolate { workers, lasts, direction } => {
                for worker in self.choose(*workers, &mut stream) {
                    self.isolate(worker, *direction, *lasts);
                }
            }
            Fault::Slow { workers, factor, lasts } => {
                for worker in self.choose(*workers, &mut stream) {
                    self.slow(worker, *factor, *lasts);
                }
            }
            Fault::Clock { workers, offset_micros, jump_micros, drift_ppb } => {
                let jump_micros = offset_micros + jump_micros;
                for worker in self.choose(*workers, &mut stream) {
                    self.set_clock(worker, jump_micros, *drift_ppb);
                    if *workers != Chosen::All {
                        let choice = Choice::ClockSet { worker, jump_micros, drift_ppb: *drift_ppb };
                        self.observer.chose(self.calendar.now(), choice);
                    }
                }
                if *workers == Chosen::All {
                    self.clocks = (*offset_micros, *drift_ppb);
                }
            }
            Fault::EngineCrash(crash) => self.cluster.crash = Some(*crash),
            Fault::SecondEngine { lasts } => self.second_engine(*lasts),
            Fault::MassDeath { fraction } => {
                let up = self.workers.iter().filter(|(_, worker)| worker.is_ready).count();
                let count = libm::round(up as f64 * fraction) as u32;
                for worker in self.choose(Chosen::Count(count), &mut stream) {
                    let at = self.now() + Span::from_micros(stream.below(MASS_DEATH.micros()));
                    self.calendar.schedule(at, class::PHYSICAL, Event::Dies(worker));
                }
            }
            Fault::TaskHerd { tasks, source } => self.task_herd(number, *tasks, *source),
            Fault::WorkerHerd { workers } => {
                for _ in 0..*workers {
                    let place = self.places.new_place(Origin::Herd);
                    self.worker_arrives(place);
                }
            }
            Fault::Store { lasts, does, recover_after } => {
                self.cluster.store_fault = Some((*does, *recover_after));
                let at = self.now() + *lasts;
                self.calendar.schedule(at, class::OUTSIDE, Event::StoreWell);
            }
        }
    }

    /// Workers that are up: so many of them, drawn without replacement, or all.
    fn choose(&self, chosen: Chosen, stream: &mut Stream) -> Vec<WorkerId> {
        let mut up: Vec<WorkerId> = self.workers.iter().filter(|(_, it)| it.is_ready).map(|(id, _)| id).collect();
        let Chosen::Count(count) = chosen else { return up };
        let count = (count as usize).min(up.len());
        for position in 0..count {
            let other = position + stream.below((up.len() - position) as u64) as usize;
            up.swap(position, other);
        }
        up.truncate(count);
        up
    }

    fn task_herd(&mut self, number: u32, tasks: u64, source: usize) {
        let overhead = &self.scenario.workers.overhead;
        let stream = HERD_SOURCES + u64::from(number);
        let mut herd =
            TaskSource::new(&self.scenario.workload[source], stream, overhead, self.streams, self.scenario.run.horizon);
        let drawn = (0..tasks).map(|_| {
            let mut claims = Claims::new();
            (herd.draw(&mut claims), claims)
        });
        self.submit_each(drawn.collect());
    }

    pub(super) fn isolate(&mut self, worker: WorkerId, direction: Cut, lasts: Span) {
        let Some(state) = self.workers.get_mut(worker) else { return };
        state.links.cut(direction);
        let Cut { to_engine, from_engine } = direction;
        self.observer.chose(self.calendar.now(), Choice::Isolated { worker, to_engine, from_engine, lasts });
        let at = self.now() + lasts;
        self.calendar.schedule(at, class::PHYSICAL, Event::Mended { worker, direction });
    }

    pub(super) fn mended(&mut self, worker: WorkerId, direction: Cut) {
        if let Some(state) = self.workers.get_mut(worker) {
            state.links.mend(direction);
        }
    }

    /// It crashes when the store has answered its next effect.
    pub(super) fn doom(&mut self, worker: WorkerId) {
        if let Some(state) = self.workers.get_mut(worker) {
            state.doomed = true;
            self.observer.chose(self.calendar.now(), Choice::Doomed { worker });
        }
    }

    pub(super) fn slow(&mut self, worker: WorkerId, factor: u64, lasts: Span) {
        if self.workers.get(worker).is_some() {
            self.observer.chose(self.calendar.now(), Choice::Slowed { worker, factor, lasts });
            self.rescale(worker, |slow| slow.push(factor));
            let at = self.now() + lasts;
            self.calendar.schedule(at, class::PHYSICAL, Event::SlowOver { worker, factor });
        }
    }

    pub(super) fn slow_over(&mut self, worker: WorkerId, factor: u64) {
        if self.workers.get(worker).is_some() {
            self.rescale(worker, |slow| {
                let position = slow.iter().position(|other| *other == factor).expect("this slowness has begun");
                slow.remove(position);
            });
        }
    }

    /// Its agent reads another clock from here on, and looks whether something is due.
    pub(super) fn set_clock(&mut self, worker: WorkerId, jump_micros: i64, gain: i64) {
        let now = self.now();
        let Some(state) = self.workers.get_mut(worker) else { return };
        state.clock.set(now, jump_micros, gain);
        self.rearm_agent(worker);
    }

    // Tasks that are given up.

    /// A client gives a task up, if it is unsettled.
    pub(super) fn cancel(&mut self, task: TaskId) {
        self.fact(Fact::CancelAsked { task });
        self.tell_engine(Input::Cancel { task });
    }

    pub(super) fn cancel_due(&mut self, task: TaskId, only_waiting: bool) {
        let Some(known) = self.tasks.get(task).filter(|known| !known.settled) else { return };
        if !only_waiting || known.uses == 0 {
            self.cancel(task);
        }
    }

    pub(super) fn submitted_with_fate(&mut self, task: TaskId, fate: Fate) {
        if let Some(harm) = fate.poison {
            self.fact(Fact::Poisoned { task, never_ends: harm == Harm::NeverEnds });
        }
        if fate.cancel == Some(CancelWhen::Waiting) {
            self.schedule_cancel(task, self.now() + PATIENCE, true);
        }
    }

    /// An order to start this task is on its way.
    pub(super) fn start_is_sent(&mut self, task: TaskId) {
        self.give_up(task, CancelWhen::Starting, Span::ZERO);
    }

    /// The task reaches this moment: its client gives it up `after` that, if it is fated so. Once.
    pub(super) fn give_up(&mut self, task: TaskId, when: CancelWhen, after: Span) {
        if let Some(known) = self.tasks.get_mut(task).filter(|known| known.fate.cancel == Some(when)) {
            known.fate.cancel = None;
            self.schedule_cancel(task, self.now() + after, false);
        }
    }

    fn schedule_cancel(&mut self, task: TaskId, at: Time, only_waiting: bool) {
        self.calendar.schedule(at, class::OUTSIDE, Event::CancelDue { task, only_waiting });
    }
}
