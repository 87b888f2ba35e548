/*
 * Threads that look up names and change where they are in between: network and mount namespaces, roots.
 *
 *   namespaced STEP... [/ STEP...]...
 *
 * Each run of steps is a thread's, all at the same time; a single one is the main thread's, of a process that
 * has no other. Prints one line for each step that finds something out, thread by thread:
 *
 *   gai NAME          getaddrinfo: the addresses, in order
 *   configured NAME   the same with AI_ADDRCONFIG
 *   port SERVICE      the port of a service's name
 *   host NAME         gethostbyname_r
 *   name ADDRESS      getnameinfo
 *   query NAME        res_query for an IPv4 address
 *   entry             gethostent
 *   init              res_init (prints nothing)
 *
 *   setns FILE        by libc's function
 *   rawns FILE        by syscall(2), as Go's programs do
 *   unshare WHAT      net, mount, user-net
 *   bind FROM TO      mounts a file or folder over another
 *   chroot FOLDER     rawroot FOLDER, by syscall(2)
 *   pivot FOLDER      makes it a mount and pivot_root(2)s to it
 *   up                brings loopback up
 *   can WHAT          keeps no more rights than: nothing, chroot
 *   sleep MS, meet    meet: waits for all other threads
 *   share             as the first step: keeps the root that it shares with the threads that do so too
 *   many COUNT NAME   as often: a network namespace of its own with loopback up, and gai NAME; prints
 *                     how many found something, and the memory of the process's own, in KiB
 *   stats             rustdns_stats: entries in the cache, and octets (nothing with libc)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_barrier_t all;
static int threads;

struct run {
    char **step;
    FILE *out;
    char *text;
    size_t length;
};

static void fail(const char *what)
{
    perror(what);
    _exit(1);
}

static void get_addrinfo(FILE *out, const char *name, const char *service, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
    int code = getaddrinfo(name, service, &hints, &list);
    fprintf(out, "%s", code ? gai_strerror(code) : "");
    for (struct addrinfo *i = list; i; i = i->ai_next) {
        char host[100], port[10];
        getnameinfo(i->ai_addr, i->ai_addrlen, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
        fprintf(out, "%s%s", i == list ? "" : " ", service ? port : host);
    }
    fprintf(out, "\n");
    if (list)
        freeaddrinfo(list);
}

static void get_host(FILE *out, const char *name)
{
    struct hostent host, *found = NULL;
    char buffer[2048], text[100];
    int error = 0;
    gethostbyname_r(name, &host, buffer, sizeof buffer, &found, &error);
    if (found)
        fprintf(out, "%s %s\n", found->h_name, inet_ntop(AF_INET, found->h_addr_list[0], text, sizeof text));
    else
        fprintf(out, "%s\n", hstrerror(error));
}

static void get_name(FILE *out, const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    char name[1025];
    inet_pton(AF_INET, address, &in.sin_addr);
    int code = getnameinfo((struct sockaddr *)&in, sizeof in, name, sizeof name, NULL, 0, NI_NAMEREQD);
    fprintf(out, "%s\n", code ? gai_strerror(code) : name);
}

static void query(FILE *out, const char *name)
{
    unsigned char answer[2048];
    int length = res_query(name, 1, 1, answer, sizeof answer);
    /* The address is the last of an answer with one record and nothing behind it, or before an OPT record. */
    if (length < 0)
        fprintf(out, "%s\n", hstrerror(h_errno));
    else
        for (int i = 12; i + 14 <= length; i++)
            if (memcmp(answer + i, "\0\1\0\1", 4) == 0 && answer[i + 8] == 0 && answer[i + 9] == 4) {
                fprintf(out, "%u.%u.%u.%u\n", answer[i + 10], answer[i + 11], answer[i + 12], answer[i + 13]);
                break;
            }
}

static void enter(const char *file, int raw)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (raw ? (int)syscall(SYS_setns, fd, 0) : setns(fd, 0)) != 0)
        fail(file);
    close(fd);
}

static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        fail("lo");
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
        fail("lo");
    close(fd);
}

static void leave(const char *what)
{
    int flags = strcmp(what, "net") == 0      ? CLONE_NEWNET
                : strcmp(what, "mount") == 0 ? CLONE_NEWNS
                                             : CLONE_NEWUSER | CLONE_NEWNET;
    if (unshare(flags) != 0)
        fail(what);
    if (flags == CLONE_NEWNS && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        fail("private");
}

static void change_root(const char *folder, int raw)
{
    if ((raw ? (int)syscall(SYS_chroot, folder) : chroot(folder)) != 0 || chdir("/") != 0)
        fail(folder);
}

static void pivot(const char *folder)
{
    if (mount(folder, folder, NULL, MS_BIND, NULL) != 0 || chdir(folder) != 0 ||
        syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
        fail(folder);
}

/* This thread alone: libcap's and libc's functions would take all along. */
static void keep(const char *what)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2] = {{0}};
    if (strcmp(what, "chroot") == 0)
        sets[0].effective = sets[0].permitted = 1 << CAP_SYS_CHROOT;
    if (syscall(SYS_capset, &header, sets) != 0)
        fail(what);
}

