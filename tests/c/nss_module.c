/* Calls the functions of the NSS module, by dlopen as libc does, in buffers of every size and at every
 * alignment.
 *
 *   nss_module MODULE status         what each function tells of each name
 *   nss_module MODULE buffers        every buffer from 0 octets on, at 16 addresses
 *
 * Names are those of tests/nss/calls.rs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define GUARD 0xa5
#define ALIGNMENTS 16
#define MARGIN 64
#define MOST 2048
/* Values that no call may leave by chance. */
#define UNTOLD 4711
#define UNTOLD_TTL (-99)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static nss_gethostbyname4_r *by_name4;
static nss_gethostbyname3_r *by_name3;
static nss_gethostbyname2_r *by_name2;
static nss_gethostbyname_r *by_name;
static nss_gethostbyaddr2_r *by_address2;
static nss_gethostbyaddr_r *by_address;
static nss_getcanonname_r *canonical_name;

static void load(const char *module)
{
    void *handle = dlopen(module, RTLD_NOW);
    if (handle == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
#define FIND(place, name) CHECK((*(void **)&place = dlsym(handle, "_nss_rustdns_" name)) != NULL)
    FIND(by_name4, "gethostbyname4_r");
    FIND(by_name3, "gethostbyname3_r");
    FIND(by_name2, "gethostbyname2_r");
    FIND(by_name, "gethostbyname_r");
    FIND(by_address2, "gethostbyaddr2_r");
    FIND(by_address, "gethostbyaddr_r");
    FIND(canonical_name, "getcanonname_r");
    /* -z nodelete: still there afterwards. */
    CHECK(dlclose(handle) == 0);
    CHECK(dlopen(module, RTLD_NOW | RTLD_NOLOAD) != NULL);
}

/* One call's arguments and results. */
struct call {
    enum { NAME4, NAME4_OWN, NAME3, NAME2, NAME, ADDRESS2, ADDRESS, CANONICAL } function;
    const char *name; /* or an address */
    int family;
    char *buffer;
    size_t length;

    int status, error, host_error, ttl;
    struct gaih_addrtuple *tuple, own;
    struct hostent host;
    char *canonical;
};

static void make(struct call *call)
{
    unsigned char address[16];
    socklen_t size = call->family == AF_INET ? 4 : 16;
    memset(&call->host, GUARD, sizeof call->host);
    memset(&call->own, GUARD, sizeof call->own);
    call->error = call->host_error = UNTOLD;
    call->ttl = UNTOLD_TTL;
    call->canonical = NULL;
    call->tuple = call->function == NAME4_OWN ? &call->own : NULL;
    if (call->function == ADDRESS2 || call->function == ADDRESS) {
        int family = strchr(call->name, ':') != NULL ? AF_INET6 : AF_INET;
        CHECK(inet_pton(family, call->name, address) == 1);
    }
    errno = 1234;
    switch (call->function) {
    case NAME4:
    case NAME4_OWN:
        call->status = by_name4(call->name, &call->tuple, call->buffer, call->length, &call->error,
                                &call->host_error, &call->ttl);
        break;
    case NAME3:
        call->status = by_name3(call->name, call->family, &call->host, call->buffer, call->length,
                                &call->error, &call->host_error, &call->ttl, &call->canonical);
        break;
    case NAME2:
        call->status = by_name2(call->name, call->family, &call->host, call->buffer, call->length,
                                &call->error, &call->host_error);
        break;
    case NAME:
        call->status = by_name(call->name, &call->host, call->buffer, call->length, &call->error,
                               &call->host_error);
        break;
    case ADDRESS2:
        call->status = by_address2(address, size, call->family, &call->host, call->buffer,
                                   call->length, &call->error, &call->host_error, &call->ttl);
        break;
    case ADDRESS:
        call->status = by_address(address, size, call->family, &call->host, call->buffer,
                                  call->length, &call->error, &call->host_error);
        break;
    case CANONICAL:
        call->status = canonical_name(call->name, call->buffer, call->length, &call->canonical,
                                      &call->error, &call->host_error);
        break;
    }
    CHECK(errno == 1234); /* told by the pointer only */
}

static const char *const functions[] = {"gethostbyname4_r", "gethostbyname4_r (own tuple)",
                                        "gethostbyname3_r", "gethostbyname2_r", "gethostbyname_r",
                                        "gethostbyaddr2_r", "gethostbyaddr_r", "getcanonname_r"};

static const char *status_name(int status)
{
    switch (status) {
    case NSS_STATUS_TRYAGAIN: return "TRYAGAIN";
    case NSS_STATUS_UNAVAIL: return "UNAVAIL";
    case NSS_STATUS_NOTFOUND: return "NOTFOUND";
    case NSS_STATUS_SUCCESS: return "SUCCESS";
    default: return "?";
    }
}

static const char *host_error_name(int error)
{
    switch (error) {
    case NETDB_INTERNAL: return "NETDB_INTERNAL";
    case NETDB_SUCCESS: return "NETDB_SUCCESS";
    case HOST_NOT_FOUND: return "HOST_NOT_FOUND";
    case TRY_AGAIN: return "TRY_AGAIN";
    case NO_RECOVERY: return "NO_RECOVERY";
    case NO_DATA: return "NO_DATA";
    default: return "untold";
    }
}

static void print(const struct call *call)
{
    char text[INET6_ADDRSTRLEN];
    printf("%s %s", functions[call->function], call->name);
    if (call->function != NAME4 && call->function != NAME4_OWN && call->function != CANONICAL)
        printf(" %s", call->family == AF_INET ? "inet" : call->family == AF_INET6 ? "inet6" : "other");
    printf(": %s %s", status_name(call->status), host_error_name(call->host_error));
    if (call->status != NSS_STATUS_SUCCESS) {
        CHECK(call->error != UNTOLD && call->error != 0);
        printf(" %s\n", strerrorname_np(call->error));
        return;
    }
    CHECK(call->error == UNTOLD);
    if (call->function == CANONICAL) {
        printf(" %s", call->canonical);
    } else if (call->function == NAME4 || call->function == NAME4_OWN) {
        const struct gaih_addrtuple *tuple = call->tuple;
        CHECK((call->function == NAME4_OWN) == (tuple == &call->own));
        printf(" %s:", tuple->name);
        for (; tuple != NULL; tuple = tuple->next)
            printf(" %s", inet_ntop(tuple->family, tuple->addr, text, sizeof text));
    } else {
        const struct hostent *host = &call->host;
        printf(" %s:", host->h_name);
        CHECK(host->h_length == (host->h_addrtype == AF_INET ? 4 : 16));
        for (char **at = host->h_addr_list; *at != NULL; at++)
            printf(" %s", inet_ntop(host->h_addrtype, *at, text, sizeof text));
        for (char **at = host->h_aliases; *at != NULL; at++)
            printf(" alias %s", *at);
        if (call->function == NAME3)
            CHECK(call->canonical == host->h_name);
    }
    if (call->ttl != UNTOLD_TTL) {
        /* What is left of the zone's 300 s. */
        CHECK(call->ttl > 200 && call->ttl <= 300);
        printf(" ttl");
    }
    putchar('\n');
}

static void statuses(void)
{
    static const char *const names[] = {"host.test",     "alias.test",   "text.test",
                                        "nobody.test",   "broken.test",  "localhost",
                                        "secret.onion",  "not a name",   ""};
    static const char *const addresses[] = {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1",
                                            "192.0.2.99"};
    static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
    char buffer[1024];
    struct call call = {.buffer = buffer, .length = sizeof buffer};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        call.name = names[i];
        for (call.function = NAME4; call.function <= NAME4_OWN; call.function++)
            make(&call), print(&call);
        for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
            call.family = families[f];
            for (call.function = NAME3; call.function <= NAME2; call.function++)
                make(&call), print(&call);
        }
        call.family = AF_INET;
        call.function = NAME, make(&call), print(&call);
        call.function = CANONICAL, make(&call), print(&call);
    }
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        call.name = addresses[i];
        for (call.function = ADDRESS2; call.function <= ADDRESS; call.function++) {
            call.family = strchr(call.name, ':') != NULL ? AF_INET6 : AF_INET;
            make(&call), print(&call);
            call.family = AF_UNIX, make(&call), print(&call);
        }
    }
    /* errno itself as the place for it, as libc has it. */
    struct hostent host;
    int host_error;
    errno = 1234;
    CHECK(by_name("nobody.test", &host, buffer, sizeof buffer, &errno, &host_error) ==
          NSS_STATUS_NOTFOUND);
    CHECK(errno == ENOENT);
}

