/*
 * The root changes between two lookups.
 *
 *     host_roots chroot|pivot FOLDER
 *
 * FOLDER has an /etc of its own, whose server gives nI.test the address 10.1.X.Y, and a folder "empty"
 * that has none: there the server on 127.0.0.1 is asked.
 */
#define _GNU_SOURCE
#include "host.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static void expect(const char *name, unsigned address)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int code = getaddrinfo(name, "80", &hints, &list);
    if (code)
        fail(gai_strerror(code), (int)address);
    unsigned got = ntohl(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr);
    if (got != address)
        fail(name, (int)got);
    freeaddrinfo(list);
    looked_up();
}

/* Files are looked at again after 100 ms. */
static void settle(void)
{
    usleep(150000);
}

static void enter(const char *folder)
{
    if (chroot(folder) != 0 || chdir("/") != 0)
        fail(folder, errno);
    settle();
}

static void pivot(const char *folder)
{
    char old[4096];
    snprintf(old, sizeof old, "%s/old", folder);
    mkdir(old, 0755);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount(folder, folder, NULL, MS_BIND | MS_REC, NULL) != 0)
        fail("mount", errno);
    if (syscall(SYS_pivot_root, folder, old) != 0 || chdir("/") != 0
        || umount2("/old", MNT_DETACH) != 0)
        fail("pivot_root", errno);
    settle();
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("no folder", argc);
    must_all(1);
    expect("listed.test", 0x0a090909);
    if (!strcmp(argv[1], "pivot"))
        pivot(argv[2]);
    else
        enter(argv[2]);
    expect("n1.test", 0x0a010001);
    expect("n2.test", 0x0a010002);
    expect("listed.test", 0x0a080808);
    enter("/empty");
    must_all(1);
    must_all(3);
    printf("ok %d\n", lookups);
    return 0;
}
