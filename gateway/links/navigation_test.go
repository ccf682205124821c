package links

import (
	"fmt"
	"strings"
	"testing"
)

// shape is an answer as Zendesk sends it. In want and body, UP stands for the
// upstream's origin and GW for the gateway's address.
type shape struct{ name, body, want string }

func (s shape) fill() (body, want string) {
	names := strings.NewReplacer("UP", upstream, "GW", gateway)
	return names.Replace(s.body), names.Replace(s.want)
}

var shapes = []shape{
	{
		"offset list",
		`{"tickets":[{"url":"UP/api/v2/tickets/1.json","id":1}],"next_page":"UP/api/v2/tickets.json?page=2","previous_page":null,"count":2}`,
		`{"tickets":[{"url":"UP/api/v2/tickets/1.json","id":1}],"next_page":"GW/api/v2/tickets.json?page=2","previous_page":null,"count":2}`,
	},
	{
		"cursor list",
		`{"tickets":[],"meta":{"has_more":true,"after_cursor":"x"},"links":{"prev":"UP/api/v2/tickets?page%5Bbefore%5D=a","next":"UP/api/v2/tickets?page%5Bafter%5D=b"}}`,
		`{"tickets":[],"meta":{"has_more":true,"after_cursor":"x"},"links":{"prev":"GW/api/v2/tickets?page%5Bbefore%5D=a","next":"GW/api/v2/tickets?page%5Bafter%5D=b"}}`,
	},
	{
		"help center cursor list, spread out",
		"{\n  \"articles\": [ ],\n  \"links\" : {\n \"first\" : \"UP/api/v2/help_center/articles?page[size]=1\",\n \"last\": \"UP/api/v2/a\"\n}\n}\n",
		"{\n  \"articles\": [ ],\n  \"links\" : {\n \"first\" : \"GW/api/v2/help_center/articles?page[size]=1\",\n \"last\": \"GW/api/v2/a\"\n}\n}\n",
	},
	{
		"webhooks with port and raw brackets",
		`{"webhooks":[{"endpoint":"UP/api/v2/tickets"}],"links":{"next":"https://acme.zendesk.com:443/api/v2/webhooks?page[after]=x"}}`,
		`{"webhooks":[{"endpoint":"UP/api/v2/tickets"}],"links":{"next":"GW/api/v2/webhooks?page[after]=x"}}`,
	},
	{
		"incremental export by cursor",
		`{"tickets":[],"after_url":"UP/api/v2/incremental/tickets/cursor.json?cursor=a","before_url":"UP/api/v2/b","after_cursor":"a","end_of_stream":false}`,
		`{"tickets":[],"after_url":"GW/api/v2/incremental/tickets/cursor.json?cursor=a","before_url":"GW/api/v2/b","after_cursor":"a","end_of_stream":false}`,
	},
	{
		"job",
		`{"job_status":{"id":"j","url":"UP/api/v2/job_statuses/j.json","results":[{"url":"UP/api/v2/tickets/1.json"}],"message":"UP/api/v2/x"}}`,
		`{"job_status":{"id":"j","url":"GW/api/v2/job_statuses/j.json","results":[{"url":"UP/api/v2/tickets/1.json"}],"message":"UP/api/v2/x"}}`,
	},
	{
		"jobs",
		`{"job_statuses":[{"url":"UP/api/v2/job_statuses/a.json","results":null},{"results":[],"url":"UP/api/v2/job_statuses/b.json"}],"count":2}`,
		`{"job_statuses":[{"url":"GW/api/v2/job_statuses/a.json","results":null},{"results":[],"url":"GW/api/v2/job_statuses/b.json"}],"count":2}`,
	},
	{
		"slashes escaped",
		`{"next_page":"https:\/\/acme.zendesk.com\/api\/v2\/tickets.json?page=2"}`,
		`{"next_page":"http:\/\/127.0.0.1:4290\/api\/v2\/tickets.json?page=2"}`,
	},
	{
		"characters escaped, in the key too",
		`{"ne\u0078t_page":"\u0068ttps://acme.zendesk\u002Ecom/api\u002fv2?a=\u0026b"}`,
		`{"ne\u0078t_page":"GW/api\u002fv2?a=\u0026b"}`,
	},
	{
		"letter case of the host",
		`{"next_page":"HTTPS://Acme.Zendesk.com/api/v2/x"}`,
		`{"next_page":"GW/api/v2/x"}`,
	},
	{
		"a record is not navigation",
		`{"ticket":{"url":"UP/api/v2/tickets/1.json","next_page":"UP/api/v2/a","links":{"next":"UP/api/v2/b"},"job_status":{"url":"UP/api/v2/c"},` +
			`"description":"see \"UP/api/v2/tickets/2\" \\","custom_fields":[{"id":1,"value":"UP/api/v2/d"}]},"audit":{"events":[{"body":"UP/api/v2/e"}]}}`, "",
	},
	{
		"a record stays beside links",
		`{"tickets":[{"description":"\"next_page\":\"UP/api/v2/x\"","a":"\\\\"}],"next_page":"UP/api/v2/y"}`,
		`{"tickets":[{"description":"\"next_page\":\"UP/api/v2/x\"","a":"\\\\"}],"next_page":"GW/api/v2/y"}`,
	},
	{"text that holds a link", `{"next_page":"see UP/api/v2/x","links":{"next":" UP/api/v2/x"}}`, ""},
	{"another host", `{"next_page":"https://acme.zendesk.com.evil.example/api/v2/x","after_url":"https://other.zendesk.com/api/v2/x"}`, ""},
	{"another port", `{"next_page":"https://acme.zendesk.com:4430/api/v2/x","after_url":"https://acme.zendesk.com:444/api/"}`, ""},
	{"another scheme", `{"next_page":"http://acme.zendesk.com/api/v2/x"}`, ""},
	{"a page for people", `{"next_page":"UP/hc/en-us","after_url":"UP","before_url":"UP/api","previous_page":"UP/API/v2"}`, ""},
	{"links that are no object", `{"links":["UP/api/v2/x"],"job_status":["UP/api/v2/x",{"url":"UP/api/v2/x"}],"job_statuses":{"url":"UP/api/v2/x"}}`, ""},
	{"links nested further", `{"links":{"next":{"href":"UP/api/v2/x"},"all":["UP/api/v2/x"]},"next_page":["UP/api/v2/x"],"after_url":{"url":"UP/api/v2/x"}}`, ""},
	{"a job in a list in jobs", `{"job_statuses":[[{"url":"UP/api/v2/x"}]],"url":"UP/api/v2/x"}`, ""},
	{"a key that is only an ending", `{"xnext_page":"UP/api/v2/x","next_pagex":"UP/api/v2/x","next_page_and_much_more":"UP/api/v2/x","next_pag":"UP/api/v2/x"}`, ""},
	{"a list at the top", `[{"next_page":"UP/api/v2/x"}]`, ""},
	{"a string at the top", `"UP/api/v2/x"`, ""},
	{"nothing", ``, ""},
	{"a page in HTML", `<html><a href="UP/api/v2/x">next_page</a>}`, ""},
	{"brackets that do not match", `{"links":]"next_page":"UP/api/v2/x"`, ""},
	{"cut in a link", `{"next_page":"https://acme.zendesk.com/ap`, ""},
	{"cut in an escape", `{"next_page":"https:\/\u00`, ""},
	{"a broken escape", `{"next_page":"\u00xhttps://acme.zendesk.com/api/v2/x"}`, ""},
	{"a broken escape before the end", `{"next_page":"\u00","after_url":"UP/api/v2/x"}`, `{"next_page":"\u00","after_url":"GW/api/v2/x"}`},
	{"a broken escape in a key", `{"next_\u00page":"UP/api/v2/x","after_\u0url":"UP/api/v2/x","job_status":{"\u0url":"UP/api/v2/x"}}`, ""},
	{"an escaped quote first", `{"next_page":"\"","after_url":"UP/api/v2/x"}`, `{"next_page":"\"","after_url":"GW/api/v2/x"}`},
	{"two documents", `{"next_page":"UP/api/v2/x"}` + "\n" + `{"next_page":"UP/api/v2/x"}`, `{"next_page":"GW/api/v2/x"}` + "\n" + `{"next_page":"GW/api/v2/x"}`},
}

