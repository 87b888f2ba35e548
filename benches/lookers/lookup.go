// Times one lookup after the other with Go's own resolver, as lookup.c does with others: the same
// options as far as the bench gives them to it, the same output.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	threads  = flag.Int("t", 1, "threads")
	start    = flag.Int("s", 0, "the first number")
	kept     = flag.Int("k", 0, "numbers that are looked up once before")
	inStep   = flag.Bool("b", false, "threads wait for each other, and ask for one name")
	expected = flag.Int("e", 2, "addresses of each name")
	each     = flag.Bool("i", false, "print each lookup's time too")
)

// A barrier that can be used again and again.
type barrier struct {
	mutex          sync.Mutex
	turn           *sync.Cond
	parties, there int
	round          int
}

func newBarrier(parties int) *barrier {
	b := &barrier{parties: parties}
	b.turn = sync.NewCond(&b.mutex)
	return b
}

func (b *barrier) wait() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	round := b.round
	if b.there++; b.there == b.parties {
		b.there, b.round = 0, b.round+1
		b.turn.Broadcast()
	}
	for round == b.round {
		b.turn.Wait()
	}
}

func lookUp(pattern string, number int) int64 {
	name := strings.Replace(pattern, "%d", strconv.Itoa(number), 1)
	began := time.Now()
	found, err := net.DefaultResolver.LookupIPAddr(context.Background(), name)
	took := time.Since(began).Nanoseconds()
	var missing *net.DNSError
	if err != nil && !(errors.As(err, &missing) && missing.IsNotFound) || len(found) != *expected {
		fmt.Fprintf(os.Stderr, "%s: %d addresses, not %d: %v\n", name, len(found), *expected, err)
		os.Exit(1)
	}
	return took
}

func cpuTime() int64 {
	var use syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return use.Utime.Nano() + use.Stime.Nano()
}

func printMemory(when string) {
	status, _ := os.ReadFile("/proc/self/status")
	names := map[string]string{"VmRSS": "resident", "RssAnon": "anonymous", "VmSize": "virtual"}
	for _, line := range strings.Split(string(status), "\n") {
		key, value, _ := strings.Cut(line, ":")
		if name, wanted := names[key]; wanted {
			fmt.Println(name+"_"+when, strings.Fields(value)[0])
		}
	}
}

func main() {
	flag.Parse()
	count, err := strconv.Atoi(flag.Arg(0))
	if err != nil || count <= 0 || flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: lookup [OPTION]... COUNT NAME")
		os.Exit(2)
	}
	pattern := flag.Arg(1)
	took := make([]int64, *threads*count)
	printMemory("before")
	for i := range *kept {
		lookUp(pattern, *start+i)
	}
	var before, after runtime.MemStats
	step := newBarrier(*threads)
	var done sync.WaitGroup
	runtime.ReadMemStats(&before)
	cpu, wall := cpuTime(), time.Now()
	for t := range *threads {
		done.Go(func() {
			for i := range count {
				number := t*count + i
				if *inStep {
					number = i
					step.wait()
				}
				if *kept > 0 {
					number = number * 7919 % *kept
				}
				took[t*count+i] = lookUp(pattern, *start+number)
			}
		})
	}
	done.Wait()
	wallTook, cpuTook := time.Since(wall).Nanoseconds(), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	printMemory("after")
	fmt.Println("allocations", after.Mallocs-before.Mallocs)
	fmt.Println("octets", after.TotalAlloc-before.TotalAlloc)
	if *each {
		for _, ns := range took {
			fmt.Println("each", ns)
		}
	}
	fmt.Println("first", took[0])
	slices.Sort(took)
	fmt.Println("median", took[len(took)/2])
	fmt.Println("p99", took[len(took)*99/100])
	fmt.Println("wall", wallTook)
	fmt.Println("cpu", cpuTook)
	fmt.Println("lookups", len(took))
}
