/*
 * A program that has functions of its own named as libc's are: every one below is a name that ISO C leaves to
 * programs. None may be called but by the program, which calls none.
 *
 *     host_names [few]
 *
 * Looks up by each function, and prints the names that somebody called all the same; "ok N" where it was nobody.
 */
#define _GNU_SOURCE
#include "host.h"
#include <resolv.h>

static const char *volatile called[64];
static volatile int count;

static long note(const char *name)
{
    int i = __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    if (i < 64)
        called[i] = name;
    errno = EDOM;
    return -1;
}

/* By its label in the assembly, so that it has nothing to do with what the headers declare. */
#define OWN(name)                                        \
    extern long own_##name(void) __asm__(#name);         \
    long own_##name(void) { return note(#name); }

OWN(accept) OWN(access) OWN(bind) OWN(clock_getres) OWN(clock_gettime) OWN(clock_nanosleep)
OWN(close) OWN(connect) OWN(dup) OWN(dup2) OWN(epoll_create1) OWN(epoll_ctl) OWN(epoll_wait)
OWN(eventfd) OWN(faccessat) OWN(fcntl) OWN(fcntl64) OWN(fdopen) OWN(fstat) OWN(fstat64) OWN(fstatat)
OWN(fstatat64) OWN(ftruncate) OWN(getauxval) OWN(getcwd) OWN(getegid) OWN(getentropy) OWN(geteuid) OWN(getgid)
OWN(gethostname) OWN(getpagesize) OWN(getpeername) OWN(getpid) OWN(getppid) OWN(getrandom)
OWN(getsockname) OWN(getsockopt) OWN(gettid) OWN(gettimeofday) OWN(getuid) OWN(if_freenameindex)
OWN(if_indextoname) OWN(if_nameindex) OWN(if_nametoindex) OWN(ioctl) OWN(listen) OWN(lseek) OWN(lseek64)
OWN(lstat) OWN(lstat64) OWN(madvise) OWN(mlock) OWN(mmap) OWN(mmap64) OWN(mprotect) OWN(munmap) OWN(nanosleep)
OWN(open) OWN(open64) OWN(openat) OWN(openat64) OWN(pause) OWN(pipe) OWN(pipe2) OWN(poll) OWN(ppoll)
OWN(prctl) OWN(pread) OWN(pread64) OWN(pselect) OWN(pwrite) OWN(raise) OWN(read) OWN(readlink) OWN(readlinkat)
OWN(readv) OWN(realpath) OWN(recv) OWN(recvfrom) OWN(recvmmsg) OWN(recvmsg) OWN(sched_yield) OWN(select)
OWN(send) OWN(sendmmsg) OWN(sendmsg) OWN(sendto) OWN(setsockopt) OWN(shmat) OWN(shmctl) OWN(shmdt) OWN(shmget)
OWN(shutdown) OWN(sigaddset) OWN(sigdelset) OWN(sigemptyset) OWN(sigfillset) OWN(sigismember)
OWN(sigpending) OWN(sigprocmask) OWN(sigtimedwait) OWN(sleep) OWN(socket) OWN(socketpair) OWN(stat)
OWN(stat64) OWN(statx) OWN(strdup) OWN(syscall) OWN(sysconf) OWN(sysinfo) OWN(uname) OWN(usleep) OWN(write)
OWN(writev)

static void look_up_everywhere(unsigned index)
{
    unsigned char answer[512];
    struct gaicb block = {.ar_name = "n3.test"}, *list[] = {&block};
    struct addrinfo *found;
    must_all(index);
    /* By TCP, from the hosts file, addresses of both families to be sorted, a service's name. */
    const char *names[] = {"tcp.test", "own.test", "both.test", "127.0.0.1"};
    for (int i = 0; i < 4; i++) {
        int code = getaddrinfo(names[i], "ssh", NULL, &found);
        if (code)
            fail(names[i], code);
        freeaddrinfo(found);
        looked_up();
    }
    if (res_query("n2.test", 1, 1, answer, sizeof answer) < 0)
        fail("res_query", h_errno);
    if (getaddrinfo_a(GAI_WAIT, list, 1, NULL) || gai_error(&block))
        fail("getaddrinfo_a", gai_error(&block));
    freeaddrinfo(block.ar_result);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        must_all(3);
        must_all(4);
    } else {
        look_up_everywhere(1);
        if (res_init())
            fail("res_init", errno);
        look_up_everywhere(2);
    }
    for (int i = 0; i < count && i < 64; i++)
        printf("%s was called\n", called[i]);
    if (count)
        return 1;
    printf("ok %d\n", lookups);
    return 0;
}
