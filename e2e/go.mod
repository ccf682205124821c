module github.com/flyballhq/flyball/e2e

go 1.26.0

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/creack/pty v1.1.24
	github.com/flyballhq/flyball v0.0.0-00010101000000-000000000000
	github.com/nukosuke/go-zendesk v0.18.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/google/go-querystring v1.1.0 // indirect
)

replace github.com/flyballhq/flyball => ../
