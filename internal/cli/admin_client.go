package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// An adminClient reads a gateway's admin address.
type adminClient struct {
	address string // as people write it
	origin  string
	token   string
}

// newAdminClient takes the address of --admin, else of FLYBALL_ADMIN, else the
// default, and the token of FLYBALL_ADMIN_TOKEN.
func newAdminClient(s Streams, flag string) (*adminClient, error) {
	address := firstOf(flag, s.Env("FLYBALL_ADMIN"), defaultAdmin)
	origin, err := adminOrigin(address)
	if err != nil {
		return nil, err
	}
	return &adminClient{address, origin, s.Env("FLYBALL_ADMIN_TOKEN")}, nil
}

// adminOrigin takes HOST:PORT or a URL.
func adminOrigin(address string) (string, error) {
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return strings.TrimRight(address, "/"), nil
	}
	if strings.ContainsAny(address, "/ ") || !strings.Contains(address, ":") {
		return "", wrongf("--admin %q is not an address (write %s)", address, defaultAdmin)
	}
	return "http://" + address, nil
}

// errUnanswered is found in the error when nobody answers at an address.
var errUnanswered = errors.New("is a gateway running (flyball serve ACCOUNT)?")

// get reads one document.
func (c *adminClient) get(ctx context.Context, path string, doc any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.origin+path, nil)
	if err != nil {
		return wrongf("--admin %q is not an address (write %s)", c.address, defaultAdmin)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", explain("the admin address "+c.address, err), errUnanswered)
	}
	defer resp.Body.Close()
	if err := decodeAdmin(resp, doc); err != nil {
		return fmt.Errorf("the admin address %s: %w", c.address, err)
	}
	return nil
}

func decodeAdmin(resp *http.Response, doc any) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("read its answer: %w (try again)", err)
	}
	if resp.StatusCode != http.StatusOK {
		var no struct{ Description string }
		if json.Unmarshal(text, &no) != nil || no.Description == "" {
			no.Description = "is that flyball's admin address?"
		}
		hint := ""
		if resp.StatusCode == http.StatusUnauthorized {
			hint = " (set FLYBALL_ADMIN_TOKEN to the gateway's admin token)"
		}
		return fmt.Errorf("%s: %s%s", resp.Status, no.Description, hint)
	}
	var named struct{ Account string }
	if json.Unmarshal(text, &named) != nil || named.Account == "" || json.Unmarshal(text, doc) != nil {
		return errors.New("it answers, and not as an admin address does (is that flyball's admin address?)")
	}
	return nil
}
