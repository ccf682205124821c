package desk

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

const (
	maxPage  = 100    // records a page, both styles (zendesk-facts 6)
	maxDepth = 10_000 // records that offsets reach (zendesk-facts 6)
)

// order says how a list's rows are sorted: by a number, then by id. The zero
// value is by id, rising.
type order[T row] struct {
	name string // of the cursor's key; "nice_id" for tickets
	by   func(T) int64
	desc bool

	// issued, if not 0, is the time now: cursors then live an hour.
	issued int64
}

func (o order[T]) place(r T) place {
	p := place{id: r.key()}
	if o.by != nil {
		p.by = o.by(r)
	}
	return p
}

func (o order[T]) compare(a, b place) int {
	n := cmp.Or(cmp.Compare(a.by, b.by), cmp.Compare(a.id, b.id))
	if o.desc {
		return -n
	}
	return n
}

// sort puts rows, given by rising id, into the order.
func (o order[T]) sort(rows []T) []T {
	if o.by == nil && !o.desc {
		return rows
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b T) int { return o.compare(o.place(a), o.place(b)) })
	return rows
}

// place is a row's position in an order; a cursor is a place as text.
type place struct {
	by int64
	id uint64
}

// cursor writes a place the way Zendesk does: base64 of the order's name and
// of the keys, each a type letter and eight bytes (zendesk-facts 6).
func (o order[T]) cursor(p place) string {
	var v []byte
	if o.by != nil {
		v = binary.LittleEndian.AppendUint64(append(v, 'i'), uint64(p.by))
	}
	v = binary.LittleEndian.AppendUint64(append(v, 'i'), p.id)
	if o.issued != 0 {
		v = binary.LittleEndian.AppendUint64(append(v, 'i'), uint64(o.issued))
	}
	return base64.StdEncoding.EncodeToString([]byte(`{"o":"` + o.cursorName() + `","v":"` + base64.StdEncoding.EncodeToString(v) + `"}`))
}

func (o order[T]) cursorName() string {
	name := cmp.Or(o.name, "id")
	if o.desc {
		return "-" + name
	}
	return name
}

func (o order[T]) parse(text string) (place, bool) {
	var c struct {
		O string `json:"o"`
		V []byte `json:"v"`
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &c) != nil || c.O != o.cursorName() {
		return place{}, false
	}
	var keys []uint64
	for ; len(c.V) >= 9; c.V = c.V[9:] {
		keys = append(keys, binary.LittleEndian.Uint64(c.V[1:]))
	}
	want := 1
	if o.by != nil {
		want++
	}
	if o.issued != 0 {
		want++
	}
	if len(c.V) != 0 || len(keys) != want {
		return place{}, false
	}
	if o.issued != 0 {
		if age := o.issued - int64(keys[want-1]); age < 0 || age > int64(cursorLife.Seconds()) {
			return place{}, false
		}
		keys = keys[:want-1]
	}
	p := place{id: keys[len(keys)-1]}
	if o.by != nil {
		p.by = int64(keys[0])
	}
	return p, true
}

// extra adds sideloaded arrays for a page's rows, each with a comma before it.
type extra[T row] func(b []byte, page []T) []byte

// paginate answers with the page of the rows that the call asks for, in the
// style it asks for. The rows are in the order o.
func paginate[T row](c *call, name string, rows []T, o order[T], more extra[T]) answer {
	if byCursor(c.query()) {
		return cursorPage(c, name, rows, o, maxPage, more)
	}
	return offsetPage(c, name, rows, more)
}

func byCursor(q url.Values) bool {
	return q.Has("page[size]") || q.Has("page[after]") || q.Has("page[before]")
}

// window finds the page's rows and whether more follow in its direction.
func window[T row](c *call, rows []T, o order[T], limit int) (page []T, more bool, bad *answer) {
	q := c.query()
	size := limit
	if text := q.Get("page[size]"); q.Has("page[size]") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > limit {
			return nil, false, badPage("page[size] must be an integer between 1 and " + strconv.Itoa(limit))
		}
		size = n
	}
	if text := q.Get("page[before]"); text != "" {
		p, ok := o.parse(text)
		if !ok {
			return nil, false, badPage("page[before] is not valid")
		}
		end, _ := slices.BinarySearchFunc(rows, p, func(r T, p place) int { return o.compare(o.place(r), p) })
		start := max(0, end-size)
		return rows[start:end], start > 0, nil
	}
	start := 0
	if text := q.Get("page[after]"); text != "" {
		p, ok := o.parse(text)
		if !ok {
			return nil, false, badPage("page[after] is not valid")
		}
		i, found := slices.BinarySearchFunc(rows, p, func(r T, p place) int { return o.compare(o.place(r), p) })
		if start = i; found {
			start++
		}
	}
	end := min(len(rows), start+size)
	return rows[start:end], end < len(rows), nil
}

