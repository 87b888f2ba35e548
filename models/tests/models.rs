//! What must hold in every order in which a few threads can run, and with whatever weak memory lets them see.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use loom::cell::UnsafeCell;
use loom::thread;
use rustdns_models::abi::{Requests, Watched};
use rustdns_models::base::address::Address;
use rustdns_models::cache::recent::answers::{self, Answers, Known};
use rustdns_models::observe::counters::{Count, Counters};
use rustdns_models::rules::query::{Family, Flags, Hints, SockType};
use rustdns_models::rules::search::Miss;
use rustdns_models::base::name::Name;
use rustdns_models::cache::pending::{self, Pending, Turn, Unkept};
use rustdns_models::sys::set_once::Chosen;
use rustdns_models::sys::futex::{self, Waiting};
use rustdns_models::sys::lock::Mutex;
use rustdns_models::sys::monitor::Monitor;
use rustdns_models::sys::process::set_thread_mark;
use rustdns_models::sys::shared::Shared;
use rustdns_models::sys::tailed::Tailed;
use rustdns_models::sys::time::Instant;
use rustdns_models::sys::fork_local::PerProcess;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// Runs it in every order, with these ways of waiting; `preemptions` bounds where a thread is interrupted
/// that could go on.
fn in_every_order(
    waits: &[Waiting],
    preemptions: Option<usize>,
    test: impl Fn(Waiting) + Send + Sync + Copy + 'static,
) {
    for &waiting in waits {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = preemptions;
        model.check(move || {
            futex::set(waiting);
            set_thread_mark(1);
            test(waiting);
        });
    }
}

/// A thread with a mark of its own.
fn spawn<T: 'static>(mark: usize, run: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(move || {
        set_thread_mark(mark);
        run()
    })
}

/// A number whose every use is looked at: two uses of which one writes must have an order.
#[derive(Debug)]
struct Number(UnsafeCell<u32>);

impl Number {
    fn new(number: u32) -> Number {
        Number(UnsafeCell::new(number))
    }

    fn get(&self) -> u32 {
        // SAFETY: the checker has found that nobody writes meanwhile.
        self.0.with(|number| unsafe { *number })
    }

    fn set(&self, number: u32) {
        // SAFETY: the checker has found that nobody else uses it meanwhile.
        self.0.with_mut(|place| unsafe { *place = number });
    }
}

// SAFETY: the checker ends a test where two threads use it at once.
unsafe impl Sync for Number {}

impl Drop for Number {
    fn drop(&mut self) {
        self.set(0);
    }
}

const YIELDS: &[Waiting] = &[Waiting::Yields];
const EITHER: &[Waiting] = &[Waiting::Yields, Waiting::Blocks];

