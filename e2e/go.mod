module github.com/flyballhq/flyball/e2e

go 1.26.0

require (
	github.com/flyballhq/flyball v0.0.0-00010101000000-000000000000
	github.com/nukosuke/go-zendesk v0.18.0
)

require github.com/google/go-querystring v1.1.0 // indirect

replace github.com/flyballhq/flyball => ../
