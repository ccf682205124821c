package audit_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/audit"
)

// try audits a text and returns the report and the error.
func try(t *testing.T, text string) (*audit.Report, error) {
	t.Helper()
	a := audit.New(audit.Options{})
	files, err := audit.Files(t.Context(), a, []string{"-"}, strings.NewReader(text), nil)
	r := a.Report()
	r.Files = files
	return r, err
}

// Lines as real servers write them are read whole: who, what, when, how long.
func TestRealLinesAreRead(t *testing.T) {
	for _, test := range []struct {
		name, line, format, client, endpoint string
		host                                 string
		other                                int
	}{
		{
			name:   "nginx combined",
			line:   `203.0.113.7 - - [23/Nov/2026:10:00:01 +0100] "GET /api/v2/tickets/35436.json HTTP/2.0" 200 2326 "-" "go-zendesk/0.18.0"`,
			format: "access log of nginx or Apache", client: "go-zendesk", endpoint: "GET /api/v2/tickets/{id}",
		},
		{
			name:   "Apache common, with a user that has a blank",
			line:   `203.0.113.7 - jane doe/token [23/Nov/2026:10:00:01 +0100] "PUT /api/v2/users/7 HTTP/1.1" 200 -`,
			format: "access log of nginx or Apache", client: "jane doe", endpoint: "PUT /api/v2/users/{id}",
		},
		{
			name:   "Apache vhost_combined",
			line:   `acme.zendesk.com:443 203.0.113.7 - jane [23/Nov/2026:10:00:01 +0100] "GET /api/v2/users/7 HTTP/1.1" 200 512 "-" "curl/8.5.0"`,
			format: "access log of nginx or Apache", client: "jane", endpoint: "GET /api/v2/users/{id}", host: "acme.zendesk.com",
		},
		{
			name:   "nginx with quotes escaped and a bare $request_time",
			line:   `203.0.113.7 - etl@example.com/token [23/Nov/2026:10:00:01 +0000] "GET /zd/api/v2/search.json?query=\x22a\x22 HTTP/1.1" 200 99 "-" "curl/8.5.0" 0.241 0.240`,
			format: "access log of nginx or Apache", client: "etl@example.com", endpoint: "GET /api/v2/search",
		},
		{
			name:   "Caddy, Authorization hidden",
			line:   `{"level":"info","ts":1795428001.52,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"41342","client_ip":"127.0.0.1","proto":"HTTP/2.0","method":"GET","host":"acme.zendesk.com","uri":"/api/v2/groups.json","headers":{"User-Agent":["curl/7.82.0"],"Authorization":["REDACTED"]},"tls":{"resumed":false}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"],"etag":["W/\"1\""]}}`,
			format: "Caddy's access log", client: "curl", endpoint: "GET /api/v2/groups",
		},
		{
			name:   "Envoy's default",
			line:   `[2026-11-23T10:00:00.310Z] "POST /api/v2/tickets.json HTTP/2" 201 - 154 0 226 100 "10.0.35.28" "node-zendesk" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "acme.zendesk.com" "tcp://10.0.2.1:80"`,
			format: "Envoy's access log", client: "node-zendesk", endpoint: "POST /api/v2/tickets",
		},
		{
			name:   "Istio's default",
			line:   `[2026-11-23T10:00:00.427Z] "GET /api/v2/users/me HTTP/1.1" 200 - via_upstream - "-" 0 135 4 4 "-" "zenpy/2.0" "84961386-6d84-929d-98bd-c5aee93b5c88" "acme.zendesk.com:443" "127.0.0.1:8000" inbound|8000|| 127.0.0.6:41854 10.44.1.27:8000 10.44.1.23:37652 outbound_.8000_._.x default`,
			format: "Envoy's access log", client: "zenpy", endpoint: "GET /api/v2/users/me",
		},
		{
			name:   "Istio's JSON",
			line:   `{"start_time":"2026-11-23T10:00:00.310Z","method":"GET","path":"/api/v2/brands.json","protocol":"HTTP/1.1","response_code":"200","response_flags":"-","bytes_received":"0","bytes_sent":"512","duration":"12","upstream_service_time":"11","x_forwarded_for":"-","user_agent":"zenpy/2.0","request_id":"x","authority":"acme.zendesk.com","upstream_host":"10.0.0.1:443"}`,
			format: "Envoy's access log, JSON", client: "zenpy", endpoint: "GET /api/v2/brands",
		},
		{
			name:   "urllib3, as zenpy's debug log has it",
			line:   "2026-11-23 10:00:00,001 - zenpy.lib.api - DEBUG - GET: https://acme.zendesk.com/api/v2/users/me.json - {}\n2026-11-23 10:00:00,123 - urllib3.connectionpool - DEBUG - https://acme.zendesk.com:443 \"GET /api/v2/users/me.json HTTP/1.1\" 200 None",
			format: "urllib3's debug log", client: "urllib3", endpoint: "GET /api/v2/users/me", other: 1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := try(t, test.line+"\n")
			if err != nil {
				t.Fatal(err)
			}
			if r.Calls != 1 || r.Files[0].Format != test.format || r.Files[0].Other != test.other {
				t.Fatalf("%d calls, %+v", r.Calls, r.Files[0])
			}
			if r.Clients[0].Name != test.client || r.Endpoints[0].Name != test.endpoint {
				t.Errorf("client %q, endpoint %q; want %q, %q", r.Clients[0].Name, r.Endpoints[0].Name, test.client, test.endpoint)
			}
			if test.host != "" && (len(r.Hosts) != 1 || r.Hosts[0].Name != test.host) {
				t.Errorf("hosts %+v, want %s", r.Hosts, test.host)
			}
			if r.From.Year() != 2026 {
				t.Errorf("at %s", r.From)
			}
		})
	}
}

