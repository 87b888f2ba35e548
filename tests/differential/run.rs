//! All worlds, several at once: most of the time is spent waiting.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::cases::World;
use super::outcome::Outcome;
use super::probe::{Probe, Side};
use super::scene::Scene;
use super::support::cc;
use super::support::libcs::Libc;
use super::support::sandbox::Sandbox;
use super::verdict::Verdict;

/// Worlds at once.
const THREADS: usize = 8;

/// How often a case that differs is tried again: a busy machine delays one side or the other beyond
/// a time limit. Which cases these were is reported.
const AGAIN: usize = 4;

/// How long musl may take in one world: it waits where libc asks the next server.
const MUSL: Duration = Duration::from_secs(4);

/// What a case came to.
#[derive(Debug)]
pub struct CaseResult {
    /// Which of the worlds.
    pub world: usize,
    pub call: String,
    pub libc: Outcome,
    pub rustdns: Outcome,
    /// Without queries; `None` where there is no musl, or its time was over.
    pub musl: Option<String>,
    /// How long the case took, all sides together.
    pub took: Duration,
    pub verdict: Verdict,
    /// What it looked like at first, if it was tried again.
    pub unsteady: Option<[Outcome; 2]>,
}

/// Runs every case, with this libc on both sides.
pub fn all(worlds: &[World], libc: &Libc, show: bool, musl: bool) -> Vec<CaseResult> {
    let musl = musl && ["gai", "hostent", "resolver"].iter().all(|p| cc::musl_program(p).is_some());
    // Those that wait longest begin first.
    let mut order: Vec<usize> = (0..worlds.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(worlds[i].weight()));
    let waiting = Mutex::new(VecDeque::from(order));
    let results = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap().pop_front();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(index) = next() {
                    let world = &worlds[index];
                    Sandbox::enter(|sandbox| {
                        let done = one(sandbox, index, world, libc, &Side::rustdns(libc), musl);
                        if show {
                            done.iter().for_each(|result| say(world, result));
                        }
                        results.lock().unwrap().extend(done);
                    });
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|result| result.world);
    results
}

/// Runs the cases of one world.
pub fn one(
    sandbox: &Sandbox,
    index: usize,
    world: &World,
    libc: &Libc,
    rustdns: &Side,
    with_musl: bool,
) -> Vec<CaseResult> {
    let scene = Scene::new(sandbox, world);
    let version = libc.version;
    let sides = [Side::Libc(libc.clone()), rustdns.clone()];
    let mut probes = sides.map(|side| Probe::new(sandbox, world, side));
    let mut musl = with_musl.then(|| Probe::new(sandbox, world, Side::Musl));
    let mut results = Vec::new();
    let mut musl_took = Duration::ZERO;
    for call in &world.calls {
        let started = Instant::now();
        let mut both = || probes.each_mut().map(|probe| make(&scene, world, probe, call));
        let [mut libc, mut rustdns] = both();
        let mut verdict = Verdict::of(world, version, call, &libc, &rustdns);
        let mut unsteady = None;
        for _ in 0..AGAIN {
            if !verdict.is_failure() {
                break;
            }
            let first = [libc, rustdns];
            [libc, rustdns] = both();
            verdict = Verdict::of(world, version, call, &libc, &rustdns);
            if !verdict.is_failure() {
                unsteady = Some(first);
            }
        }
        let musl_started = Instant::now();
        let musl = musl.as_mut().filter(|_| musl_took < MUSL);
        let musl = musl.map(|probe| make(&scene, world, probe, call).returned);
        musl_took += musl_started.elapsed();
        results.push(CaseResult {
            world: index,
            call: call.clone(),
            libc,
            rustdns,
            musl,
            took: started.elapsed(),
            verdict,
            unsteady,
        });
    }
    results
}

fn make(scene: &Scene, world: &World, probe: &mut Probe, call: &str) -> Outcome {
    let returned = probe.call(call);
    let asked = scene.asked();
    Outcome { returned, asked: if world.wire { asked } else { Vec::new() } }
}

/// Everything about one case.
fn say(world: &World, result: &CaseResult) {
    let CaseResult { call, libc, rustdns, musl, verdict, .. } = result;
    eprintln!("{}\n  {verdict:?}", world.id(call));
    let musl = musl.clone().unwrap_or_default();
    for (who, text) in [("libc", libc.text()), ("rustdns", rustdns.text()), ("musl", musl)] {
        eprintln!("--- {who}\n{text}");
    }
}
