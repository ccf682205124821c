package audit_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"

	"github.com/flyballhq/flyball/audit/accesslog"
)

const agent = "zenpy/2.0.56"

// authorization is a Basic credential of the e-mail.
func authorization(email string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(email+"/token:sesame-"+email))
}

// logs writes the week's calls in every format that audit reads.
var logs = map[string]func(w io.Writer, calls []exchange){
	"har": writeHAR, "nginx": writeNginx, "combined": writeCombined, "caddy": writeCaddy,
	"envoy": writeEnvoy, "envoy-json": writeEnvoyJSON, "own": writeOwn,
}

func writeHAR(w io.Writer, calls []exchange) {
	fmt.Fprint(w, `{"log": {"version": "1.2", "pages": [{"id": "p", "title": "a \"page\""}], "entries": [`)
	for i, c := range calls {
		if i > 0 {
			fmt.Fprint(w, ",\n")
		}
		response := []map[string]string{}
		if c.etag != "" {
			response = append(response, map[string]string{"name": "etag", "value": c.etag})
		}
		for _, name := range names(c.header) {
			response = append(response, map[string]string{"name": name, "value": c.header[name]})
		}
		writeJSON(w, map[string]any{
			"startedDateTime": c.at.Format("2006-01-02T15:04:05.000Z"), "time": c.took.Seconds() * 1e3,
			"request": map[string]any{
				"method": c.method, "url": "https://acme.zendesk.com" + c.path,
				"headers":  []map[string]string{{"name": "authorization", "value": authorization(c.client)}, {"name": "User-Agent", "value": agent}},
				"postData": map[string]string{"text": c.sent},
			},
			"response": map[string]any{
				"status": c.status, "headers": response,
				"content": map[string]any{"size": c.size, "text": c.body},
			},
		})
	}
	fmt.Fprint(w, `]}}`)
}

func writeCombined(w io.Writer, calls []exchange) {
	for _, c := range calls {
		fmt.Fprintf(w, "10.1.2.3 - %s [%s] \"%s %s HTTP/1.1\" %d %d \"-\" \"%s\"\n", c.client,
			c.at.Add(c.took).Format("02/Jan/2006:15:04:05 -0700"), c.method, c.path, c.status, c.size, agent)
	}
}

func writeNginx(w io.Writer, calls []exchange) {
	for _, c := range calls {
		end := c.at.Add(c.took)
		fmt.Fprintf(w, "10.1.2.3 - %s [%s] \"%s %s HTTP/1.1\" %d %d \"-\" \"%s\" rt=%.3f urt=\"%.3f\" msec=%d.%03d etag=\"%s\" retry_after=\"%s\" limit=\"%s\" left=\"%s\"\n",
			c.client, end.Format("02/Jan/2006:15:04:05 -0700"), c.method, c.path, c.status, c.size, agent,
			c.took.Seconds(), c.took.Seconds(), end.Unix(), end.Nanosecond()/1e6, strings.ReplaceAll(dash(c.etag), `"`, `\x22`),
			dash(c.header["retry-after"]), dash(c.header["x-rate-limit"]), dash(c.header["x-rate-limit-remaining"]))
	}
}

func writeCaddy(w io.Writer, calls []exchange) {
	for _, c := range calls {
		response := http.Header{}
		if c.etag != "" {
			response.Set("Etag", c.etag)
		}
		for name, value := range c.header {
			response.Set(name, value)
		}
		writeJSON(w, map[string]any{
			"level": "info", "ts": float64(c.at.Add(c.took).UnixMicro()) / 1e6, "logger": "http.log.access.log0", "msg": "handled request",
			"request": map[string]any{
				"remote_ip": "10.1.2.3", "proto": "HTTP/1.1", "method": c.method, "host": "acme.zendesk.com", "uri": c.path,
				"headers": http.Header{"User-Agent": {agent}, "Authorization": {authorization(c.client)}},
			},
			"bytes_read": 0, "user_id": "", "duration": c.took.Seconds(), "size": c.size, "status": c.status, "resp_headers": response,
		})
		fmt.Fprintln(w)
	}
}

func writeEnvoy(w io.Writer, calls []exchange) {
	for _, c := range calls {
		fmt.Fprintf(w, "[%s] \"%s %s HTTP/1.1\" %d - via_upstream - \"-\" %d %d %d %d \"%s\" \"%s\" \"5e3f\" \"acme.zendesk.com\" \"10.0.0.1:443\"\n",
			c.at.Format("2006-01-02T15:04:05.000Z"), c.method, c.path, c.status, len(c.sent), c.size, c.took.Milliseconds(), c.took.Milliseconds()-1, c.client, agent)
	}
}

func writeEnvoyJSON(w io.Writer, calls []exchange) {
	for _, c := range calls {
		writeJSON(w, map[string]any{
			"start_time": c.at.Format("2006-01-02T15:04:05.000Z"), "method": c.method, "path": c.path, "protocol": "HTTP/1.1",
			"response_code": c.status, "response_flags": "-", "bytes_received": len(c.sent), "bytes_sent": c.size, "duration": c.took.Milliseconds(),
			"x_forwarded_for": c.client, "user_agent": agent, "authority": "acme.zendesk.com", "etag": dash(c.etag),
			"retry_after": dash(c.header["retry-after"]), "limit": dash(c.header["x-rate-limit"]), "left": dash(c.header["x-rate-limit-remaining"]),
		})
		fmt.Fprintln(w)
	}
}

func writeOwn(w io.Writer, calls []exchange) {
	for _, c := range calls {
		path, query, _ := strings.Cut(c.path, "?")
		l := accesslog.Line{
			Time: c.at.Add(c.took), Msg: accesslog.Message, Client: c.client, Credential: fmt.Sprintf("%08x", len(c.client)*7919+int(c.client[0])),
			Method: c.method, Path: accesslog.ScrubPath(path, query), Query: accesslog.QueryHash(query),
			Status: c.status, Sends: 1, Took: c.took.Seconds(), Bytes: c.size, ETag: c.etag,
		}
		l.Credential = c.client
		if c.status == 429 {
			l.Refused = 1
			l.RetryAfter, _ = strconv.Atoi(c.header["retry-after"])
		}
		if limit, err := strconv.Atoi(c.header["x-rate-limit"]); err == nil {
			left, _ := strconv.Atoi(c.header["x-rate-limit-remaining"])
			l.Limit, l.Left = limit, &left
		}
		writeJSON(w, l)
		fmt.Fprintln(w)
	}
}

func writeJSON(w io.Writer, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(raw)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func names(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	sort.Strings(list)
	return list
}
