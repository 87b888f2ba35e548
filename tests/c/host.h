/*
 * What the programs host_*.c have in common: lookups whose answers they can check themselves.
 *
 * nI.test has the address 10.0.X.Y with X.Y = I, and 10.0.X.Y has the name nI.test. sI.test is the
 * same, but its answer takes some milliseconds and is good for no time at all.
 *
 * Each program takes a mode and perhaps a number, prints "ok N" with the number of lookups and exits
 * with 0, or says what is wrong and exits with 1.
 */
#ifndef RUSTDNS_TESTS_HOST_H
#define RUSTDNS_TESTS_HOST_H

/* No program uses all of this. */
#pragma GCC diagnostic ignored "-Wunused-function"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* libtsan looks away while getaddrinfo runs: the same function by its other name. */
#ifdef __SANITIZE_THREAD__
#include "../../include/rustdns.h"
#define getaddrinfo rustdns_getaddrinfo
#define freeaddrinfo rustdns_freeaddrinfo
#endif

static int lookups;

static void fail(const char *what, int detail)
{
    fprintf(stderr, "%s: %s (%d)\n", program_invocation_short_name, what, detail);
    _exit(1);
}

/* Seconds. */
static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void looked_up(void)
{
    __atomic_fetch_add(&lookups, 1, __ATOMIC_RELAXED);
}

/* Looks up n0.test, s1.test, ... with these flags and checks the address. Returns the EAI_ code. */
static int look_up_with(char letter, unsigned index, int flags)
{
    char name[32];
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    snprintf(name, sizeof name, "%c%u.test", letter, index);
    int code = getaddrinfo(name, "80", &hints, &list);
    if (code == 0) {
        struct in_addr got = ((struct sockaddr_in *)list->ai_addr)->sin_addr;
        if (ntohl(got.s_addr) != (10u << 24 | index) || list->ai_next)
            fail("wrong answer", (int)index);
        freeaddrinfo(list);
        looked_up();
    }
    return code;
}

static int look_up(unsigned index)
{
    return look_up_with('n', index, 0);
}

static void must(unsigned index)
{
    int code = look_up(index);
    if (code)
        fail(gai_strerror(code), (int)index);
}

/* The same by getnameinfo. */
static int look_up_address(unsigned index)
{
    char host[NI_MAXHOST], want[32];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(10u << 24 | index)}};
    snprintf(want, sizeof want, "n%u.test", index);
    int code = getnameinfo((struct sockaddr *)&address, sizeof address, host, sizeof host, NULL, 0,
        NI_NAMEREQD);
    if (code == 0) {
        if (strcmp(host, want) != 0)
            fail("wrong name", (int)index);
        looked_up();
    }
    return code;
}

/* The same by gethostbyname_r. Returns what that returns. */
static int look_up_host(unsigned index)
{
    char name[32], room[2048];
    struct hostent host, *found = NULL;
    int why = 0;
    snprintf(name, sizeof name, "n%u.test", index);
    int code = gethostbyname_r(name, &host, room, sizeof room, &found, &why);
    if (code == 0 && found) {
        struct in_addr *got = (struct in_addr *)found->h_addr_list[0];
        if (ntohl(got->s_addr) != (10u << 24 | index) || found->h_addr_list[1])
            fail("wrong host", (int)index);
        looked_up();
    }
    return code ? code : why;
}

/* One lookup of each kind. */
static void must_all(unsigned index)
{
    int code;
    must(index);
    if ((code = look_up_address(index)))
        fail(gai_strerror(code), (int)index);
    if ((code = look_up_host(index)))
        fail(hstrerror(code), (int)index);
}

static pthread_t start(size_t stack, void *(*run)(void *), size_t argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    stack = 0; /* sanitizers need more than any of ours */
#endif
    /* Some machines' libc makes none as small as asked for. */
    size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
    if (stack && stack < least)
        stack = least;
    int code = stack ? pthread_attr_setstacksize(&attributes, stack) : 0;
    if (code)
        fail("stack size", code);
    if ((code = pthread_create(&thread, &attributes, run, (void *)argument)))
        fail("thread", code);
    pthread_attr_destroy(&attributes);
    return thread;
}

struct mode {
    const char *name;
    void (*run)(long number);
};

/* Runs the mode that the arguments name. */
static int run_mode(const struct mode *modes, int argc, char **argv)
{
    for (; modes->name; modes++) {
        if (argc > 1 && !strcmp(argv[1], modes->name)) {
            modes->run(argc > 2 ? atol(argv[2]) : 0);
            printf("ok %d\n", lookups);
            return 0;
        }
    }
    fail("no such mode", argc);
    return 1;
}

#endif
