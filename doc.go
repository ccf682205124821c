// Package flyball governs calls to the Zendesk API: each goes out as soon as
// the account's limits allow, and none is refused that could have waited.
//
// Reach for [New] first. It returns a [Transport], an [http.RoundTripper] for
// an ordinary [http.Client]:
//
//	t, err := flyball.New(flyball.Options{Account: "acme"})
//	client := &http.Client{Transport: t}
//
// Share one Transport between all clients of an account: the account has one
// budget, and two Transports take each other for strangers.
//
// A call waits as long as its context allows. When that cannot be enough it
// fails at once with a [*WaitError], never with a made-up response.
package flyball