#[test]
fn the_last_owner_drops_what_all_have_used() {
    in_every_order(YIELDS, None, |_| {
        let first = Tailed::new(Number::new(7), &[b"abc"]).unwrap();
        let threads = [2, 3].map(|mark| {
            let clone = first.clone();
            spawn(mark, move || assert_eq!((clone.get(), clone.tail()), (7, &b"abc"[..])))
        });
        assert_eq!(first.get(), 7);
        drop(first);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// Two threads with all that waiting can be; three, of which one may be woken in vain, with the kernel's.
#[test]
fn a_lock_has_one_holder_and_all_get_it() {
    let by = |threads: u32, waits, preemptions| {
        in_every_order(waits, preemptions, move |_| {
            let lock = Arc::new(Mutex::new(Number::new(0)));
            let add = |lock: &Mutex<Number>| {
                let held = lock.lock().unwrap();
                held.set(held.get() + 1);
            };
            let others: Vec<_> = (2..=threads)
                .map(|mark| {
                    let lock = lock.clone();
                    spawn(mark as usize, move || add(&lock))
                })
                .collect();
            add(&lock);
            others.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(lock.lock().unwrap().get(), threads);
        });
    };
    by(2, EITHER, None);
    by(3, &[Waiting::Blocks], Some(2));
}

/// The same of the one that is waited for without end; and of news, which nobody waits for in vain.
#[test]
fn a_monitor_has_one_holder_and_its_news_are_heard() {
    let by = |threads: u32, waits, preemptions| {
        in_every_order(waits, preemptions, move |_| {
            let monitor = Arc::new(Monitor::new(Number::new(0)));
            let add = |monitor: &Monitor<Number>| {
                let held = monitor.lock();
                held.set(held.get() + 1);
            };
            let others: Vec<_> = (2..=threads)
                .map(|mark| {
                    let monitor = monitor.clone();
                    spawn(mark as usize, move || add(&monitor))
                })
                .collect();
            add(&monitor);
            others.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(monitor.lock().get(), threads);
        });
    };
    by(2, EITHER, None);
    by(3, &[Waiting::Blocks], Some(2));
    in_every_order(&[Waiting::Blocks], None, |_| {
        let monitor = Arc::new(Monitor::new(Number::new(0)));
        let other = monitor.clone();
        let thread = spawn(2, move || {
            let mut held = other.lock();
            while held.get() == 0 {
                held.wait(Instant::now().after(Duration::from_secs(1)));
            }
        });
        monitor.lock().set(1);
        monitor.tell();
        thread.join().unwrap();
    });
}

/// Who has lost patience takes nothing from who holds it, or comes later.
#[test]
fn a_lock_that_was_given_up_has_one_holder_still() {
    in_every_order(&[Waiting::TimesOut], Some(3), |_| {
        let lock = Arc::new(Mutex::new(Number::new(0)));
        let threads = [2, 3].map(|mark| {
            let lock = lock.clone();
            spawn(mark, move || lock.lock().map(|held| held.set(held.get() + 1)).is_some())
        });
        let got = threads.map(|thread| u32::from(thread.join().unwrap()));
        assert_eq!(lock.lock().unwrap().get(), got.iter().sum::<u32>());
        assert!(got.contains(&1));
    });
}

#[test]
fn a_process_has_one_value_and_it_is_whole() {
    in_every_order(YIELDS, None, |_| {
        let place: &'static PerProcess<Number> = Box::leak(Box::new(PerProcess::new()));
        let get = move |mark| place.get(|| Ok(Number::new(mark))).unwrap();
        let threads = [2, 3].map(|mark| {
            spawn(mark as usize, move || {
                let value = get(mark);
                (std::ptr::from_ref(value) as usize, value.get())
            })
        });
        let [one, other] = threads.map(|thread| thread.join().unwrap());
        assert_eq!(one, other);
        assert_eq!(get(4).get(), one.1);
    });
}

#[test]
fn what_is_chosen_is_whole() {
    in_every_order(YIELDS, None, |_| {
        let chosen: &'static Chosen<Number> = Box::leak(Box::new(Chosen::nothing()));
        let threads = [2, 3].map(|mark| {
            spawn(mark as usize, move || {
                let first = chosen.set_first(Number::new(mark)).unwrap().get();
                assert_eq!(chosen.get().unwrap().get(), first);
                first
            })
        });
        assert!(chosen.get().is_none_or(|number| number.get() > 1));
        let [one, other] = threads.map(|thread| thread.join().unwrap());
        assert_eq!(one, other);
        let thread = spawn(2, move || chosen.set(Number::new(9)).unwrap());
        assert!([one, 9].contains(&chosen.get().unwrap().get()));
        thread.join().unwrap();
        assert_eq!(chosen.get().unwrap().get(), 9);
    });
}

fn asked() -> pending::Asked {
    pending::Asked { name: Name([1]), qtypes: [1, 28], generation: 1 }
}

/// One asks, and who waits for it sees all that it has written.
#[test]
fn a_question_is_asked_once_at_a_time_and_its_answer_seen() {
    in_every_order(EITHER, Some(2), |_| {
        let pending = Arc::new((Pending::new(1), Number::new(0)));
        let look_up = |pending: &(Pending, Number)| {
            let (pending, cache) = pending;
            match pending.join(&asked(), Duration::from_secs(9)).unwrap() {
                Turn::Ours(mut ours) => {
                    cache.set(cache.get() + 1);
                    ours.learned([Some(Unkept::Missed(Miss::NoData)), None]);
                    true
                }
                Turn::Theirs(learned) => {
                    assert!(matches!(learned, [Some(Unkept::Missed(Miss::NoData)), None]));
                    assert_eq!(cache.get(), 1);
                    false
                }
                Turn::Late | Turn::Alone => panic!("not waited for"),
            }
        };
        let other = pending.clone();
        let thread = spawn(2, move || look_up(&other));
        let asked = u32::from(look_up(&pending)) + u32::from(thread.join().unwrap());
        assert_eq!(pending.1.get(), asked);
    });
}

/// One of two questions is answered first: who waits for that one alone goes on.
#[test]
fn the_first_answer_is_seen_before_the_second() {
    in_every_order(EITHER, Some(2), |_| {
        let pending = Arc::new((Pending::new(1), Number::new(0)));
        let Turn::Ours(ours) = pending.0.join(&asked(), Duration::from_secs(9)).unwrap() else {
            panic!("free")
        };
        let other = pending.clone();
        let thread = spawn(2, move || {
            let first = pending::Asked { qtypes: [1, 0], ..asked() };
            let turn = other.0.join(&first, Duration::from_secs(9)).unwrap();
            let seen = other.1.get();
            drop(turn);
            seen
        });
        pending.1.set(7);
        ours.answered(1);
        assert_eq!(thread.join().unwrap(), 7);
        drop(ours);
    });
}

/// What was read before all was forgotten is not given afterwards.
#[test]
fn no_answer_outlives_its_source() {
    in_every_order(YIELDS, Some(3), |_| {
        let hints = Hints {
            family: Family::Any,
            socktype: SockType::Any,
            protocol: 0,
            flags: Flags::default(),
        };
        let shared = Arc::new((Answers::new(true), loom::sync::atomic::AtomicU32::new(1)));
        let later = Instant::now().after(Duration::from_secs(1));
        let find = move |shared: &(Answers, loom::sync::atomic::AtomicU32)| {
            let asked = answers::Asked::new(b"a.test", &hints).unwrap();
            let (answers, source) = shared;
            if let Some((found, _)) = answers.get(&asked, Instant::now()) {
                return found[0].scope;
            }
            let epoch = answers.epoch();
            // A file, or the memory of another thread: nothing orders it but the epoch.
            let scope = source.load(loom::sync::atomic::Ordering::Relaxed);
            let address = Address { scope, ..Address::new([192, 0, 2, 1].into()) };
            let known = Known { addresses: &[address], questions: 0, epoch, until: later };
            answers.put(&asked, &known);
            scope
        };
        let other = shared.clone();
        // The same mark: the same stripe.
        let thread = spawn(1, move || find(&other));
        shared.1.store(2, loom::sync::atomic::Ordering::Relaxed);
        shared.0.flush();
        thread.join().unwrap();
        assert_eq!(find(&shared), 2);
    });
}

#[test]
fn nothing_that_is_counted_is_lost() {
    in_every_order(YIELDS, None, |_| {
        let counters = Arc::new(Counters::new().unwrap());
        let other = counters.clone();
        let thread = spawn(1, move || other.one(Count::Udp));
        counters.one(Count::Udp);
        assert!((1..=2).contains(&counters.totals().of(Count::Udp)));
        thread.join().unwrap();
        assert_eq!(counters.totals().of(Count::Udp), 2);
    });
}

/// The notification that all are done sees what each request has written.
#[test]
fn the_last_request_tells_of_all() {
    in_every_order(EITHER, Some(3), |_| {
        let results = Shared::new([Number::new(0), Number::new(0)]).unwrap();
        let told = Arc::new(AtomicUsize::new(0));
        let (seen, count) = (results.clone(), told.clone());
        let requests = Requests::new(2, move || {
            assert_eq!([seen[0].get(), seen[1].get()], [1, 2]);
            count.fetch_add(1, SeqCst);
        });
        let threads = [1, 2].map(|number| {
            let (results, requests) = (results.clone(), requests.clone());
            spawn(number as usize + 1, move || {
                results[number as usize - 1].set(number);
                requests.one_less();
            })
        });
        requests.wait();
        assert_eq!([results[0].get(), results[1].get()], [1, 2]);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(told.load(SeqCst), 1);
    });
}

#[test]
fn who_watches_a_request_sees_its_result() {
    in_every_order(EITHER, None, |_| {
        let (result, watched) = (Shared::new(Number::new(0)).unwrap(), Watched::new());
        let (theirs, request) = (result.clone(), watched.clone());
        let thread = spawn(2, move || {
            theirs.set(5);
            request.fire();
        });
        assert!(watched.wait());
        assert_eq!(result.get(), 5);
        thread.join().unwrap();
    });
}
