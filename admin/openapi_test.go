package admin_test

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/flyballhq/flyball"
	"github.com/flyballhq/flyball/admin"
	"github.com/flyballhq/flyball/observe"
	"github.com/flyballhq/flyball/simulator"
)

// documents are the types that the admin address writes as JSON.
var documents = []any{
	admin.Limits{},
	admin.Saving{},
	admin.Bucket{},
	admin.Usage{},
	admin.Figures{},
	admin.TotalSeries{},
	admin.SavedSeries{},
	admin.Series{},
	admin.BucketSeries{},
	admin.BucketUse{},
	admin.Clients{},
	admin.Others{},
	admin.ClientUse{},
	admin.ClassCalls{},
	admin.BucketTotals{},
	admin.Calls{},
	admin.HeldCall{},
	admin.Line{},
	admin.RefusedCall{},
	admin.LongCall{},
	admin.Event{},
	admin.Skipped{},
	admin.Now{},
	admin.WaitingClient{},
	observe.Report{},
	observe.Passed{},
	observe.Outcome{},
	observe.Reason{},
	observe.Spared{},
	observe.Held{},
	observe.ClientOutcome{},
}

func openapi(t *testing.T) *openapi3.T {
	t.Helper()
	w := getAny(t, handler(t, admin.Options{}), "/api/openapi.yaml")
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIHasThePathsThatAreServed(t *testing.T) {
	s := admin.NewEvents(nil, nil, "")
	d := newDesk(t, simulator.Options{}, flyball.Options{})
	h := handler(t, admin.Options{Usage: d.history, Events: s, Metrics: http.NotFoundHandler(), Observe: func() observe.Report { return observe.Report{} }})
	served := append(admin.Pages(h), "/healthz", "/readyz")
	slices.Sort(served)
	var described []string
	for path := range openapi(t).Paths.Map() {
		described = append(described, path)
	}
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served: %q\ndescribed: %q", served, described)
	}
}

// Each field of each document is described, with its type and whether it may
// be missing or null; and nothing else is.
func TestOpenAPIHasTheFieldsThatAreWritten(t *testing.T) {
	schemas := openapi(t).Components.Schemas
	known := map[string]bool{"Error": true, "Status": true}
	for _, doc := range documents {
		typ := reflect.TypeOf(doc)
		known[typ.Name()] = true
		schema := schemas[typ.Name()]
		if schema == nil {
			t.Errorf("%s is not described", typ.Name())
			continue
		}
		described, required := flat(schema.Value)
		written := written(typ)
		for name, field := range written {
			if described[name] == nil {
				t.Errorf("%s.%s is not described", typ.Name(), name)
				continue
			}
			if got := kindOf(described[name].Value); got != field.kind {
				t.Errorf("%s.%s is described as %s, and is %s", typ.Name(), name, got, field.kind)
			}
			if required[name] == field.optional {
				t.Errorf("%s.%s: required %v, and may be left out %v", typ.Name(), name, required[name], field.optional)
			}
		}
		for name := range described {
			if _, ok := written[name]; !ok {
				t.Errorf("%s.%s is described, and does not exist", typ.Name(), name)
			}
		}
	}
	for name := range schemas {
		if !known[name] {
			t.Errorf("%s is described, and no document", name)
		}
	}
}

type field struct {
	kind     string
	optional bool
}

// written are the fields that encoding/json writes of a type.
func written(typ reflect.Type) map[string]field {
	all := map[string]field{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Anonymous {
			maps.Copy(all, written(f.Type))
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		all[name] = field{kindOfType(f.Type), options == "omitempty"}
	}
	return all
}

func kindOfType(typ reflect.Type) string {
	if typ.Kind() == reflect.Pointer {
		return kindOfType(typ.Elem()) + " or null"
	}
	if typ == reflect.TypeFor[time.Time]() {
		return "date-time"
	}
	switch typ.Kind() {
	case reflect.String:
		return "string"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array of " + kindOfType(typ.Elem())
	default:
		return "object"
	}
}

func kindOf(s *openapi3.Schema) string {
	kind := "object"
	switch {
	case s.Type.Is("array"):
		kind = "array of " + kindOf(s.Items.Value)
	case s.Format == "date-time":
		kind = s.Format
	case len(s.AllOf) == 0 && s.Type != nil:
		kind = s.Type.Slice()[0]
	}
	if s.Nullable {
		kind += " or null"
	}
	return kind
}

// flat are a schema's own fields and those of what it is made of.
func flat(s *openapi3.Schema) (fields openapi3.Schemas, required map[string]bool) {
	fields, required = openapi3.Schemas{}, map[string]bool{}
	maps.Copy(fields, s.Properties)
	for _, name := range s.Required {
		required[name] = true
	}
	for _, part := range s.AllOf {
		more, needed := flat(part.Value)
		maps.Copy(fields, more)
		maps.Copy(required, needed)
	}
	return fields, required
}

// What is really answered after a run fits its description.
func TestAnswersFitTheirDescription(t *testing.T) {
	doc := openapi(t)
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, simulator.Options{Limit: 20, Latency: simulator.Fixed(100 * time.Millisecond)}, flyball.Options{})
		atOnce(5, 50, func(i int) {
			ctx := flyball.WithClient(t.Context(), "crm")
			if i%5 == 4 {
				ctx = flyball.WithMaxWait(ctx, time.Second)
			}
			_, _ = d.call(ctx, "GET", "/api/v2/users/1.json") // the test is about what is shown of it
		})
		for _, path := range []string{"/api/limits", "/api/usage", "/api/clients", "/api/calls"} {
			answer := show[any](t, d.admin, path)
			schema := doc.Paths.Find(path).Get.Responses.Status(200).Value.Content.Get("application/json").Schema.Value
			if err := schema.VisitJSON(answer, openapi3.MultiErrors()); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		if calls := show[admin.Calls](t, d.admin, "/api/calls"); len(calls.Refused) == 0 || len(calls.Longest) == 0 {
			t.Error("nothing was refused or held: the check saw empty lists")
		}
	})
}
