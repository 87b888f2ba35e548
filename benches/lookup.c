/*
 * Times getaddrinfo, one call at a time, in whatever library answers it.
 *
 *     lookup COUNT NAME...
 *
 * A NAME with %d in it is a different name for each call. Prints for each NAME the median and the
 * 99th percentile in microseconds, as "MEDIAN P99"; a lookup that fails is an error.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[1]) : 0;
    double *took = count > 0 ? malloc(count * sizeof *took) : NULL;
    if (!took) {
        fprintf(stderr, "usage: lookup COUNT NAME...\n");
        return 2;
    }
    for (int n = 2; n < argc; n++) {
        char *number = strstr(argv[n], "%d");
        for (int i = 0; i < count; i++) {
            char name[256];
            struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
            if (number)
                snprintf(name, sizeof name, "%.*s%d%s", (int)(number - argv[n]), argv[n], i,
                         number + 2);
            else
                snprintf(name, sizeof name, "%s", argv[n]);
            double start = now();
            int code = getaddrinfo(name, "80", &hints, &list);
            took[i] = now() - start;
            if (code) {
                fprintf(stderr, "%s: %s\n", name, gai_strerror(code));
                return 1;
            }
            freeaddrinfo(list);
        }
        qsort(took, count, sizeof *took, ascending);
        printf("%.2f %.2f\n", took[count / 2], took[(int)(count * 0.99)]);
    }
    return 0;
}