static void get_many(FILE *out, int count, const char *name)
{
    int found = 0;
    long kib = -1;
    char line[128];
    while (count-- > 0) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
        if (unshare(CLONE_NEWNET) != 0)
            fail("net");
        raise_loopback();
        if (getaddrinfo(name, NULL, &hints, &list) == 0) {
            found++;
            freeaddrinfo(list);
        }
    }
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    if (status)
        fclose(status);
    fprintf(out, "%d %ld\n", found, kib);
}

/* The beginning of struct rustdns_statistics. */
struct statistics {
    size_t size, hits, misses, evictions, entries;
    size_t others[11], octets;
};

static void tell_stats(FILE *out)
{
    int (*stats)(struct statistics *) = (int (*)(struct statistics *))dlsym(RTLD_DEFAULT, "rustdns_stats");
    struct statistics now = {.size = sizeof now};
    if (stats && stats(&now) == 0)
        fprintf(out, "%zu %zu\n", now.entries, now.octets);
}

static void *run(void *place)
{
    struct run *run = place;
    char **step = run->step;
    FILE *out = run->out;
    if (strcmp(*step, "share") == 0)
        step++;
    else if (threads > 1 && unshare(CLONE_FS) != 0)
        fail("fs");
    for (; *step && strcmp(*step, "/") != 0; step++) {
        const char *what = *step;
        if (strcmp(what, "init") == 0) {
            res_init();
        } else if (strcmp(what, "entry") == 0) {
            struct hostent *host = gethostent();
            fprintf(out, "%s\n", host ? host->h_name : "(end)");
        } else if (strcmp(what, "up") == 0) {
            raise_loopback();
        } else if (strcmp(what, "meet") == 0) {
            pthread_barrier_wait(&all);
        } else if (strcmp(what, "stats") == 0) {
            tell_stats(out);
        } else if (!step[1]) {
            fail(what);
        } else {
            const char *argument = *++step;
            if (strcmp(what, "gai") == 0)
                get_addrinfo(out, argument, NULL, 0);
            else if (strcmp(what, "configured") == 0)
                get_addrinfo(out, argument, NULL, AI_ADDRCONFIG);
            else if (strcmp(what, "port") == 0)
                get_addrinfo(out, "127.0.0.1", argument, 0);
            else if (strcmp(what, "host") == 0)
                get_host(out, argument);
            else if (strcmp(what, "name") == 0)
                get_name(out, argument);
            else if (strcmp(what, "query") == 0)
                query(out, argument);
            else if (strcmp(what, "setns") == 0)
                enter(argument, 0);
            else if (strcmp(what, "rawns") == 0)
                enter(argument, 1);
            else if (strcmp(what, "unshare") == 0)
                leave(argument);
            else if (strcmp(what, "chroot") == 0)
                change_root(argument, 0);
            else if (strcmp(what, "rawroot") == 0)
                change_root(argument, 1);
            else if (strcmp(what, "pivot") == 0)
                pivot(argument);
            else if (strcmp(what, "can") == 0)
                keep(argument);
            else if (strcmp(what, "sleep") == 0)
                usleep((unsigned)atoi(argument) * 1000);
            else if (strcmp(what, "bind") == 0 && step[1]) {
                if (mount(argument, step[1], NULL, MS_BIND, NULL) != 0)
                    fail(argument);
                step++;
            } else if (strcmp(what, "many") == 0 && step[1])
                get_many(out, atoi(argument), *++step);
            else
                fail(what);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct run runs[16] = {{0}};
    pthread_t thread[16];
    (void)argc;
    for (char **step = argv + 1; *step && threads < 16; step++)
        if (step == argv + 1 || strcmp(step[-1], "/") == 0)
            runs[threads++].step = step;
    pthread_barrier_init(&all, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++)
        runs[i].out = open_memstream(&runs[i].text, &runs[i].length);
    if (threads == 1)
        run(&runs[0]);
    else
        for (int i = 0; i < threads; i++)
            if (pthread_create(&thread[i], NULL, run, &runs[i]) != 0)
                fail("thread");
    for (int i = 0; i < threads; i++) {
        if (threads > 1)
            pthread_join(thread[i], NULL);
        fclose(runs[i].out);
        printf("%s", runs[i].text);
    }
    return 0;
}
