package gateway

import (
	"fmt"
	"net/url"
	"strings"
)

// ParseOrigin reads a web origin such as https://app.example.com and returns
// it as browsers write it in their Origin header: in lower case, without a
// default port, and without a path.
func ParseOrigin(text string) (string, error) {
	switch text {
	case "*":
		return "", fmt.Errorf(`"*" would let every page call with whatever token it holds (list the origins of your pages, such as https://app.example.com)`)
	case "null":
		return "", fmt.Errorf(`"null" is what any sandboxed or local page says of itself (serve the page from an origin of its own, such as https://app.example.com)`)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme == "" || strings.ContainsAny(u.Host, " *,") {
		return "", fmt.Errorf("%q is not an origin (write https://app.example.com)", text)
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q has more than scheme and host, and an origin has no more (write %s://%s)", text, u.Scheme, u.Host)
	}
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return strings.ToLower(u.Scheme) + "://" + host, nil
}
