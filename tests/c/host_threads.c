/*
 * Threads: small ones, many, cancelled ones, ones that leave, ones that change the environment.
 *
 *     host_threads stack SIZE|cancel [COUNT]|cancel-async|exit|many COUNT|setenv|blocked
 */
#define _GNU_SOURCE
#include "host.h"
#include <signal.h>
#include <sys/time.h>

static int stop, ready;

static int stopped(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void *some(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 50; i++)
        must_all(i);
    return NULL;
}

static void stack(long size)
{
    pthread_join(start((size_t)size, some, 0), NULL);
}

static void note(void *cleaned)
{
    *(int *)cleaned = 1;
}

static void *look_up_until_cancelled(void *cleaned, int type)
{
    pthread_cleanup_push(note, cleaned);
    pthread_setcanceltype(type, NULL);
    __atomic_store_n(&ready, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0;; i = (i + 1) % 60000)
        look_up(i);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *cancelled(void *cleaned)
{
    return look_up_until_cancelled(cleaned, PTHREAD_CANCEL_DEFERRED);
}

static void *cancelled_at_once(void *cleaned)
{
    return look_up_until_cancelled(cleaned, PTHREAD_CANCEL_ASYNCHRONOUS);
}

/* A thread that does nothing but look up names can be cancelled, and its handlers run. */
static void cancel_each(void *(*run)(void *), unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int cleaned = 0;
        void *result;
        __atomic_store_n(&ready, 0, __ATOMIC_RELAXED);
        pthread_t thread = start(0, run, (size_t)&cleaned);
        while (!__atomic_load_n(&ready, __ATOMIC_RELAXED))
            usleep(100);
        usleep(i * 7);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        if (result != PTHREAD_CANCELED || !cleaned)
            fail("not cancelled", (int)i);
        must(i);
    }
}

static void cancel(long count)
{
    cancel_each(cancelled, count ? (unsigned)count : 300);
}

static void cancel_async(long unused)
{
    (void)unused;
    cancel_each(cancelled_at_once, 300);
}

static pthread_key_t key;

/* Thread-specific data is destroyed after the thread's function is left. */
static void last_lookup(void *value)
{
    must_all((unsigned)(size_t)value);
}

static void *leaver(void *index)
{
    unsigned i = (unsigned)(size_t)index;
    int cleaned = 0;
    pthread_cleanup_push(note, &cleaned);
    pthread_setspecific(key, index);
    must_all(i);
    pthread_exit(index);
    pthread_cleanup_pop(0);
}

static void leave(long unused)
{
    (void)unused;
    pthread_key_create(&key, last_lookup);
    for (size_t i = 1; i <= 300; i++) {
        void *result;
        pthread_join(start(0, leaver, i), &result);
        if (result != (void *)i)
            fail("not left", (int)i);
    }
}

static pthread_barrier_t together;

static void *one_of_many(void *number)
{
    unsigned i = (unsigned)(size_t)number;
    pthread_barrier_wait(&together);
    must(i % 16); /* the same for many */
    must_all(1000 + i);
    for (int n = 0; n < 20; n++) {
        int code = look_up_with('s', (i + (unsigned)n) % 8, 0);
        if (code)
            fail(gai_strerror(code), (int)i);
        must(i % 16);
    }
    return NULL;
}

static void many(long count)
{
    pthread_t threads[count];
    pthread_barrier_init(&together, NULL, (unsigned)count);
    for (long i = 0; i < count; i++)
        threads[i] = start(65536, one_of_many, (size_t)i);
    for (long i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void *setter(void *unused)
{
    char value[4000];
    for (unsigned i = 0; !stopped(); i++) {
        memset(value, 'x', sizeof value);
        value[i % sizeof value] = 0;
        setenv("RES_OPTIONS", "ndots:1", 1);
        setenv("A_VARIABLE", value, 1);
        unsetenv("RES_OPTIONS");
    }
    return unused;
}

static void *looker(void *seed)
{
    for (unsigned i = (unsigned)(size_t)seed; !stopped(); i = (i + 7) % 60000)
        must(i);
    return NULL;
}

static void setenvs(long unused)
{
    (void)unused;
    must(1); /* the environment is read here */
    pthread_t thread = start(0, setter, 0), others[20];
    for (size_t i = 0; i < 20; i++)
        others[i] = start(0, looker, i * 100);
    for (unsigned i = 0; i < 10000; i++)
        must(i);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < 20; i++)
        pthread_join(others[i], NULL);
}

static void *deaf(void *unused)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (unsigned i = 0; i < 200; i++)
        must_all(i);
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    if (!sigismember(&now, SIGALRM) || !sigismember(&now, SIGUSR1))
        fail("the mask was changed", 0);
    return unused;
}

/* All signals blocked, and one pending all the time. */
static void blocked(long unused)
{
    (void)unused;
    struct itimerval storm = {{0, 1000}, {0, 1000}};
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    setitimer(ITIMER_REAL, &storm, NULL);
    pthread_join(start(0, deaf, 0), NULL);
}

int main(int argc, char **argv)
{
    const struct mode modes[] = {{"stack", stack}, {"cancel", cancel},
        {"cancel-async", cancel_async}, {"exit", leave}, 
        {"many", many}, {"setenv", setenvs}, {"blocked", blocked}, {0, 0}};
    return run_mode(modes, argc, argv);
}
