//! The names that people gave to things, for reports: ids are for machines.

use super::id::Id;
use super::{ClassId, IdVec, QueueId, ResourceId, TaskId, WorkerId};

/// Names of classes, resources and, in a scripted scenario, of tasks and workers. What has no name is shown by its id.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Names of classes.
    pub classes: IdVec<ClassId, String>,
    /// Names of resources, like `repo-17`.
    pub resources: IdVec<ResourceId, String>,
    /// Names of tasks in a script, in order of submission.
    pub tasks: IdVec<TaskId, String>,
    /// Names of workers in a script, in order of arrival.
    pub workers: IdVec<WorkerId, String>,
}

impl Labels {
    /// The name of a class.
    pub fn class(&self, id: ClassId) -> String {
        self.classes.get(id).cloned().unwrap_or_else(|| id.to_string())
    }
    /// The name of a resource.
    pub fn resource(&self, id: ResourceId) -> String {
        self.resources.get(id).cloned().unwrap_or_else(|| id.to_string())
    }
    /// The name of a task.
    pub fn task(&self, id: TaskId) -> String {
        self.tasks.get(id).cloned().unwrap_or_else(|| id.to_string())
    }
    /// The name of a worker.
    pub fn worker(&self, id: WorkerId) -> String {
        self.workers.get(id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// A sentence with names in the place of `{t:5}`, `{w:0}`, `{r:3}`, `{q:1}`; other braces stay.
    pub fn named(&self, sentence: &str) -> String {
        let mut text = String::new();
        let mut rest = sentence;
        while let Some(open) = rest.find('{') {
            text.push_str(&rest[..open]);
            rest = &rest[open..];
            let named = rest.find('}').and_then(|close| Some((self.referred(&rest[1..close])?, close)));
            match named {
                Some((name, close)) => {
                    text.push_str(&name);
                    rest = &rest[close + 1..];
                }
                None => {
                    text.push('{');
                    rest = &rest[1..];
                }
            }
        }
        text + rest
    }

    fn referred(&self, reference: &str) -> Option<String> {
        let (kind, number) = reference.split_once(':')?;
        let index = number.parse::<u32>().ok()? as usize;
        match kind {
            "t" => Some(self.task(TaskId::from_index(index))),
            "w" => Some(self.worker(WorkerId::from_index(index))),
            "r" => Some(self.resource(ResourceId::from_index(index))),
            "q" => Some(QueueId::from_index(index).to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_speaks_of_names_and_keeps_braces_that_are_none() {
        let mut labels = Labels::default();
        labels.resources.push("repo-1".into());
        assert_eq!(
            labels.named("{t:4} ran on {w:0} over {r:0} in {q:1}, {x} {"),
            "t5 ran on w1 over repo-1 in q1, {x} {"
        );
    }
}
