package cli

import (
	"encoding/base64"
	"fmt"
)

// A credential is what a call of our own says who it is with.
type credential struct {
	header string // of Authorization
	source string // where it came from, for people
}

// credentialFor reads the environment: an OAuth token first, for API tokens end
// in 2027, else an e-mail with its API token.
func credentialFor(s Streams, host string) (credential, error) {
	if token := s.Env("ZENDESK_OAUTH_TOKEN"); token != "" {
		return credential{"Bearer " + token, "ZENDESK_OAUTH_TOKEN"}, nil
	}
	email, token := s.Env("ZENDESK_EMAIL"), s.Env("ZENDESK_API_TOKEN")
	switch {
	case email != "" && token != "":
		pair := base64.StdEncoding.EncodeToString([]byte(email + "/token:" + token))
		return credential{"Basic " + pair, "ZENDESK_EMAIL and ZENDESK_API_TOKEN (" + email + ")"}, nil
	case email != "":
		return credential{}, fmt.Errorf("ZENDESK_EMAIL is set and ZENDESK_API_TOKEN is not (set both, or ZENDESK_OAUTH_TOKEN)")
	case token != "":
		return credential{}, fmt.Errorf("ZENDESK_API_TOKEN is set and ZENDESK_EMAIL is not (set both, or ZENDESK_OAUTH_TOKEN)")
	}
	return credential{}, fmt.Errorf("no credential for %s (set ZENDESK_OAUTH_TOKEN, or ZENDESK_EMAIL and ZENDESK_API_TOKEN; a simulator takes any)", host)
}
