/*
 * Lookups that are left: a handler jumps out of them, or their thread is cancelled.
 *
 *     host_left jump|jump-shallow|jump-thread|jump-fast|reused|nested FUNCTION COUNT
 *     host_left cancel|cancel-leaks|cancel-waiting|cancel-off FUNCTION COUNT
 *
 * Nobody answers for qI.test. lI.test is answered as nI.test, after 400 ms.
 */
#define _GNU_SOURCE
#include "host.h"
#include "in_malloc.h"
#include <arpa/nameser.h>
#include <dirent.h>
#include <fcntl.h>
#include <resolv.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* What one call may have open: two families, and a socket to find out about its own addresses. */
#define ONE_CALL 4

static int descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static int cancel_state(void)
{
    int state, unused;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_setcancelstate(state, &unused);
    return state;
}

static void silent_addrinfo(unsigned i)
{
    char name[32];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    snprintf(name, sizeof name, "q%u.test", i);
    if (getaddrinfo(name, "80", &hints, &list) == 0)
        fail("answered", (int)i);
}

static void silent_host(unsigned i)
{
    char name[32], room[2048];
    struct hostent host, *found;
    int why;
    snprintf(name, sizeof name, "q%u.test", i);
    if (gethostbyname_r(name, &host, room, sizeof room, &found, &why) == 0 && found)
        fail("answered", (int)i);
}

static void silent_own_host(unsigned i)
{
    char name[32];
    snprintf(name, sizeof name, "q%u.test", i);
    if (gethostbyname(name))
        fail("answered", (int)i);
}

static void silent_query(unsigned i)
{
    char name[32];
    unsigned char answer[2048];
    snprintf(name, sizeof name, "q%u.test", i);
    if (res_query(name, ns_c_in, ns_t_txt, answer, sizeof answer) >= 0)
        fail("answered", (int)i);
}

/* 11.0.0.0/8 belongs to nobody. */
static void silent_address(unsigned i)
{
    char host[NI_MAXHOST];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(11u << 24 | i)}};
    if (getnameinfo((struct sockaddr *)&address, sizeof address, host, sizeof host, NULL, 0,
            NI_NAMEREQD) == 0)
        fail("answered", (int)i);
}

#ifdef __GLIBC__

struct request {
    struct gaicb block, *list[1];
    char name[32];
};

/* What works on it may go on with it when its caller has left: it is on no stack. */
static struct request *request(unsigned i, int mode)
{
    struct request *it = calloc(1, sizeof *it);
    snprintf(it->name, sizeof it->name, "q%u.test", i);
    it->block.ar_name = it->name;
    it->list[0] = &it->block;
    getaddrinfo_a(mode, it->list, 1, NULL);
    return it;
}

static void silent_request(unsigned i)
{
    request(i, GAI_WAIT);
}

static void silent_suspend(unsigned i)
{
    gai_suspend((const struct gaicb *const *)request(i, GAI_NOWAIT)->list, 1, NULL);
}

#else

static void silent_suspend(unsigned i) { (void)i; }

#endif

static const struct function {
    const char *name;
    void (*call)(unsigned);
} functions[] = {{"getaddrinfo", silent_addrinfo}, {"gethostbyname_r", silent_host},
    {"gethostbyname", silent_own_host}, {"res_query", silent_query},
    {"getnameinfo", silent_address},
#ifdef __GLIBC__
    {"getaddrinfo_a", silent_request},
#endif
    {"gai_suspend", silent_suspend}};

static void (*call)(unsigned);
static unsigned count;

static void ring(long microseconds)
{
    struct itimerval once = {{0, 0}, {0, microseconds}};
    setitimer(ITIMER_REAL, &once, NULL);
}

static sigjmp_buf out;
static volatile sig_atomic_t armed;

static void jump(int number)
{
    (void)number;
    if (!armed)
        return;
    if (in_malloc) {
        ring(50);
        return;
    }
    armed = 0;
    siglongjmp(out, 1);
}

static void on_alarm(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(SIGALRM, &action, NULL);
}

/* Calls it with so much more on the stack, not all of which is written to. */
__attribute__((noinline)) static void deeper(unsigned i, size_t octets)
{
    char room[octets];
    __asm__ volatile("" : : "r"(room) : "memory");
    call(i);
    __asm__ volatile("" : : "r"(room) : "memory");
}

static void leave(unsigned i, size_t depth)
{
    if (sigsetjmp(out, 1) == 0) {
        armed = 1;
        ring(20000 + (long)(i % 3) * 15000);
        deeper(i, depth);
        fail("returned", (int)i);
    }
}

static void is_tidy(int before, int state)
{
    /* gai_suspend leaves its request to a thread, which is still at it. */
    if (call != silent_suspend && descriptors() > before)
        fail("descriptors left", descriptors() - before);
    if (cancel_state() != state)
        fail("cancellation is not as it was", cancel_state());
}

