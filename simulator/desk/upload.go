package desk

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxUpload  = 50 << 20           // bytes of one file
	uploadLife = 3 * 24 * time.Hour // zendesk-facts 10
	maxSize    = 1 << 40            // bytes an attachment may be asked to have
	maxHeld    = 256 << 20          // bytes of all files; the oldest are dropped first
	someSize   = 256 << 10          // bytes of an attachment that nobody uploaded
)

type upload struct {
	token string
	files []*attachment
	until time.Time
}

type attachment struct {
	id         uint64
	token      string
	name, kind string
	content    []byte
	lost       bool // its content was dropped
}

type attachmentJSON struct {
	URL                   string           `json:"url"`
	ID                    uint64           `json:"id"`
	FileName              string           `json:"file_name"`
	ContentURL            string           `json:"content_url"`
	MappedContentURL      string           `json:"mapped_content_url"`
	ContentType           string           `json:"content_type"`
	Size                  int              `json:"size"`
	Width                 *int             `json:"width"`
	Height                *int             `json:"height"`
	Inline                bool             `json:"inline"`
	Deleted               bool             `json:"deleted"`
	MalwareAccessOverride bool             `json:"malware_access_override"`
	MalwareScanResult     string           `json:"malware_scan_result"`
	Thumbnails            []attachmentJSON `json:"thumbnails"`
}

func (c *call) attachmentJSON(a *attachment) attachmentJSON {
	content := c.absolute("/attachments/token/" + a.token + "/?name=" + url.QueryEscape(a.name))
	return attachmentJSON{
		URL: c.absolute("/api/v2/attachments/" + strconv.FormatUint(a.id, 10) + ".json"), ID: a.id, FileName: a.name,
		ContentURL: content, MappedContentURL: content, ContentType: a.kind, Size: len(a.content),
		MalwareScanResult: "malware_not_found", Thumbnails: []attachmentJSON{},
	}
}

// token is a name nobody can guess, of so many bytes.
func (d *Desk) token(bytes int) string {
	b := make([]byte, 0, bytes)
	for len(b) < bytes {
		b = append(b, byte(d.random.Uint32()))
	}
	return hex.EncodeToString(b)
}

// createUpload keeps a file until a comment attaches it.
func createUpload(c *call) answer {
	name := c.param("filename")
	if name == "" {
		return *fail(http.StatusBadRequest, "BadRequest", "Parameter filename is required")
	}
	if len(c.Body) > maxUpload {
		return *fail(http.StatusRequestEntityTooLarge, "AttachmentTooLarge", "The file is larger than 50 MB")
	}
	u := c.uploads[c.param("token")]
	if u == nil || c.now.After(u.until) {
		u = &upload{token: c.token(16), until: c.now.Add(uploadLife)}
		c.uploads[u.token] = u
	}
	a := &attachment{id: c.newID(), token: c.token(16), name: name, kind: cmp.Or(c.Header.Get("Content-Type"), "application/octet-stream"), content: c.Body}
	u.files = append(u.files, a)
	c.content[a.id], c.byToken[a.token] = a, a
	c.hold(a)
	c.noteCreate("upload", a.id, "")
	reply := created(c.absolute("/api/v2/attachments/"+strconv.FormatUint(a.id, 10)+".json"), encode(map[string]any{"upload": c.uploadJSON(u)}))
	reply.kind = "text/plain; charset=utf-8" // as recorded, though it is JSON
	return reply
}

// hold keeps a file's content, at the cost of the oldest if there is too much.
func (d *Desk) hold(a *attachment) {
	d.files = append(d.files, a)
	d.held += len(a.content)
	for d.held > d.maxHeld {
		d.files[0].lost = true
		d.release(d.files[0])
	}
}

// release lets go of a file's content.
func (d *Desk) release(a *attachment) {
	i := slices.Index(d.files, a)
	if i < 0 {
		return
	}
	d.files = slices.Delete(d.files, i, i+1)
	d.held -= len(a.content)
	a.content = nil
}

