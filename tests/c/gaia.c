/* Lookups in the background, one scenario a run: what the calls return, as text.
 *
 *     gaia SCENARIO [ARGUMENT]
 *
 * fastN.test, slowN.test, lateN.test and lastN.test are names that a server has: it answers at once,
 * or after a while. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What src/abi/getaddrinfo_a.rs and notification.rs say, too. */
#define WORD sizeof(void *)
_Static_assert(offsetof(struct gaicb, ar_name) == 0, "ar_name");
_Static_assert(offsetof(struct gaicb, ar_service) == WORD, "ar_service");
_Static_assert(offsetof(struct gaicb, ar_request) == 2 * WORD, "ar_request");
_Static_assert(offsetof(struct gaicb, ar_result) == 3 * WORD, "ar_result");
_Static_assert(offsetof(struct gaicb, __return) == 4 * WORD, "__return");
_Static_assert(offsetof(struct gaicb, __glibc_reserved) == 4 * WORD + 4, "reserved");
_Static_assert(sizeof(struct gaicb) == 4 * WORD + 24, "gaicb");
_Static_assert(offsetof(struct sigevent, sigev_value) == 0, "sigev_value");
_Static_assert(offsetof(struct sigevent, sigev_signo) == WORD, "sigev_signo");
_Static_assert(offsetof(struct sigevent, sigev_notify) == WORD + 4, "sigev_notify");
_Static_assert(offsetof(struct sigevent, sigev_notify_function) == WORD + 8, "function");
_Static_assert(offsetof(struct sigevent, sigev_notify_attributes) == 2 * WORD + 8, "attributes");
_Static_assert(SIGEV_SIGNAL == 0 && SIGEV_NONE == 1 && SIGEV_THREAD == 2, "sigev_notify");
_Static_assert(SI_ASYNCNL == -60, "si_code");
_Static_assert(sizeof(siginfo_t) == 128, "siginfo_t");
_Static_assert(offsetof(siginfo_t, si_pid) == (WORD == 8 ? 16 : 12), "si_pid");
_Static_assert(offsetof(siginfo_t, si_value) == (WORD == 8 ? 24 : 20), "si_value");
_Static_assert(EAI_INPROGRESS == -100 && EAI_CANCELED == -101 && EAI_ALLDONE == -103 &&
               EAI_INTR == -104 && GAI_WAIT == 0 && GAI_NOWAIT == 1, "numbers");

enum { MANY = 200 };
static struct gaicb blocks[MANY];
static struct gaicb *list[MANY];
static char names[MANY][32];
static const struct addrinfo inet_stream = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};

static const char *code(int number)
{
    static __thread char other[32];
    switch (number) {
    case 0: return "0";
#define CODE(name) case name: return #name
    CODE(EAI_AGAIN); CODE(EAI_NONAME); CODE(EAI_SERVICE); CODE(EAI_SYSTEM); CODE(EAI_MEMORY);
    CODE(EAI_FAMILY); CODE(EAI_BADFLAGS); CODE(EAI_NODATA); CODE(EAI_FAIL);
    CODE(EAI_INPROGRESS); CODE(EAI_CANCELED); CODE(EAI_NOTCANCELED); CODE(EAI_ALLDONE);
    CODE(EAI_INTR);
    }
    snprintf(other, sizeof other, "%d", number);
    return other;
}

static void say(const char *what, int number)
{
    printf("%s: %s\n", what, code(number));
}

static void say_errno(const char *what, int number)
{
    int saved = errno;
    printf("%s: %s, errno %s\n", what, code(number), saved == 0 ? "0" : strerrorname_np(saved));
}

static void pause_ms(long ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0)
        ;
}

static void ask(int i, const char *name, const char *service, const struct addrinfo *hints)
{
    snprintf(names[i], sizeof names[i], "%s", name);
    blocks[i] = (struct gaicb){.ar_name = names[i], .ar_service = service, .ar_request = hints};
    list[i] = &blocks[i];
}

