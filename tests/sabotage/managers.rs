//! Two managers at once.

use lanekeeper::base::Time;
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::spec::QueueFirstSpec;
use lanekeeper::engine::{Context, Effect, Engine, Input, Outbox, Reason, Record};

use super::Forger;
use super::wrapped::instead;

/// Each hears half of the workers and takes the cluster for its own.
#[derive(Debug)]
struct Managers([Box<dyn Engine>; 2]);

pub fn two(spec: &QueueFirstSpec, context: Context) -> Box<dyn Engine> {
    let factory = factory(spec, &Policies::default()).expect("built-in policies");
    Box::new(Managers([factory.fresh(context), factory.fresh(context)]))
}

impl Engine for Managers {
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        let half = match input {
            Input::Worker { worker, .. } | Input::Quiesce { worker } => Some(worker.0 as usize % 2),
            _ => None,
        };
        for (number, engine) in self.0.iter_mut().enumerate().filter(|(number, _)| half.is_none_or(|it| it == *number))
        {
            let mut effects = Outbox::new();
            engine.handle(now, input, &mut effects);
            // One account of the queues is enough; what is done to the workers tells the rest.
            out.extend(effects.into_iter().filter(|effect| number == 0 || !matches!(effect, Effect::Note(_))));
        }
    }
    fn next_timeout(&self) -> Option<(Time, Reason)> {
        self.0.iter().filter_map(|engine| engine.next_timeout()).min()
    }
}

/// One that was replaced does not find out before it changes something, and lengthens leases until then.
pub fn does_not_assert_that_it_leads() -> Forger {
    instead(|_, effect| match effect {
        Effect::Persist(Record::Leads) => Vec::new(),
        other => vec![other],
    })
}
