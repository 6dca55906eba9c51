//! The versions that the baselines mirror, each as the value of a scenario's `engine`.

pub(crate) const BASELINES: [&str; 6] = [
    "worker_owned: {preset: pulp-2.4}",
    "worker_owned: {preset: pulp-2.14}",
    "worker_owned: {preset: rq-3.13}",
    "pull_locks: {preset: pulpcore-3.14}",
    "pull_locks: {preset: pulpcore-3.48}",
    "pull_locks: {preset: pulpcore-3.123}",
];
