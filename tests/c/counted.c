/*
 * Makes lookups that can be counted, one by one.
 *
 *     counted WARM COUNT NAME
 *
 * WARM lookups that don't count, then COUNT that do. A %d in NAME is the number of the lookup. Each
 * that counts stands between two calls of getppid(2), for strace to see. Prints
 *
 *     allocations N    for each that counts, where allocations.c is preloaded
 *     own KIB          memory of the process's own after the last, that of no file
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern unsigned long allocations(unsigned long *octets) __attribute__((weak));

static void look_up(const char *pattern, int number)
{
    char name[256];
    const char *mark = strstr(pattern, "%d");
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    if (mark)
        snprintf(name, sizeof name, "%.*s%d%s", (int)(mark - pattern), pattern, number, mark + 2);
    else
        snprintf(name, sizeof name, "%s", pattern);
    int code = getaddrinfo(name, "80", &hints, &list);
    if (code || !list->ai_next) {
        fprintf(stderr, "%s: %s\n", name, code ? gai_strerror(code) : "one address only");
        exit(1);
    }
    freeaddrinfo(list);
}

static long own_memory(void)
{
    char line[128];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    if (status)
        fclose(status);
    return kib;
}

int main(int argc, char **argv)
{
    static unsigned long calls[1000];
    if (argc != 4)
        return 2;
    int warm = atoi(argv[1]), count = atoi(argv[2]);
    if (count < 0 || count > (int)(sizeof calls / sizeof *calls))
        return 2;
    for (int i = 0; i < warm; i++)
        look_up(argv[3], i);
    for (int i = 0; i < count; i++) {
        unsigned long octets, before = allocations ? allocations(&octets) : 0;
        syscall(SYS_getppid);
        look_up(argv[3], warm + i);
        syscall(SYS_getppid);
        calls[i] = allocations ? allocations(&octets) - before : 0;
    }
    long kib = own_memory();
    for (int i = 0; allocations && i < count; i++)
        printf("allocations %lu\n", calls[i]);
    printf("own %ld\n", kib);
    return 0;
}
