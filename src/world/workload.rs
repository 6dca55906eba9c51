//! Where tasks come from. What a source draws depends on the seed and on the source alone, never on the engine: its
//! arrivals, its demands and its overheads have a stream each, so that no draw of one moves another.

use crate::base::{Claim, Claims, ClassId, Mode, ResourceId, Span, Time};
use crate::scenario::{Arrivals, ClaimDraw, Count, MmppState, Piece, Popularity, Source};
use crate::sim::{Dist, Picker, Stream, Streams};

use super::streams;

/// So many draws of one kind are made in a row, ahead of their turn: a logarithm takes long, and the next one need not
/// wait for it.
const AHEAD: usize = 16;
/// Redraws before a claim is taken by probing: plenty for a group much larger than what one task claims of it.
const REDRAWS: u32 = 16;

/// What a task demands.
pub(super) struct Demand {
    pub(super) class: ClassId,
    pub(super) service: Span,
    pub(super) overhead: Span,
}

/// A source of tasks with its streams.
pub(super) struct TaskSource<'a> {
    feed: Feed<'a>,
    overhead: &'a Dist,
    overheads: Stream,
}

enum Feed<'a> {
    Drawn { class: ClassId, arrivals: Box<ArrivalProcess<'a>>, demands: Box<Demands<'a>> },
    Table { rows: &'a [crate::scenario::Row], next: usize },
}

/// What tasks demand, task after task.
struct Demands<'a> {
    stream: Stream,
    service: &'a Dist,
    /// Exclusive claims of all lines first: where lines share a group, they win.
    claims: Vec<Draw<'a>>,
    ahead: Ahead<(Span, Claims)>,
}

/// What was drawn ahead of its turn, and what of it was not taken yet.
struct Ahead<T> {
    drawn: Vec<T>,
    taken: usize,
}

/// Claims of one mode from one group.
struct Draw<'a> {
    line: &'a ClaimDraw,
    mode: Mode,
    count: Count,
    picker: Picker,
}

impl<'a> TaskSource<'a> {
    pub(super) fn new(source: &'a Source, number: u64, overhead: &'a Dist, streams: Streams, until: Time) -> Self {
        let feed = match source {
            Source::Drawn { class, arrivals, service, claims } => Feed::Drawn {
                class: *class,
                arrivals: Box::new(ArrivalProcess::new(arrivals, streams, streams::TASK_ARRIVALS, number, until)),
                demands: Box::new(Demands::new(streams.open(streams::DEMANDS, number, 0), service, claims)),
            },
            Source::Table { rows } => Feed::Table { rows, next: 0 },
        };
        TaskSource { feed, overhead, overheads: streams.open(streams::OVERHEADS, number, 0) }
    }

    /// When the next task is submitted; asked once per task, before [`TaskSource::draw`]. Drawn tasks stop before the
    /// horizon; a row exactly at it still comes, for the default horizon of a history is its last submission.
    #[inline(always)]
    pub(super) fn next_arrival(&mut self, horizon: Time) -> Option<Time> {
        match &mut self.feed {
            Feed::Drawn { arrivals, .. } => arrivals.next().filter(|at| *at < horizon),
            Feed::Table { rows, next } => rows.get(*next).map(|row| row.submitted).filter(|at| *at <= horizon),
        }
    }

    /// The task whose time has come; its claims replace those in `into`.
    #[inline(always)]
    pub(super) fn draw(&mut self, into: &mut Claims) -> Demand {
        let overhead = self.overhead.sample(&mut self.overheads);
        match &mut self.feed {
            Feed::Drawn { class, demands, .. } => Demand { class: *class, service: demands.next(into), overhead },
            Feed::Table { rows, next } => {
                let row = &rows[*next];
                *next += 1;
                into.clear();
                into.extend_from_slice(&row.claims);
                Demand { class: row.class, service: row.service, overhead }
            }
        }
    }
}

impl<T: Default> Ahead<T> {
    fn new() -> Ahead<T> {
        Ahead { drawn: Vec::new(), taken: 0 }
    }

    /// The next draw; `draw` replaces one that was taken before.
    #[inline(always)]
    fn next(&mut self, draw: impl FnMut(&mut T)) -> &mut T {
        if self.taken == self.drawn.len() {
            self.refill(draw);
        }
        self.taken += 1;
        &mut self.drawn[self.taken - 1]
    }

    #[inline(never)]
    fn refill(&mut self, draw: impl FnMut(&mut T)) {
        self.drawn.resize_with(AHEAD, T::default);
        self.drawn.iter_mut().for_each(draw);
        self.taken = 0;
    }
}

impl<'a> Demands<'a> {
    fn new(stream: Stream, service: &'a Dist, claims: &'a [ClaimDraw]) -> Self {
        Demands { stream, service, claims: Draw::of(claims), ahead: Ahead::new() }
    }