// What cannot be read is an error that names file and line and says why, or is
// counted where little of it stands between good lines.
func TestBrokenLogsAreNamedWithTheirLine(t *testing.T) {
	good := `1.2.3.4 - a@example.com [23/Nov/2026:10:00:01 +0000] "GET /api/v2/tickets/1.json HTTP/1.1" 200 5 "-" "x/1"` + "\n"
	caddy := `{"ts":1795428001.5,"request":{"method":"GET","host":"h","uri":"/api/v2/groups.json","headers":{}},"duration":0.1,"size":1,"status":200}` + "\n"
	entry := `{"startedDateTime":"2026-11-23T10:00:00Z","time":1,"request":{"method":"GET","url":"https://a/api/v2/groups"},"response":{"status":200}}`
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "standard input: it is empty"},
		{"no log", "hello\nworld\n", `standard input: none of its first lines is of a known log; the first is "hello"`},
		{"binary", "\x00\x01\x02\x03\xff\xfe", "none of its first lines is of a known log"},
		{"not gzip", "\x1f\x8bnonsense", "it begins like gzip and is not"},
		{"cut gzip", cutGzip(strings.Repeat(good, 5000)), "the compressed file is cut off or damaged"},
		{"two logs in one", strings.Repeat(good, 300) + strings.Repeat(caddy, 300), "standard input:401: no time such as [10/Oct/2026:13:55:36 +0000]; 101 lines up to here cannot be read as access log of nginx or Apache, the first is line 301"},
		{"HAR cut off", `{"log":{"entries":[` + "\n" + entry + ",\n" + entry[:40], "standard input:3: it ends in the middle"},
		{"HAR with garbage", `{"log":{"entries":[` + "\n" + entry + "\n,\n,]}}", "standard input:3: what begins here is no JSON"},
		{"HAR without entries", `{"log":{"version":"1.2"}}`, `no "entries" in it: this is no HAR`},
		{"HAR whose entries are no list", `{"log":{"entries":{}}}`, "log.entries is no list"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := try(t, test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

// A few unreadable lines are counted and one is cited; the rest is read.
func TestAFewUnreadLinesAreCounted(t *testing.T) {
	good := `1.2.3.4 - a@example.com [23/Nov/2026:10:00:01 +0000] "GET /api/v2/tickets/1.json HTTP/1.1" 200 5 "-" "x/1"` + "\n"
	long := `1.2.3.4 - - [23/Nov/2026:10:00:01 +0000] "GET /api/v2/` + strings.Repeat("x", 3<<20) + ` HTTP/1.1" 200 5` + "\n"
	r, err := try(t, strings.Repeat(good, 50)+"1.2.3.4 - - [bad] \"\\x16\\x03\" 400 0\n"+long+strings.Repeat(good, 50))
	if err != nil {
		t.Fatal(err)
	}
	f := r.Files[0]
	if f.Calls != 100 || f.Unread != 2 || f.FirstUnread != "line 51: no time such as [10/Oct/2026:13:55:36 +0000]" {
		t.Errorf("%+v", f)
	}
}

// Connections on which no request came, as port scans, probes and browsers open
// them, are no reason to give a log up, however many there are.
func TestConnectionsWithoutARequestAreNoCalls(t *testing.T) {
	good := `1.2.3.4 - a@example.com [23/Nov/2026:10:00:01 +0000] "GET /api/v2/tickets/1.json HTTP/1.1" 200 5 "-" "x/1"` + "\n"
	idle := `1.2.3.4 - - [23/Nov/2026:10:00:01 +0000] "-" 408 - "-" "-"` + "\n"               // Apache
	tls := `1.2.3.4 - - [23/Nov/2026:10:00:01 +0000] "\x16\x03\x01" 400 157 "-" "-"` + "\n" + // nginx
		`1.2.3.4 - - [23/Nov/2026:10:00:01 +0000] "" 400 0 "-" "-"` + "\n"
	r, err := try(t, good+strings.Repeat(idle+tls, 100)+good)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Files[0]; f.Calls != 2 || f.Other != 300 || f.Unread != 0 {
		t.Errorf("%+v", f)
	}
}

// Several files are read in the order of time, whatever the order they are
// given in: the repeat is the one that came later.
func TestFilesAreReadInTheOrderOfTime(t *testing.T) {
	first, second := newWeek(1), newWeek(1)
	first.add(monday, "a@example.com", "GET", "/api/v2/groups/1.json").etag = "x"
	second.add(monday.Add(day), "a@example.com", "GET", "/api/v2/groups/1.json").etag = "x"
	old := write(t, "access.log.1.gz", first.calls, writeNginx)
	today := write(t, "access.log", second.calls, writeNginx)
	r := report(t, audit.Options{}, today, old)
	if len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Example, "2026-11-17 00:00:00") {
		t.Errorf("%+v", r.Findings)
	}
	if r.To.Sub(r.From) < day {
		t.Errorf("from %s to %s", r.From, r.To)
	}
}

// Memory does not grow with the log: ten times the calls take no more.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() || racing {
		t.Skip("reads 600,000 calls")
	}
	used := func(lines int) uint64 {
		a := audit.New(audit.Options{})
		if _, err := audit.Files(t.Context(), a, []string{"-"}, &endless{left: lines}, nil); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		r := a.Report()
		if r.Calls != lines {
			t.Fatalf("%d calls of %d", r.Calls, lines)
		}
		if lines > 200_000 && len(r.Blind) == 0 {
			t.Error("some was forgotten, and it is not said")
		}
		return m.HeapAlloc
	}
	used(1000)
	full, twice := used(220_000), used(440_000)
	if twice > full+full/4 {
		t.Errorf("%d bytes after 220,000 calls, %d after 440,000", full, twice)
	}
}

