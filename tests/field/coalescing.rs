//! Questions under way, asked once whatever else waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::dns::{Question, Reply, Server};
use crate::support::process::{Output, run};
use crate::support::sandbox::Sandbox;
use crate::support::wire::{Record, rtype};

/// How long an answer takes: less than it takes until a question is asked again.
const DELAY: Duration = Duration::from_millis(120);

/// Makes each call of a list in so many threads, all at once, after others have begun to look up names
/// of a zone whose servers are silent: `ask(silent, [(call, name, threads), ...])`.
const ASK: &str = r#"
import collections, os, socket, sys, threading, time
def call(how, name):
    try:
        if how == 'reverse': return socket.gethostbyaddr(name)[0]
        if how == 'host': return ' '.join(sorted(socket.gethostbyname_ex(name)[2]))
        family = {'any': 0, 'inet': socket.AF_INET, 'inet6': socket.AF_INET6}[how]
        found = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
        return ' '.join(sorted(entry[4][0] for entry in found))
    except OSError as error: return str(error.args[0])
def ask(silent, calls):
    threading.stack_size(256 * 1024)
    for number in range(silent):
        threading.Thread(target=call, args=('any', 's%d.silent.test' % number), daemon=True).start()
    time.sleep(0.3 if silent else 0)
    got = collections.Counter()
    barrier = threading.Barrier(sum(threads for _, _, threads in calls))
    def one(how, name):
        barrier.wait()
        answer = call(how, name)
        got[how, name, answer] += 1
    threads = [threading.Thread(target=one, args=(how, name)) for how, name, count in calls for _ in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    for (how, name, answer), count in sorted(got.items()): print(how, name, count, answer)
    sys.stdout.flush()
    os._exit(0)
"#;

fn ask(sandbox: &Sandbox, silent: u32, calls: &str) -> Output {
    let mut command = sandbox.preload(sandbox.command("/usr/bin/python3"));
    command.args(["-c", &format!("{ASK}\nask({silent}, [{calls}])")]);
    run(command, Duration::from_secs(120))
}

/// When each question came.
type Arrivals = Arc<Mutex<HashMap<(String, u16), Vec<Instant>>>>;

/// A host as people have them, with a server that takes its time, and is silent about one zone.
fn furnish(sandbox: &Sandbox, ttl: u32) -> (Server, Arrivals) {
    sandbox.address("198.51.100.1/24");
    sandbox.address("2001:db8:1::1/64");
    sandbox.default_route(4);
    sandbox.default_route(6);
    sandbox.write("/etc/resolv.conf", "nameserver 198.51.100.1\noptions timeout:5 attempts:1\n");
    let arrivals = Arrivals::default();
    let noted = arrivals.clone();
    let server = Server::on(sandbox, &["198.51.100.1:53"], move |q: &Question| {
        let mut noted = noted.lock().unwrap();
        noted.entry((q.name.to_lowercase(), q.qtype)).or_default().push(Instant::now());
        if q.name.ends_with("silent.test") {
            return Reply::drop();
        }
        let record = match q.qtype {
            rtype::A => Record::address(&q.name, "192.0.2.1"),
            rtype::AAAA => Record::address(&q.name, "2001:db8::1"),
            _ => Record::ptr(&q.name, "host.test"),
        };
        Reply::records([record.ttl(ttl)]).after(DELAY)
    });
    (server, arrivals)
}

/// How often each of this name's questions was asked, by type.
fn counts(arrivals: &Arrivals, name: &str) -> Vec<(u16, usize)> {
    let arrivals = arrivals.lock().unwrap();
    let of_name = arrivals.iter().filter(|((other, _), _)| other == name);
    let mut counts: Vec<_> = of_name.map(|((_, qtype), times)| (*qtype, times.len())).collect();
    counts.sort_unstable();
    counts
}

#[test]
fn names_that_wait_push_no_other_aside() {
    Sandbox::enter(|sandbox| {
        let (_server, arrivals) = furnish(sandbox, 60);
        let output = ask(sandbox, 64, "('any', 'victim.test', 200)");
        assert_eq!(output.out(), "any victim.test 200 192.0.2.1 2001:db8::1\n", "{output}");
        assert_eq!(counts(&arrivals, "victim.test"), [(rtype::A, 1), (rtype::AAAA, 1)]);
        let waiting = arrivals.lock().unwrap().len() - 2;
        assert_eq!(waiting, 128, "all others are under way");
    });
}

#[test]
fn a_question_is_one_whoever_asks_it() {
    Sandbox::enter(|sandbox| {
        let (_server, arrivals) = furnish(sandbox, 60);
        let calls = "('any', 'victim.test', 40), ('inet', 'Victim.test', 40), \
                     ('inet6', 'victim.TEST', 40), ('host', 'victim.test', 40), \
                     ('reverse', '192.0.2.77', 40)";
        let output = ask(sandbox, 8, calls);
        let expected = "any victim.test 40 192.0.2.1 2001:db8::1\nhost victim.test 40 192.0.2.1\n\
                        inet Victim.test 40 192.0.2.1\ninet6 victim.TEST 40 2001:db8::1\n\
                        reverse 192.0.2.77 40 host.test\n";
        assert_eq!(output.out(), expected, "{output}");
        assert_eq!(counts(&arrivals, "victim.test"), [(rtype::A, 1), (rtype::AAAA, 1)]);
        assert_eq!(counts(&arrivals, "77.2.0.192.in-addr.arpa"), [(12, 1)]);
    });
}

/// Who waits gets an answer that is true for no time: else each asks for itself, all at once. Who comes
/// later asks again, when the first one is answered.
#[test]
fn an_answer_that_is_not_kept_is_shared_all_the_same() {
    Sandbox::enter(|sandbox| {
        let (_server, arrivals) = furnish(sandbox, 0);
        let calls = "('any', 'victim.test', 160), ('inet', 'victim.test', 20), \
                     ('reverse', '192.0.2.77', 20)";
        let output = ask(sandbox, 8, calls);
        let expected = "any victim.test 160 192.0.2.1 2001:db8::1\ninet victim.test 20 192.0.2.1\n\
                        reverse 192.0.2.77 20 host.test\n";
        assert_eq!(output.out(), expected, "{output}");
        for ((name, qtype), times) in &*arrivals.lock().unwrap() {
            let apart = times.windows(2).map(|two| two[1] - two[0]).min();
            let once = apart.is_none_or(|apart| apart > DELAY * 3 / 4);
            assert!(once || name.ends_with("silent.test"), "{name} {qtype}: {times:?}");
            // A few come late where the machine is busy, and share one question again.
            assert!(times.len() <= 10, "{name} {qtype}: {} times", times.len());
        }
    });
}

/// When the time is over nobody rushes to ask for himself.
#[test]
fn silence_is_shared() {
    Sandbox::enter(|sandbox| {
        let (_server, arrivals) = furnish(sandbox, 60);
        sandbox
            .write("/etc/resolv.conf", "nameserver 198.51.100.1\noptions timeout:1 attempts:1\n");
        let output = ask(sandbox, 0, "('any', 'v.silent.test', 200)");
        let again = "any v.silent.test 200 -3\n"; // EAI_AGAIN
        assert_eq!(output.out(), again, "{output}");
        assert!(output.took < Duration::from_secs(20), "{output}");
        for (qtype, count) in counts(&arrivals, "v.silent.test") {
            assert!(count <= 10, "{qtype}: {count}");
        }
    });
}