    /// The service of the next task; its claims change places with those in `into`.
    #[inline(always)]
    fn next(&mut self, into: &mut Claims) -> Span {
        let (service, claims) = self.ahead.next(|(service, claims)| {
            *service = self.service.sample(&mut self.stream);
            claims.clear();
            self.claims.iter().for_each(|draw| draw.pick(&mut self.stream, claims));
        });
        std::mem::swap(into, claims);
        *service
    }
}

impl<'a> Draw<'a> {
    fn of(lines: &'a [ClaimDraw]) -> Vec<Self> {
        let exclusive = lines.iter().map(|line| (line, Mode::Exclusive, line.exclusive));
        let shared = lines.iter().map(|line| (line, Mode::Shared, line.shared));
        let some = exclusive.chain(shared).filter(|(_, _, count)| count.max > 0);
        some.map(|(line, mode, count)| Draw::new(line, mode, count)).collect()
    }

    fn new(line: &'a ClaimDraw, mode: Mode, count: Count) -> Self {
        let picker = match line.popularity {
            Popularity::Uniform => Picker::uniform(line.count),
            Popularity::Zipf(s) => Picker::zipf(line.count, s),
        };
        Draw { line, mode, count, picker }
    }

    /// Claims without replacement. A group that is exhausted gives no more.
    fn pick(&self, stream: &mut Stream, into: &mut Claims) {
        let wanted = match self.count.max - self.count.min {
            0 => self.count.min,
            spread => self.count.min + narrow(stream.below(u64::from(spread) + 1)),
        };
        for _ in 0..wanted {
            let Some(resource) = self.unclaimed(stream, into) else { return };
            into.push(Claim { resource, mode: self.mode });
        }
    }

    fn unclaimed(&self, stream: &mut Stream, taken: &Claims) -> Option<ResourceId> {
        let is_free = |resource: &ResourceId| taken.iter().all(|claim| claim.resource != *resource);
        let resource = |index: u32| ResourceId(self.line.first.0 + index);
        let mut index = self.picker.pick(stream);
        for _ in 0..REDRAWS {
            if is_free(&resource(index)) {
                return Some(resource(index));
            }
            index = self.picker.pick(stream);
        }
        (0..self.line.count).map(|step| resource((index + step) % self.line.count)).find(is_free)
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).expect("a draw below a u32 bound")
}

/// Instants at which something arrives: tasks of a source, or workers from outside. They never decrease.
pub(super) struct ArrivalProcess<'a> {
    law: Law<'a>,
    intervals: Stream,
    /// Intervals of a renewal process.
    ahead: Ahead<Span>,
    until: Time,
    last: Time,
}

enum Law<'a> {
    Renewal(Dist),
    Burst { at: Time, left: u64 },
    Piecewise { pieces: std::slice::Iter<'a, Piece>, piece: Option<Piece>, clock: f64 },
    Mmpp { states: &'a [MmppState], dwells: Box<Stream>, state: usize, ends: f64, clock: f64 },
}

impl<'a> ArrivalProcess<'a> {
    /// Arrivals strictly before `until`.
    pub(super) fn new(arrivals: &'a Arrivals, streams: Streams, source: u64, entity: u64, until: Time) -> Self {
        let law = match arrivals {
            Arrivals::Poisson { mean_micros } => Law::Renewal(Dist::Exponential { mean: *mean_micros }),
            Arrivals::Every(span) => Law::Renewal(Dist::Constant(*span)),
            Arrivals::Renewal(dist) => Law::Renewal(dist.clone()),
            Arrivals::Burst { at, tasks } => Law::Burst { at: *at, left: *tasks },
            Arrivals::Piecewise(pieces) => {
                let mut pieces = pieces.iter();
                let piece = pieces.next().copied();
                Law::Piecewise { pieces, piece, clock: 0.0 }
            }
            Arrivals::Mmpp(states) => {
                let mut dwells = Box::new(streams.open(streams::DWELLS | source, entity, 0));
                let ends = dwell(states, 0, &mut dwells);
                Law::Mmpp { states, dwells, state: 0, ends, clock: 0.0 }
            }
        };
        ArrivalProcess { law, intervals: streams.open(source, entity, 0), ahead: Ahead::new(), until, last: Time::ZERO }
    }

    /// The next arrival; `None` for ever once the process is over.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<Time> {
        let at = match &mut self.law {
            Law::Renewal(interval) => {
                let next = self.ahead.next(|span| *span = interval.sample(&mut self.intervals));
                self.last.checked_add(*next)?
            }
            Law::Burst { .. } | Law::Piecewise { .. } | Law::Mmpp { .. } => self.next_by_rate()?,
        };
        self.last = at;
        (at < self.until).then_some(at)
    }

    /// The next arrival of a process whose intervals are not alike.
    #[inline(never)]
    fn next_by_rate(&mut self) -> Option<Time> {
        let until = self.until;
        let at = match &mut self.law {
            Law::Renewal(_) => unreachable!("drawn on the spot"),
            Law::Burst { at, left } => {
                *left = left.checked_sub(1)?;
                *at
            }
            Law::Piecewise { pieces, piece, clock } => {
                let mut work = unit_exponential(&mut self.intervals);
                loop {
                    let current = (*piece)?;
                    let end = current.until.micros() as f64;
                    if advance(clock, end, current.per_micro, &mut work) {
                        break rounded(*clock);
                    }
                    *piece = pieces.next().copied();
                }
            }
            Law::Mmpp { states, dwells, state, ends, clock } => {
                let mut work = unit_exponential(&mut self.intervals);
                loop {
                    if *clock >= until.micros() as f64 {
                        return None;
                    }
                    if advance(clock, *ends, states[*state].per_micro, &mut work) {
                        break rounded(*clock);
                    }
                    *state = (*state + 1) % states.len();
                    *ends += dwell(states, *state, dwells);
                }
            }
        };
        Some(at)
    }
}

