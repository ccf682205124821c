package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// tokenRow is what the lists of tokens say of one.
type tokenRow struct {
	ID          uint64     `json:"id"`
	ClientID    uint64     `json:"client_id"`
	UsedAt      *time.Time `json:"used_at"`
	LastUsed    *time.Time `json:"last_used"`
	Description string     `json:"description"`
}

// tokensOf reads both lists: last uses by the name of the client or token.
func tokensOf(t *testing.T, c client) map[string]*time.Time {
	t.Helper()
	var lists struct {
		Tokens  []tokenRow `json:"tokens"`
		API     []tokenRow `json:"api_tokens"`
		Clients []struct {
			ID   uint64 `json:"id"`
			Name string `json:"name"`
		} `json:"clients"`
	}
	for _, path := range []string{"/api/v2/oauth/tokens.json?all=true&page[size]=100", "/api/v2/api_tokens.json", "/api/v2/oauth/clients.json"} {
		r, body := c.get(path)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, r.Status)
		}
		if err := json.Unmarshal([]byte(body), &lists); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if strings.Contains(body, "Bearer") {
			t.Errorf("%s shows a secret", path)
		}
	}
	used := map[string]*time.Time{}
	for _, row := range lists.Tokens {
		for _, c := range lists.Clients {
			if c.ID == row.ClientID {
				used[c.Name] = row.UsedAt
			}
		}
	}
	for _, row := range lists.API {
		used[row.Description] = row.LastUsed
	}
	return used
}

// TestProgramsRunByTheClockAndUseTheirTokens plants an hourly program and reads
// its calls out of the ledger and its last use out of the lists.
func TestProgramsRunByTheClockAndUseTheirTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: Fixed(0), Programs: []Program{
			{Name: "export", Every: time.Hour, After: 17 * time.Minute, Calls: 300, For: 50 * time.Second},
			{Name: "sync", Every: time.Hour, After: 40 * time.Minute, Calls: 20, APIToken: true},
			{Name: "browser", Every: time.Hour, After: 50 * time.Minute, Calls: 30, Session: true},
		}})
		c := client{t, s.RoundTripper()}
		began := time.Now().Truncate(time.Hour)
		if used := tokensOf(t, c); used["export"] != nil || used["sync"] != nil || used["a caller's client"] == nil {
			t.Errorf("before the first run: %v", used)
		}
		time.Sleep(3*time.Hour - time.Second)
		at := map[time.Duration]int{}
		for _, w := range s.Ledger().WindowsOf("account") {
			if w.Others > 0 {
				at[w.Start.Sub(began)] = w.Others
			}
		}
		for hour := range 3 {
			for minute, calls := range map[int]int{17: 300, 40: 20, 50: 30} {
				start := time.Duration(60*hour+minute) * time.Minute
				if at[start] != calls {
					t.Errorf("at %s: %d calls of others, want %d", start, at[start], calls)
				}
				delete(at, start)
			}
		}
		if len(at) != 0 {
			t.Errorf("others called at other times too: %v", at)
		}
		used := tokensOf(t, c)
		if last := used["export"]; last == nil || last.Sub(began).Truncate(time.Minute) != 2*time.Hour+17*time.Minute {
			t.Errorf("export was last used at %v", last)
		}
		if last := used["sync"]; last == nil || last.Sub(began) != 2*time.Hour+40*time.Minute {
			t.Errorf("sync was last used at %v", last)
		}
		if _, listed := used["browser"]; listed {
			t.Error("a session is listed as a token")
		}
	})
}

func TestProgramsAreChecked(t *testing.T) {
	for want, p := range map[string]Program{
		"a program has no name":       {Every: time.Hour, Calls: 1},
		"every 0s: must be more than": {Name: "x", Calls: 1},
		"nor for longer than every":   {Name: "x", Every: time.Hour, For: 2 * time.Hour, Calls: 1},
		"0 calls: must be at least 1": {Name: "x", Every: time.Hour},
	} {
		if err := (Options{Programs: []Program{p}}).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestParseProgram(t *testing.T) {
	got, err := ParseProgram("name=hourly export,every=1h,after=17m,calls=350,for=45s,token=api")
	want := Program{Name: "hourly export", Every: time.Hour, After: 17 * time.Minute, Calls: 350, For: 45 * time.Second, APIToken: true}
	if got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"", "every=1h", "calls=3", "every=x,calls=1", "every=1h,calls=1,token=key", "every=1h,calls=1,speed=2"} {
		if _, err := ParseProgram(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
