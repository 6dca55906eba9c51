//! `report.html` in a real browser, headless: no error on its console, no request, names for all that can be reached,
//! and a timeline that answers to keys, a pinch and a pointer. The page looks at itself when its address ends in
//! `#self-check`. Without a browser the tests say that they were skipped; `.ci/run` installs one where it can.

#![allow(clippy::disallowed_methods, reason = "the browser is wherever the path says")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    BROWSERS.iter().flat_map(|name| places.iter().map(move |place| place.join(name))).find(|it| it.is_file())
}

/// Runs or compares a scenario and gives the path of the report.
fn report(verb: &str, scenario: &Path, out: &Path, more: &[&str]) -> PathBuf {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanekeeper"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg(verb).arg(scenario).args(["-q", "--charts", "svg"]);
    let output = command.args(more).arg("-o").arg(out).output().expect("the program runs");
    // Whatever the verdict (3: inconclusive), there is a page.
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    out.join("report.html")
}

/// The document after the page looked at itself; `None`: there is no browser.
fn checked(page: &Path, width: u32) -> Option<String> {
    let Some(browser) = browser() else {
        eprintln!("skipped: no browser ({}) is installed", BROWSERS.join(", "));
        return None;
    };
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width},900"))
        .arg(format!("file://{}#self-check", page.display()))
        .output()
        .expect("the browser starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    let console: Vec<&str> = errors.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(console.is_empty(), "{}: {console:#?}", page.display());
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(dom.contains("data-self-check=\"pass\""), "{} at {width}: {}", page.display(), first_tag(&dom));
    Some(dom)
}

fn first_tag(dom: &str) -> &str {
    dom.find("<html").map_or("no page", |at| dom[at..].split('>').next().unwrap_or_default())
}

fn attribute(dom: &str, name: &str) -> f64 {
    let (_, rest) = first_tag(dom).split_once(&format!("{name}=\"")).expect("the page tells it");
    rest.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn reports_work_in_a_browser_wide_and_narrow() {
    let dir = tempfile::tempdir().unwrap();
    for (scenario, more) in [
        ("scenarios/zombie-without-lease.yaml", [].as_slice()),
        ("scenarios/black-friday.yaml", &["--replications", "2"]),
        ("scenarios/general-queue-only.yaml", &[]),
    ] {
        let page = report("run", Path::new(scenario), &dir.path().join("out"), more);
        for width in [1400, 390] {
            let Some(dom) = checked(&page, width) else { return };
            assert!(attribute(&dom, "data-slices") > 1.0, "{scenario}");
        }
    }
}

#[test]
fn a_hundred_thousand_slices_are_all_there() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("many.yaml");
    fs::write(
        &scenario,
        "name: many\nrun: {replications: 1, horizon: 2h}\nresources: {repo: {count: 500}}\nworkload:\n  \
         - {class: a, arrivals: {poisson: 14/s}, service: {exponential: {mean: 300ms}}, claims: {repo: 1}}\n\
         workers: {initial: 12, lifetime: {exponential: {mean: 1h}}, restart_after: 10s}\n\
         engine: {queue_first: {queues: {min: 12, max: 24}}}\n",
    )
    .unwrap();
    let page = report("run", &scenario, &dir.path().join("out"), &[]);
    let Some(dom) = checked(&page, 1400) else { return };
    assert!(attribute(&dom, "data-slices") > 95_000.0);
    println!("ready after {} ms, a view takes {} ms", attribute(&dom, "data-ready"), attribute(&dom, "data-frame"));
}

#[test]
fn the_report_of_a_comparison_works_too() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--vary", "workers.initial=3,8", "--replications", "3", "--set", "run.horizon=1h"];
    let page = report("compare", Path::new("scenarios/hot-resource.yaml"), &dir.path().join("out"), &more);
    for width in [1400, 390] {
        let Some(dom) = checked(&page, width) else { return };
        assert!(dom.contains("What was varied") && dom.contains("Differences"), "{}", page.display());
    }
}

#[test]
fn the_report_of_a_hunt_works_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanekeeper"));
    command.args(["hunt", "--swarm", "--seeds", "2", "--seed", "1", "-q", "-o"]).arg(dir.path());
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = dir.path().join("report.html");
    for width in [1400, 390] {
        let Some(dom) = checked(&page, width) else { return };
        assert!(dom.contains("nothing found") && dom.contains("What the runs came across"), "{}", page.display());
    }
}
