//! CPython's own tests of its socket module: each ends the same with and without the library.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use super::stage::Stage;
use crate::support::process;

/// Takes 26 s, most of it asleep.
const LIMIT: Duration = Duration::from_secs(240);

/// Looks up no name, and hangs on a virtual machine whose host takes no vsock connection.
const LEFT_OUT: &str = "test.test_socket.ThreadedVSOCKSocketStreamTest.*";

/// Tests that are there to be passed: they ask the functions that we replace.
const HAVE_TO_PASS: [&str; 6] = [
    "test.test_socket.GeneralModuleTests.testGetaddrinfo",
    "test.test_socket.GeneralModuleTests.testHostnameRes",
    "test.test_socket.GeneralModuleTests.test_getnameinfo",
    "test.test_socket.GeneralModuleTests.test_getaddrinfo_ipv6_basic",
    "test.test_socket.GeneralModuleTests.test_host_resolution",
    "test.test_socket.GeneralModuleTests.test_getnameinfo_ipv6_scopeid_symbolic",
];

#[test]
fn test_socket() {
    // Two stages of their own, so that they may take their time together.
    let (plain, preloaded) = thread::scope(|scope| {
        let plain = scope.spawn(|| results(false));
        let preloaded = scope.spawn(|| results(true));
        (plain.join().unwrap(), preloaded.join().unwrap())
    });
    // Where sandboxes can't be had, both were skipped, loudly.
    let (Some(plain), Some(preloaded)) = (plain, preloaded) else { return };

    assert!(plain.len() > 600, "only {} tests were run", plain.len());
    for test in HAVE_TO_PASS {
        assert_eq!(plain.get(test).map(String::as_str), Some("passed"), "{test}, with libc");
    }
    let all = plain.keys().chain(preloaded.keys());
    let different: std::collections::BTreeSet<String> = all
        .filter(|test| plain.get(*test) != preloaded.get(*test))
        .map(|test| {
            format!("{test}\n  libc: {:?}\n  ours: {:?}", plain.get(test), preloaded.get(test))
        })
        .collect();
    assert!(different.is_empty(), "{different:#?}");
}

/// How each test ended, by its name.
fn results(preload: bool) -> Option<BTreeMap<String, String>> {
    let mut found = None;
    Stage::set(|stage| {
        // Some tests look up the machine's own name, and skip themselves if it has no address.
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        stage.sandbox.append("/etc/hosts", format!("127.0.0.1 {name}"));
        let report = stage.sandbox.scratch().join("junit.xml");
        let mut python = stage.command("/usr/bin/python3");
        python.args(["-m", "test", "-v", "--ignore", LEFT_OUT, "--junit-xml"]);
        python.arg(&report).arg("test_socket");
        if preload {
            python = stage.sandbox.preload(python);
            // Without us in front, the first lookup would be the last.
            stage.nsswitch("files crash dns");
        }
        let output = process::run(python, LIMIT);
        let xml =
            fs::read_to_string(&report).unwrap_or_else(|e| panic!("no report: {e}\n{output}"));
        found = Some(parse(&xml));
    });
    found
}

/// The test cases of a JUnit report. A skipped one keeps its reason, a failed one its traceback.
fn parse(xml: &str) -> BTreeMap<String, String> {
    xml.split("<testcase name=\"")
        .skip(1)
        .map(|case| {
            let (name, rest) = case.split_once('"').unwrap();
            let body = rest.split("</testcase>").next().unwrap();
            let outcome = ["skipped", "failure", "error"]
                .into_iter()
                .find_map(|word| body.find(&format!("<{word}")).map(|at| body[at..].to_owned()))
                .unwrap_or_else(|| "passed".to_owned());
            (name.to_owned(), outcome)
        })
        .collect()
}

#[test]
fn reads_reports() {
    let report = parse(
        "<testsuite><testcase name=\"a\" time=\"1\" /><testcase name=\"b\"><skipped>why</skipped>\
         </testcase><testcase name=\"c\"><failure message=\"x\">y</failure></testcase></testsuite>",
    );
    let outcomes: Vec<_> = report.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        outcomes,
        [
            ("a", "passed"),
            ("b", "<skipped>why</skipped>"),
            ("c", "<failure message=\"x\">y</failure>"),
        ]
    );
}
