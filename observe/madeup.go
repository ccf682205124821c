package observe

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flyballhq/flyball/elide"
)

// madeUp answers what nobody really sent: one send in place of many, and what
// flyball asks for itself. like is the record of one of the many, nil when its
// trial has ended.
func (s stage) madeUp(req *http.Request, from time.Time, p *passage, like *record, said []byte) (*http.Response, error) {
	header := http.Header{}
	if like != nil && like.err == nil {
		header = s.restated(from, p, like, false)
	}
	body, err := s.doc(req, from, like, said)
	if err != nil {
		return nil, err
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	if like == nil || like.status/100 != 2 {
		header.Del("Cache-Control") // a refusal's: what this answer would have said is not known
	}
	header.Del("Content-Encoding")
	header.Del("Etag")
	return response(req, http.StatusOK, header, body), nil
}

// doc is the answer's body.
func (s stage) doc(req *http.Request, from time.Time, like *record, said []byte) ([]byte, error) {
	query := req.URL.RawQuery
	if at, _ := s.provider.JobsRead(nil); req.URL.Path == at {
		list := []map[string]any{}
		for _, id := range strings.Split(req.URL.Query().Get("ids"), ",") {
			list = append(list, s.jobs.report(from, id))
		}
		return encoded("job_statuses", list), nil
	}
	switch {
	case like == nil:
	case like.read != nil && req.URL.Path == like.read.Path:
		list, err := s.objects(req.Context(), like, query)
		return encoded(like.read.Many, list), err
	case like.write != nil && req.URL.Path == like.write.Read:
		return encoded(like.write.Many, s.written(like, query)), nil
	case like.write != nil && req.URL.Path == like.write.Path:
		id := s.begin(from, like, query, said)
		return encoded("job_status", map[string]any{"id": id, "status": "queued"}), nil
	}
	return []byte("{}"), nil
}

func encoded(name string, value any) []byte {
	text, err := json.Marshal(map[string]any{name: value})
	if err != nil { // strings, numbers and what was read as JSON: cannot happen
		return []byte("{}")
	}
	return text
}

// objects are those that a read of many finds, as the reads in whose place it
// is really found them. It waits for these to be answered.
func (s stage) objects(ctx context.Context, like *record, query string) ([]json.RawMessage, error) {
	list := []json.RawMessage{}
	for _, id := range idsIn(query) {
		r := s.live.latest(readName(like.read, id, like.route.Credential), false)
		if r == nil {
			list = append(list, object(nil, like.read.One, id))
			continue
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if !r.denied() {
			list = append(list, object(r, like.read.One, id))
		}
	}
	return list, nil
}

// written are the objects that a job's writes have left.
func (s stage) written(like *record, query string) []json.RawMessage {
	list := []json.RawMessage{}
	for _, id := range idsIn(query) {
		r := s.live.latest(writeName(like.write, id, nil, like.route.Credential), true)
		if r != nil && !r.ended() {
			r = nil
		}
		list = append(list, object(r, like.write.One, id))
	}
	return list
}

// object is the object in a record's answer, by its id alone where the answer
// was not kept.
func object(r *record, one string, id uint64) json.RawMessage {
	if r != nil && r.status/100 == 2 {
		var outer map[string]json.RawMessage
		if json.Unmarshal(unpacked(r), &outer) == nil && len(outer[one]) > 0 {
			return outer[one]
		}
	}
	return append(strconv.AppendUint([]byte(`{"id":`), id, 10), '}')
}

// unpacked is a record's body as it reads.
func unpacked(r *record) []byte {
	text := r.body()
	if !strings.EqualFold(r.header.Get("Content-Encoding"), "gzip") {
		return text
	}
	in, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	text, err = io.ReadAll(io.LimitReader(in, elide.LongestBody))
	if err != nil {
		return nil
	}
	return text
}

// idsIn reads ids=1,2,3.
func idsIn(query string) (ids []uint64) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil
	}
	for _, text := range strings.Split(values.Get("ids"), ",") {
		if id, err := strconv.ParseUint(text, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}
