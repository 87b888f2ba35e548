/*
 * Walks its own stack with the unwinder that the archive brings, and prints how many frames of
 * `deep` it has seen: a panic in the library can only be caught where that works.
 */
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <unwind.h>

static volatile int depth = 5;
static uintptr_t start;

static _Unwind_Reason_Code count(struct _Unwind_Context *context, void *seen)
{
    /* The lowest bit of a function's address marks Thumb's code, which the tables don't. */
    if ((_Unwind_GetRegionStart(context) ^ start) <= 1)
        ++*(int *)seen;
    return _URC_NO_REASON;
}

__attribute__((noinline)) static int deep(int left)
{
    int seen = 0;
    if (left > 1)
        seen = deep(left - 1);
    else
        _Unwind_Backtrace(count, &seen);
    /* Not a tail call: that would leave no frame. */
    depth = left;
    return seen;
}

int main(void)
{
    struct addrinfo *list = NULL;
    start = (uintptr_t)deep;
    if (getaddrinfo("127.0.0.1", "80", NULL, &list) != 0)
        return 1;
    freeaddrinfo(list);
    printf("%d frames\n", deep(depth));
    return 0;
}
