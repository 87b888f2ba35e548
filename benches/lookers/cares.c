/* c-ares: a channel for each thread, driven by poll as its manual has it. */
#include "lookup.h"
#include <ares.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

static void check(int code, const char *what)
{
    if (code != ARES_SUCCESS) {
        fprintf(stderr, "%s: %s\n", what, ares_strerror(code));
        exit(1);
    }
}

void *resolver_open(void)
{
    static int initialized;
    ares_channel channel;
    /* The first thread is alone: lookup.c opens one resolver after the other. */
    if (!initialized++)
        check(ares_library_init(ARES_LIB_INIT_ALL), "ares_library_init");
    check(ares_init(&channel), "ares_init");
    return channel;
}

struct answer {
    int done, found;
};

static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
    struct answer *answer = arg;
    (void)timeouts;
    /* With `files` alone in nsswitch.conf, a name that isn't there is ECONNREFUSED: nobody to ask. */
    int missing = status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_ECONNREFUSED;
    answer->done = 1;
    answer->found = missing ? 0 : -1;
    if (status == ARES_SUCCESS) {
        answer->found = 0;
        for (struct ares_addrinfo_node *one = list->nodes; one; one = one->ai_next)
            answer->found++;
    }
    if (list)
        ares_freeaddrinfo(list);
}

int resolver_lookup(void *resolver, const char *name)
{
    ares_channel channel = resolver;
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct answer answer = {0, -1};
    ares_getaddrinfo(channel, name, "80", &hints, answered, &answer);
    while (!answer.done) {
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        int wanted = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM), count = 0;
        struct pollfd polled[ARES_GETSOCK_MAXNUM];
        for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
            short events = (ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0) |
                           (ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0);
            if (events)
                polled[count++] = (struct pollfd){.fd = sockets[i], .events = events};
        }
        struct timeval most = {1, 0}, left, *wait = ares_timeout(channel, &most, &left);
        int ready = poll(polled, count, wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1);
        if (ready <= 0)
            ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        for (int i = 0; ready > 0 && i < count; i++)
            if (polled[i].revents)
                ares_process_fd(channel, polled[i].revents & ~POLLOUT ? polled[i].fd : ARES_SOCKET_BAD,
                                polled[i].revents & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
    }
    return answer.found;
}

void resolver_close(void *resolver)
{
    ares_destroy(resolver);
}