/* count blocks from first on, named PREFIXn.test. */
static void ask_many(int first, int count, const char *prefix)
{
    for (int i = first; i < first + count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%d.test", prefix, i);
        ask(i, name, "80", &inet_stream);
    }
}

static void say_result(int i)
{
    printf("%s: %s", names[i], code(gai_error(&blocks[i])));
    for (struct addrinfo *info = blocks[i].ar_result; info; info = info->ai_next) {
        char host[64], port[16];
        int failed = getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof host, port,
                                 sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
        /* 1 for a stream, which is 2 on MIPS. */
        int type = info->ai_socktype == SOCK_STREAM ? 1 : info->ai_socktype;
        printf(" %s:%s/%d", failed ? "?" : host, failed ? "?" : port, type);
    }
    putchar('\n');
    if (blocks[i].ar_result)
        freeaddrinfo(blocks[i].ar_result);
    blocks[i].ar_result = NULL;
}

static void wait_for(int first, int count)
{
    for (int i = first; i < first + count; i++)
        while (gai_error(&blocks[i]) == EAI_INPROGRESS)
            pause_ms(1);
}

static int entries(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static void mixed_list(void)
{
    static const struct addrinfo bad = {.ai_family = 99};
    ask(0, "fast1.test", "80", &inet_stream);
    ask(1, "", NULL, NULL);
    list[1] = NULL;
    ask(2, "nobody.test", NULL, NULL);
    ask(3, "192.0.2.7", "53", NULL);
    ask(4, "fast2.test", "nosuch", &inet_stream);
    ask(5, "fast3.test", NULL, &bad);
    ask(6, "slow6.test", NULL, &inet_stream);
    blocks[2].ar_result = NULL;
}

static void say_mixed(void)
{
    for (int i = 0; i < 7; i++)
        if (list[i])
            say_result(i);
}

static void wait_mode(void)
{
    mixed_list();
    errno = 0;
    say_errno("list", getaddrinfo_a(GAI_WAIT, list, 7, NULL));
    say_mixed();
    ask(0, "fast1.test", NULL, &inet_stream);
    say("one", getaddrinfo_a(GAI_WAIT, list, 1, NULL));
    say_result(0);
    struct gaicb both_null = {0};
    struct gaicb *one = &both_null;
    say("nothing asked", getaddrinfo_a(GAI_WAIT, &one, 1, NULL));
    say("nothing asked", gai_error(one));
}

static void nowait_mode(void)
{
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    for (int round = 0; round < 2; round++) {
        mixed_list();
        errno = 0;
        say_errno("list", getaddrinfo_a(GAI_NOWAIT, list, 7, round ? &none : NULL));
        say("slow, at once", gai_error(&blocks[6]));
        for (int i = 0; i < 7; i++)
            if (list[i])
                wait_for(i, 1);
        say_mixed();
    }
}

static void arguments(void)
{
    ask(0, "fast1.test", NULL, &inet_stream);
    blocks[0].__return = 5;
    errno = 0;
    say_errno("mode 2", getaddrinfo_a(2, list, 1, NULL));
    errno = 0;
    say_errno("mode -1", getaddrinfo_a(-1, list, 1, NULL));
    say("untouched", gai_error(&blocks[0]));
    struct gaicb *nothing[3] = {NULL, NULL, NULL};
    for (int mode = GAI_WAIT; mode <= GAI_NOWAIT; mode++) {
        errno = 0;
        say_errno("null entries", getaddrinfo_a(mode, nothing, 3, NULL));
        say_errno("no items", getaddrinfo_a(mode, nothing, 0, NULL));
        say_errno("no items, no list", getaddrinfo_a(mode, NULL, 0, NULL));
    }
    say("suspend, null entries", gai_suspend((const struct gaicb **)nothing, 3, NULL));
    say("suspend, no items", gai_suspend(NULL, 0, NULL));
    say("cancel, never asked", gai_cancel(&blocks[0]));
    say("suspend, never asked", gai_suspend((const struct gaicb **)list, 1, NULL));
}

static volatile sig_atomic_t signals_seen;
static siginfo_t last_signal;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    last_signal = *info;
    signals_seen++;
}

