//! Who asks, and who waits.

use super::*;
use crate::sys::atomic::Ordering::SeqCst;
use std::thread;

const LONG: Duration = Duration::from_secs(10);
const BOTH: [u16; 2] = [1, 28];

fn asked(name: &str) -> Asked {
    let name = Name::from_text(name.as_bytes()).unwrap();
    Asked { name, qtypes: BOTH, generation: 1 }
}

fn of(name: &str, qtypes: [u16; 2]) -> Asked {
    Asked { qtypes, ..asked(name) }
}

fn no_data() -> Option<Unkept> {
    Some(Unkept::Missed(Miss::NoData))
}

/// What another thread is told to do.
fn elsewhere(pending: &Pending, asked: &Asked, limit: Duration) -> &'static str {
    thread::scope(|scope| {
        let other = scope.spawn(|| match pending.join(asked, limit).unwrap() {
            Turn::Ours(_) => "ours",
            Turn::Theirs(_) => "theirs",
            Turn::Late => "late",
            Turn::Alone => "alone",
        });
        other.join().unwrap()
    })
}

fn claims(pending: &Pending) -> Vec<Shared<Claim>> {
    pending.shards.iter().flat_map(|shard| shard.lock().unwrap().clone()).collect()
}

fn until_awaited(pending: &Pending) {
    while !claims(pending).iter().any(|claim| claim.is_awaited.load(SeqCst)) {
        thread::yield_now();
    }
}

#[test]
fn who_comes_later_waits_and_is_told() {
    let pending = Pending::new(1);
    let Ok(Turn::Ours(mut ours)) = pending.join(&asked("a.test"), LONG) else { panic!("free") };
    thread::scope(|scope| {
        let later = scope.spawn(|| match pending.join(&asked("A.test"), LONG) {
            Ok(Turn::Theirs([Some(Unkept::Missed(miss)), None])) => miss,
            _ => panic!("not told"),
        });
        until_awaited(&pending);
        ours.learned([no_data(), None]);
        drop(ours);
        assert_eq!(later.join().unwrap(), Miss::NoData);
    });
    assert!(matches!(pending.join(&asked("a.test"), LONG), Ok(Turn::Ours(_))), "free again");
}

#[test]
fn a_question_is_asked_once_whatever_it_is_asked_with() {
    for (first, second, is_shared) in [
        (BOTH, BOTH, true),
        (BOTH, [1, 0], true),
        (BOTH, [0, 28], true),
        ([1, 0], BOTH, true),
        ([0, 28], BOTH, true),
        ([1, 0], [0, 28], false),
        ([12, 0], BOTH, false),
        ([12, 0], [12, 0], true),
    ] {
        let pending = Pending::new(1);
        let held = pending.join(&of("a.test", first), LONG);
        assert!(matches!(held, Ok(Turn::Ours(_))));
        let turn = elsewhere(&pending, &of("a.test", second), Duration::from_millis(20));
        assert_eq!(turn, if is_shared { "late" } else { "ours" }, "{first:?} {second:?}");
        let turn = elsewhere(&pending, &of("b.test", second), LONG);
        assert_eq!(turn, "ours", "another name");
        let other = Asked { generation: 2, ..of("a.test", second) };
        assert_eq!(elsewhere(&pending, &other, LONG), "ours", "another configuration");
    }
}

#[test]
fn one_of_two_may_be_answered_first() {
    let pending = Pending::new(1);
    let Ok(Turn::Ours(ours)) = pending.join(&asked("a.test"), LONG) else { panic!("free") };
    thread::scope(|scope| {
        let v4 = scope.spawn(|| elsewhere(&pending, &of("a.test", [1, 0]), LONG));
        until_awaited(&pending);
        ours.answered(1);
        assert_eq!(v4.join().unwrap(), "theirs", "the second one is not waited for");
    });
    let short = Duration::from_millis(20);
    assert_eq!(elsewhere(&pending, &of("a.test", [0, 28]), short), "late");
    assert_eq!(elsewhere(&pending, &asked("a.test"), short), "late");
    drop(ours);
    assert_eq!(elsewhere(&pending, &asked("a.test"), short), "ours");
}

