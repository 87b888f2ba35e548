/*
 * Times one lookup after the other; what looks up is linked in (lookup.h).
 *
 *     lookup [OPTION]... COUNT NAME
 *
 * COUNT lookups in each thread. A NAME with %d in it is a different name for each of them.
 *
 *     -t THREADS    that many threads, 1 without
 *     -s START      the first number that stands for %d, 0 without
 *     -k KEPT       %d is only ever one of KEPT numbers; all are looked up once before time counts
 *     -b            the threads wait for each other before each lookup, and all ask for one name
 *     -e EXPECTED   how many addresses each name has: 2 without; 0: it does not exist
 *     -p PAUSE      milliseconds between one lookup and the next
 *     -i            prints each lookup's time too, as "each NS", in order
 *     -m EVERY      prints the memory after so many lookups too, as "memory LOOKUPS RESIDENT"
 *
 * Prints lines of a key and its value: times in ns (first, median, p99 of a lookup; wall and cpu
 * of all), memory in KiB before the first lookup and after the last, and allocations where
 * allocations.c is preloaded. A lookup with another result than expected is an error.
 */
#define _GNU_SOURCE
#include "lookup.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* tests/c/allocations.c: calls of malloc and its like so far, and the octets they asked for. */
extern unsigned long allocations(unsigned long *octets) __attribute__((weak));

static struct {
    int threads, in_step, expected, pause, each;
    long count, start, kept, every;
    const char *name;
} plan = {.threads = 1, .expected = 2};

static long *took; /* ns, COUNT for each thread */
static pthread_barrier_t ready, step;

static long now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static long cpu_time(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000L +
           (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000L;
}

/* A line of /proc/self/status, in KiB. */
static long memory(const char *key)
{
    char line[128];
    long value = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && value < 0 && fgets(line, sizeof line, status))
        if (!strncmp(line, key, strlen(key)))
            value = atol(line + strlen(key));
    if (status)
        fclose(status);
    return value;
}

static void print_memory(const char *when)
{
    /* All that is printed goes through a buffer that is there from the start. */
    printf("resident_%s %ld\nanonymous_%s %ld\nvirtual_%s %ld\n", when, memory("VmRSS:"), when,
           memory("RssAnon:"), when, memory("VmSize:"));
}

static void look_up(void *resolver, long number, long *ns)
{
    char name[256];
    const char *mark = strstr(plan.name, "%d");
    if (mark)
        snprintf(name, sizeof name, "%.*s%ld%s", (int)(mark - plan.name), plan.name, number, mark + 2);
    else
        snprintf(name, sizeof name, "%s", plan.name);
    long start = now(CLOCK_MONOTONIC);
    int found = resolver_lookup(resolver, name);
    if (ns)
        *ns = now(CLOCK_MONOTONIC) - start;
    if (found != plan.expected) {
        fprintf(stderr, "%s: %d addresses, not %d\n", name, found, plan.expected);
        exit(1);
    }
}

struct thread {
    pthread_t id;
    long index;
    void *resolver;
};

static void *run(void *arg)
{
    struct thread *me = arg;
    /* A prime: one after the other, yet all over the place. */
    const long stride = 7919;
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&ready); /* between the two, main notes where time begins */
    for (long i = 0; i < plan.count; i++) {
        long number = plan.in_step ? i : me->index * plan.count + i;
        if (plan.kept)
            number = number * stride % plan.kept;
        if (plan.in_step)
            pthread_barrier_wait(&step);
        look_up(me->resolver, plan.start + number, &took[me->index * plan.count + i]);
        if (plan.every && (i + 1) % plan.every == 0)
            printf("memory %ld %ld\n", i + 1, memory("VmRSS:"));
        if (plan.pause)
            usleep(plan.pause * 1000);
    }
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static void read_arguments(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "t:s:k:be:p:im:")) != -1) {
        long value = optarg ? atol(optarg) : 1;
        switch (option) {
        case 't': plan.threads = value; break;
        case 's': plan.start = value; break;
        case 'k': plan.kept = value; break;
        case 'b': plan.in_step = value; break;
        case 'e': plan.expected = value; break;
        case 'p': plan.pause = value; break;
        case 'i': plan.each = value; break;
        case 'm': plan.every = value; break;
        default: exit(2);
        }
    }
    plan.count = argc == optind + 2 ? atol(argv[optind]) : 0;
    plan.name = argv[optind + 1];
    if (plan.count <= 0 || plan.threads <= 0) {
        fprintf(stderr, "usage: lookup [OPTION]... COUNT NAME\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static char output[1 << 16];
    read_arguments(argc, argv);
    setvbuf(stdout, output, _IOFBF, sizeof output);
    size_t all = plan.threads * plan.count;
    struct thread *threads = calloc(plan.threads, sizeof *threads);
    took = malloc(all * sizeof *took);
    if (!took || !threads)
        return 1;
    memset(took, 1, all * sizeof *took); /* in memory before memory is counted */
    pthread_barrier_init(&ready, NULL, plan.threads + (plan.threads > 1));
    pthread_barrier_init(&step, NULL, plan.threads);
    for (long i = 0; i < plan.threads; i++)
        threads[i] = (struct thread){.index = i, .resolver = resolver_open()};
    print_memory("before");
    for (long i = 0; i < plan.kept; i++)
        look_up(threads[0].resolver, plan.start + i, NULL);

    unsigned long octets_before = 0, octets = 0, calls = 0;
    long wall = 0, cpu = 0;
    if (plan.threads == 1) {
        /* On the main thread, as most programs are. run() passes the barrier alone. */
        if (allocations)
            calls = allocations(&octets_before);
        cpu = cpu_time();
        wall = now(CLOCK_MONOTONIC);
        run(threads);
    } else {
        for (long i = 0; i < plan.threads; i++)
            if (pthread_create(&threads[i].id, NULL, run, &threads[i]))
                return 1;
        pthread_barrier_wait(&ready);
        cpu = cpu_time();
        wall = now(CLOCK_MONOTONIC);
        pthread_barrier_wait(&ready);
        for (long i = 0; i < plan.threads; i++)
            pthread_join(threads[i].id, NULL);
    }
    wall = now(CLOCK_MONOTONIC) - wall;
    cpu = cpu_time() - cpu;
    if (allocations)
        calls = allocations(&octets) - calls;
    print_memory("after");
    if (allocations)
        printf("allocations %lu\noctets %lu\n", calls, octets - octets_before);
    for (size_t i = 0; plan.each && i < all; i++)
        printf("each %ld\n", took[i]);
    printf("first %ld\n", took[0]);
    qsort(took, all, sizeof *took, ascending);
    printf("median %ld\np99 %ld\nwall %ld\ncpu %ld\nlookups %zu\n", took[all / 2],
           took[(size_t)(all * 0.99)], wall, cpu, all);
    for (long i = 0; i < plan.threads; i++)
        resolver_close(threads[i].resolver);
    return 0;
}
