/* A shared object that looks names up while it is loaded and while it is unloaded. */
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

static void look(const char *when, const char *name)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = 0;
    int code = getaddrinfo(name, "80", &hints, &list);
    if (code) {
        fprintf(stderr, "%s: %s\n", when, gai_strerror(code));
        _exit(1);
    }
    freeaddrinfo(list);
}

__attribute__((constructor)) static void loaded(void)
{
    look("constructor", "n3.test");
}

__attribute__((destructor)) static void unloaded(void)
{
    look("destructor", "n4.test");
}
