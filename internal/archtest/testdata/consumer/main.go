// Command consumer is somebody's program that uses flyball as a library.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/flyballhq/flyball"
)

func main() {
	t, err := flyball.New(flyball.Options{Account: "acme"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer t.Close()
	client := &http.Client{Transport: t}
	fmt.Println(client.Transport == t, t.Snapshot().Account)
}
