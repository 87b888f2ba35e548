/* The addresses of a name, by rustdns under its own names; libc's resolver stays what it is. */
#include <netdb.h>
#include <rustdns.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct addrinfo *list;
    int error = rustdns_getaddrinfo(argc > 1 ? argv[1] : "localhost", NULL, NULL, &list);
    if (error != 0) {
        fprintf(stderr, "%s\n", rustdns_gai_strerror(error));
        return 1;
    }
    for (struct addrinfo *i = list; i != NULL; i = i->ai_next) {
        char text[NI_MAXHOST];
        if (i->ai_socktype == SOCK_STREAM &&
            rustdns_getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
            puts(text);
    }
    rustdns_freeaddrinfo(list);
    return 0;
}