// endless is a log of calls that are all different, made as it is read.
type endless struct {
	left, n int
	rest    []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		if e.left == 0 {
			return 0, io.EOF
		}
		e.left--
		e.n++
		e.rest = fmt.Appendf(e.rest[:0], "10.0.0.1 - c%d@example.com [%s] \"GET /api/v2/tickets/%d.json HTTP/1.1\" 200 %d \"-\" \"x/1\"\n",
			e.n, monday.Format("02/Jan/2006:15:04:05 -0700"), e.n, e.n)
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func cutGzip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()[:b.Len()-20]
}

// Nothing that could let anyone in is in a report: no credential, no token in
// a path, no value of a query.
func TestReportsHoldNoSecrets(t *testing.T) {
	w := newWeek(2)
	w.add(monday, "a@example.com", "GET", "/api/v2/users/search.json?query=private%40example.com&token=hunter2")
	w.add(monday.Add(1), "a@example.com", "GET", "/api/v2/users/search.json?query=private%40example.com&token=hunter2")
	w.add(monday.Add(2), "a@example.com", "GET", "/api/v2/uploads/6bk3gql82em5nmfHUNTER2xyz0")
	w.add(monday.Add(3), "a@example.com", "GET", "/api/v2/uploads/6bk3gql82em5nmfHUNTER2xyz0")
	for i := range w.calls {
		w.calls[i].etag = "same"
	}
	r := report(t, audit.Options{}, write(t, "x.har", w.calls, writeHAR))
	if len(r.Findings) == 0 {
		t.Fatal("nothing found: the check cannot fail")
	}
	text := strings.ToLower(fmt.Sprintf("%+v", r))
	for _, secret := range []string{"hunter2", "private", "sesame", authorization("a@example.com")} {
		if strings.Contains(text, strings.ToLower(secret)) {
			t.Errorf("%q is in the report: %s", secret, text)
		}
	}
}

