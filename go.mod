module github.com/flyballhq/flyball

go 1.26
