/*
 * Signals while names are looked up.
 *
 *     host_signals storm|restart|longjmp|longjmp-threads|handler|exit COUNT
 *
 * A handler may neither jump out of malloc, nor end the thread or call malloc while the thread is
 * inside: that is true with any resolver, so this program's malloc says when that is.
 */
#define _GNU_SOURCE
#include "host.h"
#include "in_malloc.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static volatile int handled;

static void tick(int signal)
{
    (void)signal;
    handled++;
}

static void set_storm(long microseconds)
{
    struct itimerval storm = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &storm, NULL);
}

static void set_alarm(long microseconds)
{
    struct itimerval once = {{0, 0}, {0, microseconds}};
    setitimer(ITIMER_REAL, &once, NULL);
}

static void under_storm(int flags, long count)
{
    struct sigaction action = {.sa_handler = tick, .sa_flags = flags};
    sigaction(SIGALRM, &action, NULL);
    set_storm(1000);
    for (unsigned i = 0; i < (unsigned)count; i++) {
        must_all(i);
        int code = look_up_with('s', i % 200, 0);
        if (code)
            fail(gai_strerror(code), (int)i);
    }
    set_storm(0);
    if (handled < count)
        fail("no storm", handled);
}

static void storm(long count)
{
    under_storm(0, count);
}

static void restart(long count)
{
    under_storm(SA_RESTART, count);
}

static sigjmp_buf out;
static volatile sig_atomic_t armed;

static void jump(int signal)
{
    (void)signal;
    if (armed && !in_malloc) {
        armed = 0;
        siglongjmp(out, 1);
    }
}

/* As libcurl without threads limits the time of a lookup: a handler that jumps out of it. */
static void longjmps(long count)
{
    struct sigaction action = {.sa_handler = jump};
    volatile int jumped = 0;
    sigaction(SIGALRM, &action, NULL);
    for (volatile unsigned i = 0; i < (unsigned)count; i++) {
        set_alarm(100 + (i * 37) % 3000);
        if (sigsetjmp(out, 1) == 0) {
            armed = 1;
            look_up(i);
            look_up_with('s', i % 50, 0);
            look_up_address(i);
            look_up_host(i);
            armed = 0;
        } else
            jumped++;
        set_alarm(0);
        armed = 0;
        /* What the jump left open, this program closes, as with libc. */
        for (int fd = 3; fd < 12; fd++)
            close(fd);
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        must_all(i);
        must_all(30000 + i);
        int code = look_up_with('s', i % 50, 0);
        if (code)
            fail(gai_strerror(code), (int)i);
        clock_gettime(CLOCK_MONOTONIC, &after);
        if (after.tv_sec - before.tv_sec > 3)
            fail("a lookup after a jump takes long", (int)i);
    }
    if (jumped < count / 4)
        fail("hardly ever jumped", jumped);
}

static int stop;

/* Asks what the jumping thread asks. */
static void *follower(void *seed)
{
    for (unsigned i = (unsigned)(size_t)seed; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        int code = look_up_with('s', i % 4, 0);
        if (code)
            fail(gai_strerror(code), (int)i);
        clock_gettime(CLOCK_MONOTONIC, &after);
        /* A thread that is silent for a second loses its turn to one that waits. Who waited for it to
         * the end would wait for as long as asking may take: ten seconds. */
        if (after.tv_sec - before.tv_sec > 5)
            fail("another thread waits for the one that has jumped", (int)i);
    }
    return NULL;
}

static void longjmps_beside_threads(long count)
{
    sigset_t alarms;
    pthread_t threads[4];
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarms, NULL);
    for (size_t i = 0; i < 4; i++)
        threads[i] = start(0, follower, i);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    struct sigaction action = {.sa_handler = jump};
    sigaction(SIGALRM, &action, NULL);
    volatile int jumped = 0;
    for (volatile unsigned i = 0; i < (unsigned)count; i++) {
        set_alarm(300 + (i * 37) % 4000);
        if (sigsetjmp(out, 1) == 0) {
            armed = 1;
            for (unsigned n = 0; n < 4; n++)
                look_up_with('s', (i + n) % 4, 0);
            armed = 0;
        } else
            jumped++;
        set_alarm(0);
        armed = 0;
        must(i);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    if (jumped < count / 8)
        fail("hardly ever jumped", jumped);
}

static volatile int answered;

static void handler_looks_up(int signal)
{
    (void)signal;
    int saved = errno;
    if (!in_malloc) {
        handled++;
        unsigned i = (unsigned)handled;
        if (look_up(i % 30) == 0 && look_up_with('s', i % 30, 0) == 0 && look_up_host(i) == 0)
            answered++;
    }
    errno = saved;
}

/* A handler interrupts a lookup and makes lookups of its own, of the same names too. */
static void in_handler(long count)
{
    struct sigaction action = {.sa_handler = handler_looks_up};
    sigaction(SIGALRM, &action, NULL);
    for (unsigned i = 0; i < (unsigned)count; i++) {
        set_alarm(200 + (i * 37) % 5000);
        for (unsigned n = 0; n < 2; n++) {
            must_all((i + n) % 30);
            must_all(1000 + i * 4 + n);
            int code = look_up_with('s', (i + n) % 30, 0);
            if (code)
                fail(gai_strerror(code), (int)i);
        }
        set_alarm(0);
    }
    if (answered < handled || handled < count / 4)
        fail("the handler's lookups failed", handled - answered);
}

static int leaving;

static void get_out(int signal)
{
    (void)signal;
    if (!in_malloc && __atomic_exchange_n(&leaving, 0, __ATOMIC_RELAXED))
        pthread_exit((void *)7);
}

static void *slow_forever(void *unused)
{
    for (unsigned i = 0;; i = (i + 1) % 60000)
        look_up_with('s', i, 0);
    return unused;
}

/* What programs ported from Android do, which has no pthread_cancel. */
static void exit_in_handler(long count)
{
    struct sigaction action = {.sa_handler = get_out};
    sigaction(SIGUSR1, &action, NULL);
    for (unsigned i = 0; i < (unsigned)count; i++) {
        void *result;
        pthread_t thread = start(0, slow_forever, 0);
        usleep(2000 + i * 100);
        __atomic_store_n(&leaving, 1, __ATOMIC_RELAXED);
        do {
            pthread_kill(thread, SIGUSR1);
            usleep(100);
        } while (pthread_tryjoin_np(thread, &result) != 0);
        if (result != (void *)7)
            fail("not left", (int)i);
        must_all(i);
    }
}

int main(int argc, char **argv)
{
    const struct mode modes[] = {{"storm", storm}, {"restart", restart}, {"longjmp", longjmps},
        {"longjmp-threads", longjmps_beside_threads}, {"handler", in_handler},
        {"exit", exit_in_handler}, {0, 0}};
    return run_mode(modes, argc, argv);
}