static int inside(const void *place, size_t size, const struct call *call)
{
    const char *start = place;
    return start >= call->buffer && start + size <= call->buffer + call->length;
}

static int inside_text(const char *text, const struct call *call)
{
    return inside(text, 1, call) && inside(text, strlen(text) + 1, call);
}

static int aligned(const void *place, size_t to)
{
    return (uintptr_t)place % to == 0;
}

static void check_list(char **list, size_t width, const struct call *call)
{
    CHECK(aligned(list, _Alignof(char *)));
    for (; inside(list, sizeof *list, call) && *list != NULL; list++)
        CHECK(width != 0 ? inside(*list, width, call) && aligned(*list, 4) : inside_text(*list, call));
    CHECK(inside(list, sizeof *list, call));
}

/* Everything that a success points to lies in the buffer. */
static void check_places(const struct call *call)
{
    if (call->function == CANONICAL) {
        CHECK(inside_text(call->canonical, call));
    } else if (call->function == NAME4 || call->function == NAME4_OWN) {
        for (const struct gaih_addrtuple *tuple = call->tuple; tuple != NULL; tuple = tuple->next) {
            CHECK(tuple == &call->own || inside(tuple, sizeof *tuple, call));
            CHECK(aligned(tuple, _Alignof(struct gaih_addrtuple)));
            CHECK(inside_text(tuple->name, call));
            CHECK(tuple->scopeid == 0);
        }
    } else {
        CHECK(inside_text(call->host.h_name, call));
        check_list(call->host.h_addr_list, (size_t)call->host.h_length, call);
        check_list(call->host.h_aliases, 0, call);
    }
}

