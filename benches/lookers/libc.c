/* getaddrinfo: libc's, musl's where this is linked with it, or that of a preloaded library. */
#include "lookup.h"
#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>

void *resolver_open(void)
{
    return NULL;
}

int resolver_lookup(void *resolver, const char *name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int found = 0, code = getaddrinfo(name, "80", &hints, &list);
    (void)resolver;
    if (code)
        return code == EAI_NONAME ? 0 : -1;
    for (struct addrinfo *one = list; one; one = one->ai_next)
        found++;
    freeaddrinfo(list);
    return found;
}

void resolver_close(void *resolver)
{
    (void)resolver;
}
