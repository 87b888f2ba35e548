/*
 * How much the responder can do: queries on four sockets, sixteen under way on each, for SECONDS.
 * Prints "answers N", those of one second.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { SOCKETS = 4, UNDER_WAY = 16 };

/* n0.bench.test, A */
static const char query[] = "\0\1\1\0\0\1\0\0\0\0\0\0\2n0\5bench\4test\0\0\1\0\1";

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1, start = now(), took;
    int udp[SOCKETS];
    long answers = 0;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
    static const struct timeval patience = {1, 0};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < SOCKETS; i++) {
        udp[i] = socket(AF_INET, SOCK_DGRAM, 0);
        setsockopt(udp[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (connect(udp[i], (struct sockaddr *)&server, sizeof server))
            return 1;
        for (int n = 0; n < UNDER_WAY; n++)
            send(udp[i], query, sizeof query - 1, 0);
    }
    while ((took = now() - start) < seconds)
        for (int i = 0; i < SOCKETS; i++)
            for (int n = 0; n < UNDER_WAY; n++) {
                char answer[512];
                if (recv(udp[i], answer, sizeof answer, 0) <= 0) {
                    perror("no answer");
                    return 1;
                }
                answers++;
                send(udp[i], query, sizeof query - 1, 0);
            }
    printf("answers %.0f\n", answers / took);
    return 0;
}
