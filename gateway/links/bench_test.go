package links

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// listing is a page of tickets as Zendesk writes it, of about size bytes.
func listing(size int) string {
	var b strings.Builder
	b.WriteString(`{"tickets":[`)
	for id := 1; b.Len() < size-1200; id++ {
		if id > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"url":"https://acme.zendesk.com/api/v2/tickets/%d.json","id":%d,"external_id":null,`+
			`"via":{"channel":"web","source":{"from":{},"to":{},"rel":null}},"created_at":"2025-03-0%dT10:2%d:11Z",`+
			`"updated_at":"2025-03-02T09:14:51Z","generated_timestamp":%d,"type":"incident","subject":"Order %d did not arrive",`+
			`"raw_subject":"Order %d did not arrive","description":"Hello,\n\nmy \"express\" order %d from last week is still on its way. `+
			`Could you see what happened?\n\nThank you","priority":"normal","status":"open","recipient":null,"requester_id":%d,`+
			`"submitter_id":%d,"assignee_id":null,"organization_id":null,"group_id":3600012%d,"collaborator_ids":[],"follower_ids":[],`+
			`"email_cc_ids":[],"problem_id":null,"has_incidents":false,"is_public":true,"due_at":null,"tags":["web","order_%d"],`+
			`"custom_fields":[{"id":360001234567,"value":null},{"id":360001234568,"value":"blue"},{"id":360001234569,"value":false}],`+
			`"satisfaction_rating":{"score":"unoffered"},"allow_channelback":false,"from_messaging_channel":false}`,
			id, id, id%9+1, id%6, 1741000000+id*7919, id*31, id*31, id*37, 370000000000+id*7717, 370000000000+id*7717, id%97, id*13)
	}
	b.WriteString(`],"next_page":"https://acme.zendesk.com/api/v2/tickets.json?page=2","previous_page":null,"count":12345}`)
	return b.String()
}

var discard = make([]byte, 32<<10)

func drain(b *testing.B, body io.Reader) {
	for {
		if _, err := body.Read(discard); err == io.EOF {
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

type reread struct{ bytes.Reader }

func (*reread) Close() error { return nil }

func benchmark(b *testing.B, mode Mode, text string, packed bool) {
	r := rewriter(b, mode)
	body := []byte(text)
	head := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	if packed {
		body = []byte(zipped(b, text))
		head.Set("Content-Encoding", "gzip")
	}
	resp := answer(nil)
	resp.Header = head
	src := new(reread)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(body)
		resp.Body, resp.ContentLength = src, int64(len(body))
		if err := r.Response(resp); err != nil {
			b.Fatal(err)
		}
		drain(b, resp.Body)
		_ = resp.Body.Close()
	}
}

// varied is a page whose members differ in order, presence and length, so that
// no branch predictor learns it.
func varied(size int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString(`{"tickets":[`)
	for b.Len() < size {
		b.WriteString(`{"id":1`)
		for range 20 + rng.IntN(40) {
			fmt.Fprintf(&b, `,"%s":`, "assignee_id_of_the_ticket"[rng.IntN(6):8+rng.IntN(17)])
			switch n := rng.IntN(10); n {
			case 0, 1:
				b.WriteString("null")
			case 2:
				b.WriteString("[]")
			case 3:
				fmt.Fprintf(&b, `{"id":%d,"value":false}`, rng.IntN(1e9))
			case 4:
				b.WriteString(`"` + strings.Repeat(`more words\n`, rng.IntN(12)) + `"`)
			case 5, 6, 7:
				fmt.Fprint(&b, rng.IntN(1<<(4*n)))
			default:
				b.WriteString(`"` + "https://acme.zendesk.com/api/v2/tickets/"[rng.IntN(38):] + `"`)
			}
		}
		b.WriteString(`},`)
	}
	b.WriteString(`{}],"next_page":"https://acme.zendesk.com/api/v2/tickets.json?page=2"}`)
	return b.String()
}

// BenchmarkRewrite is the whole of an answer's way: headers, body, close. The
// rate counts unpacked bytes.
func BenchmarkRewrite(b *testing.B) {
	pages := []struct {
		name, text string
	}{{"2KB", listing(2 << 10)}, {"256KB", listing(256 << 10)}, {"varied", varied(256 << 10)}}
	for _, p := range pages {
		b.Run("plain/"+p.name, func(b *testing.B) { benchmark(b, Navigation, p.text, false) })
		b.Run("all/"+p.name, func(b *testing.B) { benchmark(b, All, p.text, false) })
		b.Run("gzip/"+p.name, func(b *testing.B) { benchmark(b, Navigation, p.text, true) })
	}
}

// BenchmarkGzipAlone is the floor of a rewritten gzip body: to unpack and to
// pack it, with nothing in between.
func BenchmarkGzipAlone(b *testing.B) {
	text := []byte(listing(256 << 10))
	packed := []byte(zipped(b, string(text)))
	b.Run("unpack", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		src, zr := new(reread), new(gzip.Reader)
		for b.Loop() {
			src.Reset(packed)
			if err := zr.Reset(src); err != nil {
				b.Fatal(err)
			}
			drain(b, zr)
		}
	})
	b.Run("pack", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		zw, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			zw.Reset(io.Discard)
			_, _ = zw.Write(text)
			_ = zw.Close()
		}
	})
}
