/*
 * System calls that a seccomp(2) filter forbids.
 *
 *     host_filters CALL EPERM|ENOSYS first|later
 *
 * Forbids the call before the first lookup or after it, makes lookups and prints what came of each:
 * "getaddrinfo 0", "getnameinfo EAI_AGAIN", ... An answer that is wrong ends it with 1.
 */
#define _GNU_SOURCE
#include "text.h"
#include "host.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Calls by what they are for: each libc has one of several that do the same. */
static const struct group {
    const char *name;
    int calls[6];
} groups[] = {
    {"socket", {SYS_socket, -1}},
    {"connect", {SYS_connect, -1}},
    {"send", {SYS_sendto, SYS_sendmsg, SYS_sendmmsg, -1}},
    {"receive", {SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, -1}},
    {"clone", {SYS_clone, SYS_clone3, -1}},
    {"open", {SYS_openat, SYS_open, -1}},
    {"stat", {SYS_newfstatat, SYS_stat, SYS_fstat, SYS_statx, SYS_lstat, -1}},
    {"random", {SYS_getrandom, -1}},
    {"poll", {SYS_poll, SYS_ppoll, -1}},
    {"futex", {SYS_futex, -1}},
    {"memory", {SYS_mmap, SYS_madvise, SYS_brk, -1}},
    {"madvise", {SYS_madvise, -1}},
    {"sched_yield", {SYS_sched_yield, -1}},
    {0, {-1}},
};

/* Sockets to the kernel's routing tables alone (netlink(7)). */
#define WORD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_WORD 4
#else
#define LOW_WORD 0
#endif

static void forbid(const char *name, int errno_value)
{
    struct sock_filter netlink[] = {
        WORD(offsetof(struct seccomp_data, nr)), UNLESS(SYS_socket, 3),
        WORD(offsetof(struct seccomp_data, args[0]) + LOW_WORD), UNLESS(AF_NETLINK, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errno_value & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_filter code[16] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short len = 1;
    const struct group *group = groups;
    if (!strcmp(name, "netlink")) {
        memcpy(code, netlink, sizeof netlink);
        len = sizeof netlink / sizeof netlink[0];
    } else {
        while (group->name && strcmp(group->name, name))
            group++;
        if (!group->name)
            fail("no such call", 0);
        for (const int *call = group->calls; *call >= 0; call++) {
            code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, *call, 0, 1);
            code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                SECCOMP_RET_ERRNO | (errno_value & SECCOMP_RET_DATA));
        }
        code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    struct sock_fprog program = {.len = len, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        fail("seccomp", errno);
}

static char said[4096];

static void say(const char *what, int code)
{
    const struct name *name = errors;
    size_t len = strlen(said);
    while (name->text && name->value != code)
        name++;
    snprintf(said + len, sizeof said - len, "%s %s%s%s\n", what, name->text ? name->text : "?",
        code == EAI_SYSTEM ? " " : "", code == EAI_SYSTEM ? strerrorname_np(errno) : "");
}

int main(int argc, char **argv)
{
    if (argc < 4)
        fail("no call", argc);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *list;
    int later = !strcmp(argv[3], "later");
    if (later)
        must_all(1);
    forbid(argv[1], strcmp(argv[2], "EPERM") ? ENOSYS : EPERM);
    alarm(30);
    say("number", getaddrinfo("192.0.2.1", "80", &hints, &list));
    hints.ai_flags = 0;
    say("file", getaddrinfo("listed.test", "80", &hints, &list));
    say("name", look_up(2));
    say("address", look_up_address(2));
    if (later)
        say("again", look_up(1));
    hints.ai_flags = AI_ADDRCONFIG;
    say("two addresses", getaddrinfo("two.test", "80", &hints, &list));
    struct gaicb block = {.ar_name = "n3.test", .ar_service = "80", .ar_request = &hints};
    struct gaicb *blocks[] = {&block};
    struct timespec second = {1, 0};
    int code = getaddrinfo_a(GAI_NOWAIT, blocks, 1, NULL);
    if (code == 0) {
        gai_suspend((const struct gaicb *const *)blocks, 1, &second);
        code = gai_error(&block);
    }
    say("asynchronous", code);
    if (write(1, said, strlen(said)) < 0)
        fail("write", errno);
    _exit(0);
}
