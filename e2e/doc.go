// Package e2e tries flyball with unmodified real clients: programs on
// node-zendesk, go-zendesk, Python requests, axios and fetch run as processes
// of their own, through a gateway, against the simulator on a socket. Each also
// runs straight at the simulator, where it has to fail; otherwise the try would
// prove nothing.
//
// The dashboard of flyball serve is tried in a real Chromium, which chromedp
// drives (browser_test.go and devtools_test.go alone know it). It leaves
// screenshots in the directory that FLYBALL_SCREENSHOTS names, which run sets
// to screenshots. What flyball audit reads is recorded by that Chromium's own
// developer tools.
//
// It is a module of its own, so that nobody who imports flyball carries what
// these clients need. The script run installs that and starts the tests.
package e2e