/* The next call is as deep, or not as deep by this much. */
static void leave_each(size_t depth)
{
    on_alarm(jump, 0);
    must_all(1);
    int before = descriptors();
    for (unsigned i = 0; i < count; i++) {
        leave(i, depth);
        if (call != silent_suspend && descriptors() > before + ONE_CALL)
            fail("more descriptors than those of one call", descriptors() - before);
        if (i % 4 == 3) {
            must(1000 + i);
            is_tidy(before, PTHREAD_CANCEL_ENABLE);
        }
    }
    must(2000);
    is_tidy(before, PTHREAD_CANCEL_ENABLE);
}

static void jump_out(void)
{
    leave_each(16);
}

static void jump_shallow(void)
{
    leave_each(3000);
}

/* The thread can be cancelled afterwards, and one that had switched that off itself has it off. */
static void *leaving_thread(void *off)
{
    int unused;
    must(1);
    if (off)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &unused);
    for (unsigned i = 0; i < count; i++)
        leave(i, 16);
    must(3000);
    if (cancel_state() != (off ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE))
        fail("cancellation is not as it was", off != NULL);
    if (off)
        return NULL;
    for (;;)
        pause();
}

static void jump_thread(void)
{
    sigset_t alarms;
    on_alarm(jump, 0);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    for (size_t off = 0; off < 2; off++) {
        void *result;
        pthread_t thread = start(0, leaving_thread, off);
        pthread_sigmask(SIG_BLOCK, &alarms, NULL);
        if (!off) {
            usleep(count * 50000 + 500000);
            pthread_cancel(thread);
        }
        pthread_join(thread, &result);
        pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
        if (result != (off ? NULL : PTHREAD_CANCELED))
            fail("how the thread has ended", (int)off);
    }
}

/* Out of lookups that are answered, anywhere. The very first one may not be known again. */
static void jump_fast(void)
{
    on_alarm(jump, 0);
    must_all(1);
    int before = descriptors();
    volatile unsigned jumped = 0;
    for (volatile unsigned i = 0; i < count; i++) {
        if (sigsetjmp(out, 1) == 0) {
            armed = 1;
            ring(60 + (long)(i * 37) % 3000);
            for (unsigned n = 0; n < 3; n++)
                look_up_with('s', 10 * i + n, 0);
            armed = 0;
        } else
            jumped++;
        ring(0);
        armed = 0;
        must(4000 + i);
        if (descriptors() > before + ONE_CALL)
            fail("descriptors left", descriptors() - before);
        if (cancel_state() != PTHREAD_CANCEL_ENABLE)
            fail("cancellation is off", (int)i);
    }
    if (jumped < count / 4)
        fail("hardly ever jumped", (int)jumped);
}

/* The program closes what it does not know, and has files and sockets of its own under these numbers: a
 * socket like ours, too. */
static void reused(void)
{
    on_alarm(jump, 0);
    must_all(1);
    int before = descriptors();
    for (unsigned i = 0; i < count; i++) {
        leave(i, 16);
        struct stat stats[16], again;
        int own[16];
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        for (int n = 0; n < 16; n++) {
            struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53),
                .sin_addr = {htonl(INADDR_LOOPBACK)}};
            own[n] = n % 4 == 3 ? open("/etc/hosts", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                                : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (n % 4 == 0)
                connect(own[n], (struct sockaddr *)&server, sizeof server);
            fstat(own[n], &stats[n]);
        }
        must(5000 + i);
        for (int n = 0; n < 16; n++) {
            if (fstat(own[n], &again) || again.st_ino != stats[n].st_ino)
                fail("a descriptor of the program's was closed", n);
            close(own[n]);
        }
    }
    if (descriptors() > before)
        fail("descriptors left", descriptors() - before);
}

static volatile int handled;

static void look_up_in_handler(int number)
{
    (void)number;
    int saved = errno;
    if (!in_malloc) {
        unsigned i = 6000 + (unsigned)handled;
        int before = descriptors();
        if (look_up(i) || look_up_host(i) || look_up_with('s', i, 0))
            fail("the handler's lookup failed", handled);
        if (descriptors() != before)
            fail("descriptors of the lookup beneath were closed", descriptors() - before);
        handled++;
    }
    errno = saved;
}

/* A call that a handler interrupts with its own is not taken for one that was left, whatever the handler's stack:
 * the same, one above, one below. */
