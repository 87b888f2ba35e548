// Command lookup prints the addresses of a name, one a line, sorted.
//
// It asks libc where Go is told, or finds out, that its own resolver would not do: here because
// nsswitch.conf names a service that Go does not know.
package main

import (
	"fmt"
	"net"
	"os"
	"sort"
)

func main() {
	addresses, err := net.LookupHost(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sort.Strings(addresses)
	for _, address := range addresses {
		fmt.Println(address)
	}
}
