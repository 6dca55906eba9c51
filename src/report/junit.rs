//! JUnit XML for the dashboards of a team's CI: one suite per scenario, one case per expectation.
//!
//! A case is named by its expectation, so that it keeps its history as long as the scenario keeps its text. Nothing in
//! the file depends on the clock or the machine.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use crate::experiment::{Expectation, Verdict};

/// A scenario that was tested.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suite {
    /// The scenario's name, or its file where it could not be read.
    pub name: String,
    /// Its file, as it was given.
    pub file: String,
    /// What was expected of it, in order.
    pub expectations: Vec<Expectation>,
    /// Why there is no verdict: the file is wrong, or two runs of it differ.
    pub error: Option<String>,
    /// The command that repeats it.
    pub reproduce: String,
}

/// The suites as a document; `inconclusive_passes`: a confidence interval that straddles its bound is no failure.
///
/// # Panics
/// Never: memory takes every document.
pub fn junit(suites: &[Suite], inconclusive_passes: bool) -> String {
    let mut report = Report::new("lanekeeper");
    report.add_test_suites(suites.iter().map(|suite| of_scenario(suite, inconclusive_passes)));
    report.to_string().expect("memory takes every document")
}

fn of_scenario(suite: &Suite, inconclusive_passes: bool) -> TestSuite {
    let mut out = TestSuite::new(suite.name.as_str());
    out.add_property(Property::new("file", suite.file.as_str()));
    out.add_property(Property::new("reproduce", suite.reproduce.as_str()));
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for expectation in &suite.expectations {
        let count = seen.entry(&expectation.id).or_default();
        *count += 1;
        let name = match *count {
            1 => expectation.id.clone(),
            again => format!("{} ({again})", expectation.id),
        };
        let status = match expectation.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Inconclusive if inconclusive_passes => TestCaseStatus::success(),
            Verdict::Inconclusive | Verdict::Fail => {
                failed(NonSuccessKind::Failure, expectation.verdict.name(), &expectation.detail, &suite.reproduce)
            }
        };
        out.add_test_case(case(suite, &name, status));
    }
    if let Some(error) = &suite.error {
        let status = failed(NonSuccessKind::Error, "error", error, &suite.reproduce);
        out.add_test_case(case(suite, "can be judged", status));
    }
    out
}

fn case(suite: &Suite, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(suite.name.as_str());
    case
}

fn failed(kind: NonSuccessKind, what: &str, detail: &str, reproduce: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(detail.lines().next().unwrap_or_default());
    status.set_type(what);
    status.set_description(XmlString::new(format!("{detail}\nrepeat it with: {reproduce}")));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(expectations: &[(&str, Verdict)], error: Option<&str>) -> Suite {
        let expectation = |(id, verdict): &(&str, Verdict)| Expectation {
            id: (*id).to_owned(),
            verdict: *verdict,
            detail: "46 s [44, 48]".to_owned(),
        };
        Suite {
            name: "a<b>&\"c\" \u{1}".to_owned(),
            file: "a.yaml".to_owned(),
            expectations: expectations.iter().map(expectation).collect(),
            error: error.map(str::to_owned),
            reproduce: "lanekeeper test a.yaml".to_owned(),
        }
    }

    #[test]
    fn names_are_escaped_and_signs_that_xml_forbids_are_left_out() {
        let text = junit(&[suite(&[("wait.p95 < 45s", Verdict::Pass)], None)], false);
        assert!(text.contains(r#"name="a&lt;b&gt;&amp;&quot;c&quot; ""#), "{text}");
        assert!(text.contains(r#"<testcase name="wait.p95 &lt; 45s" classname="#), "{text}");
        assert!(!text.contains('\u{1}'));
    }

    #[test]
    fn two_equal_expectations_have_two_names() {
        let text = junit(&[suite(&[("x", Verdict::Pass), ("x", Verdict::Pass)], None)], false);
        assert!(text.contains(r#"name="x""#) && text.contains(r#"name="x (2)""#), "{text}");
    }

    #[test]
    fn what_is_inconclusive_fails_unless_it_counts_as_passed_and_what_cannot_be_judged_is_an_error() {
        let suites = [suite(&[("x", Verdict::Inconclusive)], None), suite(&[], Some("line 3: no such key"))];
        let strict = junit(&suites, false);
        assert!(strict.contains(r#"tests="2" skipped="0" failures="1" errors="1""#), "{strict}");
        assert!(strict.contains(r#"<failure message="46 s [44, 48]" type="inconclusive">"#), "{strict}");
        assert!(strict.contains("repeat it with: lanekeeper test a.yaml"), "{strict}");
        let lenient = junit(&suites, true);
        assert!(lenient.contains(r#"failures="0" errors="1""#), "{lenient}");
    }
}
