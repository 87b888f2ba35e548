/*
 * Processes: forked, executed, made daemons, ending, beginning.
 *
 *     host_processes fork COUNT|fork-later COUNT|fork-until-hang COUNT|vfork COUNT|daemon|atexit|constructor|dlopen LIBRARY
 */
#define _GNU_SOURCE
#include "host.h"
#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static int stop;

static int stopped(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* The quick names for the cache and the list of addresses, the slow ones for questions under way. */
static void *quick(void *seed)
{
    for (unsigned i = (unsigned)(size_t)seed; !stopped(); i = (i + 7) % 60000)
        if (look_up_with('n', i, AI_ADDRCONFIG) != 0)
            fail("parent", (int)i);
    return NULL;
}

static void *slow(void *seed)
{
    for (unsigned i = (unsigned)(size_t)seed; !stopped(); i++)
        if (look_up_with('s', i % 4, AI_ADDRCONFIG) != 0)
            fail("parent, slow", (int)i);
    return NULL;
}

static int wait_for(pid_t child)
{
    int status = -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            fail("waitpid", errno);
    return status;
}

/*
 * Makes children while four threads are inside lookups; each looks up what others look up and what
 * no one else does. Returns how many were made until one did not end by itself.
 */
static unsigned make_children(long count, unsigned patience)
{
    pthread_t threads[4];
    unsigned made = 0;
    for (size_t i = 0; i < 4; i++)
        threads[i] = start(0, i < 2 ? quick : slow, i * 100);
    for (unsigned i = 0; i < (unsigned)count; i++) {
        pid_t child = fork();
        if (child < 0)
            fail("fork", errno);
        if (child == 0) {
            alarm(patience);
            if (look_up_with('n', 60000 + i, AI_ADDRCONFIG) || look_up_with('n', i % 100, 0)
                || (i % 8 == 0 && (look_up_with('s', i % 4, 0) || look_up_address(i))))
                _exit(1);
            _exit(0);
        }
        int status = wait_for(child);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            break;
        if (status != 0)
            fail("child", status);
        made++;
        __atomic_fetch_add(&lookups, 2, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return made;
}

static void forks(long count)
{
    unsigned made = make_children(count, 8);
    if (made < count)
        fail("a child hangs, after so many", (int)made);
}

/* The same of a process that has looked up something before: what is loaded for that is there. */
static void forks_later(long count)
{
    if (look_up_with('n', 1, AI_ADDRCONFIG) != 0)
        fail("before", 1);
    unsigned made = make_children(count, 60);
    if (made < count)
        fail("a child hangs, after so many", (int)made);
}

static void forks_until_hang(long count)
{
    unsigned made = make_children(count, 2);
    if (made < count)
        fail("a child hangs, after so many", (int)made);
}

/* Programs are executed while another thread is inside lookups. */
static void vforks(long count)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0)
        fail("readlink", errno);
    self[len] = 0;
    pthread_t threads[2] = {start(0, quick, 0), start(0, slow, 0)};
    for (long i = 0; i < count; i++) {
        pid_t child = vfork();
        if (child == 0) {
            execl(self, self, "one", (char *)NULL);
            _exit(127);
        }
        int status = child < 0 ? -1 : wait_for(child);
        if (status != 0)
            fail("executed program", status);
        must((unsigned)i);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void one(long index)
{
    must_all((unsigned)index);
    if (freopen("/dev/null", "w", stdout) == NULL)
        fail("freopen", errno);
}

/* The daemon's answer comes by a pipe: daemon(3) leaves it nothing else. */
static void daemonize(long unused)
{
    (void)unused;
    int ends[2];
    char answer = 0;
    must_all(1);
    if (pipe(ends) < 0)
        fail("pipe", errno);
    pid_t child = fork();
    if (child == 0) {
        if (daemon(0, 0) < 0)
            _exit(1);
        alarm(20);
        must_all(1);
        must_all(2);
        answer = 'y';
        if (write(ends[1], &answer, 1) != 1)
            _exit(1);
        _exit(0);
    }
    close(ends[1]);
    if (wait_for(child) != 0 || read(ends[0], &answer, 1) != 1 || answer != 'y')
        fail("the daemon found nothing", answer);
}

static void last(void)
{
    must_all(1);
    must_all(2);
    printf("at exit %d\n", lookups);
    fflush(stdout);
}

static __attribute__((destructor)) void very_last(void)
{
    if (getenv("LOOK_UP_EARLY"))
        must_all(3);
}

/* Before main, and before the constructors of what is loaded later. */
static __attribute__((constructor)) void first(void)
{
    if (getenv("LOOK_UP_EARLY"))
        must_all(0);
}

static void at_exit(long unused)
{
    (void)unused;
    atexit(last);
}

static void constructed(long unused)
{
    (void)unused;
    if (lookups != 3)
        fail("no lookup before main", lookups);
    must_all(1);
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "dlopen")) {
        struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
        for (unsigned i = 0; i < 1000; i++) {
            char name[32];
            void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
            if (!library)
                fail(dlerror(), (int)i);
            __typeof__(getaddrinfo) *get = dlsym(library, "getaddrinfo");
            __typeof__(freeaddrinfo) *release = dlsym(library, "freeaddrinfo");
            Dl_info info;
            if (!get || !dladdr((void *)get, &info) || !strstr(info.dli_fname, "rustdns"))
                fail("not the library's", (int)i);
            snprintf(name, sizeof name, "n%u.test", i % 10);
            int code = get(name, "80", &hints, &list);
            if (code)
                fail(gai_strerror(code), (int)i);
            if (ntohl(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr) != (10u << 24 | i % 10))
                fail("wrong answer", (int)i);
            release(list);
            looked_up();
            dlclose(library);
        }
        printf("ok %d\n", lookups);
        return 0;
    }
    const struct mode modes[] = {{"fork", forks}, {"fork-later", forks_later}, {"fork-until-hang", forks_until_hang},
        {"vfork", vforks}, {"one", one}, {"daemon", daemonize}, {"atexit", at_exit},
        {"constructor", constructed}, {0, 0}};
    return run_mode(modes, argc, argv);
}