static void nested(void)
{
    static char below[65536];
    char above[65536];
    stack_t stacks[] = {{.ss_flags = SS_DISABLE}, {.ss_sp = below, .ss_size = sizeof below},
        {.ss_sp = above, .ss_size = sizeof above}};
    must_all(1);
    int before = descriptors();
    for (unsigned i = 0; i < count; i++) {
        sigaltstack(&stacks[i % 3], NULL);
        on_alarm(look_up_in_handler, SA_ONSTACK);
        ring(30000 + (long)i % 100 * 2000);
        int code = look_up_with('l', i, 0);
        if (code)
            fail(gai_strerror(code), (int)i);
    }
    if (handled < (int)count / 2)
        fail("hardly ever in a handler", handled);
    is_tidy(before, PTHREAD_CANCEL_ENABLE);
}

static void note(void *cleaned)
{
    *(int *)cleaned = 1;
}

static int cleaned[1000];
static void *in_lookup(void *index)
{
    pthread_cleanup_push(note, &cleaned[(size_t)index]);
    call((unsigned)(size_t)index);
    pthread_cleanup_pop(0);
    return NULL;
}

/* As curl since 8.16, with as many transfers as `count`. */
static void cancel(void)
{
    pthread_t threads[1000];
    for (int round = 0; round < 3; round++) {
        must_all(1);
        int before = descriptors();
        memset(cleaned, 0, sizeof cleaned);
        for (size_t i = 0; i < count; i++)
            threads[i] = start(0, in_lookup, i);
        usleep(200000);
        double begun = now();
        for (size_t i = 0; i < count; i++)
            if (pthread_cancel(threads[i]))
                fail("pthread_cancel", (int)i);
        for (size_t i = 0; i < count; i++) {
            void *result;
            pthread_join(threads[i], &result);
            if (result != PTHREAD_CANCELED || !cleaned[i])
                fail("not cancelled", (int)i);
        }
        /* The server has ten seconds. */
        if (now() - begun > 2)
            fail("took milliseconds", (int)((now() - begun) * 1000));
        is_tidy(before, PTHREAD_CANCEL_ENABLE);
    }
}

#ifdef __GLIBC__

/* What is lost with a thread that is cancelled stays little. */
static void cancel_leaks(void)
{
    pthread_t thread;
    size_t least = 0;
    for (unsigned i = 0; i < count; i++) {
        thread = start(0, in_lookup, i % 1000);
        usleep(15000);
        pthread_cancel(thread);
        pthread_join(thread, NULL);
        if (i == count / 2)
            least = mallinfo2().uordblks;
    }
    size_t more = mallinfo2().uordblks - least;
    if ((long)more > (long)count * 40)
        fail("octets lost", (int)more);
}

#endif

static void *late(void *index)
{
    int code = look_up_with('l', (unsigned)(size_t)index, 0);
    if (code)
        fail(gai_strerror(code), (int)(size_t)index);
    return NULL;
}

/* Others want to know what a thread asks that is cancelled: they ask themselves. */
static void cancel_waiting(void)
{
    for (size_t i = 0; i < count; i++) {
        pthread_t first = start(0, late, i);
        usleep(50000);
        pthread_t others[3];
        for (int n = 0; n < 3; n++)
            others[n] = start(0, late, i);
        usleep(50000);
        void *result;
        pthread_cancel(first);
        pthread_cancel(others[2]);
        pthread_join(first, &result);
        if (result != PTHREAD_CANCELED)
            fail("not cancelled", (int)i);
        pthread_join(others[2], &result);
        if (result != PTHREAD_CANCELED)
            fail("not cancelled while it waits", (int)i);
        for (int n = 0; n < 2; n++) {
            pthread_join(others[n], &result);
            if (result != NULL)
                fail("another one was cancelled", n);
        }
    }
}

static void *late_with_cancellation_off(void *index)
{
    int unused;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &unused);
    late(index);
    return (void *)7;
}

/* Who has switched it off gets the answer. */
static void cancel_off(void)
{
    for (size_t i = 0; i < count; i++) {
        void *result;
        pthread_t thread = start(0, late_with_cancellation_off, i);
        usleep(100000);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        if (result != (void *)7)
            fail("cancelled", (int)i);
    }
}

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"jump", jump_out}, {"jump-shallow", jump_shallow}, {"jump-thread", jump_thread},
        {"jump-fast", jump_fast}, {"reused", reused}, {"nested", nested}, {"cancel", cancel},
#ifdef __GLIBC__
        {"cancel-leaks", cancel_leaks},
#endif
        {"cancel-waiting", cancel_waiting},
        {"cancel-off", cancel_off}, {0, 0}};
    if (argc != 4)
        fail("arguments", argc);
    count = (unsigned)atoi(argv[3]);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(argv[2], functions[i].name))
            call = functions[i].call;
    for (int i = 0; modes[i].name; i++)
        if (!strcmp(argv[1], modes[i].name) && call) {
            modes[i].run();
            printf("ok %d\n", lookups);
            return 0;
        }
    fail("no such mode", 0);
}
