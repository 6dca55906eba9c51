//! The whole state as `Debug` shows it: everything but what never changes once the engine is made.

use std::fmt;

use super::QueueFirst;

impl fmt::Debug for QueueFirst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart, so that a field that is added is not forgotten.
        let QueueFirst {
            spec: _,
            context: _,
            limits,
            begun,
            keeps_records,
            last_ticket,
            placements,
            tasks,
            ties,
            at_max,
            look_again,
            parked,
            waiting,
            pool,
            vacant,
            moving,
            levelling,
            general,
            general_waiting,
            members,
            placement,
            sizing,
            timers,
        } = self;
        f.debug_struct("QueueFirst")
            .field("limits", limits)
            .field("begun", begun)
            .field("keeps_records", keeps_records)
            .field("last_ticket", last_ticket)
            .field("placements", placements)
            .field("tasks", tasks)
            .field("ties", ties)
            .field("at_max", at_max)
            .field("look_again", look_again)
            .field("parked", parked)
            .field("waiting", waiting)
            .field("pool", pool)
            .field("vacant", vacant)
            .field("moving", moving)
            .field("levelling", levelling)
            .field("general", general)
            .field("general_waiting", general_waiting)
            .field("members", members)
            .field("placement", placement)
            .field("sizing", sizing)
            .field("timers", timers)
            .finish()
    }
}