static void handle(int number, int flags)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};
    sigaction(number, &action, NULL);
}

static void say_signals(const char *what)
{
    printf("%s: %d signals", what, (int)signals_seen);
    if (signals_seen)
        printf(", code %d value %s pid %s uid %s errno %d", last_signal.si_code,
               last_signal.si_value.sival_ptr == list ? "list" : "other",
               last_signal.si_pid == getpid() ? "own" : "other",
               last_signal.si_uid == getuid() ? "own" : "other", last_signal.si_errno);
    putchar('\n');
    signals_seen = 0;
}

static void signal_mode(void)
{
    struct gaicb *nothing[1] = {NULL};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_ptr = list;
    handle(SIGUSR1, 0);
    handle(SIGRTMIN, 0);
    for (int round = 0; round < 2; round++) {
        event.sigev_signo = round ? SIGRTMIN : SIGUSR1;
        mixed_list();
        say("list", getaddrinfo_a(GAI_NOWAIT, list, 7, &event));
        say_signals("at once");
        memset(&event.sigev_value, 0, sizeof event.sigev_value);
        wait_for(2, 5);
        wait_for(0, 1);
        for (int i = 0; i < 1000 && !signals_seen; i++)
            pause_ms(1);
        say_signals("done");
        event.sigev_value.sival_ptr = list;
    }
    say("nothing", getaddrinfo_a(GAI_NOWAIT, nothing, 1, &event));
    say_signals("nothing");
    say("no items", getaddrinfo_a(GAI_NOWAIT, nothing, 0, &event));
    say_signals("no items");
    say("nothing, waiting", getaddrinfo_a(GAI_WAIT, nothing, 1, &event));
    say_signals("nothing, waiting");
    ask(0, "fast1.test", NULL, &inet_stream);
    say("waiting", getaddrinfo_a(GAI_WAIT, list, 1, &event));
    pause_ms(50);
    say_signals("waiting");
    event.sigev_notify = 77;
    say("unknown kind", getaddrinfo_a(GAI_NOWAIT, list, 1, &event));
    wait_for(0, 1);
    pause_ms(50);
    say_signals("unknown kind");
}

static pthread_t main_thread;
static int thread_calls;
static char thread_said[256];

static void on_thread(union sigval value)
{
    sigset_t mask;
    pthread_attr_t attributes;
    size_t stack;
    int detached, blocked = 0;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < 32; number++)
        blocked += sigismember(&mask, number) == 1;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &stack);
    pthread_attr_getdetachstate(&attributes, &detached);
    pthread_attr_destroy(&attributes);
    snprintf(thread_said, sizeof thread_said,
             "function: value %s, %s thread, %d signals blocked, %s, stack %zu kB\n",
             value.sival_ptr == list ? "list" : "other",
             pthread_equal(pthread_self(), main_thread) ? "main" : "another", blocked,
             detached == PTHREAD_CREATE_DETACHED ? "detached" : "joinable", stack / 1024);
    __atomic_add_fetch(&thread_calls, 1, __ATOMIC_SEQ_CST);
    pthread_exit(NULL);
}

static void thread_mode(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread};
    struct gaicb *nothing[1] = {NULL};
    pthread_attr_t attributes;
    event.sigev_value.sival_ptr = list;
    main_thread = pthread_self();
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int round = 0; round < 4; round++) {
        event.sigev_notify_attributes = round % 2 ? &attributes : NULL;
        mixed_list();
        if (round < 2)
            say("list", getaddrinfo_a(GAI_NOWAIT, list, 7, &event));
        else
            say("nothing", getaddrinfo_a(GAI_NOWAIT, nothing, 1, &event));
        for (int i = 0; i < 5000 && __atomic_load_n(&thread_calls, __ATOMIC_SEQ_CST) <= round; i++)
            pause_ms(1);
        printf("%scalls: %d\n", thread_said, thread_calls);
    }
}