static void buffers_of(struct call *call)
{
    static unsigned char memory[MARGIN + ALIGNMENTS + MOST + MARGIN] __attribute__((aligned(64)));
    size_t least = 0, most = 0;
    for (size_t skip = 0; skip < ALIGNMENTS; skip++) {
        size_t enough = 0;
        int beyond = 0;
        for (size_t length = 0; length < MOST && beyond < 20; length++) {
            unsigned char *start = memory + MARGIN + skip;
            memset(memory, GUARD, sizeof memory);
            call->buffer = (char *)start;
            call->length = length;
            make(call);
            size_t touched = 0;
            for (size_t i = 0; i < sizeof memory; i++) {
                int own = memory + i >= start && memory + i < start + length;
                CHECK(own || memory[i] == GUARD);
                touched += memory[i] != GUARD;
            }
            if (call->status == NSS_STATUS_SUCCESS) {
                check_places(call);
                enough = enough != 0 ? enough : length;
                beyond++;
            } else {
                CHECK(call->status == NSS_STATUS_TRYAGAIN && call->error == ERANGE);
                CHECK(call->host_error == NETDB_INTERNAL);
                CHECK(enough == 0 && touched == 0);
                CHECK(call->ttl == UNTOLD_TTL && call->canonical == NULL);
                for (size_t i = 0; i < sizeof call->host; i++)
                    CHECK(((unsigned char *)&call->host)[i] == GUARD);
            }
        }
        CHECK(enough != 0);
        least = skip == 0 || enough < least ? enough : least;
        most = enough > most ? enough : most;
    }
    /* What an address costs is at most what aligning to a pointer does. */
    CHECK(most - least < sizeof(void *));
    printf("%s %s: ok\n", functions[call->function], call->name);
}

static void buffers(void)
{
    struct call call = {.family = AF_INET6};
    call.name = "host.test";
    for (call.function = NAME4; call.function <= NAME; call.function++)
        buffers_of(&call);
    call.function = CANONICAL, buffers_of(&call);
    call.name = "alias.test";
    for (call.function = NAME4; call.function <= NAME; call.function++)
        buffers_of(&call);
    call.family = AF_INET;
    call.name = "192.0.2.1";
    for (call.function = ADDRESS2; call.function <= ADDRESS; call.function++)
        buffers_of(&call);
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    load(argv[1]);
    strcmp(argv[2], "buffers") == 0 ? buffers() : statuses();
    return 0;
}
