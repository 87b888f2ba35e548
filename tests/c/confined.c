/*
 * Lookups in a process that the kernel lets make no other system calls than these (seccomp(2)), as
 * SystemCallFilter= of systemd does it: any other one kills it with SIGSYS.
 *
 *   confined calls CALL,CALL,... NAME...
 *   confined memory PROGRAM ARGUMENT...
 *
 * `calls` prints the result of getaddrinfo for each NAME, plain and with AI_ADDRCONFIG, and of
 * getnameinfo for its addresses. `memory` denies memory that becomes executable, as
 * MemoryDenyWriteExecute= does (PR_SET_MDWE), and runs a program so: exit status 77 where the kernel can't.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

static const struct {
    const char *name;
    long number;
} known[] = {
#define CALL(name) {#name, SYS_##name}
    CALL(bind), CALL(brk), CALL(capget), CALL(clock_gettime), CALL(close), CALL(connect), CALL(fstat), CALL(futex),
    CALL(getpid), CALL(getrandom), CALL(getsockname), CALL(getsockopt), CALL(ioctl), CALL(lseek),
    CALL(madvise), CALL(mmap), CALL(mprotect), CALL(munmap), CALL(openat), CALL(ppoll), CALL(read), CALL(readlinkat),
    CALL(recvfrom), CALL(recvmsg), CALL(rt_sigprocmask), CALL(sched_yield), CALL(sendto),
    CALL(setsockopt), CALL(socket), CALL(statx), CALL(uname), CALL(write),
#ifdef SYS_newfstatat
    CALL(newfstatat),
#endif
#ifdef SYS_poll
    CALL(poll),
#endif
#ifdef SYS_sendmmsg
    CALL(sendmmsg),
#endif
};

static long number(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].number;
    return -1;
}

static int allow_only(char *names)
{
    struct sock_filter filter[2 * sizeof known / sizeof *known + 16];
    unsigned short length = 0;
    /* The probe's own. */
    long own[] = {SYS_write, SYS_exit_group, SYS_brk, -1};

    filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (long *call = own; *call >= 0; call++) {
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)*call, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
        long call = number(name);
        if (call < 0 || length + 3u > sizeof filter / sizeof *filter) {
            fprintf(stderr, "unknown call %s\n", name);
            return -1;
        }
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    struct sock_fprog program = {length, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("seccomp");
        return -1;
    }
    return 0;
}

static void look_up(const char *name, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
    int result = getaddrinfo(name, "80", &hints, &list);
    dprintf(1, "%s %d", name, result);
    for (struct addrinfo *i = list; i != NULL; i = i->ai_next) {
        char host[1025];
        result = getnameinfo(i->ai_addr, i->ai_addrlen, host, sizeof host, NULL, 0, 0);
        dprintf(1, " %s", result == 0 ? host : gai_strerror(result));
    }
    dprintf(1, "\n");
    if (list != NULL)
        freeaddrinfo(list);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "memory") == 0) {
        if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0)
            return 77;
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        return 1;
    }
    if (argc < 4 || strcmp(argv[1], "calls") != 0 || allow_only(argv[2]) != 0)
        return 2;
    for (char **name = argv + 3; *name != NULL; name++) {
        look_up(*name, 0);
        look_up(*name, AI_ADDRCONFIG);
    }
    return 0;
}
