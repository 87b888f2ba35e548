/*
 * struct __res_state in all the conditions that programs hand it over in. The servers are IPv6 ones.
 *
 *     host_states garbage|descriptors|copy|copies|thread|again
 */
#define _GNU_SOURCE
#include "host.h"
#include <arpa/nameser.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <resolv.h>

static unsigned char answer[512];

static void query(struct __res_state *state, const char *name)
{
    int length = state ? res_nquery(state, name, C_IN, T_A, answer, sizeof answer)
                       : res_query(name, C_IN, T_A, answer, sizeof answer);
    if (length <= 12)
        fail(name, length);
    looked_up();
}

static void fill(struct __res_state *state)
{
    if (res_ninit(state))
        fail("res_ninit", errno);
}

/* The heap notices what was freed twice, or is still used. */
static void stir(void)
{
    void *some[64];
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < 64; i++)
            memset(some[i] = malloc(16 + i), 0xee, 16 + i);
        for (size_t i = 0; i < 64; i++)
            free(some[i]);
    }
}

/* Automatic storage, as it comes. */
static void garbage(void)
{
    static const int octets[] = {0xff, 0x01, 0xa5, 0x00};
    for (size_t i = 0; i < sizeof octets / sizeof *octets; i++) {
        struct __res_state state;
        memset(&state, octets[i], sizeof state);
        fill(&state);
        query(&state, "n1.test");
        res_nclose(&state);
    }
}

/* What looks like a state that is in use, and names descriptors of the program's. */
static void descriptors(void)
{
    struct __res_state state = {.options = RES_INIT};
    int file = open("/dev/null", O_RDONLY);
    state._vcsock = file;
    state.nscount = MAXNS;
    for (int i = 0; i < MAXNS; i++)
        state._u._ext.nssocks[i] = file;
    fill(&state);
    query(&state, "n1.test");
    res_nclose(&state);
    if (fcntl(file, F_GETFD) < 0 || fcntl(0, F_GETFD) < 0)
        fail("a descriptor was closed", file);
}

static void copy(void)
{
    query(NULL, "n1.test");
    struct __res_state state = _res;
    fill(&state);
    query(&state, "n2.test");
    res_nclose(&state);
    stir();
    query(NULL, "n3.test");
    if (res_init())
        fail("res_init", errno);
    query(NULL, "n4.test");
}

/* Copies that are closed, each, and more than once. */
static void copies(void)
{
    struct __res_state own, one, other;
    memset(&own, 0, sizeof own);
    fill(&own);
    query(NULL, "n1.test");
    one = own;
    other = _res;
    for (int i = 0; i < 2; i++) {
        res_nclose(&one);
        res_nclose(&other);
        stir();
    }
    query(NULL, "n2.test");
    query(&own, "n3.test");
    res_nclose(&own);
    res_nclose(&own);
    stir();
    res_nclose(&_res);
    if (res_init())
        fail("res_init", errno);
    query(NULL, "n4.test");
}

static void *in_a_thread(void *unused)
{
    copies();
    return unused;
}

/* Nothing is lost by filling one state again and again. */
static void again(void)
{
    struct __res_state state;
    memset(&state, 0, sizeof state);
    size_t before = 0;
    for (int i = 0; i < 3000; i++) {
        if (res_init())
            fail("res_init", errno);
        fill(&state);
        res_nclose(&state);
        if (i == 999)
            before = mallinfo2().uordblks;
    }
    /* 2,000 times an address would be 64 kB. */
    size_t now = mallinfo2().uordblks;
    if (now > before + 16384)
        fail("octets more", (int)(now - before));
    looked_up();
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "garbage")) {
        garbage();
    } else if (!strcmp(mode, "descriptors")) {
        descriptors();
    } else if (!strcmp(mode, "copy")) {
        copy();
    } else if (!strcmp(mode, "copies")) {
        copies();
    } else if (!strcmp(mode, "thread")) {
        for (int i = 0; i < 20; i++)
            pthread_join(start(0, in_a_thread, 0), NULL);
    } else if (!strcmp(mode, "again")) {
        again();
    } else {
        fail("no mode", argc);
    }
    printf("ok %d\n", lookups);
    return 0;
}
