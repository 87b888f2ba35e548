/*
 * A plug-in with the library's archive inside, for plugin_host.c: functions that look names up, and the
 * functions themselves.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <rustdns.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

static struct gaicb background;
static char name[256];

/* As a table of functions: its entries are relocated, not called. */
int (*const plugin_functions[])(const char *, const char *, const struct addrinfo *, struct addrinfo **) = {
    getaddrinfo, rustdns_getaddrinfo};

int plugin_look(const char *node)
{
    struct addrinfo *list = NULL;
    int code = getaddrinfo(node, "80", NULL, &list);
    if (!code)
        freeaddrinfo(list);
    return code;
}

int plugin_look_as_rustdns(const char *node)
{
    struct addrinfo *list = NULL;
    int code = rustdns_getaddrinfo(node, "80", NULL, &list);
    if (!code)
        rustdns_freeaddrinfo(list);
    return code;
}

int plugin_look_by_name(const char *node)
{
    return gethostbyname(node) ? 0 : h_errno;
}

/* How many questions of the DNS the plug-in's own library has made. */
int plugin_questions(void)
{
    struct rustdns_statistics numbers = {.size = sizeof numbers};
    rustdns_stats(&numbers);
    return (int)(numbers.cache_hits + numbers.cache_misses);
}

static int begin(const char *node, struct sigevent *event)
{
    struct gaicb *list[] = {&background};
    strncpy(name, node, sizeof name - 1);
    background = (struct gaicb){.ar_name = name, .ar_service = "80"};
    return getaddrinfo_a(GAI_NOWAIT, list, 1, event);
}

/* In the background, and nobody is told. */
int plugin_begin(const char *node)
{
    return begin(node, NULL);
}

/* The same, and `done` is called on a thread. */
int plugin_begin_and_tell(const char *node, void (*done)(union sigval))
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    event.sigev_notify_function = done;
    return begin(node, &event);
}

/* Waits until it is done. */
int plugin_end(void)
{
    const struct gaicb *list[] = {&background};
    while (gai_error(&background) == EAI_INPROGRESS)
        gai_suspend(list, 1, NULL);
    if (background.ar_result)
        freeaddrinfo(background.ar_result);
    background.ar_result = NULL;
    return gai_error(&background);
}