static void until_under_way(const struct gaicb *block)
{
    while (gai_error((struct gaicb *)block) != EAI_INPROGRESS)
        pause_ms(1);
}

static int suspend(int count, time_t seconds, long nanoseconds)
{
    struct timespec time = {seconds, nanoseconds};
    return gai_suspend((const struct gaicb **)list, count, &time);
}

static void suspend_mode(void)
{
    ask(0, "slow0.test", NULL, &inet_stream);
    ask(1, "late1.test", NULL, &inet_stream);
    ask(2, "last2.test", NULL, &inet_stream);
    list[3] = NULL;
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, 4, NULL));
    say("first", suspend(4, 5, 0));
    say("first", gai_error(&blocks[0]));
    say("done and not done", suspend(4, 5, 0));
    say("second", gai_error(&blocks[1]));
    say("third", gai_error(&blocks[2]));
    say("rest", gai_suspend((const struct gaicb **)list, 4, NULL));
    say("third", gai_error(&blocks[2]));
    say("all done", gai_suspend((const struct gaicb **)list, 4, NULL));
    for (int i = 0; i < 3; i++)
        say_result(i);
}

static void timeouts(void)
{
    ask(0, "late0.test", NULL, &inet_stream);
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, 1, NULL));
    say("short", suspend(1, 0, 1000000));
    say("zero", suspend(1, 0, 0));
    say("negative seconds", suspend(1, -1, 0));
    say("state", gai_error(&blocks[0]));
}

static pid_t waiting_tid;

static void *waiting_thread(void *argument)
{
    __atomic_store_n(&waiting_tid, gettid(), __ATOMIC_SEQ_CST);
    say("suspend", gai_suspend((const struct gaicb **)list, 1, argument));
    return NULL;
}

/* Until the thread sleeps, and does so for a while: it is in its call then. */
static void until_waiting(void)
{
    char path[64], line[512], state;
    pid_t tid;
    while ((tid = __atomic_load_n(&waiting_tid, __ATOMIC_SEQ_CST)) == 0)
        pause_ms(1);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    for (int asleep = 0; asleep < 20; asleep = state == 'S' ? asleep + 1 : 0) {
        FILE *stat = fopen(path, "r");
        if (!stat || !fgets(line, sizeof line, stat))
            break; /* Its call has ended. */
        state = strrchr(line, ')')[2];
        fclose(stat);
        pause_ms(1);
    }
    __atomic_store_n(&waiting_tid, 0, __ATOMIC_SEQ_CST);
}

static void interrupt_mode(void)
{
    struct timespec long_time = {20, 0};
    for (int round = 0; round < 4; round++) {
        pthread_t thread;
        handle(SIGUSR2, round & 1 ? SA_RESTART : 0);
        ask(0, "late0.test", NULL, &inet_stream);
        getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
        pthread_create(&thread, NULL, waiting_thread, round & 2 ? &long_time : NULL);
        until_waiting();
        pthread_kill(thread, SIGUSR2);
        pthread_join(thread, NULL);
        printf("%s %s: %d signals, %s\n", round & 1 ? "restart" : "plain",
               round & 2 ? "with time" : "without", (int)signals_seen,
               code(gai_error(&blocks[0])));
        wait_for(0, 1);
        signals_seen = 0;
    }
    ask(0, "late0.test", NULL, &inet_stream);
    getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    pthread_t thread;
    void *end;
    pthread_create(&thread, NULL, waiting_thread, NULL);
    until_waiting();
    pthread_cancel(thread);
    pthread_join(thread, &end);
    printf("cancelled thread: %s, %s\n", end == PTHREAD_CANCELED ? "ended" : "went on",
           code(gai_error(&blocks[0])));
}

