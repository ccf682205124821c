package observe

import (
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/flyballhq/flyball/limit"
)

// madeUp answers what nobody really sent: one send in place of many, and what
// flyball asks for itself. Objects are all there and jobs are done at once.
func (s stage) madeUp(req *http.Request, route *limit.Route, p *passage, like *record, body []byte) *http.Response {
	header := http.Header{}
	if like != nil && like.err == nil {
		header = s.restated(like.began, p, like)
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Del("Content-Encoding")
	header.Del("Etag")
	return response(req, http.StatusOK, header, made(req, body))
}

func made(req *http.Request, body []byte) []byte {
	folder, name := path.Split(strings.TrimSuffix(req.URL.Path, ".json"))
	kind := path.Base(folder)
	ids := strings.FieldsFunc(req.URL.Query().Get("ids"), func(r rune) bool { return r == ',' })
	switch {
	case name == "show_many" && kind == "job_statuses":
		return encoded(map[string]any{"job_statuses": endedJobs(ids)})
	case name == "show_many":
		return encoded(map[string]any{kind: objects(ids)})
	case strings.HasSuffix(name, "_many"):
		return encoded(map[string]any{"job_status": map[string]any{
			"id": "observed", "status": "completed", "results": results(kind, ids, body),
		}})
	}
	return []byte("{}")
}

func encoded(doc any) []byte {
	text, err := json.Marshal(doc)
	if err != nil { // strings, numbers and what was read as JSON: cannot happen
		return []byte("{}")
	}
	return text
}

func endedJobs(ids []string) []map[string]any {
	list := []map[string]any{}
	for _, id := range ids {
		list = append(list, map[string]any{"id": id, "status": "completed"})
	}
	return list
}

func objects(ids []string) []map[string]any {
	list := []map[string]any{}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 64); err == nil {
			list = append(list, map[string]any{"id": n})
		}
	}
	return list
}

// results are a job's, for the items of its call.
func results(kind string, ids []string, body []byte) []map[string]any {
	list := objects(ids)
	var asked map[string][]map[string]any
	if json.Unmarshal(body, &asked) == nil {
		for _, item := range asked[kind] {
			list = append(list, map[string]any{"id": item["id"]})
		}
	}
	for i := range list {
		list[i]["success"], list[i]["index"] = true, i
	}
	return list
}
