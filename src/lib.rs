//! lanekeeper
pub mod base;
pub mod engine;
pub mod experiment;
pub mod fact;
pub mod observe;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod world;
