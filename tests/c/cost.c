/*
 * What lookups cost: one line for each NAME of the command line.
 *
 *   cost NAME...
 *
 *   NAME 0 addresses=4 peak=1234 left=56 cpu=78 wall=90
 *
 * The result of getaddrinfo and the number of its entries; the most octets of heap in use at once
 * beyond those before the call, and those still in use behind freeaddrinfo; microseconds of CPU, and
 * milliseconds by the clock. The heap is counted by allocation functions that stand before libc's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static _Atomic long in_use, peak;

static void *count(void *place)
{
    long now = in_use += (long)malloc_usable_size(place);
    if (now > peak)
        peak = now;
    return place;
}

void *malloc(size_t size)
{
    return count(__libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
    return count(__libc_calloc(number, size));
}

void free(void *place)
{
    in_use -= (long)malloc_usable_size(place);
    __libc_free(place);
}

void *realloc(void *place, size_t size)
{
    long before = (long)malloc_usable_size(place);
    void *moved = __libc_realloc(place, size);
    if (moved != NULL || size == 0)
        in_use -= before;
    return moved == NULL ? NULL : count(moved);
}

void *memalign(size_t alignment, size_t size)
{
    return count(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return count(__libc_memalign(alignment, size));
}

int posix_memalign(void **place, size_t alignment, size_t size)
{
    *place = count(__libc_memalign(alignment, size));
    return *place == NULL ? ENOMEM : 0;
}

static long cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L + usage.ru_utime.tv_usec
        + usage.ru_stime.tv_usec;
}

static long clock_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    /* What a first lookup sets up is not this one's cost. */
    struct addrinfo *list;
    if (getaddrinfo("127.0.0.1", NULL, NULL, &list) == 0)
        freeaddrinfo(list);
    for (int i = 1; i < argc; i++) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
        long before = in_use, used = cpu(), started = clock_milliseconds();
        int addresses = 0;
        peak = in_use;
        list = NULL;
        int code = getaddrinfo(argv[i], NULL, &hints, &list);
        used = cpu() - used;
        long most = peak - before;
        for (struct addrinfo *entry = list; entry != NULL; entry = entry->ai_next)
            addresses++;
        if (code == 0)
            freeaddrinfo(list);
        printf("%s %d addresses=%d peak=%ld left=%ld cpu=%ld wall=%ld\n", argv[i], code, addresses,
            most, in_use - before, used, clock_milliseconds() - started);
        fflush(stdout);
    }
    return 0;
}
