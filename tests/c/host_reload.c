/*
 * The main thread rewrites resolv.conf, calls res_init() and looks at _res; others only look names up.
 *
 *     host_reload ROUNDS
 */
#define _GNU_SOURCE
#include "host.h"
#include <arpa/nameser.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <resolv.h>

static int stop;

static void *look(void *unused)
{
    for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        char name[32];
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
        snprintf(name, sizeof name, "t%d.test", i % 50);
        if (!getaddrinfo(name, NULL, &hints, &list))
            freeaddrinfo(list);
    }
    return unused;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 0, stale = 0;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        threads[i] = start(0, look, 0);
    for (int i = 0; i < rounds; i++) {
        char text[64], address[64];
        snprintf(address, sizeof address, "127.0.%d.%d", (i >> 7) % 100 + 1, i % 127 + 1);
        int length = snprintf(text, sizeof text, "nameserver %s\n", address);
        int file = open("/etc/resolv.conf", O_WRONLY | O_CREAT, 0644);
        if (write(file, text, (size_t)length) != length || ftruncate(file, length))
            fail("resolv.conf", errno);
        close(file);
        if (res_init())
            fail("res_init", errno);
        if (_res.nsaddr_list[0].sin_addr.s_addr != inet_addr(address))
            stale++;
        looked_up();
        usleep(300);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    if (stale)
        fail("old servers after res_init", stale);
    printf("ok %d\n", lookups);
    return 0;
}
