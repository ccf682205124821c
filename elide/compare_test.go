package elide

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/flyballhq/flyball/limit"
)

var testForm = &limit.CompareForm{
	One: "ticket",
	Fields: map[string]limit.CompareField{
		"a": {How: limit.ByValue}, "n": {How: limit.ByValue}, "subject": {How: limit.ByValue},
		"status": {How: limit.ByValue, With: "custom"}, "custom": {How: limit.ByValue},
		"keys": {How: limit.ByKey}, "items": {How: limit.ByID},
	},
	Steady: func(o map[string]any) bool { return o["gone"] == nil },
}

func TestValuesAreComparedExactly(t *testing.T) {
	tests := []struct {
		fields, object string
		same           bool
	}{
		{`"a":1`, `{"a":1}`, true},
		{`"a":1.0`, `{"a":1}`, true},
		{`"a":10e-1`, `{"a":1}`, true},
		{`"a":-0`, `{"a":0.00}`, true},
		{`"a":100`, `{"a":1e2}`, true},
		{`"a":12345678901234567890.1`, `{"a":12345678901234567890.10}`, true},
		{`"a":12345678901234567890`, `{"a":12345678901234567891}`, false},
		{`"a":9007199254740993`, `{"a":9007199254740992}`, false},
		{`"a":1e999999999999`, `{"a":1e999999999998}`, false},
		{`"a":-1`, `{"a":1}`, false},
		{`"a":0.1`, `{"a":0.10000000000000001}`, false},
		{`"a":1`, `{"a":"1"}`, false},
		{`"a":"1"`, `{"a":1}`, false},
		{`"a":""`, `{"a":null}`, false},
		{`"a":null`, `{"a":null}`, true},
		{`"a":null`, `{"b":1}`, false},
		{`"a":null`, `{}`, false},
		{`"a":false`, `{"a":null}`, false},
		{`"a":0`, `{"a":false}`, false},
		{`"a":true`, `{"a":true}`, true},
		{`"a":"\u00e9"`, `{"a":"é"}`, true},
		{`"a":"e\u0301"`, `{"a":"é"}`, false},
		{`"a":"x "`, `{"a":"x"}`, false},
		{`"a":"\ufffd"`, `{"a":"\ufffd"}`, false},
		{`"a":[]`, `{"a":[]}`, false},
		{`"a":{}`, `{"a":{}}`, false},
		{`"b":1`, `{"b":1}`, false},
		{`"a":1,"b":1`, `{"a":1,"b":1}`, false},
		{`"A":1`, `{"a":1,"A":1}`, false},
		{``, `{"a":1}`, false},
		{`"a":1`, `{"a":1,"gone":"yes"}`, false},
		{`"a":1`, `[]`, false},
		{`"a":1`, `{"a":1`, false},
		{`"a":1`, `{"a":2,"a":1}`, false},
		{`"subject":"x"`, `{"subject":"x","raw_subject":"x"}`, true},
		{`"subject":"x"`, `{"subject":"x","raw_subject":"{{dc.x}}"}`, false},
		{`"status":"open"`, `{"status":"open"}`, true},
		{`"status":"open"`, `{"status":"open","custom":null}`, true},
		{`"status":"open"`, `{"status":"open","custom":7}`, false},
		{`"status":"open","custom":7`, `{"status":"open","custom":7}`, true},
		{`"status":"open","custom":8`, `{"status":"open","custom":7}`, false},
		{`"keys":{"x":1}`, `{"keys":{"x":1,"y":2}}`, true},
		{`"keys":{"x":[1,2]}`, `{"keys":{"x":[1,2]}}`, true},
		{`"keys":{"x":[2,1]}`, `{"keys":{"x":[1,2]}}`, false},
		{`"keys":{"z":null}`, `{"keys":{"x":1}}`, false},
		{`"keys":null`, `{"keys":{"x":1}}`, false},
		{`"items":[{"id":1,"value":"v"}]`, `{"items":[{"id":2,"value":null},{"id":1,"value":"v"}]}`, true},
		{`"items":[{"id":2,"value":null}]`, `{"items":[{"id":2,"value":null}]}`, true},
		{`"items":[]`, `{"items":[{"id":2,"value":null}]}`, true},
		{`"items":[{"id":1,"value":"w"}]`, `{"items":[{"id":1,"value":"v"}]}`, false},
		{`"items":[{"id":3,"value":null}]`, `{"items":[{"id":1,"value":"v"}]}`, false},
		{`"items":[{"id":1}]`, `{"items":[{"id":1,"value":"v"}]}`, false},
		{`"items":[{"id":1,"value":"v","do":"x"}]`, `{"items":[{"id":1,"value":"v"}]}`, false},
		{`"items":[{"id":1,"value":"v"},{"id":1.0,"value":"v"}]`, `{"items":[{"id":1,"value":"v"}]}`, false},
		{`"items":{"1":"v"}`, `{"items":[{"id":1,"value":"v"}]}`, false},
		{`"items":null`, `{"items":[]}`, false},
	}
	for _, test := range tests {
		if got := changesNothing(testForm, []byte(`{"ticket":{`+test.fields+`}}`), []byte(test.object)); got != test.same {
			t.Errorf("%s on %s: changes nothing = %t, want %t", test.fields, test.object, got, test.same)
		}
	}
	for _, body := range []string{"", "null", "[]", `{"ticket":null}`, `{"Ticket":{"a":1}}`, `{"ticket":{"a":1}}{}`, `{"ticket":{"a":1},"x":1}`, "{\"ticket\":{\"a\":1,\"\xff\":1}}", strings.Repeat(`{"ticket":`, 10000)} {
		if changesNothing(testForm, []byte(body), []byte(`{"a":1}`)) {
			t.Errorf("%.40s changes nothing, it says", body)
		}
	}
}

// What is elided sets each field to what the object has, as the standard
// library reads it.
func FuzzChangesNothing(f *testing.F) {
	f.Add(`{"ticket":{"a":1.0}}`, `{"a":1}`)
	f.Add(`{"ticket":{"keys":{"x":null}}}`, `{"keys":{"x":null}}`)
	f.Fuzz(func(t *testing.T, body, object string) {
		if !changesNothing(testForm, []byte(body), []byte(object)) {
			return
		}
		var in struct{ Ticket map[string]any }
		var has map[string]any
		if json.Unmarshal([]byte(body), &in) != nil || json.Unmarshal([]byte(object), &has) != nil {
			t.Fatalf("%q on %q is not even JSON", body, object)
		}
		for name := range in.Ticket {
			if _, plain := testForm.Fields[name]; !plain {
				t.Errorf("%q on %q: %s is not plain", body, object, name)
			}
			if _, there := has[name]; !there {
				t.Errorf("%q on %q: %s is not there", body, object, name)
			}
		}
	})
}

var now = time.Unix(1_700_000_000, 0)

func TestSightsAreBoundedByBytes(t *testing.T) {
	d := newMemory(1 << 20)
	for i := range 10_000 {
		d.learn(&sight{view: view{byte(i), byte(i >> 8)}, object: make([]byte, 1000)}, now)
	}
	if d.bytes > 1<<20 || len(d.of) != d.recent.Len() || len(d.of) < 500 {
		t.Errorf("%d bytes in %d sights (%d in order)", d.bytes, len(d.of), d.recent.Len())
	}
	d.learn(&sight{view: view{9, 9, 9}, object: make([]byte, 1<<20)}, now)
	if len(d.of) < 500 {
		t.Error("one object has thrown out the others")
	}
}
