/*
 * Loads plugin.c's shared object, uses it and unloads it, as often as told:
 *
 *     plugin_host OBJECT TIMES USE     look, idle, busy, told, thread, pinned
 *
 * Prints how often the object was still there after it was unloaded, at once and at the end, and by whom lookups
 * were made.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *object;
static volatile int told;

static void *function(const char *name)
{
    void *found = dlsym(object, name);
    if (!found) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    return found;
}

static void check(const char *what, int code)
{
    if (code) {
        fprintf(stderr, "%s: %d\n", what, code);
        exit(1);
    }
}

#define CALL(name, ...) check(#name, ((int (*)())function(#name))(__VA_ARGS__))

static void done(union sigval value)
{
    (void)value;
    told = 1;
}

static void *look_on_a_thread(void *unused)
{
    CALL(plugin_look, "host.test");
    CALL(plugin_begin, "host.test");
    CALL(plugin_end);
    return unused;
}

static int is_loaded(const char *path)
{
    void *again = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    if (again)
        dlclose(again);
    return again != NULL;
}

static int threads(void)
{
    char line[256];
    int number = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "Threads: %d", &number);
    if (status)
        fclose(status);
    return number;
}

int main(int argc, char **argv)
{
    int times, still = 0;
    if (argc != 4)
        return 2;
    for (times = atoi(argv[2]); times > 0; times--) {
        const char *use = argv[3];
        object = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (!object) {
            fprintf(stderr, "%s\n", dlerror());
            return 2;
        }
        if (!strcmp(use, "look")) {
            int (*questions)(void) = (int (*)(void))function("plugin_questions");
            int (**table)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
                function("plugin_functions");
            struct addrinfo *list;
            int asked = questions(), now;
            const char *calls[] = {"plugin_look", "plugin_look_as_rustdns", "plugin_look_by_name"};
            for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
                check(calls[i], ((int (*)(const char *))function(calls[i]))("host.test"));
                now = questions();
                printf("%s: %s\n", calls[i], now > asked ? "rustdns" : "libc");
                asked = now;
            }
            for (int i = 0; i < 2; i++) {
                check("table", table[i]("host.test", "80", NULL, &list));
                freeaddrinfo(list);
                now = questions();
                printf("table %d: %s\n", i, now > asked ? "rustdns" : "libc");
                asked = now;
            }
        } else if (!strcmp(use, "idle")) {
            CALL(plugin_begin, "host.test");
            CALL(plugin_end);
        } else if (!strcmp(use, "busy")) {
            CALL(plugin_begin, "late.test");
        } else if (!strcmp(use, "told")) {
            told = 0;
            ((int (*)(const char *, void (*)(union sigval)))function("plugin_begin_and_tell"))("host.test", done);
            CALL(plugin_end);
            while (!told)
                usleep(100);
        } else {
            pthread_t thread;
            pthread_create(&thread, NULL, look_on_a_thread, NULL);
            pthread_join(thread, NULL);
        }
        dlclose(object);
        still += is_loaded(argv[1]);
    }
    printf("still there %d times\n", still);
    fflush(stdout);
    /* Until threads that were left have ended. */
    for (int waited = 0; threads() > 1 && waited < 1000; waited++)
        usleep(10000);
    /* What was kept for their sake goes when something is unloaded next. */
    object = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    dlclose(object);
    printf("%d threads, %s\n", threads(), is_loaded(argv[1]) ? "still there" : "gone");
    return 0;
}
