//! Reads what `GET /pulp/api/v3/tasks/` answers: one page, a list of pages, or a bare list of tasks.
//!
//! Submission order is `pulp_created`, service is `finished_at - started_at`, the class is the last part of `name`.
//! `reserved_resources_record` mixes exclusive claims with `shared:` ones; both are kept apart. A domain that nobody
//! claims exclusively is left out: it makes no conflict, and nearly every task shares it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Report;
use super::table::TableRow;
use crate::base::{Span, Time};

const SHARED: &str = "shared:";
const DOMAIN: &str = "prn:core.domain:";

/// A history as a table, and what was done to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The tasks in order of submission.
    pub rows: Vec<TableRow>,
    /// What was kept, guessed and dropped.
    pub report: Report,
}

/// A task as the API tells it.
#[derive(Clone, Deserialize)]
struct RawTask {
    pulp_href: Option<String>,
    pulp_created: String,
    name: String,
    state: String,
    unblocked_at: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    #[serde(default)]
    reserved_resources_record: Option<Vec<String>>,
}

/// A task with its times read (µs since 1970) and its claims sorted out.
struct Task {
    href: String,
    created: i64,
    class: String,
    state: String,
    unblocked: Option<i64>,
    started: Option<i64>,
    finished: Option<i64>,
    exclusive: BTreeSet<String>,
    shared: BTreeSet<String>,
}

/// Reads a history. The error is a sentence.
pub fn import(text: &[u8]) -> Result<Imported, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| format!("no JSON: {error}"))?;
    let mut report = Report::default();
    let raw = gather(value, &mut report)?;
    let mut tasks = Vec::with_capacity(raw.len());
    for (index, value) in raw.into_iter().enumerate() {
        let task = serde_json::from_value(value).map_err(|error| error.to_string()).and_then(Task::read);
        tasks.push(task.map_err(|why| format!("task {}: {why}", index + 1))?);
    }
    tasks.sort_by(|a, b| (a.created, &a.href).cmp(&(b.created, &b.href)));
    drop_repeated(&mut tasks, &mut report);
    drop_never_started(&mut tasks, &mut report);
    drop_domains(&mut tasks, &mut report);
    let rows = rows(&tasks, &mut report);
    describe(&tasks, &mut report);
    Ok(Imported { rows, report })
}

/// The tasks of all pages.
fn gather(value: Value, report: &mut Report) -> Result<Vec<Value>, String> {
    const WANTED: &str = "a page {count, results}, a list of pages, or a list of tasks is wanted";
    let mut tasks = Vec::new();
    let (mut announced, mut goes_on) = (None, false);
    let mut page = |mut page: serde_json::Map<String, Value>| {
        goes_on = page.get("next").is_some_and(|next| !next.is_null());
        announced = announced.max(page.get("count").and_then(Value::as_u64));
        match page.remove("results") {
            Some(Value::Array(results)) => Ok(results),
            Some(_) | None => Err(format!("`results` is no list: {WANTED}")),
        }
    };
    match value {
        Value::Object(map) => tasks = page(map)?,
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(map) if map.contains_key("results") => tasks.extend(page(map)?),
                    Value::Object(map) => tasks.push(Value::Object(map)),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                        return Err(WANTED.to_owned());
                    }
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(WANTED.to_owned()),
    }
    let there = tasks.len() as u64;
    if let Some(missing) = announced.and_then(|announced| announced.checked_sub(there)).filter(|missing| *missing > 0) {
        report.dropped.push(format!("{missing} tasks that are on other pages: the API counts {}", there + missing));
    } else if goes_on {
        report.dropped.push("what is on the next page, which the last one names".to_owned());
    }
    Ok(tasks)
}

impl Task {
    fn read(raw: RawTask) -> Result<Task, String> {
        let mut task = Task {
            created: micros("pulp_created", &raw.pulp_created)?,
            unblocked: optional_micros("unblocked_at", raw.unblocked_at.as_deref())?,
            started: optional_micros("started_at", raw.started_at.as_deref())?,
            finished: optional_micros("finished_at", raw.finished_at.as_deref())?,
            href: raw.pulp_href.unwrap_or_default(),
            class: raw.name.rsplit('.').next().unwrap_or_default().to_owned(),
            state: raw.state,
            exclusive: BTreeSet::new(),
            shared: BTreeSet::new(),
        };
        if task.class.is_empty() {
            return Err("`name` is empty".to_owned());
        }
        for claim in raw.reserved_resources_record.unwrap_or_default() {
            // Claims are joined by `;` in the table.
            let claim = claim.replace(';', "%3B");
            match claim.strip_prefix(SHARED) {
                Some(resource) => task.shared.insert(resource.to_owned()),
                None => task.exclusive.insert(claim),
            };
        }
        // Who claims a resource both ways has it for itself.
        task.shared.retain(|resource| !task.exclusive.contains(resource));
        Ok(task)
    }
}