// checkNavigation runs every real shape, cut at every size, through rewrite.
func checkNavigation(rewrite func(body string, size int) string) error {
	for _, s := range shapes {
		body, want := s.fill()
		if s.want == "" {
			want = body
		}
		for _, size := range []int{1, 2, 3, 5, 7, 11, 16, 33, 4096} {
			if got := rewrite(body, size); got != want {
				return fmt.Errorf("%s, in pieces of %d:\n got %s\nwant %s", s.name, size, got, want)
			}
		}
	}
	return nil
}

// Behaviour C4: page links come back through the gateway, and nothing else in a body changes.
func TestOnlyNavigationLinksAreRewritten(t *testing.T) {
	r := rewriter(t, Navigation)
	if err := checkNavigation(func(body string, size int) string { return through(t, r, body, size) }); err != nil {
		t.Error(err)
	}
	twins := map[string]func(string, int) string{
		"replaces the origin everywhere": func(body string, _ int) string {
			return strings.ReplaceAll(body, upstream+apiPath, gateway+apiPath)
		},
		"replaces within each chunk": func(body string, size int) string {
			var b strings.Builder
			for ; body != ""; body = body[min(size, len(body)):] {
				b.WriteString(strings.ReplaceAll(body[:min(size, len(body))], `_page":"`+upstream, `_page":"`+gateway))
			}
			return b.String()
		},
		"leaves links alone": func(body string, _ int) string { return body },
	}
	for name, twin := range twins {
		if checkNavigation(twin) == nil {
			t.Errorf("the check does not notice a twin that %s", name)
		}
	}
}

