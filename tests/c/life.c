/*
 * Life inside a process that does what processes do while others of its threads resolve names.
 *
 *     life fork|cancel|stack|signals|setenv|atexit|closed
 *
 * Each mode looks up n0.test, n1.test, ... and checks every answer: nI.test has the address
 * 10.0.X.Y with X.Y = I. Prints "ok N" with the number of lookups and exits 0, or says what is wrong.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int lookups, stop;

static void fail(const char *what, int detail)
{
    fprintf(stderr, "life: %s (%d)\n", what, detail);
    _exit(1);
}

/* Looks one name up and checks its address. Returns the EAI_ code. */
static int look_up(unsigned index)
{
    char name[32];
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    snprintf(name, sizeof name, "n%u.test", index);
    int code = getaddrinfo(name, "80", &hints, &list);
    if (code == 0) {
        struct in_addr got = ((struct sockaddr_in *)list->ai_addr)->sin_addr;
        if (ntohl(got.s_addr) != (10u << 24 | index) || list->ai_next)
            fail("wrong answer", (int)index);
        freeaddrinfo(list);
        atomic_fetch_add(&lookups, 1);
    }
    return code;
}

static void must(unsigned index)
{
    int code = look_up(index);
    if (code)
        fail(gai_strerror(code), (int)index);
}

static void *looker(void *seed)
{
    for (unsigned i = (unsigned)(size_t)seed; !stop; i = (i + 7) % 60000)
        must(i);
    return NULL;
}

static pthread_t start(size_t stack, void *(*run)(void *), size_t argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    /* Some machines' libc makes none as small as asked for. */
    size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
    if (stack && stack < least)
        stack = least;
    if (stack && pthread_attr_setstacksize(&attributes, stack))
        fail("stack size", errno);
    if (pthread_create(&thread, &attributes, run, (void *)argument))
        fail("thread", errno);
    return thread;
}

/* Children are made while four threads are inside lookups; each looks up what no one else does. */
static void forks(void)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        threads[i] = start(0, looker, i * 100);
    for (unsigned i = 0; i < 500; i++) {
        pid_t child = fork();
        if (child < 0)
            fail("fork", errno);
        if (child == 0) {
            alarm(20);
            must(60000 + i);
            must(60000 + i);
            _exit(0);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0)
            fail("child", status);
    }
    stop = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void note(void *cleaned)
{
    *(int *)cleaned = 1;
}

static void *cancelled(void *cleaned)
{
    pthread_cleanup_push(note, cleaned);
    for (unsigned i = 0;; i = (i + 1) % 60000)
        look_up(i);
    pthread_cleanup_pop(0);
    return NULL;
}

/* A thread that does nothing but look up names can be cancelled, and its handlers run. */
static void cancels(void)
{
    for (unsigned i = 0; i < 300; i++) {
        int cleaned = 0;
        void *result;
        pthread_t thread = start(0, cancelled, (size_t)&cleaned);
        usleep(i * 7);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        if (result != PTHREAD_CANCELED || !cleaned)
            fail("not cancelled", (int)i);
    }
}

static void *some(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 50; i++)
        must(i);
    return NULL;
}

static void stacks(size_t size)
{
    pthread_join(start(size, some, 0), NULL);
}

static void ignore(int signal)
{
    (void)signal;
}

/* A signal a millisecond, without SA_RESTART: system calls fail with EINTR. */
static void signals(void)
{
    struct sigaction action = {.sa_handler = ignore};
    struct itimerval storm = {{0, 1000}, {0, 1000}}, calm = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &storm, NULL);
    for (unsigned i = 0; i < 5000; i++)
        must(i);
    setitimer(ITIMER_REAL, &calm, NULL);
}

static void *setter(void *unused)
{
    char value[4000];
    for (unsigned i = 0; !stop; i++) {
        memset(value, 'x', sizeof value);
        value[i % sizeof value] = 0;
        setenv("RES_OPTIONS", "ndots:1", 1);
        setenv("A_VARIABLE", value, 1);
        unsetenv("RES_OPTIONS");
    }
    return unused;
}

static void setenvs(void)
{
    pthread_t thread = start(0, setter, 0);
    for (unsigned i = 0; i < 20000; i++)
        must(i);
    stop = 1;
    pthread_join(thread, NULL);
}

static void at_exit(void)
{
    must(1);
    printf("ok %d\n", lookups);
    fflush(stdout);
}

/* Whatever is open is closed between two lookups, standard streams too; descriptors run out. */
static void closed(void)
{
    must(1);
    int out = dup(1);
    for (int fd = 0; fd < 1000; fd++)
        if (fd != out)
            close(fd);
    must(2);
    struct rlimit none = {3, 3};
    for (int i = 0; i < 3; i++)
        if (open("/dev/null", 2) < 0)
            break;
    setrlimit(RLIMIT_NOFILE, &none);
    must(2); /* from the cache */
    int code = look_up(3);
    if (code != EAI_SYSTEM || errno != EMFILE)
        fail("without descriptors", code);
    dprintf(out, "ok %d\n", lookups);
    _exit(0);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "fork"))
        forks();
    else if (!strcmp(mode, "cancel"))
        cancels();
    else if (!strcmp(mode, "stack"))
        stacks(argc > 2 ? (size_t)atol(argv[2]) : 65536);
    else if (!strcmp(mode, "signals"))
        signals();
    else if (!strcmp(mode, "setenv"))
        setenvs();
    else if (!strcmp(mode, "atexit")) {
        atexit(at_exit);
        return 0;
    } else if (!strcmp(mode, "closed"))
        closed();
    else
        fail("no such mode", argc);
    printf("ok %d\n", lookups);
    return 0;
}
