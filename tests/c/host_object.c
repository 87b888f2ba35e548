/*
 * What librustdns-encrypted.so must bear, and what must not be taken for it.
 *
 *     host_object chdir FOLDER|chroot FOLDER|forked FOLDER|jailed FOLDER|refused FOLDER|no-thread
 *     host_object plugin FILE|atexit|alarm|term|jump COUNT|cancel COUNT
 */
#define _GNU_SOURCE
#include "host.h"
#include <dirent.h>
#include <dlfcn.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define NOBODY 65534

static void become_nobody(void)
{
    if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
        fail("setuid", errno);
}

static void enter(const char *folder)
{
    if (chroot(folder) || chdir("/"))
        fail(folder, errno);
}

/* All that a daemon does before its first lookup. */
static void lock_in(const char *folder)
{
    enter(folder);
    become_nobody();
}

static void lock_in_a_child(const char *folder)
{
    pid_t child = fork();
    if (child == 0) {
        lock_in(folder);
        must_all(1);
        _exit(0);
    }
    int status = -1;
    if (waitpid(child, &status, 0) != child || status)
        fail("child", status);
    looked_up();
}

static void *idle(void *unused)
{
    pause();
    return unused;
}

static void without_threads(void)
{
    struct rlimit none = {0, 0};
    pthread_t thread;
    if (setrlimit(RLIMIT_NPROC, &none))
        fail("setrlimit", errno);
    become_nobody();
    if (pthread_create(&thread, NULL, idle, NULL) == 0)
        fail("a thread was made", 0);
    for (unsigned i = 0; i < 10; i++)
        must(i);
}

static volatile sig_atomic_t caught;
static double caught_at;

static void note(int number)
{
    (void)number;
    caught = 1;
    caught_at = now();
}

static void ring(long milliseconds)
{
    struct itimerval timer = {.it_value = {0, milliseconds * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* The server is silent. The handler runs at once, and the lookup goes on, as libc's does. */
static void alarmed(void)
{
    struct sigaction action = {.sa_handler = note};
    sigaction(SIGALRM, &action, NULL);
    double start = now();
    ring(200);
    if (look_up(1) == 0)
        fail("an answer", 0);
    if (!caught || caught_at - start > 2)
        fail("the handler ran late, in milliseconds", (int)((caught_at - start) * 1000));
    if (now() - start < 3)
        fail("the lookup ended with the signal", 0);
    looked_up();
}

static sigjmp_buf out;

static void jump(int number)
{
    (void)number;
    siglongjmp(out, 1);
}

static int count(const char *folder)
{
    int entries = 0;
    DIR *open = opendir(folder);
    while (readdir(open))
        entries++;
    closedir(open);
    return entries;
}

/* Nobody answers for this name. What a lookup that was left has open is closed in the end. */
static void jump_out(long times)
{
    struct sigaction action = {.sa_handler = jump};
    sigaction(SIGALRM, &action, NULL);
    must(1);
    int descriptors = count("/proc/self/fd"), threads = count("/proc/self/task");
    for (volatile long i = 0; i < times; i++)
        if (!sigsetjmp(out, 1)) {
            ring(50);
            struct addrinfo *list = NULL;
            getaddrinfo("silent.test", NULL, NULL, &list);
            fail("returned", 0);
        }
    must(2);
    for (int i = 0; i < 100; i++) {
        if (count("/proc/self/fd") <= descriptors && count("/proc/self/task") <= threads)
            return;
        usleep(100000);
    }
    fail("descriptors left", count("/proc/self/fd") - descriptors);
}

static void *look_up_in_vain(void *number)
{
    look_up((unsigned)(size_t)number);
    return NULL;
}

/* The server is silent, and has half a minute. */
static void cancel(size_t times)
{
    pthread_t threads[100];
    for (size_t i = 0; i < times; i++)
        threads[i] = start(0, look_up_in_vain, i);
    usleep(500000);
    double begun = now();
    for (size_t i = 0; i < times; i++)
        pthread_cancel(threads[i]);
    for (size_t i = 0; i < times; i++) {
        void *result;
        pthread_join(threads[i], &result);
        if (result != PTHREAD_CANCELED)
            fail("not cancelled", (int)i);
    }
    if (now() - begun > 5)
        fail("took milliseconds", (int)((now() - begun) * 1000));
    if (count("/proc/self/task") != 3)
        fail("threads left", count("/proc/self/task"));
}

static void at_exit(void)
{
    must(2);
    printf("ok at exit\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        fail("no mode", argc);
    const char *mode = argv[1], *argument = argc > 2 ? argv[2] : "";
    if (!strcmp(mode, "chdir")) {
        if (chdir(argument))
            fail(argument, errno);
        must_all(1);
    } else if (!strcmp(mode, "chroot")) {
        enter(argument);
        must_all(1);
    } else if (!strcmp(mode, "jailed")) {
        lock_in(argument);
        must_all(1);
    } else if (!strcmp(mode, "forked")) {
        lock_in_a_child(argument);
    } else if (!strcmp(mode, "refused")) {
        enter(argument);
        if (look_up(1) != EAI_AGAIN)
            fail("not refused", 0);
        looked_up();
    } else if (!strcmp(mode, "no-thread")) {
        without_threads();
    } else if (!strcmp(mode, "plugin")) {
        alarm(60);
        void *plugin = dlopen(argument, RTLD_NOW);
        if (!plugin)
            fail(dlerror(), 0);
        dlclose(plugin);
        must(1);
    } else if (!strcmp(mode, "atexit")) {
        alarm(60);
        atexit(at_exit);
        exit(0);
    } else if (!strcmp(mode, "alarm")) {
        alarmed();
    } else if (!strcmp(mode, "term")) {
        ring(200);
        signal(SIGALRM, SIG_DFL);
        look_up(1);
    } else if (!strcmp(mode, "jump")) {
        jump_out(atol(argument));
    } else if (!strcmp(mode, "cancel")) {
        cancel((size_t)atol(argument));
    } else {
        fail(mode, 0);
    }
    printf("ok %d\n", lookups);
    return 0;
}