/* More than there are threads: the last ones wait. */
static void cancel_mode(void)
{
    ask_many(0, 30, "late");
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, 30, NULL));
    pause_ms(50);
    say("waiting one", gai_cancel(&blocks[29]));
    say("again", gai_cancel(&blocks[29]));
    struct gaicb *only = &blocks[29];
    struct timespec time = {0, 1000000};
    say("suspend", gai_suspend((const struct gaicb **)&only, 1, &time));
    wait_for(0, 29);
    say("done one", gai_cancel(&blocks[3]));
    printf("waiting, then done: %s\n", code(gai_error(&blocks[28])));
}

static void cancel_differences(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_ptr = list;
    handle(SIGUSR1, 0);
    ask_many(0, 30, "late");
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, 30, &event));
    pause_ms(50);
    say("waiting one", gai_cancel(&blocks[29]));
    say("its state", gai_error(&blocks[29]));
    say("running one", gai_cancel(&blocks[0]));
    say("its state", gai_error(&blocks[0]));
    wait_for(1, 28);
    pause_ms(50);
    say_signals("the others done");
    ask_many(30, 3, "late");
    getaddrinfo_a(GAI_NOWAIT, list + 30, 3, &event);
    say("all", gai_cancel(NULL));
    say("state", gai_error(&blocks[30]));
    say("state", gai_error(&blocks[32]));
    pause_ms(50);
    say_signals("all cancelled");
}

static void say_many(void)
{
    for (int i = 0; i < MANY; i++)
        say_result(i);
}

static void many_mode(void)
{
    ask_many(0, MANY, "fast");
    say("ask", getaddrinfo_a(GAI_WAIT, list, MANY, NULL));
    say_many();
    ask_many(0, MANY, "fast");
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, MANY, NULL));
    wait_for(0, MANY);
    say_many();
}

/* In libc's way of it a request that is done, of which gai_suspend has not been told yet, keeps the
 * address of gai_suspend's stack frame, and writes to it later. */
static void suspend_many_mode(void)
{
    static const struct gaicb *pending[MANY];
    ask_many(0, MANY, "fast");
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, MANY, NULL));
    memcpy(pending, list, sizeof pending);
    for (int left = MANY; left > 0;) {
        int outcome = gai_suspend(pending, MANY, NULL);
        if (outcome != 0 && outcome != EAI_ALLDONE)
            say("suspend", outcome);
        for (int i = 0; i < MANY; i++)
            if (pending[i] && gai_error(&blocks[i]) != EAI_INPROGRESS) {
                pending[i] = NULL;
                left--;
            }
    }
    say_many();
}

/* Asks, gives up after a moment, and frees the block as soon as it may. With a nonzero argument only
 * blocks that were cancelled; else (libc) those that are done, too. */
static void *racer(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    long cancelled = 0, done = 0;
    for (int i = 0; i < 300; i++) {
        struct gaicb *block = calloc(1, sizeof *block);
        char *name = malloc(32);
        struct addrinfo *hints = malloc(sizeof *hints);
        *hints = inet_stream;
        snprintf(name, 32, "%s%u.test", i % 4 ? "fast" : "late", seed + i);
        *block = (struct gaicb){.ar_name = name, .ar_request = hints};
        if (getaddrinfo_a(GAI_NOWAIT, &block, 1, NULL) != 0) {
            puts("not taken");
            exit(1);
        }
        struct timespec moment = {0, rand_r(&seed) % 300 * 1000};
        const struct gaicb *const one = block;
        if (i % 3)
            gai_suspend(&one, 1, &moment);
        int outcome = gai_cancel(block);
        if (outcome == EAI_NOTCANCELED)
            while (gai_error(block) == EAI_INPROGRESS)
                pause_ms(1);
        if (outcome == EAI_CANCELED) {
            cancelled++;
        } else {
            done++;
            if (gai_error(block) == 0)
                freeaddrinfo(block->ar_result);
        }
        memset(block, 0x5a, sizeof *block);
        memset(name, 0x5a, 32);
        free(block);
        free(name);
        free(hints);
    }
    printf("%ld\n", cancelled + done);
    return NULL;
}

