package audit

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// envoyText reads Envoy's default access log, and Istio's, which puts a few
// words more between flags and lengths. Its time is when the call began.
func envoyText(line string, c *Call) error {
	w := words{rest: line}
	if !strings.HasPrefix(line, "[") {
		return errors.New("no time such as [2026-11-23T10:00:00.310Z] at the start")
	}
	first, _ := w.next()
	at, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		return errors.New("no time such as [2026-11-23T10:00:00.310Z] at the start")
	}
	request, _ := w.next()
	if !c.request(request) {
		return errRequest
	}
	code, _ := w.next()
	var ok bool
	if c.Status, ok = status(code); !ok {
		if code != "0" {
			return errStatus
		}
		c.Status = 0 // the client left before an answer came
	}
	_, _ = w.next() // flags
	lengths := threeNumbers(&w)
	if lengths == nil {
		return errors.New("no bytes received, bytes sent and duration behind the status")
	}
	c.At, c.Bytes = at, size(lengths[1])
	c.Took = min(time.Duration(size(lengths[2])%(1<<40))*time.Millisecond, longest)
	_, _ = w.next() // time of the upstream
	from, _ := w.next()
	agent, _ := w.next()
	_, _ = w.next() // request's id
	c.Host, _ = w.next()
	c.Client = clientName("", "", agent)
	c.Who = from + " " + agent
	return nil
}

// threeNumbers passes words until three numbers stand in a row.
func threeNumbers(w *words) []string {
	var run []string
	for range 12 {
		word, ok := w.next()
		switch {
		case !ok:
			return nil
		case word != "" && strings.Trim(word, "0123456789") == "":
			run = append(run, word)
		default:
			run = nil
		}
		if len(run) == 3 {
			return run
		}
	}
	return nil
}

// envoyJSON reads Envoy's access log as JSON, with the names that Istio and
// Envoy's own examples use.
func envoyJSON(line string, c *Call) error {
	var l map[string]any
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		return err
	}
	text := func(names ...string) string {
		for _, name := range names {
			switch v := l[name].(type) {
			case string:
				if v != "" && v != "-" {
					return v
				}
			case float64:
				if raw, err := json.Marshal(v); err == nil {
					return string(raw)
				}
			}
		}
		return ""
	}
	c.Method = text("method")
	if !isMethod(c.Method) {
		return errors.New(`no "method" such as "GET"`)
	}
	at, ok := stamp(json.RawMessage(jsonText(text("start_time", "timestamp"))))
	if !ok {
		return errors.New(`no time in "start_time"`)
	}
	c.target(text("path", "x_envoy_original_path"))
	c.Host = text("authority")
	c.At = at
	c.Status = int(size(text("response_code", "status")))
	c.Bytes = size(text("bytes_sent"))
	c.Took = min(time.Duration(size(text("duration"))%(1<<40))*time.Millisecond, longest)
	c.ETag = text("etag")
	c.addHeader("Retry-After", text("retry_after"))
	c.addHeader("X-Rate-Limit", text("limit"))
	c.addHeader("X-Rate-Limit-Remaining", text("left"))
	agent := text("user_agent")
	c.Client = clientName(text("client"), "", agent)
	c.Who = text("client", "x_forwarded_for", "downstream_remote_address") + " " + agent
	return nil
}

func jsonText(s string) string {
	raw, _ := json.Marshal(s) // a string always marshals
	return string(raw)
}
