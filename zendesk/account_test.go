package zendesk

import (
	"strings"
	"testing"
)

func TestAccountIsASubdomainAHostOrAURL(t *testing.T) {
	for given, want := range map[string]string{
		"acme":                            "https://acme.zendesk.com",
		" Acme ":                          "https://acme.zendesk.com",
		"acme.zendesk.com":                "https://acme.zendesk.com",
		"help.acme.example":               "https://help.acme.example",
		"https://acme.zendesk.com":        "https://acme.zendesk.com",
		"https://ACME.zendesk.com/":       "https://acme.zendesk.com",
		"https://acme.zendesk.com/api/v2": "https://acme.zendesk.com",
		"http://127.0.0.1:4292":           "http://127.0.0.1:4292",
		"http://[::1]:4292":               "http://[::1]:4292",
		"http://localhost:4292/":          "http://localhost:4292",
	} {
		u, err := Account(given)
		if err != nil || u.String() != want {
			t.Errorf("Account(%q) = %v, %v; want %s", given, u, err, want)
		}
	}
}

func TestAccountErrorsNameTheThingAndTheWayOut(t *testing.T) {
	for given, wayOut := range map[string]string{
		"":                                "acme.zendesk.com",
		"localhost:4292":                  "http://localhost:4292",
		"localhost":                       "http://localhost",
		"acme.zendesk.com/agent":          "acme.zendesk.com",
		"https://acme.zendesk.com/agent":  "leave out",
		"http://acme.zendesk.com":         "https://acme.zendesk.com",
		"ftp://acme.zendesk.com":          "https://acme.zendesk.com",
		"https://me:pw@acme.zendesk.com":  "leave them out",
		"ac me":                           "letters, digits",
		"-acme":                           "letters, digits",
		"acme..zendesk.com":               "letters, digits",
		"https://":                        "letters, digits",
		"https://acme.zendesk.com?x=1":    "leave out",
		"https://%zz":                     "https://acme.zendesk.com",
		strings.Repeat("a", 64):           "letters, digits",
		"me@example.com":                  "acme.zendesk.com",
		"https://ac_me.zendesk.com":       "letters, digits",
		strings.Repeat("é", 200) + ".com": "letters, digits",
	} {
		u, err := Account(given)
		if err == nil {
			t.Errorf("Account(%q) = %v, want an error", given, u)
			continue
		}
		if !strings.Contains(err.Error(), wayOut) || strings.Contains(err.Error(), "pw") {
			t.Errorf("Account(%q): %q does not say %q", given, err, wayOut)
		}
	}
}