static void race_mode(void)
{
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, racer, (void *)(i * 1000));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

/* The child of a process with lookups under way can look up, and is not kept waiting by them. */
static void fork_mode(void)
{
    int status;
    ask_many(0, 30, "late");
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, 30, NULL));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        say("child, parent's", gai_error(&blocks[0]));
        say("child, parent's", gai_suspend((const struct gaicb **)list, 30, NULL));
        say("child, parent's", gai_cancel(&blocks[29]));
        ask_many(40, 3, "fast");
        say("child, wait", getaddrinfo_a(GAI_WAIT, list + 40, 3, NULL));
        say_result(41);
        ask_many(40, 3, "fast");
        say("child, nowait", getaddrinfo_a(GAI_NOWAIT, list + 40, 3, NULL));
        wait_for(40, 3);
        say_result(42);
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    printf("child: %s\n", status == 0 ? "0" : "failed");
    wait_for(0, 30);
    say_result(0);
    say_result(29);
}

/* Forks all the time while lookups come and go; each child looks up in both ways. */
static void fork_storm_mode(void)
{
    int failed = 0;
    for (int i = 0; i < 60; i++) {
        ask_many(0, 20, "fast");
        getaddrinfo_a(GAI_NOWAIT, list, 20, NULL);
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            ask_many(40, 2, "fast");
            if (getaddrinfo_a(GAI_NOWAIT, list + 40, 2, NULL) != 0)
                _exit(1);
            wait_for(40, 2);
            _exit(gai_error(&blocks[40]) == 0 && gai_error(&blocks[41]) == 0 ? 0 : 2);
        }
        int status;
        waitpid(child, &status, 0);
        failed += status != 0;
        wait_for(0, 20);
        for (int j = 0; j < 20; j++)
            freeaddrinfo(blocks[j].ar_result);
    }
    printf("failed: %d\n", failed);
}

static void leak_mode(void)
{
    int fds = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    ask_many(0, 60, "fast");
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, 60, NULL));
    wait_for(0, 60);
    for (int i = 0; i < 60; i++)
        freeaddrinfo(blocks[i].ar_result);
    int during = entries("/proc/self/task") - threads;
    printf("threads, busy: %s\n", during > 0 && during <= 20 ? "1 to 20" : "other");
    printf("fds: %d\n", entries("/proc/self/fd") - fds);
    pause_ms(1600);
    printf("threads, idle: %d\n", entries("/proc/self/task") - threads);
    ask_many(0, 1, "fast");
    say("again", getaddrinfo_a(GAI_NOWAIT, list, 1, NULL));
    wait_for(0, 1);
    say_result(0);
}

/* No thread can be made: this user has none to spare. */
static void no_threads_mode(void)
{
    struct rlimit none = {0, 0};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_ptr = list;
    handle(SIGUSR1, 0);
    if (setrlimit(RLIMIT_NPROC, &none) != 0 || setgid(65534) != 0 || setuid(65534) != 0) {
        perror("no_threads");
        exit(1);
    }
    pthread_t thread;
    printf("pthread_create: %s\n",
           strerrorname_np(pthread_create(&thread, NULL, waiting_thread, NULL)));
    ask_many(0, 3, "fast");
    errno = 0;
    say_errno("nowait", getaddrinfo_a(GAI_NOWAIT, list, 3, &event));
    say("cancel", gai_cancel(&blocks[0]));
    say("suspend", suspend(3, 0, 1000000));
    say_signals("nowait");
    say("state", gai_error(&blocks[0]));
    errno = 0;
    say_errno("wait", getaddrinfo_a(GAI_WAIT, list, 3, NULL));
    for (int i = 0; i < 3; i++)
        say_result(i);
}

