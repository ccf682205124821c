package cli

import (
	"net/url"
	"testing"
)

func TestPagingEndsWhereEachKindOfListEnds(t *testing.T) {
	here, err := url.Parse("https://acme.zendesk.com/api/v2/tickets?page=1")
	if err != nil {
		t.Fatal(err)
	}
	const two = "https://acme.zendesk.com/api/v2/tickets?page=2"
	for _, test := range []struct{ name, body, want string }{
		{"a cursor page in the middle", `{"meta":{"has_more":true},"links":{"next":"` + two + `"}}`, two},
		{"the last cursor page still has a link", `{"meta":{"has_more":false},"links":{"next":"` + two + `"}}`, ""},
		{"an offset page", `{"next_page":"` + two + `","count":3}`, two},
		{"the last offset page", `{"next_page":null,"count":3}`, ""},
		{"an export by cursor", `{"after_url":"` + two + `","end_of_stream":false}`, two},
		{"an export's end", `{"after_url":"` + two + `","end_of_stream":true}`, ""},
		{"an export by time never stops linking", `{"next_page":"` + two + `","end_of_stream":true}`, ""},
		{"an export by time", `{"next_page":"` + two + `","end_of_stream":false}`, two},
		{"a page that links to itself", `{"next_page":"` + here.String() + `"}`, ""},
		{"a link without a host", `{"next_page":"/api/v2/tickets?page=2"}`, two},
		{"one record", `{"ticket":{"id":1}}`, ""},
		{"no JSON", `<html>`, ""},
		{"a link that is no address", `{"next_page":"http://[::1"}`, ""},
	} {
		got := ""
		if next := nextPage([]byte(test.body), here); next != nil {
			got = next.String()
		}
		if got != test.want {
			t.Errorf("%s: nextPage(%s) = %q, want %q", test.name, test.body, got, test.want)
		}
	}
}
