/*
 * Resources that are taken away.
 *
 *     host_limits close-range|streams|descriptors|processes|memory MIB
 */
#define _GNU_SOURCE
#include "host.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int out;

static void report(void)
{
    dprintf(out, "ok %d\n", lookups);
    _exit(0);
}

static void limit(int what, rlim_t value)
{
    struct rlimit both = {value, value};
    if (setrlimit(what, &both) != 0)
        fail("setrlimit", errno);
}

/* Whatever is open is closed between two lookups. */
static void closed(long unused)
{
    (void)unused;
    out = dup(1);
    for (unsigned i = 0; i < 200; i++) {
        must_all(i);
        syscall(SYS_close_range, 0, out - 1, 0);
        syscall(SYS_close_range, out + 1, ~0u, 0);
    }
    report();
}

/* Our sockets get the numbers 0, 1 and 2 then, and must not stay there. */
static void streams(long unused)
{
    (void)unused;
    out = fcntl(1, F_DUPFD, 10);
    close(0);
    close(1);
    close(2);
    for (unsigned i = 0; i < 50; i++) {
        must_all(i);
        look_up_with('s', i, 0);
    }
    for (int fd = 0; fd < 10; fd++)
        if (fcntl(fd, F_GETFD) != -1)
            fail("left open", fd);
    report();
}

/* With no descriptor left the kernel's error comes through; what is known goes on being answered. */
static void descriptors(long unused)
{
    (void)unused;
    must(2);
    out = dup(1);
    while (open("/dev/null", O_RDWR) < 30)
        ;
    limit(RLIMIT_NOFILE, 31);
    must(2);
    int code = look_up(3);
    if (code != EAI_SYSTEM || errno != EMFILE)
        fail("getaddrinfo without descriptors", code);
    errno = 0;
    code = look_up_address(3);
    if (code == 0)
        fail("getnameinfo without descriptors", code);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *list;
    if (getaddrinfo("192.0.2.1", "80", &hints, &list) != 0)
        fail("a number needs no descriptor", errno);
    freeaddrinfo(list);
    /* One is enough. */
    close(20);
    must_all(4);
    report();
}

static void processes(long unused)
{
    (void)unused;
    if (setgid(65534) != 0 || setuid(65534) != 0)
        fail("setuid", errno);
    limit(RLIMIT_NPROC, 0);
    must_all(1);
    must_all(2);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct gaicb block = {.ar_name = "n3.test", .ar_service = "80", .ar_request = &hints};
    struct gaicb *list[] = {&block};
    int code = getaddrinfo_a(GAI_WAIT, list, 1, NULL);
    /* A thread can't be had: the error says so, or the answer is right all the same. */
    if (code != 0 && code != EAI_AGAIN && code != EAI_SYSTEM && code != EAI_MEMORY)
        fail("getaddrinfo_a without threads", code);
    if (code == 0 && gai_error(&block) == 0) {
        struct sockaddr_in *got = (struct sockaddr_in *)block.ar_result->ai_addr;
        if (ntohl(got->sin_addr.s_addr) != (10u << 24 | 3))
            fail("wrong answer", 3);
        freeaddrinfo(block.ar_result);
    }
    out = 1;
    report();
}

static long mapped_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status))
        sscanf(line, "VmSize: %ld", &kib);
    fclose(status);
    return kib;
}

/* From the program's size upwards: no memory is EAI_MEMORY, and once there is enough the answer is right. */
static void memory(long unused)
{
    (void)unused;
    struct rlimit tight;
    getrlimit(RLIMIT_AS, &tight);
    long kib = mapped_kib(), refused = 0;
    /* The heap that there is may be large enough for all: it is used up. */
    tight.rlim_cur = (rlim_t)kib * 1024;
    setrlimit(RLIMIT_AS, &tight);
    for (size_t size = 1 << 20; size >= 16; size /= 2)
        while (malloc(size))
            ;
    for (long more = 0; more < 4096; more += 4) {
        tight.rlim_cur = (rlim_t)(kib + more) * 1024;
        setrlimit(RLIMIT_AS, &tight);
        int code = look_up((unsigned)more);
        if (code == EAI_MEMORY || (code == EAI_SYSTEM && errno == ENOMEM))
            refused++;
        else if (code != 0)
            fail(gai_strerror(code), (int)more);
        look_up_address((unsigned)more);
        look_up_host((unsigned)more);
    }
    if (refused == 0)
        fail("memory was never short", 0);
    must_all(1);
    out = 1;
    report();
}

int main(int argc, char **argv)
{
    const struct mode modes[] = {{"close-range", closed}, {"streams", streams},
        {"descriptors", descriptors}, {"processes", processes}, {"memory", memory}, {0, 0}};
    return run_mode(modes, argc, argv);
}