// What a log holds gives a terminal no orders.
func TestNothingFromALogReachesTheTerminalAsAnOrder(t *testing.T) {
	line := `1.2.3.4 - a@example.com [23/Nov/2026:10:00:01 +0000] "GET /api/v2/groups/\x1b[2J\x07.json HTTP/1.1" 200 5 "-" "\x1b[31mx/1"` + "\n"
	r, err := try(t, line+line)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) == 0 {
		t.Fatal("nothing is cited: the check cannot fail")
	}
	if text := fmt.Sprintf("%+v", *r); strings.ContainsAny(text, "\x1b\x07") {
		t.Errorf("%q", text)
	}
}

// A limit is one account's: calls to several hosts are told apart, and one of
// them can be chosen.
func TestCallsToOtherHostsAreLeftOut(t *testing.T) {
	har := `{"log":{"entries":[` +
		`{"startedDateTime":"2026-11-23T10:00:00Z","time":1,"request":{"method":"GET","url":"https://acme.zendesk.com/api/v2/groups"},"response":{"status":200}},` +
		`{"startedDateTime":"2026-11-23T10:00:01Z","time":1,"request":{"method":"GET","url":"https://acme.zendesk.com:443/api/v2/groups"},"response":{"status":200}},` +
		`{"startedDateTime":"2026-11-23T10:00:02Z","time":1,"request":{"method":"GET","url":"https://other.example/api/v2/groups"},"response":{"status":200}}]}}`
	all, err := try(t, har)
	if err != nil || all.Calls != 3 || len(all.Hosts) != 2 {
		t.Errorf("%d calls, hosts %v, error %v", all.Calls, all.Hosts, err)
	}
	a := audit.New(audit.Options{Host: "acme.zendesk.com"})
	if _, err := audit.Files(t.Context(), a, []string{"-"}, strings.NewReader(har), nil); err != nil {
		t.Fatal(err)
	}
	if r := a.Report(); r.Calls != 2 || r.OtherHosts != 1 {
		t.Errorf("%d calls, %d to other hosts; want 2 and 1", r.Calls, r.OtherHosts)
	}
}

// A browser's preflight is its own, no call of a client's: it is left out of
// every log but our own, which holds only an OPTIONS that was sent.
func TestAPreflightIsNoCall(t *testing.T) {
	lines := map[string]string{
		"HAR": `{"log":{"version":"1.2","entries":[` +
			`{"startedDateTime":"2026-11-23T10:00:00Z","time":5,"request":{"method":"GET","url":"https://acme.zendesk.com/api/v2/groups.json"},"response":{"status":200}},` +
			`{"startedDateTime":"2026-11-23T10:00:00Z","time":2,"_resourceType":"preflight","request":{"method":"OPTIONS","url":"https://acme.zendesk.com/api/v2/groups.json"},"response":{"status":204}}]}}`,
		"nginx": `203.0.113.7 - - [23/Nov/2026:10:00:01 +0100] "OPTIONS /api/v2/groups.json HTTP/2.0" 204 0 "-" "Mozilla/5.0"` + "\n" +
			`203.0.113.7 - - [23/Nov/2026:10:00:01 +0100] "GET /api/v2/groups.json HTTP/2.0" 200 2326 "-" "Mozilla/5.0"`,
	}
	for name, text := range lines {
		r, err := try(t, text+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if r.Calls != 1 || r.Sends != 1 || len(r.Endpoints) != 1 || r.Files[0].Other != 1 {
			t.Errorf("%s: %d calls, %d sends, %+v, %+v; want one call and one preflight", name, r.Calls, r.Sends, r.Endpoints, r.Files[0])
		}
	}
	own := `{"time":"2026-11-23T10:00:00Z","level":"INFO","msg":"call","client":"a","method":"OPTIONS","path":"/api/v2/groups.json","status":200,"sends":1}` + "\n"
	if r, err := try(t, own); err != nil || r.Sends != 1 {
		t.Errorf("our own: %v, %+v; want the send that it was", err, r.Files)
	}
}
