//! Times one lookup after the other with hickory-resolver, as `lookers/lookup.c` does with others: the
//! same options as far as the bench gives them to it, the same output.
//!
//! Used as its documentation has it: one resolver for all, from the system's configuration, on
//! tokio's runtime of several threads; each of our "threads" is a task of it.

use hickory_resolver::{Resolver, TokioResolver};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Barrier;

struct Plan {
    threads: usize,
    start: usize,
    kept: usize,
    in_step: bool,
    expected: usize,
    each: bool,
    count: usize,
    name: String,
}

/// Allocations so far and their octets, where they are counted.
fn allocations() -> Option<(u64, u64)> {
    // SAFETY: a lookup of a symbol by a C string; null where there is none.
    let counter = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"allocations".as_ptr()) };
    if counter.is_null() {
        return None;
    }
    // SAFETY: the only symbol of that name is the function in tests/c/allocations.c.
    let counter: extern "C" fn(&mut u64) -> u64 = unsafe { std::mem::transmute(counter) };
    let mut octets = 0;
    let calls = counter(&mut octets);
    Some((calls, octets))
}

fn cpu_time() -> u64 {
    // SAFETY: an rusage is plain old data, which the call fills in.
    let used = unsafe {
        let mut used = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_SELF, &mut used);
        used
    };
    let ns = |t: libc::timeval| t.tv_sec as u64 * 1_000_000_000 + t.tv_usec as u64 * 1000;
    ns(used.ru_utime) + ns(used.ru_stime)
}

fn print_memory(when: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    for line in status.lines() {
        let mut words = line.split_whitespace();
        let key = match words.next() {
            Some("VmRSS:") => "resident",
            Some("RssAnon:") => "anonymous",
            Some("VmSize:") => "virtual",
            _ => continue,
        };
        println!("{key}_{when} {}", words.next().unwrap());
    }
}

async fn look_up(resolver: &TokioResolver, plan: &Plan, number: usize) -> u64 {
    let name = plan.name.replace("%d", &number.to_string());
    let began = Instant::now();
    let found = match resolver.lookup_ip(name.as_str()).await {
        Ok(found) => found.iter().count(),
        Err(error) if error.is_no_records_found() => 0,
        Err(error) => panic!("{name}: {error}"),
    };
    let took = began.elapsed().as_nanos() as u64;
    assert_eq!(found, plan.expected, "{name}: addresses");
    took
}

async fn task(
    resolver: TokioResolver,
    plan: Arc<Plan>,
    index: usize,
    step: Arc<Barrier>,
) -> Vec<u64> {
    let mut took = Vec::with_capacity(plan.count);
    for i in 0..plan.count {
        let mut number = if plan.in_step { i } else { index * plan.count + i };
        if plan.kept > 0 {
            number = number * 7919 % plan.kept;
        }
        if plan.in_step {
            step.wait().await;
        }
        took.push(look_up(&resolver, &plan, plan.start + number).await);
    }
    took
}

async fn run(plan: Arc<Plan>) {
    print_memory("before");
    // It reads the system's files here and never again: part of what the first lookup takes.
    let began = Instant::now();
    let resolver = Resolver::builder_tokio().unwrap().build().unwrap();
    let built = began.elapsed().as_nanos() as u64;
    for i in 0..plan.kept {
        look_up(&resolver, &plan, plan.start + i).await;
    }
    let step = Arc::new(Barrier::new(plan.threads));
    let (counted, cpu, began) = (allocations(), cpu_time(), Instant::now());
    let tasks: Vec<_> = (0..plan.threads)
        .map(|i| tokio::spawn(task(resolver.clone(), plan.clone(), i, step.clone())))
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    let (wall, cpu) = (began.elapsed().as_nanos(), cpu_time() - cpu);
    if let (Some(before), Some(after)) = (counted, allocations()) {
        println!("allocations {}\noctets {}", after.0 - before.0, after.1 - before.1);
    }
    print_memory("after");
    if plan.each {
        took.iter().for_each(|ns| println!("each {ns}"));
    }
    println!("first {}", built + took[0]);
    took.sort_unstable();
    let (median, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("median {median}\np99 {p99}\nwall {wall}\ncpu {cpu}\nlookups {}", took.len());
}

fn main() {
    let mut plan = Plan {
        threads: 1,
        start: 0,
        kept: 0,
        in_step: false,
        expected: 2,
        each: false,
        count: 0,
        name: String::new(),
    };
    let mut arguments = std::env::args().skip(1);
    let mut rest = Vec::new();
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().unwrap().parse().unwrap();
        match argument.as_str() {
            "-t" => plan.threads = number(),
            "-s" => plan.start = number(),
            "-k" => plan.kept = number(),
            "-e" => plan.expected = number(),
            "-b" => plan.in_step = true,
            "-i" => plan.each = true,
            _ => rest.push(argument),
        }
    }
    let [count, name] = rest.try_into().expect("usage: lookup [OPTION]... COUNT NAME");
    (plan.count, plan.name) = (count.parse().unwrap(), name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(Arc::new(plan)));
}
