/*
 * Memory that runs out at the n-th allocation, for every n: in the first lookup of a process and in
 * later ones. The right code comes back, an answer is right if there is one, nothing is left, and
 * the next lookup is as if nothing had been.
 *
 *     host_memory first|later|international
 *
 * Needs the names of tests/hosts/memory.rs. Prints a line for each kind of lookup: how often memory
 * was refused, how many of the calls failed.
 */
#define _GNU_SOURCE
#include "host.h"
#include <arpa/nameser.h>
#include <locale.h>
#include <resolv.h>
#include <sys/wait.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static long fail_at = -1; /* which allocation fails; -1: none */
static int fails_on;      /* and all that follow */
static long seen, refused, living;

static int is_refused(void)
{
    long number = __atomic_fetch_add(&seen, 1, __ATOMIC_RELAXED), at = fail_at;
    if (at >= 0 && (number == at || (fails_on && number > at))) {
        __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
        errno = ENOMEM;
        return 1;
    }
    return 0;
}

static void *counted(void *block)
{
    if (block)
        __atomic_fetch_add(&living, 1, __ATOMIC_RELAXED);
    return block;
}

void *malloc(size_t size) { return is_refused() ? NULL : counted(__libc_malloc(size)); }
void *calloc(size_t n, size_t size) { return is_refused() ? NULL : counted(__libc_calloc(n, size)); }

void *realloc(void *old, size_t size)
{
    if (!old)
        return malloc(size);
    return is_refused() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t align, size_t size)
{
    return is_refused() ? NULL : counted(__libc_memalign(align, size));
}

void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }

int posix_memalign(void **place, size_t align, size_t size)
{
    void *block = memalign(align, size);
    if (!block)
        return ENOMEM;
    *place = block;
    return 0;
}

void free(void *block)
{
    if (block)
        __atomic_fetch_sub(&living, 1, __ATOMIC_RELAXED);
    __libc_free(block);
}

/* 0: answered. 1: refused for want of memory. Anything else is wrong. */
enum outcome { ANSWERED, NO_MEMORY };

static int is_memory(int code)
{
    return code == EAI_MEMORY || (code == EAI_SYSTEM && errno == ENOMEM);
}

static enum outcome get(const char *node, const char *service, int flags, int want)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
    int code = getaddrinfo(node, service, &hints, &list), count = 0;
    if (code) {
        if (!is_memory(code))
            fail(gai_strerror(code), (int)fail_at);
        return NO_MEMORY;
    }
    for (struct addrinfo *one = list; one; one = one->ai_next) {
        unsigned char *octets = (unsigned char *)one->ai_addr;
        if (one->ai_family == AF_INET ? octets[4] != 10 : octets[8] != 0xfd)
            fail(node, (int)fail_at);
        count++;
    }
    if (count != want || ((flags & AI_CANONNAME) && !list->ai_canonname))
        fail(node, count);
    freeaddrinfo(list);
    return ANSWERED;
}

static enum outcome plain(void) { return get("one.test", "80", 0, 2); }
static enum outcome canonical(void) { return get("alias.test", "http", AI_CANONNAME, 2); }
static enum outcome many(void) { return get("many.test", "80", AI_ADDRCONFIG, 80); }
static enum outcome from_file(void) { return get("listed.test", "80", 0, 1); }
static enum outcome searched(void) { return get("short", "80", AI_CANONNAME, 2); }
static enum outcome international(void)
{
    return get("b\xc3\xbc" "cher.test", "80", AI_IDN | AI_CANONNAME | AI_CANONIDN, 2);
}

static enum outcome named(void)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(10u << 24 | 1)},
        .sin_port = htons(80)};
    int code = getnameinfo((struct sockaddr *)&address, sizeof address, host, sizeof host, port,
        sizeof port, NI_NAMEREQD);
    if (code) {
        if (!is_memory(code))
            fail(gai_strerror(code), (int)fail_at);
        return NO_MEMORY;
    }
    if (strcmp(host, "one.test") || strcmp(port, "http"))
        fail(host, (int)fail_at);
    return ANSWERED;
}

static enum outcome judge(struct hostent *found, int code, int why)
{
    if (!found) {
        if (why != NETDB_INTERNAL || (code != ENOMEM && errno != ENOMEM))
            fail("not for want of memory", why * 1000 + code);
        return NO_MEMORY;
    }
    unsigned char *octets = (unsigned char *)found->h_addr_list[0];
    if (found->h_addrtype == AF_INET ? octets[0] != 10 : octets[0] != 0xfd)
        fail("wrong host", (int)fail_at);
    return ANSWERED;
}

static enum outcome host(void)
{
    char room[16384];
    struct hostent host, *found = NULL;
    int why = 0, code = gethostbyname_r("many.test", &host, room, sizeof room, &found, &why);
    return judge(found, code, why);
}

static enum outcome host6(void)
{
    char room[16384];
    struct hostent host, *found = NULL;
    int why = 0;
    int code = gethostbyname2_r("alias.test", AF_INET6, &host, room, sizeof room, &found, &why);
    return judge(found, code, why);
}

static enum outcome host_of_address(void)
{
    char room[16384];
    struct in_addr address = {htonl(10u << 24 | 1)};
    struct hostent host, *found = NULL;
    int why = 0, code = gethostbyaddr_r(&address, sizeof address, AF_INET, &host, room, sizeof room,
                     &found, &why);
    if (found && strcmp(found->h_name, "one.test"))
        fail(found->h_name, (int)fail_at);
    return judge(found, code, why);
}

static enum outcome host_in_file(void)
{
    char room[16384];
    struct hostent host, *found = NULL;
    int why = 0, code = gethostbyname_r("listed.test", &host, room, sizeof room, &found, &why);
    return judge(found, code, why);
}

