/* Prints, for each argument (a name), one line per address that libc's getaddrinfo(3) returns for
 * it, in its order:
 *     name address source
 * where source is what the kernel would send from, or "-". */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *text(const struct sockaddr_storage *address, char *out)
{
    if (address->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, out, 64);
    else
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, out, 64);
    return out;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct addrinfo hints = {0}, *list = NULL;
        hints.ai_socktype = SOCK_STREAM;
        int error = getaddrinfo(argv[i], NULL, &hints, &list);
        if (error) {
            printf("%s failed %d\n", argv[i], error);
            continue;
        }
        for (struct addrinfo *a = list; a; a = a->ai_next) {
            char destination[64], source[64] = "-";
            struct sockaddr_storage to = {0}, from = {0};
            socklen_t length = sizeof from;
            memcpy(&to, a->ai_addr, a->ai_addrlen);
            int s = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            if (connect(s, a->ai_addr, a->ai_addrlen) == 0
                && getsockname(s, (struct sockaddr *)&from, &length) == 0)
                text(&from, source);
            close(s);
            printf("%s %s %s\n", argv[i], text(&to, destination), source);
        }
        freeaddrinfo(list);
    }
    return 0;
}
