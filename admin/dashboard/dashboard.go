package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed page
var files embed.FS

// policy lets the page load what comes with it, talk to where it came from,
// and nothing else: no script in the page itself, no other host, no frame
// around it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// Pages returns the page at "/" and what it is made of below "/dashboard/", by
// path. Its addresses are relative, so it can stand below any prefix. A browser
// keeps the files and asks each time whether they are still the same.
func Pages() (map[string]http.HandlerFunc, error) {
	names, err := fs.ReadDir(files, "page")
	if err != nil {
		return nil, err
	}
	pages := make(map[string]http.HandlerFunc)
	for _, entry := range names {
		content, err := files.ReadFile("page/" + entry.Name())
		if err != nil {
			return nil, err
		}
		at := "/dashboard/" + entry.Name()
		if entry.Name() == "index.html" {
			at = "/"
		}
		pages[at] = serve(types[path.Ext(entry.Name())], content)
	}
	return pages, nil
}

func serve(contentType string, content []byte) http.HandlerFunc {
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}
