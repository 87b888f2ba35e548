/* Lists of one library freed by the other: each is a chain of malloc, so that either may free it, and
 * a part of it (POSIX leaves that open; glibc and musl allow it, and programs do it).
 *
 * Linked with librustdns: rustdns_* is ours, and libc's own functions come out of libc's handle.
 */
#define _GNU_SOURCE
#include "rustdns.h"

#include <dlfcn.h>
#include <netdb.h>
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

typedef int get(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef void release(struct addrinfo *);

static struct addrinfo *look_up(get *resolve, const char *name)
{
    struct addrinfo hints = {.ai_flags = AI_CANONNAME};
    struct addrinfo *list = NULL;
    CHECK(resolve(name, "80", &hints, &list) == 0);
    CHECK(list != NULL && list->ai_canonname != NULL && list->ai_next != NULL);
    return list;
}

/* Whole; from the middle on and then the front; node by node; with a name of the program's own. */
static void free_every_way(get *resolve, release *freeing, const char *name)
{
    struct addrinfo *list, *rest;
    freeing(look_up(resolve, name));

    list = look_up(resolve, name);
    rest = list->ai_next;
    list->ai_next = NULL;
    freeing(rest);
    CHECK(list->ai_addr->sa_family == list->ai_family);
    freeing(list);

    for (list = look_up(resolve, name); list != NULL; list = rest) {
        rest = list->ai_next;
        list->ai_next = NULL;
        freeing(list);
    }

    list = look_up(resolve, name);
    free(list->ai_canonname);
    CHECK((list->ai_canonname = strdup("another.test")) != NULL);
    freeing(list);
}

int main(void)
{
    static const char *const names[] = {"host.test", "127.0.0.1", "listed.test"};
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    CHECK(libc != NULL);
    get *libc_get = (get *)dlsym(libc, "getaddrinfo");
    release *libc_free = (release *)dlsym(libc, "freeaddrinfo");
    CHECK(libc_get != NULL && libc_free != NULL);
    CHECK((void *)libc_free != (void *)rustdns_freeaddrinfo);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        free_every_way(rustdns_getaddrinfo, libc_free, names[i]);
        free_every_way(libc_get, rustdns_freeaddrinfo, names[i]);
        free_every_way(rustdns_getaddrinfo, rustdns_freeaddrinfo, names[i]);
    }
    rustdns_freeaddrinfo(NULL);
#ifdef FREE_TWICE
    struct addrinfo *list = look_up(rustdns_getaddrinfo, "host.test");
    libc_free(list->ai_next);
    rustdns_freeaddrinfo(list);
#endif
    puts("free: ok");
    return 0;
}
