/* What core.c asks of its surroundings (wasm-rt.h). */

#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/mman.h>

#include "runtime.h"

#include "kernel.h"

#define PAGE 65536u

/* Where a trap goes: the innermost call into the core on this thread. */
static __thread struct way_out *innermost;

void way_out_open(struct way_out *here)
{
  here->outer = innermost;
  innermost = here;
}

void way_out_close(struct way_out *here)
{
  innermost = here->outer;
}

int way_out_is_open(void)
{
  return innermost != NULL;
}

void wasm_rt_trap(wasm_rt_trap_t reason)
{
  if (innermost == NULL)
    abort(); /* not reached: the core is called inside with_core() alone */
  longjmp(innermost->target, reason);
}

/* The type itself, two bits a value below the counts: no table is kept. */
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...)
{
  uint32_t type = params << 1 | results, i;
  va_list values;
  if (params > 12 || results > 1)
    return 0;
  va_start(values, results);
  for (i = 0; i < params + results; i++)
    type = type << 2 | (uint32_t)va_arg(values, int);
  va_end(values);
  return type + 1;
}

/* Mapped apart from the program's allocator, so that what a trap leaves can be given back whole. */
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t initial_pages, uint32_t max_pages)
{
  size_t size = (size_t)initial_pages * PAGE;
  void *data = kernel_map(size);
  memory->data = data == MAP_FAILED ? NULL : data;
  memory->size = data == MAP_FAILED ? 0 : size;
  memory->pages = data == MAP_FAILED ? 0 : initial_pages;
  memory->max_pages = max_pages;
  if (data == MAP_FAILED)
    wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION);
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages)
{
  uint32_t before = memory->pages;
  size_t size = ((size_t)before + pages) * PAGE;
  void *data;
  if (pages == 0)
    return before;
  if (pages > memory->max_pages - before || size > UINT32_MAX)
    return UINT32_MAX;
  data = kernel_remap(memory->data, memory->size, size);
  if (data == MAP_FAILED)
    return UINT32_MAX;
  memory->data = data;
  memory->size = size;
  memory->pages = before + pages;
  return before;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory)
{
  if (memory->data != NULL)
    munmap(memory->data, memory->size);
  memory->data = NULL;
  memory->size = memory->pages = 0;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t elements, uint32_t max)
{
  size_t size = elements * sizeof *table->data;
  void *data = kernel_map(size);
  table->data = data == MAP_FAILED ? NULL : data;
  table->size = data == MAP_FAILED ? 0 : elements;
  table->max_size = max;
  if (data == MAP_FAILED)
    wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION);
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table)
{
  if (table->data != NULL)
    munmap(table->data, table->size * sizeof *table->data);
  table->data = NULL;
  table->size = 0;
}