fn optional_micros(field: &str, text: Option<&str>) -> Result<Option<i64>, String> {
    text.map(|text| micros(field, text)).transpose()
}

fn micros(field: &str, text: &str) -> Result<i64, String> {
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| format!("`{field}` is `{text}`, no time like 2026-11-24T03:56:09.691419Z"))?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000).map_err(|_| format!("`{field}` is out of range: {text}"))
}

/// Pages that were fetched while tasks came in overlap.
fn drop_repeated(tasks: &mut Vec<Task>, report: &mut Report) {
    let before = tasks.len();
    let mut seen = BTreeSet::new();
    tasks.retain(|task| task.href.is_empty() || seen.insert(task.href.clone()));
    let repeated = before - tasks.len();
    if repeated > 0 {
        report.dropped.push(format!("{repeated} repeated tasks: the pages overlap"));
    }
}

/// A task that never started demanded nothing of a worker that is known.
fn drop_never_started(tasks: &mut Vec<Task>, report: &mut Report) {
    let mut dropped: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    tasks.retain(|task| {
        if task.started.is_none() {
            let (count, with_claims) = dropped.entry(task.state.clone()).or_default();
            *count += 1;
            *with_claims += u64::from(!task.exclusive.is_empty() || !task.shared.is_empty());
        }
        task.started.is_some()
    });
    for (state, (count, with_claims)) in dropped {
        let claims = if with_claims > 0 { format!(", {with_claims} of them with claims") } else { String::new() };
        report.dropped.push(format!("{} that never started, state {state}{claims}", counted(count, "task")));
    }
}

/// A domain that is only ever shared makes no conflict.
fn drop_domains(tasks: &mut [Task], report: &mut Report) {
    let mut sharing: BTreeMap<String, usize> = BTreeMap::new();
    for resource in tasks.iter().flat_map(|task| &task.shared).filter(|resource| resource.starts_with(DOMAIN)) {
        *sharing.entry(resource.clone()).or_default() += 1;
    }
    for (domain, holders) in sharing {
        let exclusive = tasks.iter().filter(|task| task.exclusive.contains(&domain)).count();
        if exclusive > 0 {
            let holds = if exclusive == 1 { "task has" } else { "tasks have" };
            report.kept.push(format!("the domain {domain}: {exclusive} {holds} it exclusively"));
            continue;
        }
        for task in tasks.iter_mut() {
            task.shared.remove(&domain);
        }
        report.dropped.push(if holders == tasks.len() {
            format!("the domain, shared by all ({domain})")
        } else {
            format!(
                "the domain, shared by {holders} of {} and exclusive to none ({domain})",
                counted(tasks.len() as u64, "task")
            )
        });
    }
}

fn rows(tasks: &[Task], report: &mut Report) -> Vec<TableRow> {
    let Some(origin) = tasks.first().map(|task| task.created) else { return Vec::new() };
    let instants = |task: &Task| [Some(task.created), task.unblocked, task.started, task.finished];
    let last = tasks.iter().flat_map(instants).flatten().max().unwrap_or(origin);
    let (mut unfinished, mut backwards, mut early) = (0, 0, 0);
    let since = |at: i64| Time::from_micros(u64::try_from(at - origin).unwrap_or(0));
    let rows = tasks
        .iter()
        .filter_map(|task| Some((task, task.started?)))
        .map(|(task, started)| {
            unfinished += u64::from(task.finished.is_none());
            early += u64::from(started < task.created);
            let demand = task.finished.unwrap_or(last) - started;
            backwards += u64::from(demand < 0);
            let started = started.max(task.created);
            TableRow {
                submitted: since(task.created),
                class: task.class.clone(),
                service: Span::from_micros(u64::try_from(demand).unwrap_or(0)),
                exclusive: task.exclusive.iter().cloned().collect(),
                shared: task.shared.iter().cloned().collect(),
                unblocked: task.unblocked.map(|at| since(at.max(task.created))),
                started: Some(since(started)),
                finished: task.finished.map(|at| since(at.max(started))),
                state: Some(task.state.clone()),
            }
        })
        .collect();
    if unfinished > 0 {
        let tasks = counted(unfinished, "task");
        report.guessed.push(format!("the service of {tasks} without an end: until the last instant of the history"));
    }
    if early > 0 {
        let tasks = counted(early, "task");
        report.guessed.push(format!("the start of {tasks} that started before its creation: at its creation"));
    }
    if backwards > 0 {
        report.guessed.push(format!("the service of {} that ended before the start: zero", counted(backwards, "task")));
    }
    rows
}

