/*
 * Counts heap allocations: LD_PRELOADed, it stands before libc's malloc and its like and calls them.
 * A program asks it by a weak reference:
 *
 *     unsigned long allocations(unsigned long *octets) __attribute__((weak));
 */
#include <errno.h>
#include <stddef.h>

/* glibc's own names for its functions: the allocator behind ours. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static unsigned long calls, asked;

static void note(size_t size)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&asked, size, __ATOMIC_RELAXED);
}

/* The calls so far, and the octets that they asked for. */
unsigned long allocations(unsigned long *octets)
{
    *octets = __atomic_load_n(&asked, __ATOMIC_RELAXED);
    return __atomic_load_n(&calls, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    note(count * size);
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    note(size);
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
    note(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *made = memalign(alignment, size);
    if (!made)
        return ENOMEM;
    *block = made;
    return 0;
}
