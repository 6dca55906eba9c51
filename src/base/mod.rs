//! L0: the words that every layer shares. Names nothing else of this crate.

pub mod id;
pub mod labels;
pub mod mix;
pub mod names;
pub mod note;
pub mod table;
pub mod task;
pub mod time;

pub use id::{ClassId, Epoch, IdMap, IdVec, QueueId, ResourceId, TaskId, Term, Ticket, WorkerId};
pub use labels::Labels;
pub use names::{Probe, Property};
pub use note::Note;
pub use table::IdTable;
pub use task::{Claim, Claims, Mode, Outcome};
pub use time::{Span, Time};
