/* The API of rustdns.h, and nothing else, put to use; exits with 1 at the first thing that is wrong.
 *
 *   api              the server at 127.0.0.1 knows host.test (192.0.2.1, 2001:db8::1) and who that is
 *   api silent       there is one that never answers
 */
#define _DEFAULT_SOURCE
#include "rustdns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static struct rustdns_statistics now(void)
{
    struct rustdns_statistics stats;
    memset(&stats, 0xa5, sizeof stats);
    stats.size = sizeof stats;
    CHECK(rustdns_stats(&stats) == 0);
    CHECK(stats.size == sizeof stats);
    /* For whoever reads of a failure. */
    fprintf(stderr, "hits %zu misses %zu evictions %zu entries %zu queries %zu answers %zu timeouts %zu\n",
            stats.cache_hits, stats.cache_misses, stats.cache_evictions, stats.cache_entries,
            stats.queries, stats.answers, stats.timeouts);
    return stats;
}

/* All lookups, whatever time they took. */
static size_t of_any_length(const struct rustdns_statistics *stats)
{
    size_t i, sum = 0;
    for (i = 0; i < RUSTDNS_LATENCIES; i++)
        sum += stats->latency[i];
    return sum;
}

static int look_up(const char *name, struct addrinfo **list)
{
    struct addrinfo hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    *list = NULL;
    return rustdns_getaddrinfo(name, "80", &hints, list);
}

static void sizes_of_stats(void)
{
    union {
        struct rustdns_statistics known;
        unsigned char octets[sizeof(struct rustdns_statistics) + 64];
    } stats;
    size_t i;

    /* A caller older than the library: nothing beyond its structure is written. */
    memset(&stats, 0xa5, sizeof stats);
    stats.known.size = offsetof(struct rustdns_statistics, cache_misses);
    CHECK(rustdns_stats(&stats.known) == 0);
    CHECK(stats.known.size == offsetof(struct rustdns_statistics, cache_misses));
    for (i = offsetof(struct rustdns_statistics, cache_misses); i < sizeof stats; i++)
        CHECK(stats.octets[i] == 0xa5);

    /* A newer one: what the library does not know is zero, and the size says so. */
    memset(&stats, 0xa5, sizeof stats);
    stats.known.size = sizeof stats - 8;
    CHECK(rustdns_stats(&stats.known) == 0);
    CHECK(stats.known.size == sizeof(struct rustdns_statistics));
    for (i = sizeof(struct rustdns_statistics); i < sizeof stats - 8; i++)
        CHECK(stats.octets[i] == 0);
    for (i = sizeof stats - 8; i < sizeof stats; i++)
        CHECK(stats.octets[i] == 0xa5);

    /* No room for the size itself. */
    stats.known.size = sizeof(size_t) - 1;
    CHECK(rustdns_stats(&stats.known) == EAI_OVERFLOW);
    CHECK(stats.known.size == sizeof(size_t) - 1);
}

struct heard {
    int decisions, packets, broken;
};

static void hear(void *ctx, int level, const char *line)
{
    struct heard *heard = ctx;
    heard->decisions += level == 1;
    heard->packets += level == 2;
    heard->broken += (level != 1 && level != 2) || *line == '\0' || strchr(line, '\n') != NULL;
    errno = ERANGE; /* must not reach the caller of the lookup */
}

static void silent_server(void)
{
    struct addrinfo *list;
    CHECK(look_up("host.test", &list) == EAI_AGAIN);
    CHECK(now().timeouts == 2); /* A and AAAA */
    CHECK(now().answers == 0);
    CHECK(now().queries >= 2);
    CHECK(now().cache_entries == 0);
}