/* Its memory stays the library's. */
static enum outcome own_host(void)
{
    struct hostent *found = gethostbyname("one.test");
    return judge(found, 0, h_errno);
}

static enum outcome query(void)
{
    unsigned char answer[65536];
    int len = res_query("many.test", C_IN, T_A, answer, sizeof answer);
    if (len < 0) {
        if (h_errno != NETDB_INTERNAL && h_errno != TRY_AGAIN && h_errno != NO_RECOVERY)
            fail(hstrerror(h_errno), (int)fail_at);
        return NO_MEMORY;
    }
    if (len < 12 + 40 * 16 || answer[7] != 40)
        fail("wrong message", len);
    return ANSWERED;
}

static enum outcome search(void)
{
    unsigned char answer[65536];
    int len = res_search("short", C_IN, T_A, answer, sizeof answer);
    if (len < 0) {
        if (h_errno != NETDB_INTERNAL && h_errno != TRY_AGAIN && h_errno != NO_RECOVERY)
            fail(hstrerror(h_errno), (int)fail_at);
        return NO_MEMORY;
    }
    return ANSWERED;
}

static enum outcome asynchronous(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct gaicb block = {.ar_name = "one.test", .ar_service = "80", .ar_request = &hints};
    struct gaicb *list[] = {&block};
    int code = getaddrinfo_a(GAI_WAIT, list, 1, NULL);
    if (code == 0)
        code = gai_error(&block);
    if (code) {
        /* A thread that can't be had for want of memory is EAI_AGAIN, as pthread_create says. */
        if (!is_memory(code) && code != EAI_AGAIN && !(code == EAI_SYSTEM && errno == EAGAIN))
            fail(gai_strerror(code), (int)fail_at);
        return NO_MEMORY;
    }
    freeaddrinfo(block.ar_result);
    return ANSWERED;
}

static const struct kind {
    const char *name;
    enum outcome (*look_up)(void);
    int keeps; /* what it allocates may outlive the call */
} in_other_scripts[] = {{"AI_IDN", international, 0}, {0, 0, 0}}, kinds[] = {{"getaddrinfo", plain, 0}, {"canonical", canonical, 0}, {"many", many, 0},
    {"file", from_file, 0}, {"search", searched, 0},
    {"getnameinfo", named, 0}, {"gethostbyname_r", host, 0}, {"gethostbyname2_r", host6, 0},
    {"gethostbyaddr_r", host_of_address, 0}, {"gethostbyname_r file", host_in_file, 0},
    {"gethostbyname", own_host, 1}, {"res_query", query, 0}, {"res_search", search, 0},
    {"getaddrinfo_a", asynchronous, 1}, {0, 0, 0}};

/* A lookup whose n-th allocation fails. Returns 0 where there was no n-th. */
static int fails_nth(const struct kind *kind, long n, int on, long *failed)
{
    seen = refused = 0;
    fails_on = on;
    fail_at = n;
    enum outcome outcome = kind->look_up();
    fail_at = -1;
    if (outcome == NO_MEMORY) {
        if (!refused)
            fail("memory was there", (int)n);
        ++*failed;
    }
    if (refused)
        looked_up();
    return refused > 0;
}

enum { BOUND = 5000 };

static void refuse_later(const struct kind *kind)
{
    for (; kind->name; kind++) {
        long failed = 0, n = 0;
        for (int warm = 0; warm < 3; warm++)
            if (kind->look_up() != ANSWERED)
                fail(kind->name, -1);
        for (int on = 0; on < 2; on++) {
            for (n = 0; n < BOUND; n++) {
                long before = living;
                int was_refused = fails_nth(kind, n, on, &failed);
                /* Threads of getaddrinfo_a end a little later. */
                for (int i = 0; kind->keeps && living > before && i < 100; i++)
                    usleep(1000);
                if (living > before && !kind->keeps)
                    fail(kind->name, (int)(living - before));
                if (kind->look_up() != ANSWERED)
                    fail(kind->name, (int)n);
                if (!was_refused)
                    break;
            }
            if (n == BOUND)
                fail("no end", (int)n);
        }
        printf("%s: %ld of %ld failed\n", kind->name, failed, 2 * n);
    }
}

/* The first lookup of a process: a child's, whose state is its own. */
static void refuse_at_first(const struct kind *kind)
{
    for (; kind->name; kind++) {
        for (int on = 0; on < 2; on++) {
            for (long n = 0; n < BOUND; n++) {
                pid_t child = fork();
                if (child == 0) {
                    long failed = 0;
                    alarm(20);
                    int was_refused = fails_nth(kind, n, on, &failed);
                    for (int i = 0; i < 2; i++)
                        if (kind->look_up() != ANSWERED)
                            fail(kind->name, (int)n);
                    _exit(was_refused ? 10 + (int)(failed > 0) : 0);
                }
                int status = -1;
                while (waitpid(child, &status, 0) < 0)
                    ;
                if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) < 10))
                    fail(kind->name, (int)n);
                if (WEXITSTATUS(status) == 0)
                    break;
                looked_up();
            }
        }
    }
}

static void first(long unused)
{
    (void)unused;
    refuse_at_first(kinds);
}

static void later(long unused)
{
    (void)unused;
    refuse_later(kinds);
}

static void other_scripts(long unused)
{
    (void)unused;
    refuse_at_first(in_other_scripts);
    refuse_later(in_other_scripts);
}

int main(int argc, char **argv)
{
    const struct mode modes[] = {{"first", first}, {"later", later},
        {"international", other_scripts}, {0, 0}};
    setlocale(LC_ALL, "");
    return run_mode(modes, argc, argv);
}