func cursorPage[T row](c *call, name string, rows []T, o order[T], limit int, more extra[T]) answer {
	page, hasMore, bad := window(c, rows, o, limit)
	if bad != nil {
		return *bad
	}
	b := append(pageBuffer(len(page)), '{')
	b = appendRows(b, name, c.Origin, page)
	if more != nil {
		b = more(b, page)
	}
	b = append(b, `,"meta":`...)
	b = append(b, encode(metaOf(page, hasMore, o))...)
	b = append(b, `,"links":`...)
	b = append(b, encode(cursorLinks(c, page, o))...)
	return ok(append(b, '}'))
}

// pageBuffer is room for so many rows, to spare the growing.
func pageBuffer(rows int) []byte { return make([]byte, 0, 512+rows*1600) }

type meta struct {
	HasMore bool    `json:"has_more"`
	After   *string `json:"after_cursor"`
	Before  *string `json:"before_cursor"`
}

func metaOf[T row](page []T, hasMore bool, o order[T]) meta {
	m := meta{HasMore: hasMore}
	if len(page) > 0 {
		m.Before = new(o.cursor(o.place(page[0])))
		m.After = new(o.cursor(o.place(page[len(page)-1])))
	}
	return m
}

type links struct {
	First string  `json:"first,omitempty"` // Help Center only
	Last  string  `json:"last,omitempty"`  // Help Center only
	Prev  *string `json:"prev"`
	Next  *string `json:"next"`
}

// cursorLinks are filled on every page that has rows, the last one too.
func cursorLinks[T row](c *call, page []T, o order[T]) links {
	if len(page) == 0 {
		return links{}
	}
	return links{
		Prev: new(c.cursorLink("page[before]", o.cursor(o.place(page[0])))),
		Next: new(c.cursorLink("page[after]", o.cursor(o.place(page[len(page)-1])))),
	}
}

func (c *call) cursorLink(which, cursor string) string {
	q := url.Values{}
	for k, v := range c.query() {
		if k != "page[after]" && k != "page[before]" {
			q[k] = v
		}
	}
	if !q.Has("page[size]") {
		q.Set("page[size]", strconv.Itoa(maxPage))
	}
	if which != "" {
		q.Set(which, cursor)
	}
	return c.self(q)
}

// offsets reads page and per_page.
func (c *call) offsets(perPage int) (page, size int, bad *answer) {
	page, size = 1, perPage
	for name, into := range map[string]*int{"page": &page, "per_page": &size} {
		text := c.param(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, 0, invalidAttribute(name, "must be an integer")
		}
		if n >= 1 {
			*into = min(n, 1<<31) // no list is so long
		}
	}
	return page, min(size, maxPage), nil
}

// shallow is offsets for lists, which end at a depth.
func (c *call) shallow(perPage int) (page, size int, bad *answer) {
	page, size, bad = c.offsets(perPage)
	if bad == nil && page*size > maxDepth {
		bad = coded(http.StatusBadRequest, "InvalidPaginationDepth",
			"Pagination requests using Offset Pagination are limited to the first 10000 records. Use Cursor Pagination instead")
	}
	return page, size, bad
}

func offsetPage[T row](c *call, name string, rows []T, more extra[T]) answer {
	page, size, bad := c.shallow(maxPage)
	if bad != nil {
		return *bad
	}
	shown := slicePage(rows, page, size)
	b := append(pageBuffer(len(shown)), '{')
	b = appendRows(b, name, c.Origin, shown)
	if more != nil {
		b = more(b, shown)
	}
	b = append(b, ',')
	return ok(append(c.appendOffsets(b, page, size, len(rows)), '}'))
}

func slicePage[T any](rows []T, page, size int) []T {
	start := min(len(rows), (page-1)*size)
	return rows[start:min(len(rows), start+size)]
}

// appendOffsets adds next_page, previous_page and count.
func (c *call) appendOffsets(b []byte, page, size, count int) []byte {
	b = append(b, `"next_page":`...)
	if page*size < count {
		b = quote(b, c.pageLink(page+1))
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"previous_page":`...)
	if page > 1 {
		b = quote(b, c.pageLink(page-1))
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"count":`...)
	return strconv.AppendInt(b, int64(count), 10)
}

func (c *call) pageLink(page int) string {
	q := url.Values{"page": {strconv.Itoa(page)}}
	for k, v := range c.query() {
		if k != "page" {
			q[k] = v
		}
	}
	return c.self(q)
}

// showMany is the envelope of show_many: an offset page that is always whole.
func showMany[T row](c *call, name string, rows []T, more extra[T]) answer {
	b := append(pageBuffer(len(rows)), '{')
	b = appendRows(b, name, c.Origin, rows)
	if more != nil {
		b = more(b, rows)
	}
	b = append(b, `,"next_page":null,"previous_page":null,"count":`...)
	return ok(append(strconv.AppendInt(b, int64(len(rows)), 10), '}'))
}

// counted is the answer of the count endpoints.
func counted(c *call, n int) answer {
	return ok(encode(map[string]any{"count": map[string]any{"value": n, "refreshed_at": c.now}}))
}
