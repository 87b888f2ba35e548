/*
 * Functions of libc's that look names up by functions of its own, and so never call the library.
 *
 *     reach FUNCTION
 */
#define _GNU_SOURCE
#include "text.h"
#include <aliases.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <rpc/netdb.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *function = argc > 1 ? argv[1] : "";
    char host[] = "a.test", *at = host, room[1024];
    struct ether_addr ether = {{1, 2, 3, 4, 5, 6}};
#define IS(name) (strcmp(function, name) == 0)
    if (IS("getnetbyname"))
        getnetbyname("net.test");
    else if (IS("getnetbyaddr"))
        getnetbyaddr(10, 2);
    else if (IS("getnetent"))
        getnetent();
    else if (IS("rcmd"))
        rcmd(&at, htons(514), "a", "b", "c", NULL);
    else if (IS("rexec"))
        rexec(&at, htons(512), "a", "b", "c", NULL);
    else if (IS("ruserok"))
        ruserok(host, 0, "root", "root");
    else if (IS("gethostid"))
        gethostid();
    else if (IS("ether_hostton"))
        ether_hostton(host, &ether);
    else if (IS("ether_ntohost"))
        ether_ntohost(room, &ether);
    else if (IS("getservbyname"))
        getservbyname("nosuch", "tcp");
    else if (IS("getprotobyname"))
        getprotobyname("nosuch");
    else if (IS("getrpcbyname"))
        getrpcbyname("nosuch");
    else if (IS("getaliasbyname"))
        getaliasbyname("nosuch");
    else if (IS("innetgr"))
        innetgr("group", host, NULL, NULL);
    else if (IS("getaddrinfo")) {
        struct addrinfo *list;
        getaddrinfo(host, NULL, NULL, &list);
    } else
        return 2;
    printf("%s returned\n", function);
    return 0;
}
