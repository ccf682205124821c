package archtest

import "slices"

// Module is the path of the main module; a room is a folder below it.
const Module = "github.com/flyballhq/flyball"

// A Room is one package of the module and what it may lean on.
type Room struct {
	Path    string   // folder below the module's root; "." is package flyball itself
	Imports []string // the rooms it may import, by Path
	StdOnly bool     // no third-party module: a user of the library must link none
}

// The tiers, lowest first. A room may import any room of the tiers below its
// own, and none beside it.
var (
	vocabulary = []string{"limit", "event"}
	mechanisms = []string{"budget", "queue", "flight"}
	layers     = []string{"admission", "retry", "cache", "elide", "batch"}
	front      = []string{"."}
	durable    = []string{"journal"}
	faces      = []string{
		"gateway", "gateway/links", "admin", "admin/dashboard", "outbox", "bulk", "audit", "audit/accesslog", "audit/page", "audit/replay",
		"simulator", "simulator/desk", "telemetry", "telemetry/otlp", "alert", "redis", "usage", "observe", "watch",
	}

	belowLayers = slices.Concat(vocabulary, mechanisms)
	belowFront  = slices.Concat(belowLayers, layers, []string{"zendesk"})
	belowFaces  = slices.Concat(belowFront, front, durable)
	belowConfig = slices.Concat(belowFaces, faces)
	belowCLI    = append(slices.Clone(belowConfig), "config")
)

// Rooms is the import table: each room of the house and the rooms below it.
// Rooms that do not exist yet have their place here already.
var Rooms = []Room{
	{Path: "limit", StdOnly: true},
	{Path: "event", StdOnly: true, Imports: []string{"limit"}},
	{Path: "zendesk", StdOnly: true, Imports: []string{"limit"}},

	{Path: "budget", StdOnly: true, Imports: vocabulary},
	{Path: "budget/budgettest", StdOnly: true, Imports: []string{"limit", "event", "budget"}},
	{Path: "queue", StdOnly: true, Imports: vocabulary},
	{Path: "flight", StdOnly: true},

	{Path: "admission", StdOnly: true, Imports: belowLayers},
	{Path: "retry", StdOnly: true, Imports: belowLayers},
	{Path: "cache", StdOnly: true, Imports: belowLayers},
	{Path: "cache/cachetest", StdOnly: true, Imports: []string{"limit", "event", "cache"}},
	{Path: "cache/memory", Imports: []string{"cache"}},
	{Path: "cache/disk", Imports: []string{"cache"}},
	{Path: "elide", StdOnly: true, Imports: belowLayers},
	{Path: "batch", StdOnly: true, Imports: belowLayers},

	{Path: ".", StdOnly: true, Imports: belowFront},

	{Path: "journal", StdOnly: true},
	{Path: "outbox", StdOnly: true, Imports: belowFaces},
	{Path: "bulk", StdOnly: true, Imports: belowFaces},
	// What telemetry writes and audit reads back is one type, below both.
	{Path: "audit/accesslog", StdOnly: true},
	{Path: "audit", StdOnly: true, Imports: append(slices.Clone(belowFaces), "audit/accesslog")},
	{Path: "audit/replay", Imports: append(slices.Clone(belowFaces), "audit", "cache/memory", "simulator")},
	{Path: "audit/page", StdOnly: true, Imports: []string{"audit"}},

	// The simulator is written from the facts a second time. It imports
	// nothing of ours, so it cannot share our mistakes.
	{Path: "simulator", StdOnly: true, Imports: []string{"simulator/desk"}},
	{Path: "simulator/desk", StdOnly: true},

	{Path: "redis", Imports: append(slices.Clone(belowLayers), "cache")},
	{Path: "telemetry", Imports: append(slices.Clone(belowFaces), "audit/accesslog")},
	{Path: "alert", StdOnly: true, Imports: vocabulary},
	{Path: "telemetry/otlp", Imports: belowFaces},
	{Path: "gateway", Imports: append(slices.Clone(belowFaces), "gateway/links")},
	{Path: "gateway/links", StdOnly: true},
	{Path: "usage", StdOnly: true, Imports: vocabulary},
	{Path: "watch", StdOnly: true},
	{Path: "observe", StdOnly: true, Imports: belowFaces},
	{Path: "admin", Imports: append(slices.Clone(belowFaces), "admin/dashboard", "usage", "observe")},
	{Path: "admin/dashboard"},

	{Path: "config", Imports: append(slices.Clone(belowConfig), "cache/memory", "cache/disk")},
	{Path: "internal/cli", Imports: append(slices.Clone(belowCLI), "cache/memory")},
	{Path: "cmd/flyball", Imports: []string{"internal/cli"}},

	{Path: "internal/archtest", StdOnly: true},
	{Path: "internal/rehearsal", Imports: append(slices.Clone(belowConfig), "cache/memory")},
	{Path: "internal/behaviours", StdOnly: true},
}

// Libraries names the rooms that may import a heavy third-party module, by
// the module's path or a prefix of it. Other modules are free to every room
// that is not StdOnly.
var Libraries = map[string][]string{
	"github.com/redis/":      {"redis"},
	"github.com/prometheus/": {"telemetry", "telemetry/otlp"},
	"go.opentelemetry.io/":   {"telemetry/otlp"},
	"github.com/spf13/":      {"internal/cli"},
	"github.com/jedib0t/":    {"internal/cli"},
	"go.yaml.in/":            {"config"},
	"github.com/caarlos0/":   {"config"},
	"github.com/fsnotify/":   {"config"},
	"github.com/maypok86/":   {"cache/memory"},
	"go.etcd.io/":            {"cache/disk"},
	"github.com/getkin/":     {"admin"},
}
