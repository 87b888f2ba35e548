/*
 * Lookups before and after a time in which the machine is suspended.
 *
 *     suspended NAME SECONDS
 *
 * Prints the address of NAME, lets CLOCK_BOOTTIME alone go on by SECONDS, as a suspended machine does, and
 * prints it again, after a tenth of a second in which files are not looked at. The clock jumps because the
 * process enters a time namespace (time_namespaces(7)): for the kernel, and for whoever reads the clock.
 */
#define _GNU_SOURCE
#include "text.h"
#include "host.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <time.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static void look_up_name(const char *name)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    char text[INET_ADDRSTRLEN] = "none";
    int code = getaddrinfo(name, "80", &hints, &list);
    if (code == 0) {
        inet_ntop(AF_INET, &((struct sockaddr_in *)list->ai_addr)->sin_addr, text, sizeof text);
        freeaddrinfo(list);
    }
    printf("%s\n", text);
}

static struct timespec read_clock(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time))
        fail("clock_gettime", errno);
    return time;
}

int main(int argc, char **argv)
{
    char offsets[64];
    if (argc != 3)
        fail("no name", argc);
    look_up_name(argv[1]);
    struct timespec boot = read_clock(CLOCK_BOOTTIME), monotonic = read_clock(CLOCK_MONOTONIC);
    if (unshare(CLONE_NEWTIME))
        fail("unshare", errno);
    int file = open("/proc/self/timens_offsets", O_WRONLY);
    int len = snprintf(offsets, sizeof offsets, "boottime %s 0\n", argv[2]);
    if (file < 0 || write(file, offsets, len) != len || close(file))
        fail("timens_offsets", errno);
    int space = open("/proc/self/ns/time_for_children", O_RDONLY);
    if (space < 0 || setns(space, CLONE_NEWTIME) || close(space))
        fail("setns", errno);
    if (read_clock(CLOCK_BOOTTIME).tv_sec - boot.tv_sec < atol(argv[2]) ||
        read_clock(CLOCK_MONOTONIC).tv_sec - monotonic.tv_sec > 10)
        fail("the clock", 0);
    usleep(150000);
    look_up_name(argv[1]);
    return 0;
}
