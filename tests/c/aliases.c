/*
 * HOSTALIASES that is set after a first lookup, in a process that has another thread.
 *
 *     aliases FILE
 *
 * Prints what gethostbyname makes of `short` before the variable names the file, and after it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *wait_for_ever(void *nothing)
{
    for (;;)
        pause();
    return nothing;
}

static void look(void)
{
    struct hostent *host = gethostbyname("short");
    char text[INET_ADDRSTRLEN] = "none";
    if (host)
        inet_ntop(AF_INET, host->h_addr_list[0], text, sizeof text);
    printf("%s\n", text);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc != 2 || pthread_create(&thread, NULL, wait_for_ever, NULL))
        return 1;
    look();
    setenv("HOSTALIASES", argv[1], 1);
    look();
    return 0;
}
