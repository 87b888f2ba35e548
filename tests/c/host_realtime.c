/*
 * A real-time thread and an ordinary one on one processor, both in gethostbyname.
 *
 *     host_realtime COUNT
 *
 * Says "not permitted" and exits with 77 where there can be no real-time thread.
 */
#define _GNU_SOURCE
#include "host.h"
#include <sched.h>
#include <time.h>

static int stop;
static long count;

static void *ordinary(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        gethostbyname("big.test");
    return unused;
}

static void *urgent(void *unused)
{
    for (long i = 0; i < count; i++) {
        struct timespec pause = {0, 20000 + rand() % 60000};
        nanosleep(&pause, NULL);
        errno = 0;
        if (!gethostbyname("big.test"))
            fail(strerror(errno), h_errno);
        looked_up();
    }
    return unused;
}

int main(int argc, char **argv)
{
    count = argc > 1 ? atol(argv[1]) : 0;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    if (sched_setaffinity(0, sizeof one, &one))
        fail("sched_setaffinity", errno);
    pthread_t low = start(0, ordinary, 0), high;
    pthread_attr_t attributes;
    struct sched_param priority = {.sched_priority = 5};
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    pthread_attr_setschedparam(&attributes, &priority);
    if (pthread_create(&high, &attributes, urgent, NULL)) {
        puts("not permitted");
        return 77;
    }
    pthread_join(high, NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(low, NULL);
    printf("ok %d\n", lookups);
    return 0;
}
