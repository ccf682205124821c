package cli

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func fieldsOf(t *testing.T, typed bool, texts ...string) []field {
	t.Helper()
	var list []field
	for _, text := range texts {
		if err := (fieldFlag{&list, typed, strings.NewReader("from stdin")}).Set(text); err != nil {
			t.Fatalf("Set(%q): %v", text, err)
		}
	}
	return list
}

func TestFieldsBecomeAJSONObject(t *testing.T) {
	for _, test := range []struct {
		name   string
		typed  bool
		fields []string
		want   string
	}{
		{"plain", false, []string{"a=1"}, `{"a":"1"}`},
		{"value with equals signs", false, []string{"a=b=c"}, `{"a":"b=c"}`},
		{"empty value", false, []string{"a="}, `{"a":""}`},
		{"nested", false, []string{"ticket[comment][body]=hi", "ticket[subject]=s"}, `{"ticket":{"comment":{"body":"hi"},"subject":"s"}}`},
		{"list", false, []string{"t[tags][]=a", "t[tags][]=b"}, `{"t":{"tags":["a","b"]}}`},
		{"types", true, []string{"a=true", "b=false", "c=null", "d=-1.50", "e=01", "f=x", "g=@-"}, `{"a":true,"b":false,"c":null,"d":-1.50,"e":"01","f":"x","g":"from stdin"}`},
		{"an id larger than a float holds", true, []string{"id=12345678901234567890"}, `{"id":12345678901234567890}`},
	} {
		got, err := document(fieldsOf(t, test.typed, test.fields...))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: document(%q) = %s, %v, want %s", test.name, test.fields, got, err, test.want)
		}
	}
}

func TestFieldsThatContradictAreRefused(t *testing.T) {
	for _, fields := range [][]string{
		{"a=1", "a=2"},
		{"a=1", "a[b]=2"},
		{"a[b]=2", "a[]=1"},
		{"a=1", "a[]=2"},
		{"a[=1"},
		{"a[b]c=1"},
		{"[a]=1"},
		{"a[][b]=1"},
	} {
		if got, err := document(fieldsOf(t, false, fields...)); err == nil {
			t.Errorf("document(%q) = %s, want an error", fields, got)
		}
	}
}

func TestFieldsOfAGETBecomeItsQuery(t *testing.T) {
	got := query(fieldsOf(t, true, "page[size]=100", "query=a & b", "none=null"))
	values, err := url.ParseQuery(got)
	if err != nil {
		t.Fatalf("query = %q: %v", got, err)
	}
	if values.Get("page[size]") != "100" || values.Get("query") != "a & b" || values.Get("none") != "" {
		t.Errorf("query = %q, which reads as %v", got, values)
	}
}

// FuzzDocument holds that any fields make a valid JSON object or an error.
func FuzzDocument(f *testing.F) {
	f.Add("a[b][]=1", "a[b][]=2")
	f.Add("a[", "]=[")
	f.Fuzz(func(t *testing.T, one, two string) {
		var list []field
		for _, text := range []string{one, two} {
			if (fieldFlag{&list, !strings.Contains(text, "@"), strings.NewReader("")}).Set(text) != nil {
				return
			}
		}
		text, err := document(list)
		var object map[string]any
		if err == nil && json.Unmarshal(text, &object) != nil {
			t.Errorf("document(%q, %q) = %s, which is no JSON object", one, two, text)
		}
	})
}