func (c *call) uploadJSON(u *upload) any {
	type body struct {
		Token       string           `json:"token"`
		ExpiresAt   time.Time        `json:"expires_at"`
		Attachments []attachmentJSON `json:"attachments"`
		Attachment  attachmentJSON   `json:"attachment"`
	}
	v := body{Token: u.token, ExpiresAt: u.until}
	for _, a := range u.files {
		v.Attachments = append(v.Attachments, c.attachmentJSON(a))
	}
	v.Attachment = v.Attachments[len(v.Attachments)-1]
	return v
}

func deleteUpload(c *call) answer {
	u := c.uploads[c.args[0]]
	if u == nil {
		return *notFound()
	}
	delete(c.uploads, u.token)
	for _, a := range u.files {
		delete(c.content, a.id)
		delete(c.byToken, a.token)
		c.release(a)
		c.note("upload", a.id, "delete")
	}
	return noContent()
}

// attach takes an upload's files for a comment; each upload is used once.
func (d *Desk) attach(token string) []*attachment {
	u := d.uploads[token]
	if u == nil {
		return nil
	}
	delete(d.uploads, token)
	return u.files
}

func showAttachment(c *call) answer {
	id, bad := c.id(0)
	if bad != nil {
		return *bad
	}
	a := c.content[id]
	if a == nil {
		return *notFound()
	}
	return ok(encode(map[string]any{"attachment": c.attachmentJSON(a)}))
}

// download streams an attachment: what was uploaded, or made-up bytes for any
// other token, as many as size= says.
func download(c *call) answer {
	a := c.byToken[c.args[0]]
	if a != nil && a.lost {
		return *notFound()
	}
	size, made := int64(someSize), a == nil
	if text := c.param("size"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > maxSize {
			return *invalidAttribute("size", "must be an integer between 0 and "+strconv.Itoa(maxSize))
		}
		size, made = n, true
	}
	reply := answer{status: http.StatusOK, kind: "application/octet-stream", cache: "max-age=0, private"}
	name := c.param("name")
	if made {
		seed := c.options.Seed
		reply.length, reply.stream = size, func(w io.Writer) error { return writeNoise(w, seed, size) }
	} else {
		content := a.content
		reply.length, reply.stream = int64(len(content)), func(w io.Writer) error { _, err := w.Write(content); return err }
		reply.kind, name = a.kind, a.name
	}
	reply.header = http.Header{"Content-Disposition": {disposition(name)}, "X-Content-Type-Options": {"nosniff"}}
	if strings.ContainsAny(reply.kind, "\r\n") {
		reply.kind = "application/octet-stream"
	}
	return reply
}

func disposition(name string) string {
	if v := mime.FormatMediaType("attachment", map[string]string{"filename": cmp.Or(name, "attachment")}); v != "" {
		return v
	}
	return "attachment"
}

// writeNoise writes bytes that differ by position, so that a cut, a repeated
// or a swapped piece shows, with one small buffer.
func writeNoise(w io.Writer, seed uint64, size int64) error {
	var block [32 << 10]byte
	for at := int64(0); at < size; at += int64(len(block)) {
		for i := 0; i < len(block); i += 8 {
			putNoise(block[i:i+8], seed+uint64(at)+uint64(i))
		}
		if _, err := w.Write(block[:min(int64(len(block)), size-at)]); err != nil {
			return fmt.Errorf("write %d bytes of attachment: %w", size, err)
		}
	}
	return nil
}

func putNoise(b []byte, x uint64) {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x ^= x >> 27
	for i := range b {
		b[i] = byte(x >> (8 * i))
	}
}

// redactAttachment replaces a comment's attachment by an empty text file. It
// counts as an update of the ticket.
func redactAttachment(c *call) answer {
	t, bad := c.ticket(0)
	if bad != nil {
		return *bad
	}
	commentID, bad := c.id(1)
	if bad != nil {
		return *bad
	}
	id, bad := c.id(2)
	if bad != nil {
		return *bad
	}
	for _, step := range t.audits {
		if step.comment == nil || step.comment.id != commentID {
			continue
		}
		for _, a := range step.comment.attachments {
			if a.id == id {
				c.release(a)
				a.name, a.kind = "redacted.txt", "text/plain"
				c.ticketChanged(t, c.now)
				c.note("ticket", t.ID, "update")
				return ok(encode(map[string]any{"attachment": c.attachmentJSON(a)}))
			}
		}
	}
	return *notFound()
}