int main(int argc, char **argv)
{
    struct addrinfo *list, *node;
    struct rustdns_statistics before, after;
    struct heard heard = {0, 0, 0};
    int v4 = 0, v6 = 0;

    CHECK(strcmp(rustdns_version(), RUSTDNS_VERSION) == 0);
    CHECK(strcmp(rustdns_gai_strerror(EAI_NONAME), gai_strerror(EAI_NONAME)) == 0);
    sizes_of_stats();
    if (argc > 1 && strcmp(argv[1], "silent") == 0) {
        silent_server();
        return 0;
    }

    before = now();
    CHECK(before.cache_hits == 0 && before.cache_misses == 0 && before.cache_entries == 0);
    CHECK(before.queries == 0 && before.answers == 0 && before.timeouts == 0);
    CHECK(look_up("host.test", &list) == 0);
    for (node = list; node != NULL; node = node->ai_next) {
        char host[NI_MAXHOST], service[NI_MAXSERV];
        CHECK(node->ai_socktype == SOCK_STREAM);
        CHECK(rustdns_getnameinfo(node->ai_addr, node->ai_addrlen, host, sizeof host, service,
                                  sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) == 0);
        CHECK(strcmp(service, "80") == 0);
        v4 += strcmp(host, "192.0.2.1") == 0;
        v6 += strcmp(host, "2001:db8::1") == 0;
        CHECK(rustdns_getnameinfo(node->ai_addr, node->ai_addrlen, host, sizeof host, NULL, 0,
                                  NI_NAMEREQD) == 0);
        CHECK(strcmp(host, "host.test") == 0);
        CHECK(rustdns_getnameinfo(node->ai_addr, node->ai_addrlen, host, 4, NULL, 0,
                                  NI_NUMERICHOST) == EAI_OVERFLOW);
    }
    CHECK(v4 == 1 && v6 == 1);
    rustdns_freeaddrinfo(list);
    rustdns_freeaddrinfo(NULL);

    /* Two questions by name and two by address, each asked once and kept. */
    after = now();
    CHECK(after.cache_misses == 4 && after.cache_hits == 0 && after.cache_entries == 4);
    CHECK(after.queries == 4 && after.answers == 4 && after.timeouts == 0);
    CHECK(after.cache_evictions == 0);
    /* One by name and two by address; addresses in digits are nobody's question. */
    CHECK(after.lookups == 3 && after.failures == 0 && after.negative == 0);
    CHECK(after.queries_udp == 4 && after.queries_tcp == 0 && after.servers_dead == 0);
    CHECK(after.cache_octets > 0 && after.stale == 0 && after.coalesced == 0);
    CHECK(of_any_length(&after) == 3);
    CHECK(look_up("host.test", &list) == 0);
    rustdns_freeaddrinfo(list);
    after = now();
    CHECK(after.cache_hits == 2 && after.queries == 4);
    CHECK(after.lookups == 4 && of_any_length(&after) == 4);

    /* Flushed, it asks again; and so after a reload. */
    rustdns_cache_flush();
    CHECK(now().cache_entries == 0 && now().cache_octets == 0);
    CHECK(look_up("host.test", &list) == 0);
    rustdns_freeaddrinfo(list);
    CHECK(now().queries == 6 && now().cache_entries == 2);
    CHECK(rustdns_reload() == 0);
    CHECK(now().cache_entries == 0);

    /* The log: told while it is set. errno is the caller's. */
    CHECK(rustdns_set_log(hear, &heard) == 0);
    errno = 4711;
    CHECK(look_up("host.test", &list) == 0);
    CHECK(errno == 4711);
    rustdns_freeaddrinfo(list);
    CHECK(heard.decisions > 0 && heard.packets >= 4 && heard.broken == 0);
    CHECK(rustdns_set_log(NULL, NULL) == 0);
    memset(&heard, 0, sizeof heard);
    rustdns_cache_flush();
    CHECK(look_up("host.test", &list) == 0);
    rustdns_freeaddrinfo(list);
    CHECK(heard.decisions == 0 && heard.packets == 0);

    before = now();
    CHECK(look_up("nobody.test", &list) == EAI_NONAME);
    CHECK(list == NULL);
    after = now();
    CHECK(after.failures - before.failures == 1 && after.negative - before.negative == 2);
    puts("api: ok");
    return 0;
}
