//! `rustdns bench`: what it does and shows; how fast anything is, no test says.

use super::{assert_refused, json, rustdns, zone};
use crate::support::dns::Server;
use crate::support::process::End;
use crate::support::sandbox::Sandbox;

#[test]
fn each_side_is_measured_as_often_as_asked() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, zone());
        let output = rustdns(sandbox, &["bench", "--count", "7", "--json", "host.test"]);
        assert!(output.success(), "{output}");
        let sides = "[(d[s]['lookups'], 0 < d[s]['median_nanoseconds'] <= d[s]['p99_nanoseconds'] \
                     <= d[s]['slowest_nanoseconds'], d[s]['error']) \
                     for s in ('libc', 'rustdns_uncached', 'rustdns')]";
        let want = "[(7, True, None), (7, True, None), (7, True, None)]";
        assert_eq!(json(sandbox, &output.out(), sides), want);
        // libc and we without a cache ask each time, and we with one once.
        server.settle();
        let asked = server.asked().iter().filter(|q| q.starts_with("host.test 1 ")).count();
        assert_eq!(asked, 7 + 7 + 1);

        let output = rustdns(sandbox, &["bench", "--count", "3", "host.test"]);
        let text = output.out();
        let bars: Vec<_> = text.lines().filter(|line| line.contains(['█', '▏'])).collect();
        let longest = "█".repeat(40);
        assert_eq!(bars.len(), 3, "{output}");
        assert!(bars.iter().any(|line| line.ends_with(&longest)), "{output}");
        for (line, label) in bars.iter().zip(["libc ", "rustdns, no cache ", "rustdns "]) {
            assert!(line.starts_with(label), "{output}");
        }
    });
}

#[test]
fn wrong_input() {
    Sandbox::enter(|sandbox| {
        let _server = Server::start(sandbox, zone());
        let output = rustdns(sandbox, &["bench", "--count", "2", "nosuch.test"]);
        assert_eq!(output.end, End::Exit(1), "{output}");
        assert!(output.err().contains("nosuch.test: libc: EAI_NONAME"), "{output}");
        let library = ["bench", "--library", "/nonexistent", "host.test"];
        assert_refused(&rustdns(sandbox, &library), 2, &["/nonexistent", "--library"]);
        for words in [
            &["bench"][..],
            &["bench", "--count", "0", "a"],
            &["bench", "--count", "100001", "a"],
            &["bench", "--count", "many", "a"],
        ] {
            let output = rustdns(sandbox, words);
            assert_eq!((output.end, output.out().as_str()), (End::Exit(2), ""), "{output}");
            assert!(output.err().contains("--help"), "{output}");
        }
    });
}
