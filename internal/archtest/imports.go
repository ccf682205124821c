package archtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// A Package is what `go list -json` says about one package.
type Package struct {
	ImportPath   string
	Doc          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// List asks the go command, once, for every package of the module at root.
func List(ctx context.Context, root string) ([]Package, error) {
	list := exec.CommandContext(ctx, "go", "list", "-tags=grpcnotrace",
		"-json=ImportPath,Doc,GoFiles,Imports,TestImports,XTestImports", "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go list ./...: %w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("go list ./...: %w", err)
	}
	return decode(bytes.NewReader(out))
}

// decode reads the objects that go list prints one after another.
func decode(r io.Reader) ([]Package, error) {
	var all []Package
	for dec := json.NewDecoder(r); ; {
		var p Package
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("read go list: %w", err)
		}
		all = append(all, p)
	}
}

// CheckImports returns one line for each package that breaks the table.
func CheckImports(packages []Package, rooms []Room, libraries map[string][]string) []string {
	var faults []string
	for _, p := range packages {
		path := roomPath(p.ImportPath)
		i := slices.IndexFunc(rooms, func(r Room) bool { return r.Path == path })
		if i < 0 {
			faults = append(faults, fmt.Sprintf("%s is not in the import table: give it a row in Rooms "+
				"(internal/archtest/rooms.go) and a line in docs/ARCHITECTURE.md, or put the code into a room that is", path))
			continue
		}
		if len(p.GoFiles) > 0 && strings.TrimSpace(p.Doc) == "" {
			faults = append(faults, path+" has no package comment: say what the room is for, "+
				"what to reach for first, and what it leaves to others")
		}
		faults = append(faults, importFaults(p, rooms[i], libraries)...)
		faults = append(faults, testFaults(p, rooms[i])...)
	}
	return faults
}

// importFaults compares what a room imports with its row.
func importFaults(p Package, room Room, libraries map[string][]string) []string {
	var faults []string
	for _, path := range p.Imports {
		switch {
		case isOurs(path):
			if !slices.Contains(room.Imports, roomPath(path)) {
				faults = append(faults, fmt.Sprintf("%s imports %s: its row allows only %v; imports point down, "+
					"and where two rooms meet the room above joins them", room.Path, roomPath(path), room.Imports))
			}
		case isStandard(path):
		case room.StdOnly:
			faults = append(faults, fmt.Sprintf("%s imports %s: this room has the standard library only, "+
				"so that users of the library link nothing else", room.Path, path))
		default:
			if owners := libraryRooms(path, libraries); owners != nil && !slices.Contains(owners, room.Path) {
				faults = append(faults, fmt.Sprintf("%s imports %s: that library lives in %v alone", room.Path, path, owners))
			}
		}
	}
	return faults
}

// testFaults holds the one rule for test files: a simulator that is tested
// with the help of our other rooms would share their mistakes after all.
// Other rooms' tests import what they need; Go itself refuses cycles.
func testFaults(p Package, room Room) []string {
	if !isSimulator(room.Path) {
		return nil
	}
	var faults []string
	for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
		if isOurs(path) && !isSimulator(roomPath(path)) {
			faults = append(faults, fmt.Sprintf("a test of %s imports %s: the simulator is judged by the facts, "+
				"never by our other rooms", room.Path, roomPath(path)))
		}
	}
	return faults
}

func libraryRooms(path string, libraries map[string][]string) []string {
	for prefix, owners := range libraries {
		if strings.HasPrefix(path, prefix) {
			return owners
		}
	}
	return nil
}

// roomPath turns an import path into a row's Path.
func roomPath(path string) string {
	if path == Module {
		return "."
	}
	return strings.TrimPrefix(path, Module+"/")
}

func isOurs(path string) bool { return path == Module || strings.HasPrefix(path, Module+"/") }

func isSimulator(room string) bool {
	return room == "simulator" || strings.HasPrefix(room, "simulator/")
}

// isStandard reports whether path is in the standard library: its first
// element has no dot, by which the go command too tells the two apart.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}
