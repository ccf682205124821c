package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const controlRoot = "/_sim/"

// isControl reports whether a path steers the simulator. Such requests are not
// the account's: they take no time, cost nothing and are in no ledger.
func isControl(path string) bool { return strings.HasPrefix(path, controlRoot) }

// listedRequests is how many requests GET /_sim/ledger lists if not asked for
// another number by ?requests=N.
const listedRequests = 1000

func listed(c *call) int {
	if n, err := strconv.Atoi(c.param("requests")); err == nil && n >= 0 {
		return n
	}
	return listedRequests
}

// control answers GET /_sim/ledger, POST /_sim/reset, and GET, POST and DELETE
// /_sim/faults. A POST to faults adds those in its body, one a line, written as
// ParseFault reads them.
func (s *Simulator) control(c *call) answer {
	switch c.method + " " + c.path {
	case "GET /_sim/ledger":
		return marshalled(s.ledger(listed(c)))
	case "POST /_sim/reset":
		s.Reset()
		return jsonAnswer(http.StatusOK, `{"reset":true}`)
	case "GET /_sim/faults":
		return s.listFaults()
	case "POST /_sim/faults":
		return s.addFaults(string(c.body))
	case "DELETE /_sim/faults":
		_ = s.SetFaults() // none cannot be wrong
		return s.listFaults()
	}
	return jsonAnswer(http.StatusNotFound, `{"error":"NotFound","description":`+strconv.Quote(
		c.method+" "+c.path+": there are GET /_sim/ledger, POST /_sim/reset, and GET, POST and DELETE /_sim/faults")+`}`)
}

func marshalled(v any) answer {
	text, err := json.Marshal(v)
	if err != nil {
		return jsonAnswer(http.StatusInternalServerError, `{"error":`+strconv.Quote(err.Error())+`}`)
	}
	return jsonAnswer(http.StatusOK, string(text))
}

func (s *Simulator) listFaults() answer {
	list := []string{}
	for _, f := range s.Faults() {
		list = append(list, f.String())
	}
	return marshalled(map[string][]string{"faults": list})
}

func (s *Simulator) addFaults(text string) answer {
	faults := s.Faults()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		f, err := ParseFault(line)
		if err != nil {
			return jsonAnswer(http.StatusBadRequest, fmt.Sprintf(`{"error":"BadFault","description":%s}`, strconv.Quote(err.Error())))
		}
		faults = append(faults, f)
	}
	if err := s.SetFaults(faults...); err != nil {
		return jsonAnswer(http.StatusBadRequest, fmt.Sprintf(`{"error":"BadFault","description":%s}`, strconv.Quote(err.Error())))
	}
	return s.listFaults()
}
