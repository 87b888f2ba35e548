/* Prints libc's getaddrinfo(3) answer for every combination of socket type, protocol, service
 * (the arguments; "-" stands for none) and AI_NUMERICSERV: one line each, as
 *     socktype protocol service-index numericserv: error | socktype,protocol,port ... */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const int protocols[] = {0, 6, 17, 33, 132, 136, 1, 47, 255, 256, -1};

int main(int argc, char **argv)
{
    for (int socktype = -1; socktype <= 11; socktype++)
        for (size_t p = 0; p < sizeof protocols / sizeof *protocols; p++)
            for (int s = 1; s < argc; s++)
                for (int numeric = 0; numeric < 2; numeric++) {
                    struct addrinfo hints = {0}, *list = NULL;
                    hints.ai_family = AF_INET;
                    hints.ai_flags = numeric ? AI_NUMERICSERV : 0;
                    hints.ai_socktype = socktype;
                    hints.ai_protocol = protocols[p];
                    const char *service = strcmp(argv[s], "-") ? argv[s] : NULL;
                    int error = getaddrinfo("127.0.0.1", service, &hints, &list);
                    printf("%d %d %d %d:", socktype, protocols[p], s - 1, numeric);
                    if (error) {
                        printf(" %d\n", error);
                        continue;
                    }
                    for (struct addrinfo *a = list; a; a = a->ai_next) {
                        struct sockaddr_in address;
                        memcpy(&address, a->ai_addr, sizeof address);
                        printf(" %d,%d,%d", a->ai_socktype, a->ai_protocol,
                               ntohs(address.sin_port));
                    }
                    puts("");
                    freeaddrinfo(list);
                }
    return 0;
}
