//! The names that people gave to things, for reports: ids are for machines.

use super::{ClassId, IdVec, ResourceId, TaskId, WorkerId};

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
}
