package admin

import (
	_ "embed"
	"net/http"
)

// openAPI describes the admin address. A test holds it against the handlers
// and the documents.
//
//go:embed openapi.yaml
var openAPI []byte

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI) // a reader that has left reads nothing
}