/// Moves `clock` forward at a constant rate until either `work` expected arrivals have passed (true) or `end` is
/// reached (false, `work` is what is left). The exact change of time of a Poisson process whose rate varies.
fn advance(clock: &mut f64, end: f64, per_micro: f64, work: &mut f64) -> bool {
    let capacity = (end - *clock).max(0.0) * per_micro;
    if *work < capacity {
        *clock += *work / per_micro;
        return true;
    }
    *work -= capacity;
    *clock = clock.max(end);
    false
}

fn dwell(states: &[MmppState], state: usize, stream: &mut Stream) -> f64 {
    // At least 1 µs, so that time passes even where a dwell rounds to nothing.
    (unit_exponential(stream) * states[state].dwell.micros() as f64).max(1.0)
}

fn unit_exponential(stream: &mut Stream) -> f64 {
    -libm::log(stream.unit())
}

fn rounded(micros: f64) -> Time {
    Time::ZERO + crate::sim::dist::rounded(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(law: &Arrivals, until: Time) -> Vec<Time> {
        let mut process = ArrivalProcess::new(law, Streams::new(1, 0), streams::TASK_ARRIVALS, 0, until);
        std::iter::from_fn(|| process.next()).collect()
    }

    #[test]
    fn fixed_intervals_and_bursts_stop_before_the_horizon() {
        let every = arrivals(&Arrivals::Every(Span::from_secs(2)), Time::from_secs(6));
        assert_eq!(every, [Time::from_secs(2), Time::from_secs(4)]);
        assert_eq!(arrivals(&Arrivals::Burst { at: Time::from_secs(1), tasks: 3 }, Time::from_secs(6)).len(), 3);
        assert!(arrivals(&Arrivals::Burst { at: Time::from_secs(6), tasks: 3 }, Time::from_secs(6)).is_empty());
    }

    #[test]
    fn a_piecewise_rate_gives_the_expected_number_in_each_piece_and_nothing_after_the_last() {
        let piece = |secs, per_micro| Piece { until: Time::from_secs(secs), per_micro };
        let law = Arrivals::Piecewise(vec![piece(1000, 1e-5), piece(2000, 0.0), piece(3000, 4e-5)]);
        let times = arrivals(&law, Time::from_secs(9000));
        let within =
            |from, to| times.iter().filter(|t| **t >= Time::from_secs(from) && **t < Time::from_secs(to)).count();
        assert!((9_600..10_400).contains(&within(0, 1000)), "{}", within(0, 1000));
        assert_eq!(within(1000, 2000), 0);
        assert!((39_200..40_800).contains(&within(2000, 3000)), "{}", within(2000, 3000));
        assert_eq!(within(3000, 9000), 0);
        assert!(times.is_sorted());
    }

    #[test]
    fn an_mmpp_has_its_mean_rate_and_ends_even_where_every_rate_is_zero() {
        let state = |per_micro, secs| MmppState { per_micro, dwell: Span::from_secs(secs) };
        let times = arrivals(&Arrivals::Mmpp(vec![state(1e-5, 10), state(3e-5, 10)]), Time::from_secs(20_000));
        assert!((380_000..420_000).contains(&times.len()), "{}", times.len());
        assert!(arrivals(&Arrivals::Mmpp(vec![state(0.0, 1)]), Time::from_secs(100)).is_empty());
    }

    #[test]
    fn claims_are_distinct_even_where_a_task_claims_a_whole_hot_group() {
        let line = |exclusive, shared| ClaimDraw {
            first: ResourceId(5),
            count: 8,
            popularity: Popularity::Zipf(3.0),
            exclusive: Count { min: exclusive, max: exclusive },
            shared: Count { min: shared, max: shared },
        };
        let (lines, mut stream) = ([line(2, 2), line(3, 4)], Streams::new(1, 0).open(0, 0, 0));
        let mut claims = Claims::new();
        for draw in Draw::of(&lines) {
            draw.pick(&mut stream, &mut claims);
        }
        let mut resources: Vec<u32> = claims.iter().map(|claim| claim.resource.0).collect();
        resources.sort_unstable();
        assert_eq!(resources, (5..13).collect::<Vec<_>>());
    }
}