#[test]
fn many_names_under_way_push_none_aside() {
    let pending = Pending::new(1);
    let names: Vec<_> = (0..500).map(|i| asked(&format!("n{i}.test"))).collect();
    let turns: Vec<_> = names.iter().map(|asked| pending.join(asked, LONG)).collect();
    assert!(turns.iter().all(|turn| matches!(turn, Ok(Turn::Ours(_)))));
    let more = claims(&pending);
    assert_eq!(more.len(), 500);
    thread::scope(|scope| {
        for asked in names.iter().step_by(50) {
            scope.spawn(|| assert_eq!(elsewhere(&pending, asked, BEAT), "late"));
        }
    });
    // Spread over the lists by the seed.
    let shards = |seed| names.iter().map(|a| Pending::new(seed).shard_of(&a.name)).collect();
    let (one, other): (Vec<_>, Vec<_>) = (shards(1), shards(2));
    assert_ne!(one, other);
    assert!((0..SHARDS).all(|shard| one.contains(&shard)));
    drop(turns);
    assert!(claims(&pending).is_empty());
    let kept: usize = pending.shards.iter().map(|s| s.lock().unwrap().capacity()).sum();
    assert!(kept <= FEW * SHARDS, "{kept}");
}

#[test]
fn nobody_waits_for_itself_or_for_one_that_was_left() {
    let pending = Pending::new(1);
    let first = pending.join(&asked("a.test"), LONG).unwrap();
    assert!(matches!(first, Turn::Ours(_)));
    assert!(matches!(pending.join(&asked("a.test"), LONG), Ok(Turn::Alone)), "the same thread");
    // It waits as long as asking may take, and no longer.
    assert_eq!(elsewhere(&pending, &asked("a.test"), Duration::from_millis(20)), "late");
    core::mem::forget(first);
    claims(&pending).iter().for_each(|claim| claim.alive.sign(Instant::now()));
    // Some wait for it, and the one that takes over tells the others.
    let asking = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| match pending.join(&asked("a.test"), LONG) {
                Ok(Turn::Ours(mut ours)) => {
                    assert_eq!(asking.fetch_add(1, SeqCst), 0, "one takes over");
                    thread::sleep(Duration::from_millis(50));
                    ours.learned([no_data(), None]);
                }
                Ok(Turn::Theirs(learned)) => assert!(learned.iter().any(Option::is_some)),
                _ => panic!("not taken over"),
            });
        }
    });
    assert_eq!(elsewhere(&pending, &asked("a.test"), LONG), "ours", "and is free afterwards");
}

#[test]
fn the_turn_of_one_that_is_gone_is_left_to_who_waits() {
    let pending = Pending::new(1);
    core::mem::forget(pending.join(&asked("a.test"), LONG));
    assert_eq!(elsewhere(&pending, &asked("a.test"), Duration::from_millis(1)), "late");
    let now = Instant::now();
    let silent_for = |millis: u32| {
        let last = now.millis().wrapping_sub(millis);
        claims(&pending).iter().for_each(|claim| claim.alive.0.store(last, Relaxed));
        pending.join(&asked("a.test"), LONG).unwrap()
    };
    assert!(matches!(silent_for(1200), Turn::Alone));
    // Longer than it takes who waits.
    assert!(matches!(silent_for(3000), Turn::Ours(_)));
}

#[test]
fn what_was_left_is_forgotten() {
    let pending = Pending::new(1);
    core::mem::forget(pending.join(&asked("a.test"), LONG));
    let long_ago = Instant::now().millis().wrapping_sub(60_000);
    claims(&pending).iter().for_each(|claim| claim.alive.0.store(long_ago, Relaxed));
    // Any other name of the same list.
    for i in 0..500 {
        drop(pending.join(&asked(&format!("n{i}.test")), LONG));
    }
    assert!(claims(&pending).is_empty());
}

#[test]
fn signs_of_life_count_for_a_second() {
    let (alive, now) = (Alive::default(), Instant::now());
    let at = |millis| now.after(Duration::from_millis(millis));
    alive.sign(at(5));
    assert!(alive.silence(now).is_zero(), "given after the clock was read");
    assert!(alive.silence(at(1004)) < GONE);
    assert_eq!(alive.silence(at(1005)), GONE);
    assert!(alive.silence(at(30 * 24 * 3600 * 1000)) > GONE, "beyond half of the clock's range");
}