/// The lines that every import has.
fn describe(tasks: &[Task], report: &mut Report) {
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    let mut resources = BTreeSet::new();
    let (mut exclusive, mut shared, mut unclaimed, mut unblocked, mut cut) = (0, 0, 0, 0, 0);
    for task in tasks {
        *states.entry(&task.state).or_default() += 1;
        exclusive += task.exclusive.len() as u64;
        shared += task.shared.len() as u64;
        unclaimed += u64::from(task.exclusive.is_empty() && task.shared.is_empty());
        unblocked += u64::from(task.unblocked.is_none());
        cut += u64::from(task.finished.is_some() && !matches!(task.state.as_str(), "completed" | "skipped"));
        resources.extend(task.exclusive.iter().chain(&task.shared));
    }
    let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let states = if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let claims = format!(
        "{}, {}, on {}; {} without claims",
        counted(exclusive, "exclusive claim"),
        counted(shared, "shared claim"),
        counted(resources.len() as u64, "resource"),
        counted(unclaimed, "task"),
    );
    report.kept.splice(0..0, [format!("{}{states}", counted(tasks.len() as u64, "task")), claims]);
    report.guessed.push("service = finished - started; what a worker spends around it is not in it".to_owned());
    if cut > 0 {
        let tasks = counted(cut, "task");
        report.guessed.push(format!(
            "the service of {tasks} that did not complete: until the recorded end, which may be a clean-up"
        ));
    }
    if unblocked > 0 {
        report
            .guessed
            .push(format!("nothing for {} without a time of unblocking: left empty", counted(unblocked, "task")));
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DOMAIN_CLAIM: &str = "shared:prn:core.domain:d1";

    fn task(number: u64, claims: &[&str]) -> Value {
        json!({
            "pulp_href": format!("/tasks/{number}/"),
            "pulp_created": format!("2026-11-24T03:56:{number:02}.691419Z"),
            "state": "completed",
            "name": "pulpcore.app.tasks.test.sleep",
            "unblocked_at": format!("2026-11-24T03:56:{number:02}.713034Z"),
            "started_at": format!("2026-11-24T03:56:{number:02}.843747Z"),
            "finished_at": format!("2026-11-24T03:56:{:02}.181597Z", number + 1),
            "worker": null,
            "reserved_resources_record": claims,
        })
    }

    fn imported(value: &Value) -> Imported {
        import(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_page_a_list_of_pages_and_a_bare_list_give_one_table_in_order_of_creation() {
        let tasks = [task(9, &[]), task(3, &["res:1", DOMAIN_CLAIM]), task(5, &["shared:res:1"])];
        let page = |results: &[Value]| json!({"count": 3, "next": null, "previous": null, "results": results});
        let bare = imported(&json!(tasks));
        assert_eq!(bare.rows.iter().map(|row| row.submitted.micros()).collect::<Vec<_>>(), [0, 2_000_000, 6_000_000]);
        assert_eq!(imported(&page(&tasks)).rows, bare.rows);
        assert_eq!(imported(&json!([page(&tasks[..1]), page(&tasks[1..])])).rows, bare.rows);
        let overlapping = imported(&json!([page(&tasks[..2]), page(&tasks[1..])]));
        assert_eq!(overlapping.rows, bare.rows);
        assert_eq!(overlapping.report.dropped[0], "1 repeated tasks: the pages overlap");
        let partial = imported(&page(&tasks[..1]));
        assert!(partial.report.dropped[0].contains("2 tasks that are on other pages"), "{}", partial.report);
    }

    #[test]
    fn times_count_from_the_first_submission_to_the_microsecond_and_service_is_finished_minus_started() {
        let row = &imported(&json!([task(3, &["res:1"])])).rows[0];
        assert_eq!((row.class.as_str(), row.state.as_deref()), ("sleep", Some("completed")));
        assert_eq!(row.service, Span::from_micros(337_850));
        assert_eq!(row.unblocked, Some(Time::from_micros(21_615)));
        assert_eq!((row.started, row.finished), (Some(Time::from_micros(152_328)), Some(Time::from_micros(490_178))));
    }

    #[test]
    fn shared_claims_stay_shared_and_exclusive_wins_over_both() {
        let claims = ["shared:res:9", "res:2", "shared:res:2", "res:2", "a;b"];
        let row = &imported(&json!([task(3, &claims)])).rows[0];
        assert_eq!((row.exclusive.join(" "), row.shared.join(" ")), ("a%3Bb res:2".to_owned(), "res:9".to_owned()));
    }

    #[test]
    fn the_domain_is_dropped_only_where_nobody_has_it_for_itself() {
        let all = imported(&json!([task(1, &[DOMAIN_CLAIM]), task(2, &["res:1", DOMAIN_CLAIM])]));
        assert_eq!(all.report.dropped, ["the domain, shared by all (prn:core.domain:d1)"]);
        assert!(all.rows.iter().all(|row| row.shared.is_empty()));
        let some = imported(&json!([task(1, &[]), task(2, &[DOMAIN_CLAIM])]));
        assert_eq!(
            some.report.dropped,
            ["the domain, shared by 1 of 2 tasks and exclusive to none (prn:core.domain:d1)"]
        );
        let exclusive = imported(&json!([task(1, &["prn:core.domain:d1"]), task(2, &[DOMAIN_CLAIM])]));
        assert!(exclusive.report.dropped.is_empty());
        assert_eq!(exclusive.rows[1].shared, ["prn:core.domain:d1"]);
    }

    #[test]
    fn every_state_is_kept_guessed_or_dropped_and_said() {
        let mut cancelled = task(2, &["res:1"]);
        cancelled["state"] = json!("canceled");
        cancelled["started_at"] = Value::Null;
        let mut failed = task(3, &[]);
        failed["state"] = json!("failed");
        failed["unblocked_at"] = Value::Null;
        let mut running = task(4, &[]);
        running["state"] = json!("running");
        running["finished_at"] = Value::Null;
        let it = imported(&json!([task(9, &[]), cancelled, failed, running]));
        let states: Vec<_> = it.rows.iter().map(|row| row.state.as_deref().unwrap()).collect();
        assert_eq!(states, ["failed", "running", "completed"]);
        assert_eq!(it.rows[1].service, Span::from_micros(5_337_850));
        assert_eq!(it.report.dropped, ["1 task that never started, state canceled, 1 of them with claims"]);
        assert!(it.report.guessed.iter().any(|line| line.contains("1 task without an end")), "{}", it.report);
        assert!(it.report.guessed.iter().any(|line| line.contains("1 task without a time of unblocking")));
    }

    #[test]
    fn times_that_run_backwards_are_put_in_order_and_said() {
        let mut early = task(5, &[]);
        early["started_at"] = json!("2026-11-24T03:56:05.000000Z");
        early["unblocked_at"] = json!("2026-11-24T03:56:05.000000Z");
        let mut backwards = task(6, &[]);
        backwards["finished_at"] = json!("2026-11-24T03:56:06.700000Z");
        let it = imported(&json!([early, backwards]));
        assert!(it.rows.iter().all(|row| Some(row.submitted) <= row.started && row.started <= row.finished));
        for words in ["the start of 1 task that started before its creation", "1 task that ended before the start"] {
            assert!(it.report.guessed.iter().any(|line| line.contains(words)), "{words}: {}", it.report);
        }
    }

    #[test]
    fn what_is_no_history_is_said_in_a_sentence() {
        let mut bad_time = task(1, &[]);
        bad_time["started_at"] = json!("yesterday");
        for (text, words) in [
            (String::new(), "no JSON"),
            ("{}".to_owned(), "`results` is no list"),
            ("[1]".to_owned(), "a list of tasks is wanted"),
            (r#"[{"name": "x"}]"#.to_owned(), "task 1: missing field"),
            (json!([task(1, &[]), bad_time]).to_string(), "task 2: `started_at` is `yesterday`"),
        ] {
            let error = import(text.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert!(import(b"[]").unwrap().rows.is_empty());
    }
}
