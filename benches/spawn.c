/*
 * How long a program takes from its start to its end, with different libraries preloaded.
 *
 *     spawn COUNT PRELOADS PROGRAM [ARGUMENT]...
 *
 * PRELOADS are values of LD_PRELOAD, separated by commas; an empty one is none. They take turns,
 * COUNT times. Prints a line for each: "median NS", in their order.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { PRELOADS = 8 };

static long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int count = argc > 3 ? atoi(argv[1]) : 0, preloads = 0;
    if (count <= 0) {
        fprintf(stderr, "usage: spawn COUNT PRELOADS PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    char *variables[PRELOADS], *rest = argv[2], *one;
    while (preloads < PRELOADS && (one = strsep(&rest, ",")))
        if (asprintf(&variables[preloads++], "LD_PRELOAD=%s", one) < 0)
            return 1;
    long *took = malloc(sizeof *took * preloads * count);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int i = 0; i < count; i++)
        for (int p = 0; p < preloads; p++) {
            /* An empty LD_PRELOAD would be looked at too. */
            char *environment[] = {strlen(variables[p]) > strlen("LD_PRELOAD=") ? variables[p] : NULL, NULL};
            int status;
            pid_t child;
            long start = now();
            if (posix_spawn(&child, argv[3], &actions, NULL, argv + 3, environment) ||
                waitpid(child, &status, 0) != child || status != 0) {
                fprintf(stderr, "%s with %s failed\n", argv[3], variables[p]);
                return 1;
            }
            took[p * count + i] = now() - start;
        }
    for (int p = 0; p < preloads; p++) {
        qsort(took + p * count, count, sizeof *took, ascending);
        printf("median %ld\n", took[p * count + count / 2]);
    }
    return 0;
}
