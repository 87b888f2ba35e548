// Every lookup of Go's net package that goes to libc, a line each.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
)

func show(what string, argument string, result interface{}, err error) {
	if err != nil {
		fmt.Println(what, argument, "error:", err)
		return
	}
	fmt.Println(what, argument, result)
}

func main() {
	names := []string{
		"www.example.test", "alias.example.test", "many.example.test", "v6.example.test", "www",
		"hosted", "localhost", "text.example.test", "absent.example.test",
	}
	for _, name := range names {
		hosts, err := net.LookupHost(name)
		show("LookupHost", name, hosts, err)
		addresses, err := net.LookupIP(name)
		show("LookupIP", name, addresses, err)
		canonical, err := net.LookupCNAME(name)
		show("LookupCNAME", name, canonical, err)
		tcp, err := net.ResolveTCPAddr("tcp", name+":http")
		show("ResolveTCPAddr", name, tcp, err)
	}
	for _, address := range []string{"192.0.2.80", "192.0.2.99", "127.0.0.5", "2001:db8::80"} {
		found, err := net.LookupAddr(address)
		show("LookupAddr", address, found, err)
	}
	reply, err := http.Get("http://v4.example.test:8080/")
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := io.ReadAll(reply.Body)
	show("Get", "v4", string(page), err)
}
