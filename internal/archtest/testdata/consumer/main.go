package main

import (
	"fmt"
	"log"
	"net/http"

	"github.com/flyballhq/flyball"
)

func main() {
	t, err := flyball.New(flyball.Options{Account: "acme"})
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: t} // share it between all callers of the account

	resp, err := client.Get("https://acme.zendesk.com/api/v2/users/me.json")
	fmt.Println(resp, err)
}