func TestEveryLinkIsRewrittenInModeAll(t *testing.T) {
	r := rewriter(t, All)
	for _, s := range []shape{
		{
			"records", `{"tickets":[{"url":"UP/api/v2/tickets/1.json","d":"see UP/api/v2/x","t":["UP/api/v2/y","z"]}],"UP/api/v2/key":1,"links":{"next":"UP/api/v2/n"}}`,
			`{"tickets":[{"url":"GW/api/v2/tickets/1.json","d":"see UP/api/v2/x","t":["GW/api/v2/y","z"]}],"UP/api/v2/key":1,"links":{"next":"GW/api/v2/n"}}`,
		},
		{"a string at the top", `"UP/api/v2/x"`, `"GW/api/v2/x"`},
		{"a key after a list", `{"a":[1,{}],"UP/api/v2/k":"UP/api/v2/v"}`, `{"a":[1,{}],"UP/api/v2/k":"GW/api/v2/v"}`},
		{"too many ends", `]"UP/api/v2/x"`, `]"UP/api/v2/x"`},
		{
			"too deep", strings.Repeat(`[`, 1025) + `"UP/api/v2/x",{"a":"UP/api/v2/x"},"UP/api/v2/x"],"UP/api/v2/x"`,
			strings.Repeat(`[`, 1025) + `"UP/api/v2/x",{"a":"UP/api/v2/x"},"UP/api/v2/x"],"GW/api/v2/x"`,
		},
	} {
		body, want := s.fill()
		for _, size := range []int{1, 3, 16, 4096} {
			if got := through(t, r, body, size); got != want {
				t.Errorf("%s, in pieces of %d:\n got %s\nwant %s", s.name, size, got, want)
			}
		}
	}
}

func TestNothingIsRewrittenInModeOff(t *testing.T) {
	r := rewriter(t, Off)
	for _, s := range shapes {
		body, _ := s.fill()
		if got := through(t, r, body, 16); got != body {
			t.Errorf("%s: got %s, want it unchanged", s.name, got)
		}
	}
}

// Behaviour C4: the headers Link and Location lead back to the gateway as well.
func TestLinkHeadersAreRewritten(t *testing.T) {
	check := func(link func(string) string) error {
		for _, s := range []shape{
			{"port", `<https://acme.zendesk.com:443/api/v2/webhooks?page[after]=x>; rel="next"`, `<GW/api/v2/webhooks?page[after]=x>; rel="next"`},
			{"two", `<UP/api/v2/a>; rel="next", <UP/api/v2/b>;rel=prev`, `<GW/api/v2/a>; rel="next", <GW/api/v2/b>;rel=prev`},
			{"comma in an address", `<UP/api/v2/a?ids=1,2>; rel="next" , <UP/api/v2/b>`, `<GW/api/v2/a?ids=1,2>; rel="next" , <GW/api/v2/b>`},
			{"quoted", `<UP/hc>; title="a \", <UP/api/v2/x>", <UP/api/v2/b>`, `<UP/hc>; title="a \", <UP/api/v2/x>", <GW/api/v2/b>`},
			{"other host", `<https://other.example/UP/api/v2/x>; rel="next"`, `<https://other.example/UP/api/v2/x>; rel="next"`},
			{"not a link", `UP/api/v2/x; <UP/api/v2/x>`, `UP/api/v2/x; <UP/api/v2/x>`},
			{"not closed", `<UP/api/v2/x`, `<UP/api/v2/x`},
			{"empty", ``, ``},
		} {
			v, want := s.fill()
			if got := link(v); got != want {
				return fmt.Errorf("%s:\n got %s\nwant %s", s.name, got, want)
			}
		}
		return nil
	}
	r := rewriter(t, Navigation)
	for _, status := range []int{200, 201, 204, 302, 304} {
		ours := func(v string) string {
			resp := answer(strings.NewReader(""))
			resp.StatusCode = status
			resp.Header["Link"] = []string{`<` + upstream + `/api/v2/first>`, v}
			resp.Header.Set("Location", upstream+"/api/v2/tickets/1.json")
			if err := r.Response(resp); err != nil {
				t.Fatal(err)
			}
			if got := resp.Header.Get("Location"); got != gateway+"/api/v2/tickets/1.json" {
				t.Errorf("status %d: Location is %s", status, got)
			}
			if got := resp.Header["Link"][0]; got != `<`+gateway+`/api/v2/first>` {
				t.Errorf("status %d: the first Link is %s", status, got)
			}
			return resp.Header["Link"][1]
		}
		if err := check(ours); err != nil {
			t.Errorf("status %d: %v", status, err)
		}
	}
	if check(func(v string) string { return strings.ReplaceAll(v, upstream, gateway) }) == nil {
		t.Error("the check does not notice a twin that replaces the origin everywhere")
	}
	if check(func(v string) string { return v }) == nil {
		t.Error("the check does not notice a twin that leaves Link alone")
	}
}
