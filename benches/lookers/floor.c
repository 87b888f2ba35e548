/*
 * The floor: what no resolver can be faster than that keeps no socket between calls. Two questions
 * sent on one socket to 127.0.0.1, two answers read; no file, no id, no check, no list.
 */
#include "lookup.h"
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void *resolver_open(void)
{
    return NULL;
}

int resolver_lookup(void *resolver, const char *name)
{
    static const struct timeval patience = {5, 0};
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
    unsigned char message[512] = {0, 1, 1, 0, 0, 1}, answer[512];
    size_t end = 12;
    int found = 0, udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)resolver;
    for (const char *label = name; *label;) {
        size_t length = strcspn(label, ".");
        message[end] = length;
        memcpy(message + end + 1, label, length);
        end += 1 + length;
        label += length + (label[length] == '.');
    }
    end++; /* the root */
    message[end + 3] = 1; /* class IN */
    end += 4;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (udp < 0 || setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ||
        connect(udp, (struct sockaddr *)&server, sizeof server))
        return -1;
    message[end - 3] = 1; /* A */
    send(udp, message, end, 0);
    message[end - 3] = 28; /* AAAA */
    send(udp, message, end, 0);
    while (found < 2 && recv(udp, answer, sizeof answer, 0) > (ssize_t)end)
        found++;
    close(udp);
    return found;
}

void resolver_close(void *resolver)
{
    (void)resolver;
}
