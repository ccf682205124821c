package admin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flyballhq/flyball/admin"
)

// The page holds nothing of the account, so that it can ask for the token; what
// it shows is behind it. Without a token nobody else's page may frame or read
// it under a foreign name.
func TestTheDashboardAsksForTheTokenItself(t *testing.T) {
	secured, open := handler(t, admin.Options{Token: token}), handler(t, admin.Options{})
	for _, tt := range []struct {
		h          http.Handler
		host, path string
		want       int
	}{
		{secured, "admin.example", "/", 200},
		{secured, "admin.example", "/dashboard/app.js", 200},
		{secured, "admin.example", "/dashboard/", 401},
		{secured, "admin.example", "/api/limits", 401},
		{open, "127.0.0.1:4291", "/", 200},
		{open, "127.0.0.1:4291", "/dashboard/app.js", 200},
		{open, "127.0.0.1:4291", "/dashboard/", 404},
		{open, "127.0.0.1:4291", "/dashboard/index.html", 404},
		{open, "127.0.0.1:4291", "/dashboard/../admin.go", 404},
		{open, "127.0.0.1:4291", "/index.html", 404},
		{open, "rebound.example", "/", 403},
		{open, "rebound.example", "/dashboard/app.js", 403},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, nil)
		r.Host = tt.host
		tt.h.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s%s = %d, want %d", tt.host, tt.path, w.Code, tt.want)
		}
		if strings.Contains(w.Body.String(), token) || strings.Contains(w.Body.String(), "acme") {
			t.Errorf("%s%s shows something of the account or its token", tt.host, tt.path)
		}
	}
}
