/*
 * Mixed lookups by six threads, and by children now and then, for some time; servers and configuration
 * misbehave meanwhile (tests/hosts/soak.rs).
 *
 *     host_soak SECONDS NAMES
 *
 * An answer may be missing while servers are in trouble, never wrong: names from 0 to NAMES - 1 exist,
 * xI.test does not. When a twentieth of the time is over (eight seconds at least, a minute at most),
 * and at the end, all threads pause and the process is measured: descriptors, threads, memory in KiB.
 * Prints that, the number of lookups and how many of them had no answer.
 */
#define _GNU_SOURCE
#include "host.h"
#include <arpa/nameser.h>
#include <dirent.h>
#include <malloc.h>
#include <resolv.h>
#include <sys/wait.h>
#include <time.h>

enum { THREADS = 6 };

static unsigned names;
static int stop, pausing, paused;
static int unanswered;

static int get(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void put(int *flag, int value)
{
    __atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

/* Trouble is EAI_AGAIN; anything else would be a wrong answer. */
static void none(const char *what, int code, int again, unsigned index)
{
    if (code != again)
        fail(what, (int)index);
    __atomic_fetch_add(&unanswered, 1, __ATOMIC_RELAXED);
}

/* Both families: fd00::X:Y beside 10.0.X.Y; some names have but one. */
static void both(unsigned index)
{
    char name[32];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    snprintf(name, sizeof name, "n%u.test", index);
    int code = getaddrinfo(name, "80", &hints, &list), seen = 0;
    if (code)
        return none(gai_strerror(code), code, EAI_AGAIN, index);
    for (struct addrinfo *one = list; one; one = one->ai_next) {
        if (one->ai_family == AF_INET) {
            struct in_addr got = ((struct sockaddr_in *)one->ai_addr)->sin_addr;
            seen |= ntohl(got.s_addr) == (10u << 24 | index) ? 1 : 4;
        } else {
            unsigned char *got = ((struct sockaddr_in6 *)one->ai_addr)->sin6_addr.s6_addr;
            unsigned number = (unsigned)got[13] << 16 | (unsigned)got[14] << 8 | got[15];
            seen |= got[0] == 0xfd && number == index ? 2 : 4;
        }
    }
    /* One family without the other is an answer too, where a server had trouble. */
    if (seen == 0 || (seen & 4))
        fail("wrong answer", (int)index);
    freeaddrinfo(list);
    looked_up();
}

static void no_such(unsigned index)
{
    int code = look_up_with('x', index, 0);
    if (code == EAI_NONAME)
        looked_up();
    else
        none("a name that isn't there", code, EAI_AGAIN, index);
}

static void query(unsigned index)
{
    char name[32];
    unsigned char answer[1500];
    snprintf(name, sizeof name, "n%u.test", index);
    int len = res_query(name, C_IN, T_A, answer, sizeof answer);
    if (len < 0)
        /* A server that refuses is NO_RECOVERY, as in libc. */
        return none("res_query", h_errno == NO_RECOVERY ? TRY_AGAIN : h_errno, TRY_AGAIN, index);
    /* Header, question, and a record whose owner is a pointer to the question's name. */
    unsigned char *data = answer + NS_HFIXEDSZ + strlen(name) + 2 + NS_QFIXEDSZ + 2 + NS_RRFIXEDSZ;
    if (len < data + 4 - answer
        || ((unsigned)data[1] << 16 | (unsigned)data[2] << 8 | data[3]) != index || data[0] != 10)
        fail("wrong message", (int)index);
    looked_up();
}

static void asynchronous(unsigned index)
{
    char name[32];
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct gaicb block = {.ar_name = name, .ar_service = "80", .ar_request = &hints};
    struct gaicb *list[] = {&block};
    snprintf(name, sizeof name, "n%u.test", index);
    int code = getaddrinfo_a(GAI_WAIT, list, 1, NULL);
    if (code == 0)
        code = gai_error(&block);
    if (code)
        return none(gai_strerror(code), code, EAI_AGAIN, index);
    struct in_addr got = ((struct sockaddr_in *)block.ar_result->ai_addr)->sin_addr;
    if (ntohl(got.s_addr) != (10u << 24 | index))
        fail("wrong answer", (int)index);
    freeaddrinfo(block.ar_result);
    looked_up();
}

static void one_of_all(unsigned dice)
{
    unsigned index = dice / 16 % names;
    int code = 0;
    switch (dice % 16) {
    case 0: case 1: case 2: case 3: case 4:
        return both(index);
    case 5: case 6:
        code = look_up(index);
        break;
    case 7:
        code = look_up_with('s', index % 20, 0);
        break;
    case 8: case 9:
        code = look_up_address(index);
        /* A server's trouble is no name, as in libc. */
        if (code == EAI_NONAME)
            code = EAI_AGAIN;
        break;
    case 10: case 11:
        code = look_up_host(index);
        if (code)
            none("gethostbyname_r", code == EAGAIN ? TRY_AGAIN : code, TRY_AGAIN, index);
        return;
    case 12:
        return no_such(index);
    case 13: case 14:
        return query(index);
    default:
        return asynchronous(index);
    }
    if (code)
        none(gai_strerror(code), code, EAI_AGAIN, index);
}

static unsigned next(unsigned *dice)
{
    *dice = *dice * 1664525u + 1013904223u;
    return *dice >> 8;
}

static void *worker(void *seed)
{
    unsigned dice = (unsigned)(size_t)seed;
    while (!get(&stop)) {
        if (get(&pausing)) {
            __atomic_fetch_add(&paused, 1, __ATOMIC_ACQ_REL);
            while (get(&pausing) && !get(&stop))
                usleep(1000);
            continue;
        }
        one_of_all(next(&dice));
        usleep(next(&dice) % 500);
    }
    return NULL;
}

/* What is kept apart by thread is spread over a few places: threads enough to use them all. */
static void *visitor(void *index)
{
    for (unsigned i = 0; i < 20; i++)
        both(((unsigned)(size_t)index + i) % names);
    return NULL;
}

static void use_every_place(void)
{
    pthread_t threads[128];
    for (size_t i = 0; i < 128; i++)
        threads[i] = start(65536, visitor, i);
    for (int i = 0; i < 128; i++)
        pthread_join(threads[i], NULL);
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *open = opendir(folder);
    while (readdir(open))
        count++;
    closedir(open);
    return count - 3; /* ".", ".." and the folder itself */
}

static long resident_kib(void)
{
    long pages = 0, other;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &other, &pages) != 2)
        fail("statm", errno);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void measure(const char *when)
{
    put(&paused, 0);
    put(&pausing, 1);
    for (int i = 0; get(&paused) < THREADS; i++) {
        if (i > 60000)
            fail("a lookup hangs", i);
        usleep(1000);
    }
    /* The threads of getaddrinfo_a end when they have had nothing to do for a second. */
    usleep(1500000);
    malloc_trim(0);
    struct mallinfo2 heap = mallinfo2();
    printf("%s: fds %d threads %d resident %ld heap %zu\n", when, entries("/proc/self/fd"),
        entries("/proc/self/task") + 1, resident_kib(), (heap.uordblks + heap.hblkhd) / 1024);
    fflush(stdout);
    put(&pausing, 0);
}

static void child(unsigned seed)
{
    unsigned dice = seed;
    alarm(60);
    for (int i = 0; i < 5; i++)
        one_of_all(next(&dice));
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("no time", argc);
    double start_time = now(), seconds = atof(argv[1]);
    double warm = seconds / 20 < 8 ? 8 : seconds / 20 > 60 ? 60 : seconds / 20;
    names = (unsigned)atoi(argv[2]);
    pthread_t threads[THREADS];
    use_every_place();
    for (size_t i = 0; i < THREADS; i++)
        threads[i] = start(0, worker, i * 7919 + 1);
    int measured = 0, children = 0;
    for (unsigned i = 0; now() - start_time < seconds; i++) {
        pid_t one = fork();
        if (one == 0)
            child(i);
        int status = -1;
        while (one < 0 || (waitpid(one, &status, 0) < 0 && errno != EINTR))
            fail("fork", errno);
        if (status != 0)
            fail("child", status);
        children++;
        usleep(50000);
        if (!measured && now() - start_time >= warm) {
            measure("early");
            measured = 1;
        }
    }
    measure("late");
    put(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("counts: lookups %d unanswered %d children %d\n", lookups, unanswered, children);
    return 0;
}
