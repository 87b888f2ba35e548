/*
 * A name server that is no bottleneck. Below test. every name has one A and one AAAA record, TTL 3600,
 * made from a hash of the name; no other name exists. UDP, port 53 of
 *
 *     127.0.0.1    answers at once
 *     127.0.0.2    says nothing until it is told to
 *     127.0.0.3    answers after 20 ms, as a server far away does
 *
 * Port 54 of 127.0.0.1 takes commands: "count" is answered by the queries that each of the three has
 * had since the last such command, "speak" and "hush" make 127.0.0.2 answer or not.
 *
 * Prints "ready". Ends by itself after an hour.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PLAIN, SILENT, FAR, SERVERS, CONTROL = SERVERS };
enum { BATCH = 32, QUERY = 512, ROOM = QUERY + 64, DELAY_MS = 20 };

static unsigned long counts[SERVERS];

static void count(int server, int queries)
{
    __atomic_fetch_add(&counts[server], queries, __ATOMIC_RELAXED);
}

static int bound(const char *address, int port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    int udp = socket(AF_INET, SOCK_DGRAM, 0), most = 4 << 20;
    here.sin_addr.s_addr = inet_addr(address);
    if (udp < 0 || bind(udp, (struct sockaddr *)&here, sizeof here)) {
        perror(address);
        exit(1);
    }
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &most, sizeof most);
    return udp;
}

/* Makes a query of n octets its answer, which has ROOM; returns the answer's length, 0 for none. */
static int answer(unsigned char *m, int n)
{
    int at = 12, label = 0;
    unsigned hash = 1;
    while (at < n && m[at]) {
        label = at;
        for (int i = 0; i <= m[at] && at + i < n; i++)
            hash = hash * 31 + m[at + i];
        at += m[at] + 1;
    }
    at += 5; /* the root label, type and class */
    if (at > n || !label)
        return 0;
    int aaaa = m[at - 3] == 28, exists = at - 5 - label == 5 && !memcmp(m + label, "\4test", 5);
    if (!exists) {
        /* QR, RD, RA, NXDOMAIN. The root's SOA: no names, all times a minute (RFC 2308). */
        static const char soa[] = "\0\0\6\0\1\0\0\0\x3c\0\x16\0\0\0\0\0\1\0\0\0\x3c\0\0\0\x3c\0\0\0\x3c\0\0\0\x3c";
        memcpy(m + 2, "\x81\x83\0\1\0\0\0\1\0\0", 10);
        memcpy(m + at, soa, sizeof soa - 1);
        return at + sizeof soa - 1;
    }
    /* QR, RD, RA; one answer; no additional records. Name, type, class, TTL and length follow. */
    memcpy(m + 2, "\x81\x80\0\1\0\1\0\0\0\0", 10);
    memcpy(m + at, "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4", 12);
    m[at + 3] = m[at - 3];
    at += 12;
    if (aaaa) {
        m[at - 1] = 16;
        memcpy(m + at, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0", 12);
        memcpy(m + at + 12, &hash, 4);
        return at + 16;
    }
    m[at] = 10;
    memcpy(m + at + 1, &hash, 3);
    return at + 4;
}

/* 127.0.0.1: all that has arrived is answered in one go. */
static void *plain(void *arg)
{
    static unsigned char messages[BATCH][ROOM];
    struct sockaddr_in peers[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr batch[BATCH];
    int udp = *(int *)arg;
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){messages[i], QUERY};
            batch[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
                                               .msg_namelen = sizeof peers[i],
                                               .msg_iov = &parts[i],
                                               .msg_iovlen = 1};
        }
        int got = recvmmsg(udp, batch, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < got; i++)
            parts[i].iov_len = answer(messages[i], batch[i].msg_len);
        for (int sent = 0, n; sent < got; sent += n)
            if ((n = sendmmsg(udp, batch + sent, got - sent, 0)) <= 0)
                n = 1; /* its asker is gone: the next one's turn */
        if (got > 0)
            count(PLAIN, got);
    }
    return NULL;
}

/* Answers that wait until they are due, in a ring. */
static struct {
    long due; /* ms */
    struct sockaddr_in peer;
    int length;
    unsigned char message[ROOM];
} waiting[4096];
static unsigned first, next;
enum { PLACES = sizeof waiting / sizeof *waiting };

static long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 127.0.0.2 and 127.0.0.3: an answer at once or later, or none. */
static void receive(int udp, int server, int speaks)
{
    unsigned char message[ROOM];
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int n = recvfrom(udp, message, QUERY, 0, (struct sockaddr *)&peer, &length);
    if (n < 0)
        return;
    count(server, 1);
    n = answer(message, n);
    if (server == SILENT && speaks) {
        sendto(udp, message, n, 0, (struct sockaddr *)&peer, length);
    } else if (server == FAR && next - first < PLACES) {
        waiting[next % PLACES].due = now() + DELAY_MS;
        waiting[next % PLACES].peer = peer;
        waiting[next % PLACES].length = n;
        memcpy(waiting[next++ % PLACES].message, message, n);
    }
}

/* Sends what is due; returns the milliseconds until something is, -1 if nothing waits. */
static int send_due(int udp)
{
    for (; first != next; first++) {
        unsigned i = first % PLACES;
        long left = waiting[i].due - now();
        if (left > 0)
            return left;
        sendto(udp, waiting[i].message, waiting[i].length, 0, (struct sockaddr *)&waiting[i].peer,
               sizeof waiting[i].peer);
    }
    return -1;
}

static void control(int udp, int *speaks)
{
    char text[128] = "";
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int n = recvfrom(udp, text, sizeof text - 1, 0, (struct sockaddr *)&peer, &length);
    if (n == 5 && !memcmp(text, "count", 5)) {
        n = 0;
        for (int i = 0; i < SERVERS; i++)
            n += sprintf(text + n, "%lu ", __atomic_exchange_n(&counts[i], 0, __ATOMIC_RELAXED));
    } else {
        *speaks = n == 5 && !memcmp(text, "speak", 5);
    }
    sendto(udp, text, n, 0, (struct sockaddr *)&peer, length);
}

int main(void)
{
    int udp[] = {bound("127.0.0.1", 53), bound("127.0.0.2", 53), bound("127.0.0.3", 53),
                 bound("127.0.0.1", 54)};
    int speaks = 0;
    pthread_t thread;
    alarm(3600);
    if (pthread_create(&thread, NULL, plain, &udp[PLAIN]))
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd some[] = {{.fd = udp[SILENT], .events = POLLIN},
                                {.fd = udp[FAR], .events = POLLIN},
                                {.fd = udp[CONTROL], .events = POLLIN}};
        poll(some, 3, send_due(udp[FAR]));
        for (int i = 0; i < 2; i++)
            if (some[i].revents)
                receive(udp[SILENT + i], SILENT + i, speaks);
        if (some[2].revents)
            control(udp[CONTROL], &speaks);
    }
}
