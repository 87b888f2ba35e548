//! Ids and source ports: spread evenly, as far as some thousand queries can tell. That a child repeats
//! none of its parent's is in `tests/servers.rs`.
//!
//! The statistic is Pearson's chi-square over equal classes. Its bound for a false alarm of 1e-9 comes
//! from the approximation of Wilson and Hilferty: k (1 - 2/(9k) + z sqrt(2/(9k)))^3 with z = 5.9978,
//! the standard normal distribution's point of 1e-9, and k the classes less one. It errs on the safe
//! side: by the distribution itself these bounds are exceeded by a chance of 9.3e-10 (k = 255), 4.2e-10
//! (k = 15) and 7.6e-12 (k = 1). With some twenty statistics a run, one run in 50 million fails falsely.

use std::fmt::Write as _;

use super::right;
use crate::support::differential::{LIMIT, probe_within};
use crate::support::dns::Server;
use crate::support::sandbox::Sandbox;

/// How many lookups of one family: a query each.
const QUERIES: usize = 4_000;

/// The value that chi-square over so many classes exceeds by a chance of less than 1e-9.
fn bound(classes: usize) -> f64 {
    let k = classes as f64 - 1.0;
    let part = 2.0 / (9.0 * k);
    k * (1.0 - part + 5.9978 * part.sqrt()).powi(3)
}

fn chi_square(counts: &[usize]) -> f64 {
    let mean = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    counts.iter().map(|&count| (count as f64 - mean).powi(2) / mean).sum()
}

fn histogram(classes: usize, of: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut counts = vec![0; classes];
    of.for_each(|class| counts[class] += 1);
    counts
}

fn spread(about: &str, counts: &[usize]) {
    let (value, bound) = (chi_square(counts), bound(counts.len()));
    println!("{about}: chi-square {value:.1} over {} classes, bound {bound:.1}", counts.len());
    assert!(value < bound, "{about}: {value} exceeds {bound}: {counts:?}");
}

#[test]
fn the_bound_is_that_of_the_chi_square_distribution() {
    // Where the distribution itself has 1e-9.
    for (classes, exact) in [(2, 37.3), (16, 73.6), (256, 414.5)] {
        let bound = bound(classes);
        assert!(exact <= bound && bound < 1.03 * exact + 9.0, "{classes}: {bound}");
    }
    let even = vec![100; 256];
    assert!(chi_square(&even) < 1e-9);
    // Ids that count upwards have an even upper octet for a while: they fail by a wide margin.
    let counter = histogram(256, (0..QUERIES).map(|n| n / 256));
    assert!(chi_square(&counter) > 10.0 * bound(256));
}

#[test]
fn ids_and_ports_are_spread_and_tell_nothing_of_the_next() {
    Sandbox::enter(|sandbox| {
        let server = Server::start(sandbox, right);
        let mut calls = String::new();
        (0..QUERIES).for_each(|n| writeln!(calls, "gai -t stream -f inet n{n}.test. -").unwrap());
        let got = probe_within(LIMIT, sandbox, true, &calls);
        assert!(got.success());
        let log = server.log();
        // One more where an answer was slow to come.
        let queries = log.len();
        assert!((QUERIES..QUERIES + 100).contains(&queries), "{queries}");
        let ids = || log.iter().map(|q| usize::from(q.id));
        spread("upper octet of ids", &histogram(256, ids().map(|id| id >> 8)));
        spread("lower octet of ids", &histogram(256, ids().map(|id| id & 0xff)));
        let steps =
            ids().zip(ids().skip(1)).map(|(one, next)| (next.wrapping_sub(one) & 0xffff) >> 8);
        spread("steps from id to id", &histogram(256, steps));
        let each_bit = |bit: usize| ids().filter(|id| id >> bit & 1 == 1).count();
        for bit in 0..16 {
            let ones = each_bit(bit);
            spread(&format!("bit {bit} of ids"), &[ones, queries - ones]);
        }
        // The kernel's choice, out of what ip_local_port_range has: which half of that, at the least.
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
        let range: Vec<usize> = range.split_whitespace().map(|n| n.parse().unwrap()).collect();
        let (low, room) = (range[0], range[1] + 1 - range[0]);
        let ports = || log.iter().map(|q| usize::from(q.source.port()));
        let distinct = ports().collect::<std::collections::BTreeSet<_>>().len();
        let expected = room as f64 * (1.0 - (1.0 - 1.0 / room as f64).powi(queries as i32));
        let repeated = queries as f64 - expected;
        println!("{distinct} ports of {queries} differ, {expected:.0} expected of chance");
        // Repetitions are distributed as Poisson has it: eight deviations above their mean are a chance
        // below 1e-11.
        assert!(distinct as f64 > expected - 8.0 * repeated.sqrt(), "{distinct} of {expected}");
        spread("ports by range", &histogram(16, ports().map(|port| (port - low) * 16 / room)));
    });
}