/* The process ends while threads are at work. */
static void exit_mode(void)
{
    ask_many(0, 30, "late");
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, 30, NULL));
    pause_ms(20);
    exit(7);
}

/* A handler that runs in the middle of a call of ours, and makes another. */
static void on_storm(int number)
{
    (void)number;
    int saved = errno;
    gai_error(&blocks[0]);
    gai_cancel(&blocks[150]);
    signals_seen++;
    errno = saved;
}

static void storm_mode(void)
{
    signal(SIGALRM, on_storm);
    struct itimerspec every = {{0, 200000}, {0, 200000}};
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &every, NULL);
    int wrong = 0;
    for (int round = 0; round < 100; round++) {
        ask_many(0, 20, "fast");
        if (getaddrinfo_a(round % 2 ? GAI_WAIT : GAI_NOWAIT, list, 20, NULL) != 0)
            wrong++;
        for (int i = 0; i < 20; i++) {
            while (gai_error(&blocks[i]) == EAI_INPROGRESS)
                suspend(20, 0, 1000000);
            if (gai_error(&blocks[i]) != 0)
                wrong++;
            else
                freeaddrinfo(blocks[i].ar_result);
        }
    }
    timer_delete(timer);
    printf("wrong: %d, signals: %s\n", wrong, signals_seen > 10 ? "many" : "few");
}

static void *blocking_thread(void *argument)
{
    (void)argument;
    say("waited", getaddrinfo_a(GAI_WAIT, list + 30, 2, NULL));
    return NULL;
}

/* All threads are at work, so list[31] waits behind them. */
static void wake_mode(void)
{
    pthread_t thread;
    ask_many(0, 32, "last");
    getaddrinfo_a(GAI_NOWAIT, list, 22, NULL);
    pthread_create(&thread, NULL, blocking_thread, NULL);
    until_under_way(&blocks[31]);
    say("cancel", gai_cancel(&blocks[31]));
    say("cancel", gai_cancel(&blocks[30]));
    pthread_join(thread, NULL);
    say("its state", gai_error(&blocks[30]));
    list[0] = &blocks[21];
    pthread_create(&thread, NULL, waiting_thread, NULL);
    until_waiting();
    int outcome = gai_cancel(&blocks[21]);
    pthread_join(thread, NULL);
    say("cancel", outcome);
    say("its neighbour", gai_error(&blocks[20]));
}

/* So much that the stack of a small thread would not hold it. */
static __thread char thread_local_storage[300 << 10];

static void tls_mode(void)
{
    memset(thread_local_storage, 1, sizeof thread_local_storage);
    ask_many(0, 1, "fast");
    say("ask", getaddrinfo_a(GAI_NOWAIT, list, 1, NULL));
    wait_for(0, 1);
    say_result(0);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"wait", wait_mode},           {"nowait", nowait_mode},
    {"arguments", arguments},      {"signal", signal_mode},
    {"thread", thread_mode},       {"suspend", suspend_mode},
    {"interrupt", interrupt_mode}, {"cancel", cancel_mode},
    {"timeouts", timeouts},
    {"cancel_differences", cancel_differences},
    {"many", many_mode},           {"suspend_many", suspend_many_mode},
    {"race", race_mode},
    {"fork", fork_mode},           {"fork_storm", fork_storm_mode},
    {"leak", leak_mode},           {"no_threads", no_threads_mode},
    {"exit", exit_mode},           {"storm", storm_mode},
    {"tls", tls_mode},             {"wake", wake_mode},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(argv[1], scenarios[i].name) == 0) {
            scenarios[i].run();
            return 0;
        }
    fputs("gaia SCENARIO\n", stderr);
    return 2;
}
