/*
 * A trace that can't be written, at the most detailed level. The process goes on, and its signals are as before.
 *
 *     host_trace gone|still|limit
 */
#define _GNU_SOURCE
#include "host.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static sigset_t pending(void)
{
    sigset_t set;
    sigpending(&set);
    return set;
}

static void look_up_some(void)
{
    for (unsigned i = 0; i < 20; i++)
        must(i);
    sigset_t set = pending(), mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (sigismember(&set, SIGPIPE) || sigismember(&set, SIGXFSZ))
        fail("a signal is pending", 0);
    if (sigismember(&mask, SIGPIPE) || sigismember(&mask, SIGXFSZ))
        fail("a signal is blocked", 0);
}

/* What was pending before is the program's. */
static void keep_its_own(void)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    raise(SIGPIPE);
    must(100);
    sigset_t set = pending();
    if (!sigismember(&set, SIGPIPE))
        fail("its own signal is gone", 0);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    int ends[2];
    if (pipe(ends))
        fail("pipe", errno);
    if (!strcmp(mode, "gone")) {
        dup2(ends[1], 2);
        close(ends[1]);
        close(ends[0]);
        look_up_some();
        keep_its_own();
    } else if (!strcmp(mode, "still")) {
        struct timespec start, end;
        dup2(ends[1], 2);
        fcntl(2, F_SETPIPE_SZ, 4096);
        clock_gettime(CLOCK_MONOTONIC, &start);
        for (int i = 0; i < 20; i++)
            look_up_some();
        clock_gettime(CLOCK_MONOTONIC, &end);
        if (end.tv_sec - start.tv_sec > 20) {
            printf("slow\n");
            return 1;
        }
    } else if (!strcmp(mode, "limit")) {
        struct rlimit none = {0, 0};
        if (setrlimit(RLIMIT_FSIZE, &none))
            fail("setrlimit", errno);
        look_up_some();
    } else {
        fail("no mode", argc);
    }
    printf("ok %d\n", lookups);
    return 0;
}
