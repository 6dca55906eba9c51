//! Tables of tasks and of service times: read exactly, or refused with their line.

use std::path::PathBuf;

use lanekeeper::base::{Claim, ResourceId, Span, Time};
use lanekeeper::scenario::{Diagnostic, Kind, Loaded, Source, SourceText, load};
use lanekeeper::sim::dist::Dist;

fn with_table(table: &[u8], service: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("t.csv"), table).unwrap();
    let text = format!("name: a\nworkers: {{initial: 1}}\nworkload: [{service}]\n");
    load(&SourceText { path: "a.yaml".into(), dir: PathBuf::from(dir.path()), text: text.into_bytes() }, &[])
}

const HEADER: &str = "submitted,class,service,exclusive,shared,state\n";

#[test]
fn a_table_of_tasks_is_read_exactly() {
    let table = format!("{HEADER}0.000001,sync,12.5,\"a;b\",c,completed\n3,,0.1,,a,failed\n");
    let scenario = with_table(table.as_bytes(), "{trace: {file: t.csv}}").unwrap().scenario;
    let Source::Table { rows } = &scenario.workload[0] else { panic!() };
    assert_eq!((rows[0].submitted, rows[0].service), (Time::from_micros(1), Span::from_millis(12_500)));
    assert_eq!(rows[0].claims.len(), 3);
    assert_eq!(rows[1].claims.as_slice(), [Claim::shared(ResourceId(0))]);
    assert_eq!(scenario.labels.class(rows[1].class), "default");
    assert_eq!(scenario.run.horizon, Time::from_secs(3));
    let dropped = with_table(table.as_bytes(), "{trace: {file: t.csv, shared: drop, time_scale: 2}}").unwrap().scenario;
    let Source::Table { rows } = &dropped.workload[0] else { panic!() };
    assert_eq!((rows[1].submitted, rows[1].claims.len()), (Time::from_secs(6), 0));
}

#[test]
fn a_hostile_table_is_refused_with_its_line() {
    for (table, line, contains) in [
        (format!("{HEADER}1,a,1,,,x\n0,a,1,,,x\n"), 3, "sort the table"),
        (format!("{HEADER}1,a,1\n"), 2, "3 columns where the header has 6"),
        (format!("{HEADER}1,a\0,1,,,x\n"), 2, "NUL"),
        (format!("{HEADER}-1,a,1,,,x\n"), 2, "no time"),
        (format!("{HEADER}nan,a,1,,,x\n"), 2, "no time"),
        (format!("{HEADER}0.1234567,a,1,,,x\n"), 2, "six decimals"),
        (format!("{HEADER}99999999999999999999,a,1,,,x\n"), 2, "too long a time"),
        ("submitted,class\n".into(), 1, "there is no column `service`"),
    ] {
        let found = with_table(table.as_bytes(), "{trace: {file: t.csv}}").unwrap_err().remove(0);
        let shown = found.to_string();
        assert_eq!(found.place.unwrap().0, line, "{shown}");
        assert!(shown.contains(contains) && shown.contains("t.csv"), "{shown}");
    }
    let missing = with_table(b"", "{trace: {file: other.csv}}").unwrap_err().remove(0);
    assert_eq!(missing.kind, Kind::Io, "{missing}");
    assert_eq!(missing.place, Some((3, 27)), "{missing}");
}

#[test]
fn empirical_services_come_from_one_column_or_a_class_of_a_table() {
    for (table, spec, values) in [
        ("1\n2.5\n".to_owned(), "{file: t.csv}", 2),
        ("service\n1\n2\n3\n".to_owned(), "{file: t.csv}", 3),
        (format!("{HEADER}1,a,1,,,x\n2,b,2,,,x\n"), "{class: b, file: t.csv}", 1),
    ] {
        let source = format!("{{class: c, arrivals: {{every: 1h}}, service: {{empirical: {spec}}}}}");
        let scenario = with_table(table.as_bytes(), &source).unwrap_or_else(|all| panic!("{}", all[0])).scenario;
        let Source::Drawn { service: Dist::Empirical(drawn), .. } = &scenario.workload[0] else { panic!() };
        assert_eq!(drawn.len(), values);
    }
}
