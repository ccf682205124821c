package zendesk

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Account returns the origin of the account that s names: "acme",
// "acme.zendesk.com" or a URL. The result has a scheme and a host and nothing
// else. Plain http is for simulators: it is refused for zendesk.com, for it
// would show the credentials to the network.
func Account(s string) (*url.URL, error) {
	given := strings.TrimSpace(s)
	switch {
	case given == "":
		return nil, fmt.Errorf("no Zendesk account given: name one, such as acme, acme.zendesk.com or https://acme.zendesk.com")
	case strings.Contains(given, "://"):
		return accountURL(given)
	case strings.ContainsAny(given, "/?#@"):
		return nil, fmt.Errorf("%q is not a Zendesk account: give its host only, such as acme.zendesk.com, or a whole URL that begins with https://", printable(s))
	case strings.Contains(given, ":") || strings.EqualFold(given, "localhost"):
		return nil, fmt.Errorf("%q is not a Zendesk account: write a simulator's address as a URL, such as http://%s", printable(s), printable(given))
	case !strings.Contains(given, "."):
		given += ".zendesk.com"
	}
	if err := checkHost(given, s); err != nil {
		return nil, err
	}
	return &url.URL{Scheme: "https", Host: strings.ToLower(given)}, nil
}

func accountURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL: write the account as https://acme.zendesk.com", printable(s))
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case u.User != nil:
		return nil, fmt.Errorf("the account's URL holds a user name or password: leave them out and write https://%s; credentials come from the environment", host)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q is not an account's URL: its scheme is %q; write https://%s", printable(s), u.Scheme, host)
	case u.Scheme == "http" && (host == "zendesk.com" || strings.HasSuffix(host, ".zendesk.com")):
		return nil, fmt.Errorf("%q would send credentials in the clear: write https://%s", printable(s), host)
	case strings.Trim(u.Path, "/") != "" && strings.Trim(u.Path, "/") != "api/v2", u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("%q names more than an account: leave out what follows the host, as in %s://%s", printable(s), u.Scheme, u.Host)
	}
	if net.ParseIP(host) == nil {
		if err := checkHost(host, s); err != nil {
			return nil, err
		}
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// checkHost accepts what RFC 1123 allows in a host's name.
func checkHost(host, given string) error {
	ok := len(host) <= 253
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		ok = ok && label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-'
		for i := range len(label) {
			c := label[i] | 0x20
			ok = ok && (c >= 'a' && c <= 'z' || label[i] >= '0' && label[i] <= '9' || label[i] == '-')
		}
	}
	if !ok {
		return fmt.Errorf("%q is not a Zendesk account: a host has letters, digits, hyphens and dots only, such as acme or acme.zendesk.com", printable(given))
	}
	return nil
}

// printable cuts what a person typed to a length that fits an error.
func printable(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}
