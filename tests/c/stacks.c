/*
 * The smallest stack that a thread needs for a call, its thread's own part of libc's included.
 *
 *     stacks FUNCTION...
 *
 * Prints for each function the size in KiB: the smallest, in steps of 1 KiB, with which the call succeeds, as the first
 * of its process.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *function;

static void *call(void *failed)
{
    static char room[8192];
    static unsigned char answer[4096];
    static struct hostent host;
    struct addrinfo *list = NULL;
    struct hostent *found = NULL;
    struct sockaddr_in address = {.sin_family = AF_INET};
    int why, ok = 0;
    inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
#define IS(name) (strcmp(function, name) == 0)
    if (IS("nothing"))
        ok = 1;
    else if (IS("getaddrinfo"))
        ok = getaddrinfo("host.test", "80", NULL, &list) == 0;
    else if (IS("getaddrinfo-file"))
        ok = getaddrinfo("own.test", "80", NULL, &list) == 0;
    else if (IS("getaddrinfo-tcp"))
        ok = getaddrinfo("tcp.test", "80", NULL, &list) == 0;
    else if (IS("gethostbyname_r"))
        ok = gethostbyname_r("host.test", &host, room, sizeof room, &found, &why) == 0 && found;
    else if (IS("gethostbyaddr_r"))
        ok = gethostbyaddr_r(&address.sin_addr, 4, AF_INET, &host, room, sizeof room, &found, &why) == 0 && found;
    else if (IS("getnameinfo"))
        ok = getnameinfo((struct sockaddr *)&address, sizeof address, room, sizeof room, NULL, 0, NI_NAMEREQD) == 0;
    else if (IS("res_query"))
        ok = res_query("host.test", 1, 1, answer, sizeof answer) > 0;
    else if (IS("res_init"))
        ok = res_init() == 0;
    *(int *)failed = !ok;
    return NULL;
}

/* With a stack of its own, and nothing below it. */
static int works(size_t kib)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        size_t size = kib << 10, guard = 1 << 20;
        char *place = mmap(NULL, guard + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_attr_t attributes;
        pthread_t thread;
        int failed = 1;
        mprotect(place + guard, size, PROT_READ | PROT_WRITE);
        pthread_attr_init(&attributes);
        if (pthread_attr_setstack(&attributes, place + guard, size) ||
            pthread_create(&thread, &attributes, call, &failed))
            _exit(2);
        pthread_join(thread, NULL);
        _exit(failed);
    }
    int status;
    waitpid(child, &status, 0);
    return status == 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t low = 15, high = 256;
        function = argv[i];
        if (!works(high)) {
            printf("%s fails\n", function);
            continue;
        }
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            if (works(middle))
                high = middle;
            else
                low = middle;
        }
        printf("%s %zu\n", function, high);
    }
    return 0;
}
